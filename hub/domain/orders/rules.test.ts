import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAmount } from '../../../protocol/money.ts'
import { refuse, type Refusal } from '../../../protocol/outcome.ts'
import { NO_CHOICE, PLAIN } from '../catalogue/index.ts'
import type { Measure } from '../decisions/index.ts'
import { EMPTY_BOOK } from '../terms/index.ts'
import type { Order, PlaceCommand, Verdict } from './model.ts'
import { place, type Tally } from './rules.ts'

const AT = new Date('2026-11-22T08:00:00Z')
const LANE = 7
const yuan = (text: string) => parseAmount(text)!
const print = (good: string, quantity: number) => Buffer.from(`${good} ${quantity}`.padEnd(16).slice(0, 16))

/** A shop with 100 yuan that may buy Q10 at 9.50, of which two lots of three cards are left. */
function shop(changes: Partial<Tally> = {}): Tally {
  return {
    at: AT, orders: new Map(), availableMicro: new Map([['dck_a', yuan('100')]]), feePpm: new Map([['dck_a', 0]]), measures: new Map(),
    goods: new Map([['gds_q', { id: 'gds_q', code: 'Q10', unitPriceMicro: yuan('9.50'), costMicro: null, minimum: 1, maximum: 10, onSale: true, options: PLAIN, category: '游戏点卡' }]]),
    prices: { groups: new Map(), offers: { own: new Map(), rules: new Map() }, book: EMPTY_BOOK }, heads: new Map([[LANE, 41n]]),
    lots: new Map([['gds_q live', [
      { id: 1n, good: 'gds_q', mode: 'live', nextSeq: 1, size: 3, expiresAt: null }, { id: 2n, good: 'gds_q', mode: 'live', nextSeq: 5, size: 7, expiresAt: null },
    ]]]),
    ...changes,
  }
}

function ask(changes: Partial<PlaceCommand> = {}): PlaceCommand {
  const good = changes.good ?? 'gds_q'
  const quantity = changes.quantity ?? 1
  return {
    id: 'ord_1', lane: LANE, docking: 'dck_a', mode: 'live', reference: 'A-1', good, quantity, guardMicro: yuan('1000'), member: null,
    fingerprint: print(good, quantity), onlyReplay: null,
    choice: NO_CHOICE, variant: '', values: {}, sealedForm: null, firstFingerprint: () => null, ...changes,
  }
}

function measure(changes: Partial<Measure> = {}): Measure {
  return { decision: 'dec_1', docking: 'dck_a', scope: ['orders'], goods: [], code: 'compliance.identity_unverified', kind: 'suspend', effectiveAt: AT, endsAt: null, keys: [], requestsPerSecond: null, unitsPerOrder: null, unitPriceMaxMicro: null, ...changes }
}

const held = (...measures: Measure[]) => shop({ measures: new Map([['dck_a', measures]]) })

function said(verdict: Verdict): string {
  return verdict.kind === 'refused' ? [verdict.refusal, ...(verdict.refusal.also ?? [])].map((refusal) => refusal.code).join(' + ') : verdict.kind
}

function placed(verdict: Verdict): Order {
  assert.equal(verdict.kind, 'placed', said(verdict))
  return (verdict as Extract<Verdict, { kind: 'placed' }>).order
}

function refusal(verdict: Verdict): Refusal {
  assert.equal(verdict.kind, 'refused')
  return (verdict as Extract<Verdict, { kind: 'refused' }>).refusal
}

const offSale = shop().goods.get('gds_q')!

test('what is asked, and what is answered', () => {
  const table: [string, Tally, PlaceCommand, string][] = [
    ['one card at the list price', shop(), ask(), 'placed'],
    ['all that is left, over two lots', shop(), ask({ quantity: 6 }), 'placed'],
    ['one more than is left', shop({ availableMicro: new Map([['dck_a', yuan('999')]]) }), ask({ quantity: 7 }), 'catalogue.out_of_stock'],
    ['exactly the last fen', shop({ availableMicro: new Map([['dck_a', yuan('9.50')]]) }), ask(), 'placed'],
    ['a µ short', shop({ availableMicro: new Map([['dck_a', yuan('9.499999')]]) }), ask(), 'ledger.insufficient_funds'],
    ['the fee counts', shop({ availableMicro: new Map([['dck_a', yuan('9.50')]]), feePpm: new Map([['dck_a', 10_000]]) }), ask(), 'ledger.insufficient_funds'],
    ['exactly at the guard', shop(), ask({ guardMicro: yuan('9.50') }), 'placed'],
    ['a µ above the guard', shop(), ask({ guardMicro: yuan('9.499999') }), 'catalogue.price_above_guard'],
    ['a dialect without a guard', shop(), ask({ guardMicro: null }), 'placed'],
    ['a good that nobody knows', shop(), ask({ good: 'gds_x' }), 'catalogue.good_not_found'],
    ['a good off sale', shop({ goods: new Map([['gds_q', { ...offSale, onSale: false }]]) }), ask(), 'catalogue.good_not_on_sale'],
    ['below the offer', shop({ goods: new Map([['gds_q', { ...offSale, minimum: 2 }]]) }), ask(), 'catalogue.quantity_outside_offer'],
    ['above the offer', shop(), ask({ quantity: 11 }), 'catalogue.quantity_outside_offer'],
    ['more than a thousand million', shop({ goods: new Map([['gds_q', { ...offSale, unitPriceMicro: yuan('999999999') }]]) }), ask({ quantity: 2 }), 'orders.total_above_limit'],
    ['the other mode has no cards', shop(), ask({ mode: 'sandbox' }), 'catalogue.out_of_stock'],
    ['an old signature and a new reference', shop(), ask({ onlyReplay: refuse('partners.freshness_unknown', { startedAt: 'x' }).refusal }), 'partners.freshness_unknown'],
    ['held', held(measure()), ask(), 'compliance.identity_unverified'],
    ['price, funds and stock at once', shop({ availableMicro: new Map([['dck_a', 0n]]), lots: new Map() }), ask({ guardMicro: 1n }), 'catalogue.price_above_guard + ledger.insufficient_funds + catalogue.out_of_stock'],
    ['funds and stock at once', shop({ availableMicro: new Map([['dck_a', 0n]]), lots: new Map() }), ask(), 'ledger.insufficient_funds + catalogue.out_of_stock'],
  ]
  for (const [name, tally, command, answer] of table) assert.equal(said(place(tally, command)), answer, name)
})

test('the order of the questions is law: when all is wrong, each mended cause shows the next', () => {
  const other = placed(place(shop(), ask({ quantity: 2 })))
  const wrong: { [P in keyof Tally]?: Tally[P] } = {
    orders: new Map([['dck_a A-1', other]]), measures: new Map([['dck_a', [measure()]]]),
    goods: new Map([['gds_q', { ...offSale, onSale: false, minimum: 2, unitPriceMicro: yuan('999999999') }]]), availableMicro: new Map([['dck_a', 0n]]), lots: new Map(),
  }
  const good = wrong.goods!.get('gds_q')!
  const stale = refuse('partners.freshness_unknown', { startedAt: 'x' }).refusal
  const command = (changes: Partial<PlaceCommand> = {}) => ask({ guardMicro: 1n, quantity: 1, onlyReplay: stale, ...changes })
  const mended: [string, () => void, Partial<PlaceCommand>][] = [
    ['orders.reference_reused', () => {}, {}],
    ['partners.freshness_unknown', () => wrong.orders!.clear(), {}],
    ['compliance.identity_unverified', () => {}, { onlyReplay: null }],
    ['catalogue.good_not_found', () => wrong.measures!.clear(), { onlyReplay: null, good: 'gds_gone' }],
    ['catalogue.good_not_on_sale', () => {}, { onlyReplay: null }],
    ['catalogue.quantity_outside_offer', () => wrong.goods!.set('gds_q', { ...good, onSale: true }), { onlyReplay: null }],
    ['orders.total_above_limit', () => {}, { onlyReplay: null, quantity: 2 }],
    ['catalogue.price_above_guard + ledger.insufficient_funds + catalogue.out_of_stock', () => wrong.goods!.set('gds_q', { ...good, onSale: true, unitPriceMicro: yuan('9.50') }), { onlyReplay: null, quantity: 2 }],
  ]
  for (const [answer, mend, changes] of mended) {
    mend()
    assert.equal(said(place(shop(wrong), command(changes))), answer)
  }
})

test('a refusal proves itself with both sides of the comparison', () => {
  assert.deepEqual(refusal(place(shop({ availableMicro: new Map([['dck_a', yuan('3.5')]]), feePpm: new Map([['dck_a', 10_000]]) }), ask({ quantity: 2 }))).because, { needed: '19.19', available: '3.50' })
  assert.deepEqual(refusal(place(shop(), ask({ guardMicro: yuan('9') }))).because, { price: '9.50', allowed: '9.00' })
  assert.deepEqual(refusal(place(shop(), ask({ quantity: 8 }))).because, { asked: 8, available: 6 })
  assert.deepEqual(refusal(place(shop(), ask({ quantity: 11 }))).because, { asked: 11, minimum: 1, maximum: 10 })
})

test('an own price beats the list price, and a dearer one does so by a decision alone; the fee comes on top and is rounded down', () => {
  for (const [own, fee, total, charged] of [['8.00', 0, '16.00', '16.00'], ['12.00', 10_000, '19.00', '19.19'], ['0.0015', 333, '0.003', '0.003000']] as const) {
    const tally = shop({ prices: { ...shop().prices, offers: { own: new Map([['dck_a gds_q ', yuan(own)], ['dck_b gds_q ', 1n]]), rules: new Map() } }, feePpm: new Map([['dck_a', fee]]) })
    const order = placed(place(tally, ask({ quantity: 2 })))
    assert.equal(order.totalMicro, yuan(total))
    assert.equal(order.totalMicro + order.feeMicro, yuan(charged))
    assert.equal(tally.availableMicro.get('dck_a'), yuan('100') - yuan(charged))
  }
  const dearer = { prices: { ...shop().prices, offers: { own: new Map([['dck_a gds_q ', yuan('12.00')]]), rules: new Map() } } }
  const reprice = (changes: Partial<Measure>) => shop({ ...dearer, measures: new Map([['dck_a', [measure({ kind: 'reprice', goods: ['gds_q'], unitPriceMaxMicro: yuan('12.00'), ...changes })]]]) })
  assert.equal(placed(place(reprice({}), ask())).unitPriceMicro, yuan('12.00'))
  for (const short of [{ unitPriceMaxMicro: yuan('11.99') }, { goods: ['gds_other'] }, { endsAt: AT }, { effectiveAt: new Date(AT.getTime() + 1) }]) assert.equal(placed(place(reprice(short), ask())).unitPriceMicro, yuan('9.50'))
})

test('an accepted order is charged in legs of one event that start at the balance and end at the new one', () => {
  const tally = shop({ feePpm: new Map([['dck_a', 10_000]]) })
  const verdict = place(tally, ask({ quantity: 2 }))
  const order = placed(verdict)
  const { legs } = verdict as Extract<Verdict, { kind: 'placed' }>
  assert.deepEqual(legs.map(({ leg, kind, debit, credit, amountMicro, afterMicro }) => [leg, kind, debit, credit, amountMicro, afterMicro]), [
    [1, 'order', 'dck_a', 'house:sales:live', yuan('19'), yuan('81')], [2, 'fee', 'dck_a', 'house:fees:live', yuan('0.19'), yuan('80.81')],
  ])
  for (const leg of legs) assert.deepEqual([leg.event, leg.position, leg.lane, leg.at], [order.id, 42n, LANE, AT])
  assert.equal(order.position, 42n)
  assert.equal(tally.heads.get(LANE), 42n)
})

test('the same ask again is the same order, whatever has changed meanwhile; nothing is taken twice', () => {
  const tally = shop()
  const first = placed(place(tally, ask()))
  const before = structuredClone([tally.availableMicro, tally.lots, tally.heads])
  tally.goods.clear()
  tally.measures.set('dck_a', [measure()])
  const again = place(tally, ask({ id: 'ord_2', guardMicro: 1n, onlyReplay: refuse('partners.freshness_unknown').refusal }))
  assert.deepEqual(again, { kind: 'replayed', order: first })
  assert.deepEqual([tally.availableMicro, tally.lots, tally.heads], before)
})

test('another ask under a bound reference is told what differs', () => {
  const known = { ...placed(place(shop(), ask({ quantity: 2 }))), member: 'li' }
  const tally = shop({ orders: new Map([['dck_a A-1', known]]) })
  const table: [Partial<PlaceCommand>, string][] = [[{ good: 'gds_r', quantity: 2, member: 'li' }, 'good'], [{ quantity: 1, member: 'li' }, 'quantity'], [{ quantity: 2, member: 'wu', fingerprint: print('other member', 2) }, 'member'], [{ quantity: 2, member: 'li', fingerprint: print('other form', 2) }, 'form']]
  for (const [changes, differs] of table) {
    const refused = refusal(place(tally, ask(changes)))
    assert.deepEqual([refused.code, refused.because], ['orders.reference_reused', { reference: 'A-1', differs }])
  }
  assert.equal(said(place(tally, ask({ docking: 'dck_a', reference: 'A-2' }))), 'placed', 'another reference is free')
})

test('an order in doubt is bound as a delivered one is; a voided number that comes back is the next attempt', () => {
  const known = placed(place(shop(), ask()))
  const unknown = shop({ orders: new Map([['dck_a A-1', { ...known, state: 'unknown' as const }]]) })
  assert.equal(said(place(unknown, ask())), 'replayed')
  assert.equal(said(place(unknown, ask({ quantity: 2 }))), 'orders.reference_reused')
  const cancelled = shop({ orders: new Map([['dck_a A-1', { ...known, state: 'cancelled' as const, attempt: 4 }]]) })
  const next = placed(place(cancelled, ask({ quantity: 2, id: 'ord_9' })))
  assert.deepEqual([next.attempt, next.id, next.quantity], [5, 'ord_9', 2])
  assert.equal(said(place(cancelled, ask({ quantity: 2 }))), 'replayed')
})

test('a refusal binds nothing: the same number may come again with more money, and with another ask', () => {
  const tally = shop({ availableMicro: new Map([['dck_a', 0n]]) })
  assert.equal(said(place(tally, ask())), 'ledger.insufficient_funds')
  tally.availableMicro.set('dck_a', yuan('50'))
  assert.equal(placed(place(tally, ask({ quantity: 3 }))).attempt, 1)
})

test('a measure stops what it names, while it is in force', () => {
  const later = new Date(AT.getTime() + 1)
  const table: [string, Measure, string][] = [
    ['for all goods', measure(), 'compliance.identity_unverified'], ['for this good', measure({ goods: ['gds_p', 'gds_q'] }), 'compliance.identity_unverified'],
    ['for another good', measure({ goods: ['gds_p'] }), 'placed'], ['for funds and members only', measure({ scope: ['funds', 'members'] }), 'placed'],
    ['for the key', measure({ scope: ['key'] }), 'compliance.identity_unverified'], ['for goods', measure({ scope: ['goods'] }), 'compliance.identity_unverified'],
    ['for orders too', measure({ scope: ['funds', 'orders'] }), 'compliance.identity_unverified'], ['from the next millisecond', measure({ effectiveAt: later }), 'placed'],
    ['until now', measure({ endsAt: AT }), 'placed'], ['until the next millisecond', measure({ endsAt: later }), 'compliance.identity_unverified'],
  ]
  for (const [name, one, answer] of table) assert.equal(said(place(held(one), ask())), answer, name)
  assert.equal(said(place(shop({ measures: new Map([['dck_b', [measure({ docking: 'dck_b' })]]]) }), ask())), 'placed', 'another docking is held')
})

test('all measures are told, the oldest in front, each with its own decision', () => {
  const old = new Date(AT.getTime() - 60_000)
  const refused = refusal(place(held(measure(), measure({ decision: 'dec_2', code: 'terms.payment_overdue', effectiveAt: old }), measure({ decision: 'dec_3', scope: ['funds'] })), ask()))
  assert.deepEqual([refused.code, refused.decision, refused.because], ['terms.payment_overdue', 'dec_2', { measure: 'suspend', since: old.toISOString() }])
  assert.deepEqual(refused.also?.map(({ code, decision }) => [code, decision]), [['compliance.identity_unverified', 'dec_1']])
  assert.equal(refusal(place(held(...Array.from({ length: 150 }, (_, i) => measure({ decision: `dec_${i}` }))), ask())).also?.length, 10, 'and no longer list than a person reads')
})

test('cards are taken off the oldest lots, in one run a lot; an expired lot is skipped whole', () => {
  assert.deepEqual(placed(place(shop(), ask({ quantity: 5 }))).picks, [{ lot: 1n, first: 1, count: 3 }, { lot: 2n, first: 5, count: 2 }])
  const lots = () => [
    { id: 1n, good: 'gds_q', mode: 'live' as const, nextSeq: 2, size: 3, expiresAt: AT }, { id: 2n, good: 'gds_q', mode: 'live' as const, nextSeq: 8, size: 7, expiresAt: null },
    { id: 3n, good: 'gds_q', mode: 'live' as const, nextSeq: 1, size: 2, expiresAt: new Date(AT.getTime() + 1) },
  ]
  const tally = shop({ lots: new Map([['gds_q live', lots()]]) })
  assert.deepEqual(placed(place(tally, ask({ quantity: 2 }))).picks, [{ lot: 3n, first: 1, count: 2 }])
  assert.deepEqual(refusal(place(tally, ask({ reference: 'A-2' }))).because, { asked: 1, available: 0 })
  assert.deepEqual(tally.lots.get('gds_q live')!.map((lot) => lot.nextSeq), [2, 8, 3], 'the expired lot was not touched')
})

test('each order of a batch sees what the ones before it took', () => {
  const tally = shop({ availableMicro: new Map([['dck_a', yuan('30')], ['dck_b', yuan('100')]]), feePpm: new Map() })
  const answers = [ask({ quantity: 2 }), ask({ reference: 'A-2', quantity: 2 }), ask({ docking: 'dck_b', quantity: 4 }), ask({ docking: 'dck_b', reference: 'B-2' }), ask({ quantity: 2 })].map((command) => said(place(tally, command)))
  assert.deepEqual(answers, ['placed', 'ledger.insufficient_funds', 'placed', 'catalogue.out_of_stock', 'replayed'])
})

test('a docking without a balance row is a bug of ours and never a poor docking', () => {
  assert.throws(() => place(shop({ availableMicro: new Map() }), ask()), /no balance row/)
})
