import { createSecretKey, randomBytes, randomInt, generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseAmount } from '../protocol/money.ts'
import { accept, type Outcome } from '../protocol/outcome.ts'
import { readCard } from '../hub/domain/catalogue/index.ts'
import type { Order, Orders, PlaceAsk, Placed, Receipt } from '../hub/domain/orders/index.ts'
import { KEY_SCOPES, type Docking, type KeyRing, type LiveKey } from '../hub/domain/partners/index.ts'
import type { Hub } from '../hub/inbound/hub.ts'
import { RequestLog } from '../hub/inbound/request-log.ts'
import { buildServer } from '../hub/inbound/server.ts'
import { systemClock } from '../hub/kernel/clock.ts'
import { IdMaker } from '../hub/kernel/ids.ts'
import { NonceWindow } from '../hub/kernel/nonces.ts'
import { readConfig } from '../hub/platform/config.ts'
import { Signer } from '../hub/platform/sealing/signer.ts'
import { Limiter } from '../hub/platform/limiter.ts'
import { makeLog } from '../hub/platform/log.ts'
import { Metrics } from '../hub/platform/metrics.ts'
import type { Database } from '../hub/platform/postgres/database.ts'
import { openWith, sealWith } from '../hub/platform/sealing/vault.ts'
import { cardOf } from './card.ts'
import type { Asker } from './requests.ts'

/**
 * The peer of P1: the hub's own doors, with its signatures, limits, strict JSON, sealed cards and rendering, and behind
 * them an order room that keeps nothing. It answers from memory what the hub answers from its database, byte for byte
 * as long, so what parts the two is the price of being durable.
 *
 *   PEER_WORLD=world.json PORT=n node bench/peer.ts
 */
export type PeerWorld = { askers: readonly Asker[]; unitPrice: string; feePpm: number }

const CARDS = 4_096

const config = readConfig({ ...process.env, DATABASE_URL: 'none' })
const world = JSON.parse(readFileSync(process.env.PEER_WORLD!, 'utf8')) as PeerWorld
const clock = systemClock
const ids = new IdMaker(() => randomInt(2 ** 47) / 2 ** 47)

async function serve(): Promise<void> {
  const hub: Hub = {
    // The one question that the doors ask a database by themselves is whether it is there.
    db: { run: async () => [], urgent: { run: async () => [] } } as unknown as Database, vault: null as never, clock, ids, log: makeLog(config.logLevel), checks: [], inputChecks: {}, decisions: null as never, publicUrl: config.publicUrl, host: config.host, mounts: null, trustedProxies: [],
    keys: memoryKeys(world.askers), orders: new MemoryOrders() as unknown as Orders, prices: null as never, notices: { meet() {} } as never, appeals: null as never, sandboxes: null as never,
    conformance: { isWatched: () => false } as never, drills: { isWatched: () => false } as never, logbook: { header: PEER_HEADER } as never,
    metrics: new Metrics(() => ({ queued: 0, batches: 0, unanswered: 0 })), limiter: new Limiter(config),
    requests: new RequestLog({ perDocking: 100, mostEntries: 20_000, sinceMs: clock.nowMs() }),
    nonces: new NonceWindow({ windowS: 600, seed: randomBytes(8).readBigUInt64LE() }),
    nobody: createSecretKey(randomBytes(32)), operators: null as never, cases: null as never, figures: null as never, risk: null as never, signer: new Signer(generateKeyPairSync('ed25519').privateKey),
    startedAtS: Math.floor(clock.nowMs() / 1000), state: { ready: true, stopping: false },
  } satisfies Partial<Hub> as Hub
  const app = await buildServer(hub)
  await app.listen({ host: config.host, port: config.port, backlog: 1_024 })
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    void app.close().then(() => process.disconnect?.())
  }
  for (const name of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.once(name, stop)
}

/** Stands where the order room stands. Its cards are sealed as the hub's are and opened with a key object at each order. */
class MemoryOrders {
  readonly #key = createSecretKey(randomBytes(32))
  readonly #sealed = Array.from({ length: CARDS }, (_, i) => sealWith(this.#key, Buffer.from(cardOf(i)), contextOf(i)))
  readonly #unitPriceMicro = parseAmount(world.unitPrice)!
  readonly #fingerprint = Buffer.alloc(16)
  #next = 0

  async place(asker: Docking, ask: PlaceAsk): Promise<Outcome<Placed>> {
    const seq = this.#next++ % CARDS
    const nowMs = clock.nowMs()
    const totalMicro = this.#unitPriceMicro * BigInt(ask.quantity)
    const order: Order = {
      lane: asker.lane, docking: asker.id, id: ids.make('ord', nowMs), reference: ask.reference, attempt: 1, mode: asker.mode, good: ask.good, quantity: ask.quantity,
      unitPriceMicro: this.#unitPriceMicro, totalMicro, feeMicro: (totalMicro * BigInt(world.feePpm)) / 1_000_000n, state: 'delivered', doubt: null,
      variant: '', scheme: 2, fingerprint: this.#fingerprint, picks: [{ lot: 1n, first: seq, count: 1 }], member: ask.member, position: BigInt(this.#next), createdAt: new Date(nowMs),
    }
    const card = readCard(openWith(this.#key, this.#sealed[seq]!, contextOf(seq)).toString('utf8'))
    return accept({ order, cards: [card], text: null, replayed: false, receipt: RECEIPT })
  }

  noteRefusal(): void {
    throw new Error('the peer refuses nothing')
  }
}

/** As long as the checkpoint of a log of some thousand leaves. */
const PEER_HEADER = `12345;${randomBytes(32).toString('base64')}`
const RECEIPT: Receipt = { written() {}, unsent() {}, broken() {} }

function contextOf(seq: number): string {
  return `card|gds_00000000000000000000|1|${seq}`
}

function memoryKeys(askers: readonly Asker[]): KeyRing {
  const keys = new Map<string, Promise<LiveKey>>(askers.map((asker) => {
    const docking: Docking = { id: asker.docking, lane: asker.lane, partner: 'prt', name: 'Bench', mode: 'live', dialect: 'json', priceGuard: 'none', priceCapMicro: null, port: null, appId: null, allowedAddresses: [], migration: null, twinOf: null, clockOffsetS: 0, createdAt: new Date() }
    const key: LiveKey = {
      id: asker.keyId, kind: 'hmac-sha256', mode: 'live', docking, scopes: KEY_SCOPES, createdAt: new Date(), expiresAt: null, revokedAt: null, measures: [],
      key: createSecretKey(Buffer.from(asker.keySecret)), text: null,
    }
    return [asker.keyId, Promise.resolve(key)]
  }))
  return { byId: async (id: string) => (await keys.get(id)) ?? null } as unknown as KeyRing
}

await serve()
