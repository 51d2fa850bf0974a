import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { must, openRooms } from '../../../test/house/rooms.ts'
import { formatAmount, parseAmount } from '../../../protocol/money.ts'
import { HOUSE_LANE } from '../../kernel/lanes.ts'
import { underLanes } from '../../platform/facts.ts'
import { importCards, importGoods, loadGoodsByCode, readGoods } from '../catalogue/index.ts'
import type { Docking } from '../partners/index.ts'
import { takeOverPrices } from './index.ts'

const rooms = await openRooms({ after })
const races = [{ name: '月卡', unitPrice: '10.00' }, { name: '年卡', unitPrice: '100.00' }]
await importGoods(rooms.db, [{ code: 'PLAIN', name: 'P', category: 'C', unitPrice: '10.00' }, { code: 'RACED', name: 'R', category: 'C', unitPrice: '1.00', races }], 1, () => rooms.ids.make('gds', rooms.clock.nowMs()))
const goods = new Map(readGoods(await rooms.db.run(loadGoodsByCode(['PLAIN', 'RACED']))).map((good) => [good.code, good]))
for (const [code, variant] of [['PLAIN', ''], ['RACED', '月卡'], ['RACED', '年卡']] as const) {
  await importCards(rooms.db, rooms.vault, { good: goods.get(code)!.id, mode: 'live', batch: `b${variant}`, expiresAt: null, variant }, async function* () { yield* Array.from({ length: 20 }, (_, i) => `${code}${variant}${i}`) }())
}

type Said = readonly [docking: Docking, code: string, race: string, price: string]

async function take(...said: Said[]): Promise<string[]> {
  const prices = said.map(([docking, code, race, price]) => ({ docking: docking.id, lane: docking.lane, good: goods.get(code)!, race, unitPriceMicro: parseAmount(price)! }))
  const outcomes = await rooms.db.transaction((connection) =>
    underLanes(connection, [HOUSE_LANE, ...prices.map((price) => price.lane)], (lane) => takeOverPrices(connection, lane, prices, { by: 'operator', note: 'old site' })))
  return outcomes.map((outcome) => (outcome.ok ? outcome.value : outcome.refusal.code))
}

let orders = 0
async function charged(docking: Docking, code: string, race: string | null = null): Promise<string> {
  return formatAmount(must(await rooms.place(docking, `T-${++orders}`, goods.get(code)!.id, 1, { choice: { race, options: {} } })).order.unitPriceMicro)
}

test('own prices of many dockings come over at once, each race with its own; a repeat writes nothing', async () => {
  const [a, b] = [await rooms.openDocking({ deposit: '1000.00' }), await rooms.openDocking({ deposit: '1000.00' })]
  const said: Said[] = [[a, 'PLAIN', '', '9.00'], [b, 'PLAIN', '', '8.00'], [a, 'RACED', '月卡', '9.50'], [a, 'RACED', '年卡', '80.00']]
  assert.deepEqual(await take(...said), ['written', 'written', 'written', 'written'])
  assert.deepEqual([await charged(a, 'PLAIN'), await charged(b, 'PLAIN'), await charged(a, 'RACED', '月卡'), await charged(a, 'RACED', '年卡'), await charged(b, 'RACED', '年卡')], ['9.00', '8.00', '9.50', '80.00', '100.00'])
  assert.deepEqual(await take(...said), ['known', 'known', 'known', 'known'])
})

test('what everybody pays is no own price, and one that was there ends; one that is dearer is refused by itself', async () => {
  const docking = await rooms.openDocking({ deposit: '1000.00' })
  assert.deepEqual(await take([docking, 'PLAIN', '', '10.00'], [docking, 'RACED', '月卡', '9.00'], [docking, 'RACED', '年卡', '100.01']), ['known', 'written', 'terms.price_worse_than_published'])
  assert.equal(await charged(docking, 'RACED', '月卡'), '9.00')
  assert.deepEqual(await take([docking, 'RACED', '月卡', '10.00']), ['written'])
  assert.equal(await charged(docking, 'RACED', '月卡'), '10.00')
  const rows = await rooms.owner.query<{ in_force: boolean }>('select in_force from terms.offers where docking = $1', [docking.id])
  assert.deepEqual(rows.rows, [{ in_force: false }])
})
