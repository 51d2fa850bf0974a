import { createHash, generateKeyPairSync } from 'node:crypto'
import pg from 'pg'
import { Logbook } from '../hub/domain/logbook/index.ts'
import { Sealer } from '../hub/domain/logbook/seal.ts'
import { systemClock } from '../hub/kernel/clock.ts'
import { LANES } from '../hub/kernel/lanes.ts'
import { makeLog } from '../hub/platform/log.ts'
import { Database } from '../hub/platform/postgres/database.ts'
import { openVault } from '../hub/platform/sealing/keys.ts'
import { openSigner, Signer } from '../hub/platform/sealing/signer.ts'
import { fromBase64 } from '../protocol/bytes.ts'
import { hashNow, verifyInclusion } from '../protocol/merkle.ts'
import { median } from './figures.ts'
import { cpuSecondsOfTree } from './processes.ts'
import type { Ground } from './rounds.ts'
import { makeDatabase, type Postgres, type World } from './world.ts'

/** What sealing cost an order, how late it was while orders came in, and what a proof of a large log is. CPU in µs an order. */
export type Sealing = { orders: number; perSeal: number; sealUs: number; orderUs: number; lagP99S: number; leaves: number; proofBytes: number; verifyMs: number; growSeconds: number }

/**
 * The hub has sealed while it ran: how late, its own rows say. What that costs is measured by sealing the same facts once
 * more, a second's worth at a time, in this process, where nothing else is counted with it.
 */
export async function sealingRound(ground: Ground, leaves: number): Promise<Sealing> {
  const { world, postgres, runs } = ground
  const hub = runs.filter((run) => run.server === 'hub' && run.connections > 1)
  const perSeal = Math.max(1, Math.round(median(hub.map((run) => run.perSecond))))
  const lagP99S = await lagOf(world.ownerUrl)
  const { orders, seconds } = await sealAgain(postgres, world, perSeal)
  const large = await growLarge(postgres, world, leaves)
  return { orders, perSeal, sealUs: (seconds / orders) * 1e6, orderUs: median(hub.map((run) => run.serverCpuUs + run.databaseCpuUs)), lagP99S, leaves, ...large }
}

/** From the writing of a fact to the checkpoint over it, over all orders that were placed under load. */
async function lagOf(url: string): Promise<number> {
  return asOwner(url, async (client) => {
    // The last facts may still wait for their second.
    await new Promise((later) => setTimeout(later, 3_000))
    const { rows } = await client.query<{ lag: number }>(`
      with blocks as (select l.index, l.lane, (l.bytes::json->>'from')::bigint as first, l.position as last from logbook.leaves l where l.is_block),
        sealed as (select b.lane, b.first, b.last, (select min(c.sealed_at) from logbook.checkpoints c where c.size = (select min(size) from logbook.checkpoints where size > b.index)) as at from blocks b)
      select coalesce(percentile_cont(0.99) within group (order by extract(epoch from s.at - f.at)), 0)::float8 as lag
      from sealed s join platform.facts f on f.lane = s.lane and f.position between s.first and s.last where f.kind = 'order.accepted'`)
    return rows[0]!.lag
  })
}

async function sealAgain(postgres: Postgres, world: World, perSeal: number): Promise<{ orders: number; seconds: number }> {
  const orders = await asOwner(world.ownerUrl, async (client) => {
    await client.query(`truncate logbook.leaves, logbook.payloads, logbook.dockings, logbook.nodes, logbook.checkpoints`)
    await client.query(`update logbook.cursors set position = 0`)
    await client.query(`update logbook.sealer set size = 0, peaks = ''`)
    await client.query('vacuum analyze platform.facts')
    return Number((await client.query<{ count: string }>(`select count(*) from platform.facts where kind = 'order.accepted'`)).rows[0]!.count)
  })
  return withDatabase(world, async (db) => {
    const sealer = new Sealer(db, await openSigner(db, await openVault(db, world.dataDir, {})), () => 'http://bench.example', BigInt(perSeal))
    const used = () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6 + cpuSecondsOfTree(postgres.server.pid)
    const before = used()
    for (let round = await sealer.seal(); round.outcome === 'sealed' && round.more; ) round = await sealer.seal()
    return { orders, seconds: used() - before }
  })
}

/** A log of so many leaves of its own, each a fact that matters, and proofs out of it. */
async function growLarge(postgres: Postgres, world: World, leaves: number): Promise<Pick<Sealing, 'proofBytes' | 'verifyMs' | 'growSeconds'>> {
  const large = await makeDatabase(postgres, 'large')
  const each = Math.ceil(leaves / LANES.length)
  await asOwner(large.ownerUrl, async (client) => {
    await client.query(`insert into platform.facts (lane, position, docking, kind, subject, code, body, at)
      select l, p, 'dck_' || l || '_' || p % 10, 'key.added', 'key_' || p, null, '{}', now() from unnest($1::int[]) l, generate_series(1, $2::int) p`, [LANES, each])
    await client.query(`update platform.lanes set head = $2 where lane = any($1::int[])`, [LANES, each])
    await client.query('vacuum analyze platform.facts')
  })
  return withDatabase({ ...world, appUrl: large.appUrl }, async (db) => {
    const logbook = new Logbook({ db, clock: systemClock, log: makeLog('silent'), signer: new Signer(generateKeyPairSync('ed25519').privateKey), publicUrl: () => 'http://bench.example' })
    const started = performance.now()
    await logbook.seal()
    const growSeconds = (performance.now() - started) / 1_000
    const newest = await logbook.checkpoint()
    if (!newest.ok || newest.value.size < leaves) throw new Error('the large log was not sealed')
    const { size, root } = newest.value
    let proofBytes = 0
    const times: number[] = []
    const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
    for (let i = 0; i < 200; i++) {
      const proof = await logbook.inclusion(Math.floor((i * size) / 200), size)
      if (!proof.ok) throw new Error('a leaf was not proved')
      proofBytes = Math.max(proofBytes, Buffer.byteLength(JSON.stringify(proof.value)))
      const from = performance.now()
      const { leaf, leafHash, hashes } = proof.value
      if (!hashNow(verifyInclusion({ leaf, size, root, leafHash: fromBase64(leafHash)!, hashes: hashes.map((hash) => fromBase64(hash)!) }), sha256)) throw new Error(`leaf ${leaf} was not proved`)
      times.push(performance.now() - from)
    }
    return { proofBytes, verifyMs: times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)]!, growSeconds }
  })
}

async function withDatabase<T>(world: Pick<World, 'appUrl'>, work: (db: Database) => Promise<T>): Promise<T> {
  const db = new Database({ url: world.appUrl, size: 4, applicationName: 'berth bench' })
  return work(db).finally(() => db.end())
}

async function asOwner<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return work(client).finally(() => client.end())
}
