import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Class, Figures, Remedy, Tally } from './model.ts'
import { quarterOf, spanOf } from './quarters.ts'
import { lines, publish, running, SMALLEST_GROUP, type Cell } from './rules.ts'

const SPAN = { quarter: '2026Q4', ...spanOf('2026Q4')! }
const AT = new Date('2027-01-01T00:00:00Z')
const tallies = (cls: Class, code: string, partners: number, events = 10): Tally[] => Array.from({ length: partners }, (_, i) => ({ family: 'refusals', class: cls, code, partner: `p${i}`, events }))
const told = (rows: Tally[], remedies: Remedy[] = []) => publish(SPAN, rows, remedies, AT)

test('quarters begin at midnight in China', () => {
  assert.deepEqual(['2026-09-30T15:59:59Z', '2026-09-30T16:00:00Z', '2026-12-31T15:59:59Z', '2026-12-31T16:00:00Z'].map((at) => quarterOf(new Date(at))), ['2026Q3', '2026Q4', '2026Q4', '2027Q1'])
  assert.deepEqual([spanOf('2026Q4')!.to.toISOString(), spanOf('2026Q5'), spanOf('x')], ['2026-12-31T16:00:00.000Z', null, null])
  for (const quarter of ['2026Q1', '2026Q2', '2026Q3', '2026Q4']) assert.equal(quarterOf(spanOf(quarter)!.from), quarter)
})

test('small cells stand together, and where that is too small the smallest line goes with them', () => {
  const table: [string, Tally[], string[]][] = [
    ['all large', [...tallies('technical', 'a', 5), ...tallies('commercial', 'b', 7)], ['commercial b 70', 'technical a 50']],
    ['small ones of one class reach five together', [...tallies('technical', 'a', 6), ...tallies('technical', 'b', 3), ...tallies('technical', 'c', 2).map((t) => ({ ...t, partner: `q${t.partner}` }))], ['technical a 60', 'technical null 50']],
    ['the same partners twice are no five', [...tallies('technical', 'a', 6), ...tallies('technical', 'b', 3), ...tallies('technical', 'c', 3)], ['null null 120']],
    ['the small ones of two classes', [...tallies('technical', 'a', 3), ...tallies('commercial', 'b', 2).map((t) => ({ ...t, partner: `q${t.partner}` })), ...tallies('compliance', 'c', 5)], ['compliance c 50', 'null null 50']],
    ['one small cell takes the smallest line with it', [...tallies('technical', 'a', 9), ...tallies('commercial', 'b', 6), ...tallies('commercial', 'c', 1)], ['technical a 90', 'null null 70']],
    ['nobody but four', tallies('technical', 'a', 4), []],
    ['nothing', [], []],
  ]
  for (const [name, rows, expected] of table) assert.deepEqual(told(rows).refusals.map((line) => `${line.class} ${line.code} ${line.events}`), expected, name)
})

test('numbers come in steps of five, and durations in hours and days', () => {
  assert.deepEqual([7, 8, 1].map((events) => told(tallies('technical', 'a', 5, events)).refusals[0]!.events), [35, 40, 5])
  assert.equal(told([...tallies('technical', 'a', 5, 1), { family: 'refusals', class: 'technical', code: 'a', partner: 'p0', events: 2 }]).refusals[0]!.events, 5)
  const hours = (list: number[]) => told([], list.map((n, i) => ({ class: 'technical', code: 'a', partner: `p${i}`, standingMs: n * 3_600_000 - 1 }))).remedies
  assert.deepEqual(hours([1, 2, 3, 4, 100]), [{ class: 'technical', code: 'a', medianHours: 3, p90Hours: 120 }])
  assert.deepEqual(hours([1, 2, 3, 4]), [], 'four are nobody')
})

test('the share of technical reasons that did not hold is what the published lines themselves say', () => {
  const of = (family: 'measures' | 'appeals' | 'followed', cls: Class, code: string, partners: number, events: number) => tallies(cls, code, partners, events).map((tally) => ({ ...tally, family }))
  assert.deepEqual(told([...of('measures', 'technical', 'a', 10, 4), ...of('appeals', 'technical', 'overturned', 5, 1), ...of('followed', 'technical', 'compliance', 5, 2)]).technicalLater, { overturnedPercent: 13, followedPercent: 25 })
  assert.deepEqual(told([...of('measures', 'technical', 'a', 10, 4), ...of('appeals', 'technical', 'overturned', 4, 1)]).technicalLater, { overturnedPercent: null, followedPercent: null })
})

test('a quarter that runs shows no number', () => {
  const { quarter, state, from, to, smallestGroup, roundedTo, publishedAt, ...rest } = running(SPAN)
  assert.deepEqual([quarter, state, publishedAt], ['2026Q4', 'running', null])
  assert.deepEqual(Object.values(rest).flatMap((value) => (Array.isArray(value) ? value : typeof value === 'object' ? Object.values(value as object).filter((one) => one !== null) : value === 0 ? [] : [value])), [])
})

/** Small worlds, in which every set of cells can be tried. */
const CLASSES: Class[] = ['technical', 'commercial', 'compliance']
const world = fc.array(fc.record({
  class: fc.constantFrom(...CLASSES), code: fc.constantFrom('a', 'b', 'c'),
  partners: fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 8 }),
}), { maxLength: 8 }).map((cells) => [...new Map(cells.map((cell) => [`${cell.class} ${cell.code}`, { ...cell, partners: new Set(cell.partners.map(String)) }])).values()])

/** Whether a row can be combined, with any factors, out of rows: whoever can do that knows the sum that it stands for. */
function isSpanned(rows: readonly (readonly number[])[], row: readonly number[]): boolean {
  return rankOf([...rows, row]) === rankOf(rows)
}

function rankOf(rows: readonly (readonly number[])[]): number {
  const left = rows.map((row) => [...row])
  let rank = 0
  for (let column = 0; column < (left[0]?.length ?? 0); column++) {
    const pivot = left.findIndex((row, i) => i >= rank && Math.abs(row[column]!) > 1e-9)
    if (pivot < 0) continue
    ;[left[rank], left[pivot]] = [left[pivot]!, left[rank]!]
    for (let i = 0; i < left.length; i++) {
      if (i === rank) continue
      const factor = left[i]![column]! / left[rank]![column]!
      left[i] = left[i]!.map((value, j) => value - factor * left[rank]![j]!)
    }
    rank++
  }
  return rank
}

test('nobody can compute what fewer than five did: not from one line, nor from sums and differences of any', () => {
  fc.assert(fc.property(world, (cells) => {
    const published = lines(cells)
    // The strongest reader: knows which cells stand in which line, and adds and subtracts exact numbers as he likes.
    const rows = published.map((line) => cells.map((cell) => (line.members.includes(cell) ? 1 : 0)))
    for (let set = 1; set < 1 << cells.length; set++) {
      const chosen = cells.filter((_, i) => set & (1 << i))
      if (new Set(chosen.flatMap((cell) => [...cell.partners])).size >= SMALLEST_GROUP) continue
      assert.equal(rows.length > 0 && isSpanned(rows, cells.map((cell) => (chosen.includes(cell) ? 1 : 0))), false, JSON.stringify(chosen.map((cell) => [cell.class, cell.code, [...cell.partners]])))
    }
    assert.ok(published.length === 0 || published.flatMap((line) => line.members).length === cells.length, 'either every cell is told, in one line, or none')
  }), { numRuns: 400 })
})

test('the attack can succeed: a total beside the lines would give a small cell away', () => {
  const cells: Cell[] = [{ class: 'technical', code: 'a', partners: new Set('abcdef') }, { class: 'technical', code: 'b', partners: new Set('x') }]
  assert.equal(isSpanned([[1, 0], [1, 1]], [0, 1]), true)
  assert.deepEqual(lines(cells).map((line) => line.members.length), [2])
})

/** Everything that the document holds but words: whatever is a number is looked at as a number about somebody. */
const numbersOf = (figures: Figures) => JSON.stringify({ ...figures, publishedAt: null })

test('what one partner did alone changes nothing that is published, in one quarter and over two', () => {
  fc.assert(fc.property(world, fc.constantFrom(...CLASSES), (cells, cls) => {
    const rows = (more: Tally[]): Tally[] => [...cells.flatMap((cell) => [...cell.partners].map((partner): Tally => ({ family: 'refusals', class: cell.class, code: cell.code, partner, events: 1000 }))), ...more]
    const lonely: Tally = { family: 'measures', class: cls, code: 'rare', partner: '1', events: 1 }
    // In a family of its own one partner is nobody; the other families do not change either, since no number is in two.
    assert.equal(numbersOf(told(rows([lonely]))), numbersOf(told(rows([]))))
    // The quarters share no event: what was told of one is untouched by what another holds.
    const next = publish({ quarter: '2027Q1', ...spanOf('2027Q1')! }, rows([lonely]), [], AT)
    assert.equal(numbersOf({ ...next, quarter: '', from: '', to: '' }), numbersOf({ ...told(rows([])), quarter: '', from: '', to: '' }))
  }), { numRuns: 200 })
})
