import { randomBytes } from 'node:crypto'
import { parseAmount } from '../../protocol/money.ts'
import type { Bed } from './bed.ts'
import type { Reply } from './wire.ts'

export type Mode = 'sandbox' | 'live'
export type Partner = { id: string; name: string; mode: Mode; keyId: string; keySecret: string; apiKey: string; feePpm: number; firstDepositMicro: bigint }
export type Good = { id: string; code: string; unitPrice: string; priceMicro: bigint; isScarce: boolean }

/** Who buys and what there is. Every card holds the canary: it may be seen in an answer with cards and nowhere else. */
export type World = {
  partners: readonly Partner[]; goods: readonly Good[]; canary: string; secrets: readonly string[]
  /** The id of a docking that buys nothing: it is held and lifted, and its person is told by letter. */
  told: string
}

export type Opening = { name: string; mode: Mode; deposit: string; feePpm: number }

const PARTNERS: readonly Opening[] = [
  { name: 'North', mode: 'live', deposit: '900000', feePpm: 0 },
  { name: 'South', mode: 'live', deposit: '900000', feePpm: 10_000 },
  { name: 'East', mode: 'live', deposit: '900000', feePpm: 333 },
  { name: 'West', mode: 'sandbox', deposit: '900000', feePpm: 0 },
  { name: 'Poor', mode: 'live', deposit: '150.00', feePpm: 0 },
  { name: 'Poor sandbox', mode: 'sandbox', deposit: '90.00', feePpm: 10_000 },
]
/** The first is hot: half of all orders want it. The last one soon runs out. */
const GOODS: readonly { code: string; unitPrice: string }[] = [
  { code: 'HOT', unitPrice: '9.50' }, { code: 'CENT', unitPrice: '0.01' }, { code: 'FINE', unitPrice: '0.0015' },
  { code: 'DEAR', unitPrice: '88' }, { code: 'ODD', unitPrice: '3.333333' }, { code: 'SCARCE', unitPrice: '1.20' },
]
const SCARCE_CARDS = 25
/** This good comes in lots of a few cards, so that many orders take from two, or from one that was never opened. */
const SMALL_LOTS = 'ODD'
const SMALL_LOT = 10
const LOW_SHARE = 0.5

/** Opens dockings, books their deposits, and imports goods and cards, all by the operator's own API. */
export async function furnish(bed: Bed, cardsEach: number): Promise<World> {
  const canary = `CANARY${randomBytes(6).toString('hex')}`
  const partners: Partner[] = []
  for (const opening of PARTNERS) partners.push(await openPartner(bed, opening))
  read(await bed.operator('POST', '/operator/goods', { items: GOODS.map((good) => ({ ...good, name: `Good ${good.code}`, category: 'Faults' })) }))
  const ids = await bed.asOwner(async (client) => (await client.query<{ code: string; id: string }>('select code, id from catalogue.goods')).rows)
  const goods = GOODS.map((good) => ({ ...good, id: ids.find((row) => row.code === good.code)!.id, priceMicro: parseAmount(good.unitPrice)!, isScarce: good.code === 'SCARCE' }))
  const told = read(await bed.operator('POST', '/operator/dockings', { name: 'Told', mode: 'live', dialect: 'json' })).docking.id
  read(await bed.operator('POST', `/operator/dockings/${told}/contacts`, { channel: 'email', address: 'owner@shop.example', language: 'zh-CN', kinds: ['decisions'] }))
  const secrets = partners.flatMap((partner) => [partner.keySecret, partner.apiKey])
  const world = { partners, goods, canary, secrets, told }
  for (const good of goods) for (const mode of ['live', 'sandbox'] as const) await stock(bed, world, good, mode, cardsEach)
  return world
}

/** Opens one docking and books its first deposit. */
export async function openPartner(bed: Bed, { name, mode, deposit, feePpm }: Opening): Promise<Partner> {
  const { docking, credentials } = read(await bed.operator('POST', '/operator/dockings', { name, mode, dialect: 'json', feePpm }))
  read(await bed.operator('POST', `/operator/dockings/${docking.id}/deposits`, { reference: 'first', amount: deposit }))
  return { id: docking.id, name, mode, feePpm, ...credentials, firstDepositMicro: parseAmount(deposit)! }
}

const HOLD = {
  code: 'compliance.identity_unverified', scope: ['orders'], facts: ['The business licence that was sent has expired.'], liftsWhen: 'The licence is verified.',
  ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }], remedy: { en: 'Send a valid business licence.', zh: '请提交有效的营业执照。' },
}

/** Holds and lifts the docking that buys nothing, until it is told to stop; what fails because the hub is away is tried again. */
export function decideOften(bed: Bed, { told }: World, everyMs = 300): () => void {
  let isOver = false
  const round = async (): Promise<void> => {
    const held = await bed.operator('POST', `/operator/dockings/${told}/holds`, HOLD)
    if (held.status === 201) await bed.operator('POST', `/operator/decisions/${(JSON.parse(held.text) as { id: string }).id}/lift`, { note: 'Verified.' })
  }
  const go = (): void => {
    if (!isOver) void round().catch(() => {}).then(() => setTimeout(go, everyMs).unref())
  }
  go()
  return () => void (isOver = true)
}

/** Tops up what is half sold, so that a long run does not end in an empty shop. */
export async function topUp(bed: Bed, world: World, cardsEach: number): Promise<void> {
  const rows = await bed.asOwner(async (client) => (await client.query<{ good: string; mode: Mode; left: string }>(
    `select good, mode, sum(size - next_seq + 1) as left from catalogue.lots where state = 'published' group by good, mode`)).rows)
  for (const good of world.goods) {
    if (good.isScarce) continue
    for (const mode of ['live', 'sandbox'] as const) {
      const left = Number(rows.find((row) => row.good === good.id && row.mode === mode)?.left ?? 0)
      if (left < cardsFor(good, mode, cardsEach) * LOW_SHARE) await stock(bed, world, good, mode, cardsEach)
    }
  }
}

function cardsFor(good: Good, mode: Mode, cardsEach: number): number {
  if (good.isScarce) return SCARCE_CARDS
  return Math.ceil(cardsEach * (good.code === 'HOT' ? 3 : good.code === SMALL_LOTS ? 0.2 : 1) * (mode === 'live' ? 1 : 0.5))
}

async function stock(bed: Bed, { canary }: World, good: Good, mode: Mode, cardsEach: number): Promise<void> {
  const cards = cardsFor(good, mode, cardsEach)
  const lotSize = good.code === SMALL_LOTS ? SMALL_LOT : cards
  for (let first = 0; first < cards; first += lotSize) {
    const batch = randomBytes(4).toString('hex')
    const lines = Array.from({ length: lotSize }, (_, i) => `${good.code}${first + i}----${canary}-${mode}-${batch}-${i}`)
    read(await bed.operator('POST', `/operator/cards?good=${good.code}&mode=${mode}&batch=${batch}`, lines.join('\n')))
  }
}

function read(reply: Reply): { docking: { id: string }; credentials: { keyId: string; keySecret: string; apiKey: string } } {
  if (reply.status !== 200 && reply.status !== 201) throw new Error(`the run could not be set up: ${reply.status} ${reply.problem} ${reply.text.slice(0, 400)}`)
  return JSON.parse(reply.text)
}
