/**
 * The guard of the reason pages: a code without a real page, in both languages, would be a refusal without a cure.
 */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { explain, isReasonCode, reasonCodes, reasonOf } from '../protocol/reasons.ts'
import type { Reason, ReasonCode } from '../protocol/reasons.ts'

const PAGES = new URL('../docs/reasons/', import.meta.url)

const headings = {
  English: ['What it means', 'How you can verify it yourself', 'How to mend it', 'How to appeal'],
  中文: ['这是什么意思', '如何自行核实', '如何解决', '如何申诉'],
} as const
type Language = keyof typeof headings

/** Below these a section is a stub: characters of prose for English, Han characters for Chinese. */
const LEAST = { English: 60, 中文: 25 } as const
const LEAST_LINES = 16
const FORBIDDEN = ['incompatible', 'system error', '系统不兼容', '系统错误']
/** Two pages that share this much of their four-word runs say the same thing under two names. */
const ALIKE = 0.6
/** RFC 9457 leaves the length open; foreign shops cut their one field of words at 200. */
const LONGEST_DETAIL = 200

/** What is left of a section when code blocks and marks are taken away, since a command alone explains nothing. */
function proseOf(section: string): string {
  return section.replace(/^```[^]*?^```/gm, '').replace(/[`*#>|-]/g, '').replace(/\s+/g, ' ').trim()
}

function lengthOf(section: string, language: Language): number {
  const prose = proseOf(section)
  return language === 'English' ? prose.length : (prose.match(/\p{Script=Han}/gu) ?? []).length
}

/** Cuts a text at headings of one level: [[heading, text under it], …], in their order. */
function cutAt(level: '##' | '###', text: string): [string, string][] {
  return text.split(new RegExp(`^${level} (?!#)`, 'm')).slice(1).map((part) => {
    const end = part.indexOf('\n')
    return end < 0 ? [part.trim(), ''] : [part.slice(0, end).trim(), part.slice(end + 1)]
  })
}

/** Everything that is wrong with one page, in words; empty when the page is whole. */
function faultsOfPage(code: ReasonCode, text: string): string[] {
  const faults: string[] = []
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const reason = reasonOf(code)
  if (lines[0] !== `# \`${code}\``) faults.push('the first line is not the code')
  for (const fact of [reason.class, `HTTP ${reason.status}`, reason.retry]) {
    if (!lines[1]?.includes(fact)) faults.push(`the second line does not say ${fact}`)
  }
  if (lines.length < LEAST_LINES) faults.push(`only ${lines.length} lines`)
  for (const word of FORBIDDEN) if (text.toLowerCase().includes(word)) faults.push(`says "${word}"`)

  const halves = cutAt('##', text)
  const languages = Object.keys(headings) as Language[]
  if (halves.map(([name]) => name).join() !== languages.join()) faults.push(`the halves are not ${languages.join(', ')}`)
  for (const language of languages) {
    const half = halves.find(([name]) => name === language)?.[1] ?? ''
    const sections = cutAt('###', half)
    if (sections.map(([name]) => name).join() !== headings[language].join()) faults.push(`${language}: the headings are wrong`)
    for (const [name, section] of sections) {
      if (lengthOf(section, language) < LEAST[language]) faults.push(`${language}: "${name}" is a stub`)
    }
  }
  return faults
}

/** The runs of four words (a Han character counts as one) on a page, without its code, its facts line and headings. */
function runsOf(code: string, text: string): Set<string> {
  const body = text.split('\n').slice(1).filter((line) => !/^#|· HTTP \d/.test(line)).join('\n').replaceAll(code, ' ')
  const words = body.toLowerCase().match(/\p{Script=Han}|[\p{L}\p{N}_]+/gu) ?? []
  return new Set(words.slice(0, -3).map((_, i) => words.slice(i, i + 4).join(' ')))
}

/** Jaccard: the shared runs over all runs, 0 for strangers and 1 for twins. */
function likeness(a: Set<string>, b: Set<string>): number {
  const shared = a.intersection(b).size
  return shared === 0 ? 0 : shared / (a.size + b.size - shared)
}

/** Everything that is wrong with a set of pages, keyed by file name without `.md`, measured against the codes. */
function faultsOfPages(codes: readonly ReasonCode[], pages: ReadonlyMap<string, string>): string[] {
  const faults = codes.filter((code) => !pages.has(code)).map((code) => `${code}: has no page`)
  const read: [string, Set<string>][] = []
  for (const [name, text] of pages) {
    if (isReasonCode(name)) faults.push(...faultsOfPage(name, text).map((fault) => `${name}: ${fault}`))
    else faults.push(`${name}: is no code of the registry`)
    const runs = runsOf(name, text)
    for (const [other, otherRuns] of read) {
      const like = likeness(runs, otherRuns)
      if (like >= ALIKE) faults.push(`${name}: is like ${other} (${like.toFixed(2)})`)
    }
    read.push([name, runs])
  }
  return faults
}

/** Everything that is wrong with the words of one registry row. */
function faultsOfReason(reason: Reason): string[] {
  const faults: string[] = []
  for (const lang of ['en', 'zh'] as const) {
    for (const part of ['title', 'detail'] as const) {
      const text = reason[part][lang]
      if (text.trim().length < 4) faults.push(`${part} ${lang} is missing`)
      if (/\p{Script=Han}/u.test(text) !== (lang === 'zh')) faults.push(`${part} ${lang} is in the other language`)
      if (FORBIDDEN.some((word) => text.toLowerCase().includes(word))) faults.push(`${part} ${lang} uses a forbidden word`)
    }
    for (const [, name] of reason.detail[lang].matchAll(/\{(.*?)\}/g)) {
      if (!reason.because.includes(name ?? '')) faults.push(`detail ${lang} fills {${name}}, which because does not carry`)
    }
    const filled = reason.detail[lang].replace(/\{.*?\}/g, 'v'.repeat(16))
    if (filled.length > LONGEST_DETAIL) faults.push(`detail ${lang} is ${filled.length} characters long`)
  }
  return faults
}

function pagesOnDisk(): Map<string, string> {
  const files = readdirSync(PAGES).toSorted()
  return new Map(files.map((file) => [file.replace(/\.md$/, ''), readFileSync(new URL(file, PAGES), 'utf8')]))
}

/** A page that is whole and shares no run of words with a page of another seed. */
function plantedPage(code: ReasonCode, seed: string): string {
  const reason = reasonOf(code)
  const en = Array.from({ length: 12 }, (_, i) => `${seed}word${i}`).join(' ')
  const zh = `${Array.from(seed.repeat(8), (c, i) => String.fromCodePoint(0x4e00 + c.charCodeAt(0) * 64 + i)).join('')}。`
  const half = (language: Language, prose: string) =>
    [`## ${language}`, ...headings[language].map((name, i) => `### ${name}\n\n${prose} ${seed}${i}`)].join('\n\n')
  const facts = `${reason.class} · HTTP ${reason.status} · retry ${reason.retry}`
  return [`# \`${code}\``, facts, half('English', en), half('中文', zh)].join('\n\n')
}

test('every reason has a whole page in both languages, every page belongs to a reason, and no two are alike', () => {
  assert.deepEqual(faultsOfPages(reasonCodes, pagesOnDisk()), [])
})

test('every reason is worded in both languages, from named values, short enough for a foreign shop', () => {
  assert.ok(reasonCodes.length > 0)
  assert.deepEqual(reasonCodes.flatMap((code) => faultsOfReason(reasonOf(code)).map((fault) => `${code}: ${fault}`)), [])
})

test('a filled sentence shows its named values and leaves no brace behind', () => {
  for (const code of reasonCodes) {
    const reason = reasonOf(code)
    const because = Object.fromEntries(reason.because.map((name) => [name, `<${name}>`]))
    for (const lang of ['en', 'zh'] as const) {
      const sentence = explain({ code, because }, lang)
      assert.doesNotMatch(sentence, /[{}–]/, code)
      for (const [, name] of reason.detail[lang].matchAll(/\{(\w+)\}/g)) assert.ok(sentence.includes(`<${name}>`), code)
    }
  }
})

const [a, b] = ['protocol.url_too_long', 'orders.not_found'] as const
const whole = () => new Map<string, string>([[a, plantedPage(a, 'alpha')], [b, plantedPage(b, 'omega')]])

test('the guard passes two whole pages of different words', () => {
  assert.deepEqual(faultsOfPages([a, b], whole()), [])
})

test('the guard finds a code without a page and a page without a code', () => {
  const pages = whole()
  pages.delete(b)
  pages.set('orders.lost', plantedPage(b, 'gamma'))
  assert.deepEqual(faultsOfPages([a, b], pages), [`${b}: has no page`, 'orders.lost: is no code of the registry'])
})

test('the guard finds a stub', () => {
  const pages = whole().set(b, `# \`${b}\`\n\nThe order was not found.\n`)
  const faults = faultsOfPages([a, b], pages)
  for (const sign of ['only 2 lines', 'does not say HTTP 404', 'the halves are not', 'English: the headings', '中文: the headings']) {
    assert.ok(faults.some((fault) => fault.includes(sign)), sign)
  }
})

test('the guard finds one empty section among full ones, also when a command fills it', () => {
  for (const [name, language] of [['How to mend it', 'English'], ['如何申诉', '中文']] as const) {
    const command = `\`\`\`sh\n${'curl "$HUB/api/docking/report" # 看报告里的每一项检查结果和处理措施以及余额流水\n'.repeat(3)}\`\`\`\n`
    const page = plantedPage(b, 'omega').replace(new RegExp(`(### ${name}\n\n)[^\n]*`), `$1${command}`)
    assert.deepEqual(faultsOfPages([a, b], whole().set(b, page)), [`${b}: ${language}: "${name}" is a stub`])
  }
})

test('the guard finds a section that is missing, renamed or moved', () => {
  const page = plantedPage(b, 'omega')
  const wrong = [
    page.replace('### How to appeal\n', ''),
    page.replace('### How to appeal', '### Appeals'),
    page.replace('### How to mend it', '### How to appeal').replace(/### How to appeal(?![^]*### How to appeal)/, '### How to mend it'),
  ]
  for (const text of wrong) {
    assert.notEqual(text, page)
    assert.ok(faultsOfPages([a, b], whole().set(b, text)).includes(`${b}: English: the headings are wrong`))
  }
})

test('the guard finds a copy under another code', () => {
  const copy = plantedPage(b, 'alpha')
  assert.ok(faultsOfPages([a, b], whole().set(b, copy)).some((fault) => fault.startsWith(`${b}: is like ${a}`)))
})

test('the guard finds a real page that was copied with a few words changed', () => {
  const original = pagesOnDisk().get(a)
  assert.ok(original)
  const copy = original.replaceAll(a, b).replaceAll('address', 'order').replaceAll('地址', '订单')
  assert.ok(likeness(runsOf(a, original), runsOf(b, copy)) >= ALIKE)
})

test('the guard finds the words that explain nothing, in any case', () => {
  for (const word of ['Incompatible', 'SYSTEM ERROR', '系统不兼容']) {
    const pages = whole().set(b, `${plantedPage(b, 'omega')}\n${word}\n`)
    assert.deepEqual(faultsOfPages([a, b], pages), [`${b}: says "${word.toLowerCase()}"`])
  }
})

test('the guard finds a facts line that the registry does not bear out', () => {
  const pages = whole().set(b, plantedPage(b, 'omega').replace('HTTP 404', 'HTTP 400'))
  assert.deepEqual(faultsOfPages([a, b], pages), [`${b}: the second line does not say HTTP 404`])
})

test('the guard finds a row of the registry that lacks a language, names an unlisted value or talks too long', () => {
  const good = reasonOf(b)
  assert.deepEqual(faultsOfReason(good), [])
  const wrong: [Partial<Reason>, RegExp][] = [
    [{ title: { en: good.title.en, zh: '' } }, /title zh is missing/],
    [{ detail: { en: good.detail.zh, zh: good.detail.zh } }, /detail en is in the other language/],
    [{ because: [] }, /fills \{order\}/],
    [{ detail: { en: 'long '.repeat(50), zh: good.detail.zh } }, /detail en is 250 characters/],
    [{ title: { en: 'Incompatible order', zh: good.title.zh } }, /forbidden word/],
  ]
  for (const [change, sign] of wrong) assert.match(faultsOfReason({ ...good, ...change }).join('\n'), sign)
})
