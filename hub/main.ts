import { createSecretKey, randomBytes, randomInt } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { checkLastRefusedGood, sweepAbandoned } from './domain/catalogue/index.ts'
import { AppealClock } from './domain/appeals/index.ts'
import { Cases } from './domain/compliance/index.ts'
import { checkStanding, DecisionClock } from './domain/decisions/index.ts'
import { FigureBook } from './domain/figures/index.ts'
import { checkFunds } from './domain/ledger/index.ts'
import { Drills } from './domain/drills/index.ts'
import { Logbook } from './domain/logbook/index.ts'
import { Notices } from './domain/notices/index.ts'
import { Operators } from './domain/operators/index.ts'
import { Orders } from './domain/orders/index.ts'
import { checkKeyLeaked, checkKeys, findDocking, KeyRing } from './domain/partners/index.ts'
import { checkTerms, PriceClock } from './domain/pricing/index.ts'
import { Watch } from './domain/risk/index.ts'
import { checkConformance, Conformance } from './domain/conformance/index.ts'
import { Sandboxes } from './domain/sandbox/index.ts'
import type { Hub } from './inbound/hub.ts'
import { RequestLog } from './inbound/request-log.ts'
import { buildServer } from './inbound/server.ts'
import { checkSync } from './inbound/sync.ts'
import { systemClock } from './kernel/clock.ts'
import { IdMaker } from './kernel/ids.ts'
import { NonceWindow } from './kernel/nonces.ts'
import { openChannels } from './outbound/channels.ts'
import { checkPublicAddress } from './outbound/self.ts'
import { readConfig, type Config } from './platform/config.ts'
import { takeOverLanes } from './platform/lanes.ts'
import { Limiter } from './platform/limiter.ts'
import { makeLog, type Log } from './platform/log.ts'
import { Metrics } from './platform/metrics.ts'
import { Database } from './platform/postgres/database.ts'
import { assertDurable } from './platform/postgres/durability.ts'
import { startEmbedded } from './platform/postgres/embedded.ts'
import { assertSchemaIsKnown, migrate } from './platform/postgres/migrate.ts'
import { dumpSchema } from './platform/postgres/schema.ts'
import { StartRefused, startRefusedExitCode } from './platform/refusal-to-start.ts'
import { openOperatorKey, openVault } from './platform/sealing/keys.ts'
import { openSigner } from './platform/sealing/signer.ts'
import { runSupervisor } from './supervisor.ts'

const NONCE_WINDOW_S = 600

/** The plan of the house: builds every room in floor order and opens the doors. */
export async function buildHub(config: Config, log: Log, onFenced: () => void): Promise<Hub> {
  await askDatabase(config.databaseUrl)
  const db = new Database({ url: config.databaseUrl, size: 10, applicationName: 'berth hub' })
  const vault = await openVault(db, config.dataDir, process.env)
  const signer = await openSigner(db, vault)
  const clock = systemClock
  const operators = new Operators(db, clock)
  await operators.welcomeOwner(await openOperatorKey(db, config.dataDir))
  const ids = new IdMaker(() => randomInt(2 ** 47) / 2 ** 47)

  // From here on an earlier life of the hub can commit nothing more; what it left is looked through.
  const epochs = await db.transaction((connection) => takeOverLanes(connection))
  const startedAtS = Math.floor(clock.nowMs() / 1000)
  await sweepAbandoned(db)

  const orders = new Orders({ db, vault, clock, ids, log, epochs, onFenced, voidAfterMs: config.voidAfterMs })
  const doubtful = await orders.recover()
  if (doubtful > 0) log.warn({ doubtful }, 'the hub ended before these orders were surely answered; they are handed over when they are asked for')

  // Before the first order: what fell due while no hub lived was to count by now.
  const prices = new PriceClock(db, log)
  await prices.start()

  const notices = new Notices({
    db, vault, clock, ids, log, channels: openChannels(config, { log, clock }), robotOrigins: config.robotOrigins, publicUrl: () => hub.publicUrl, quietMs: config.alertQuietMs,
    dice: () => randomInt(2 ** 32) / 2 ** 32,
  })
  const sandboxes = new Sandboxes({ db, vault, clock, ids, log, publicUrl: () => hub.publicUrl, applicationsADay: config.sandboxesADay, requestsADay: config.sandboxRequestsADay })
  const conformance = new Conformance({ db, clock, ids, log, signer, sandboxes, publicUrl: () => hub.publicUrl })
  const keys = new KeyRing(db, vault, clock)
  const drills = new Drills({ db, clock, ids, log, signer, orders, keys, sandboxes, publicUrl: () => hub.publicUrl, tempo: config.drillTempo })
  const logbook = new Logbook({ db, clock, log, signer, publicUrl: () => hub.publicUrl })
  const decisions = new DecisionClock({
    db, log, desk: () => ({ checks: hub.checks, inputs: hub.inputChecks }), findDocking: (id) => findDocking(db, id), nowMs: () => clock.nowMs(), makeId: () => ids.make('dec', clock.nowMs()), onEnded: ({ docking }) => hub.keys.forget(docking),
  })
  const hub: Hub = {
    db, vault, clock, ids, log, orders, prices, notices, appeals: new AppealClock({ db, vault, clock, log, makeId: () => ids.make('dec', clock.nowMs()) }), sandboxes, conformance, drills, logbook, decisions, operators, signer, startedAtS, keys,
    figures: new FigureBook({ db, clock, log }),
    risk: new Watch({ db, vault, clock, log, makeId: () => ids.make('fnd', clock.nowMs()), random: () => randomInt(2 ** 32) / 2 ** 32 }),
    cases: new Cases({ db, vault, clock, random: randomBytes }),
    metrics: new Metrics(() => orders.load),
    limiter: new Limiter(config),
    nonces: new NonceWindow({ windowS: NONCE_WINDOW_S, seed: randomBytes(8).readBigUInt64LE() }),
    requests: new RequestLog({ perDocking: 100, mostEntries: 20_000, sinceMs: clock.nowMs() }),
    nobody: createSecretKey(randomBytes(32)),
    checks: [],
    inputChecks: { 'partners.key_leaked': checkKeyLeaked(db, vault) },
    publicUrl: config.publicUrl, host: config.host, mounts: null, trustedProxies: config.trustedProxies,
    state: { ready: false, stopping: false },
  }
  // Each room's own checks, and those of the doors; the docking report puts them into the order in which things break.
  hub.checks = [
    checkPublicAddress(() => hub.publicUrl, () => clock.nowMs()), checkKeys(db), checkSync(hub), checkFunds(db), checkLastRefusedGood(db), checkTerms(db), checkConformance(db), checkStanding(db),
  ]
  return hub
}

/** Ends what runs by itself, the highest floor first, then the orders, which write down what they know, then the lines. */
export async function closeRooms(hub: Hub): Promise<void> {
  for (const room of [hub.figures, hub.risk, hub.logbook, hub.drills, hub.sandboxes, hub.notices, hub.appeals, hub.decisions, hub.prices, hub.orders]) await room.close()
  await hub.db.end()
}

async function askDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  try {
    await client.connect()
  } catch (error) {
    throw new StartRefused(`The database does not answer (${(error as Error).message}): check DATABASE_URL, and that the server runs.`)
  }
  try {
    await assertDurable(client)
    await assertSchemaIsKnown(client)
  } finally {
    await client.end()
  }
}

async function serve(): Promise<void> {
  const config = readConfig(process.env)
  const log = makeLog(config.logLevel)
  let stop = async (_code: number) => {}
  const hub = await buildHub(config, log, () => void stop(1))
  const app = await buildServer(hub)
  let ending = false
  stop = async (code) => {
    if (ending) return
    ending = true
    hub.state.stopping = true
    // Requests in flight finish first.
    await app.close().catch((error: unknown) => hub.log.error({ err: error }, 'the doors did not close in order; what is booked is still written down'))
    await closeRooms(hub)
    process.exitCode = code
    process.disconnect?.()
  }
  process.once('SIGTERM', () => void stop(0))
  process.once('SIGINT', () => void stop(0))
  process.once('disconnect', () => void stop(0))
  try {
    await app.listen({ host: config.host, port: config.port, backlog: 1_024 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new StartRefused(`Port ${config.port} on ${config.host} is taken: stop the program that listens there, or set PORT to another.`)
  }
  for (const room of [hub.decisions, hub.appeals, hub.notices, hub.sandboxes, hub.drills, hub.logbook, hub.figures, hub.risk]) room.start()
  hub.state.ready = true
  log.info({ url: config.publicUrl }, 'the hub is ready')
}

async function migrateCommand(): Promise<void> {
  const client = await owner()
  try {
    const { from, to } = await migrate(client)
    console.log(from === to ? `The schema is at version ${to}.` : `The schema went from version ${from} to ${to}.`)
  } finally {
    await client.end()
  }
}

/** Writes hub/migrations/schema.sql, the committed sum of the migrations, from a fresh database of its own. */
async function schemaCommand(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-schema-'))
  chmodSync(folder, 0o711)
  const server = await startEmbedded({ dataDir: folder, log: () => {} })
  const client = new pg.Client({ connectionString: server.ownerUrl })
  try {
    await client.connect()
    await migrate(client)
    writeFileSync(join(import.meta.dirname, 'migrations/schema.sql'), await dumpSchema(client))
  } finally {
    await client.end()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function owner(): Promise<pg.Client> {
  const url = process.env.DATABASE_OWNER_URL ?? process.env.DATABASE_URL
  if (!url) throw new StartRefused('DATABASE_OWNER_URL is not set: it names the role that owns the schema.')
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  await client.connect()
  return client
}

const commands: Record<string, () => Promise<void>> = {
  start: () => runSupervisor({ argv: process.argv.slice(3), env: process.env }),
  serve, migrate: migrateCommand, schema: schemaCommand,
}

if (import.meta.main) {
  const command = commands[process.argv[2] ?? '']
  if (!command) {
    console.error('usage: node hub/main.ts start [--empty] | serve | migrate | schema')
    process.exitCode = 2
  } else {
    await command().catch((error: unknown) => {
      if (!(error instanceof StartRefused)) throw error
      console.error(error.message)
      process.exit(startRefusedExitCode)
    })
  }
}
