import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { NO_CHOICE, PLAIN } from '../catalogue/index.ts'
import { house } from '../ledger/index.ts'
import { EMPTY_BOOK } from '../terms/index.ts'
import { fold } from './batch.ts'
import type { PlaceCommand } from './model.ts'
import type { Tally } from './rules.ts'

const AT = new Date('2026-11-22T08:00:00Z')
const DOCKINGS = [{ id: 'dck_a', lane: 1 }, { id: 'dck_b', lane: 1 }, { id: 'dck_c', lane: 2 }]
const GOODS = ['gds_p', 'gds_q']

const command = fc.record({
  docking: fc.constantFrom(...DOCKINGS), mode: fc.constantFrom('sandbox' as const, 'live' as const), reference: fc.constantFrom('A', 'B', 'C', 'D'),
  good: fc.constantFrom(...GOODS, 'gds_unknown'), quantity: fc.constantFrom(1, 1, 1, 2, 3, 6), guardMicro: fc.option(fc.bigInt({ min: 1n, max: 40n })),
})
const world = fc.record({
  balances: fc.array(fc.bigInt({ min: 0n, max: 400n }), { minLength: 3, maxLength: 3 }), fees: fc.array(fc.constantFrom(0, 10_000, 100_000), { minLength: 3, maxLength: 3 }),
  prices: fc.array(fc.bigInt({ min: 1n, max: 30n }), { minLength: 2, maxLength: 2 }),
  lots: fc.array(fc.record({ good: fc.constantFrom(...GOODS), mode: fc.constantFrom('sandbox' as const, 'live' as const), size: fc.integer({ min: 1, max: 8 }), expired: fc.boolean() }), { maxLength: 8 }),
  batches: fc.array(fc.array(command, { minLength: 1, maxLength: 16 }), { minLength: 1, maxLength: 8 }),
})

test('whatever comes in whatever batches: no balance below zero, every µ accounted for, each card once, a repeat is the same order', () => {
  let accepted = 0
  let replayed = 0
  fc.assert(fc.property(world, ({ balances, fees, prices, lots, batches }) => {
    const tally: Tally = {
      at: AT, orders: new Map(), measures: new Map(), prices: { groups: new Map(), offers: { own: new Map(), rules: new Map() }, book: EMPTY_BOOK }, heads: new Map([[1, 0n], [2, 0n]]), lots: new Map(),
      availableMicro: new Map(DOCKINGS.map(({ id }, i) => [id, balances[i]!])), feePpm: new Map(DOCKINGS.map(({ id }, i) => [id, fees[i]!])),
      goods: new Map(GOODS.map((id, i) => [id, { id, code: id, unitPriceMicro: prices[i]!, minimum: 1, maximum: 5, costMicro: null, onSale: true, options: PLAIN, category: 'C' }])),
    }
    lots.forEach(({ good, mode, size, expired }, i) => {
      const key = `${good} ${mode}`
      tally.lots.set(key, [...(tally.lots.get(key) ?? []), { id: BigInt(i + 1), good, mode, nextSeq: 1, size, expiresAt: expired ? AT : null }])
    })
    // The model: what a person with a pencil would keep.
    const money = new Map(DOCKINGS.map(({ id }, i) => [id, balances[i]!]))
    const left = new Map<string, number>(GOODS.flatMap((good) => (['sandbox', 'live'] as const).map((mode) => [`${good} ${mode}`, lots.filter((lot) => lot.good === good && lot.mode === mode && !lot.expired).reduce((sum, lot) => sum + lot.size, 0)] as const)))
    const bound = new Map<string, { id: string; ask: string }>()
    const cards = new Set<string>()
    const positions = new Map<number, bigint>([[1, 0n], [2, 0n]])
    let made = 0
    for (const batch of batches) {
      const places: PlaceCommand[] = batch.map(({ docking, ...ask }) => ({
        ...ask, id: `ord_${++made}`, docking: docking.id, lane: docking.lane, member: null, fingerprint: Buffer.from(`${ask.good} ${ask.quantity}`), onlyReplay: null,
        choice: NO_CHOICE, variant: '', values: {}, sealedForm: null, firstFingerprint: () => null,
      }))
      const { verdicts, facts } = fold({ places, notes: [] }, tally)
      for (const fact of facts) {
        assert.equal(fact.position, positions.get(fact.lane)! + 1n, 'facts of a lane are dense')
        positions.set(fact.lane, fact.position)
      }
      places.forEach((ask, i) => {
        const verdict = verdicts[i]!
        const name = `${ask.docking} ${ask.reference}`
        const same = `${ask.good} ${ask.quantity}`
        const known = bound.get(name)
        if (known) {
          assert.equal(verdict.kind, known.ask === same ? 'replayed' : 'refused')
          if (verdict.kind === 'replayed') assert.equal(verdict.order.id, known.id)
          if (verdict.kind === 'replayed') replayed++
          return
        }
        const price = tally.goods.get(ask.good)?.unitPriceMicro
        const total = price === undefined ? 0n : price * BigInt(ask.quantity)
        const charge = total + (total * BigInt(tally.feePpm.get(ask.docking)!)) / 1_000_000n
        const stock = `${ask.good} ${ask.mode}`
        const may = price !== undefined && ask.quantity <= 5 && (ask.guardMicro === null || price <= ask.guardMicro) && charge <= money.get(ask.docking)! && ask.quantity <= left.get(stock)!
        assert.equal(verdict.kind, may ? 'placed' : 'refused')
        if (verdict.kind !== 'placed') return
        accepted++
        money.set(ask.docking, money.get(ask.docking)! - charge)
        left.set(stock, left.get(stock)! - ask.quantity)
        bound.set(name, { id: ask.id, ask: same })
        assert.equal(verdict.legs.reduce((sum, leg) => sum + leg.amountMicro, 0n), charge)
        assert.equal(verdict.legs.at(-1)!.afterMicro, money.get(ask.docking)!)
        for (const leg of verdict.legs) assert.ok(leg.debit === ask.docking && leg.amountMicro > 0n && leg.afterMicro >= 0n && [house('sales', ask.mode), house('fees', ask.mode)].includes(leg.credit))
        let count = 0
        for (const pick of verdict.order.picks) {
          const lot = lots[Number(pick.lot) - 1]!
          assert.deepEqual([lot.good, lot.mode, lot.expired], [ask.good, ask.mode, false])
          for (let seq = pick.first; seq < pick.first + pick.count; seq++, count++) {
            assert.ok(seq >= 1 && seq <= lot.size && !cards.has(`${pick.lot} ${seq}`), 'a card stands in one order')
            cards.add(`${pick.lot} ${seq}`)
          }
        }
        assert.equal(count, ask.quantity)
      })
    }
    for (const { id } of DOCKINGS) {
      assert.equal(tally.availableMicro.get(id), money.get(id))
      assert.ok(money.get(id)! >= 0n)
    }
  }), { numRuns: 1_500 })
  assert.ok(accepted > 1_000 && replayed > 100, `the sequences say something: ${accepted} accepted, ${replayed} repeated`)
})
