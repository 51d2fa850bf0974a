import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { importCards } from '../hub/domain/catalogue/index.ts'
import { laneOf } from '../hub/kernel/lanes.ts'
import { Database } from '../hub/platform/postgres/database.ts'
import { startEmbedded, type Embedded } from '../hub/platform/postgres/embedded.ts'
import { migrate } from '../hub/platform/postgres/migrate.ts'
import { openVault } from '../hub/platform/sealing/keys.ts'
import { withDatabase } from '../test/postgres.ts'
import { cardOf } from './card.ts'
import type { Asker, Shape } from './requests.ts'

export const UNIT_PRICE = '9.50'
/** The share of a docking's turnover that the main site takes; above zero, so that an order has both its legs. */
export const FEE_PPM = 10_000
const DEPOSIT = '100000000'
const ASKERS = 100
const GOODS = 1_000
const IMPORTS_AT_ONCE = 4

/** One embedded Postgres for a whole bench, durable as in production, in a folder that goes when it stops. */
export type Postgres = { server: Embedded; folder: string; stop(): Promise<void> }

export async function startPostgres(): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-bench-'))
  // Under root the server runs as somebody else, who has to enter the folder.
  chmodSync(folder, 0o711)
  const remove = (...paths: string[]) => paths.forEach((path) => rmSync(path, { recursive: true, force: true }))
  try {
    const server = await startEmbedded({ dataDir: join(folder, 'postgres'), log: (line) => console.error(line) })
    return { server, folder, stop: () => server.stop().finally(() => remove(folder, server.home)) }
  } catch (error) {
    remove(folder)
    throw error
  }
}

/** A fresh database with its schema; URLs of the owner and of the hub's own role. */
export async function makeDatabase(postgres: Postgres, name: string): Promise<{ ownerUrl: string; appUrl: string }> {
  const ownerUrl = await createDatabase(postgres, name)
  await asOwner(ownerUrl, async (client) => void (await migrate(client)))
  return { ownerUrl, appUrl: withDatabase(postgres.server.appUrl, name) }
}

/** A database with nothing in it. @returns the URL of its owner */
export async function createDatabase(postgres: Postgres, name: string): Promise<string> {
  await asOwner(postgres.server.ownerUrl, async (client) => void (await client.query(`create database ${name}`)))
  return withDatabase(postgres.server.ownerUrl, name)
}

async function asOwner<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Who is there and what is sold: `hot` is one docking and one good, `spread` a hundred dockings and a thousand goods. */
export type World = { ownerUrl: string; appUrl: string; dataDir: string; hot: Shape; spread: Shape }

/** Fills a fresh database through the hub's own operator API and importer: dockings with money, goods with cards. */
export async function makeWorld(
  postgres: Postgres, name: string, cards: { hot: number; spread: number },
  whileServed: (urls: { databaseUrl: string; dataDir: string }, work: (url: string) => Promise<void>) => Promise<void>,
): Promise<World> {
  const { ownerUrl, appUrl } = await makeDatabase(postgres, name)
  const dataDir = join(postgres.folder, name)
  mkdirSync(dataDir)
  const askers: Asker[] = []
  await whileServed({ databaseUrl: appUrl, dataDir }, async (url) => {
    const operator = callerOf(url, readFileSync(join(dataDir, 'operator.key'), 'utf8').trim())
    for (let i = 0; i <= ASKERS; i++) askers.push(await openDocking(operator, i))
    const items = Array.from({ length: GOODS + 1 }, (_, i) => ({ code: `G${i}`, name: `Good ${i}`, category: 'Bench', unitPrice: UNIT_PRICE }))
    await operator('/operator/goods', { items })
  })
  const goods = await seedCards(appUrl, dataDir, cards)
  // What the database does by itself a minute after an import; tables without rows are left alone, as it leaves them.
  await asOwner(ownerUrl, async (client) => {
    await client.query('vacuum analyze catalogue.goods, catalogue.lots, catalogue.cards, catalogue.card_index')
    await client.query('checkpoint')
  })
  const [first, ...others] = goods
  return { ownerUrl, appUrl, dataDir, hot: { name: 'hot', askers: [askers[0]!], goods: [first!] }, spread: { name: 'spread', askers: askers.slice(1), goods: others } }
}

type Caller = (path: string, body: unknown) => Promise<Record<string, Record<string, string>>>

function callerOf(url: string, key: string): Caller {
  return async (path, body) => {
    const response = await fetch(url + path, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`POST ${path} was answered with ${response.status}: ${(await response.text()).slice(0, 300)}`)
    return (await response.json()) as Record<string, Record<string, string>>
  }
}

async function openDocking(operator: Caller, i: number): Promise<Asker> {
  const { docking, credentials } = await operator('/operator/dockings', { name: `Bench ${i}`, mode: 'live', dialect: 'json', feePpm: FEE_PPM })
  await operator(`/operator/dockings/${docking!.id!}/deposits`, { reference: 'bench', amount: DEPOSIT })
  return { docking: docking!.id!, lane: laneOf(docking!.id!), keyId: credentials!.keyId!, keySecret: credentials!.keySecret! }
}

/** Seals and publishes a lot for every good, the first one's with `hot` cards. @returns the ids of the goods, by number */
async function seedCards(appUrl: string, dataDir: string, cards: { hot: number; spread: number }): Promise<string[]> {
  // The import need not survive a crash: without the wait for the disk it takes a fraction of the time.
  const url = new URL(appUrl)
  url.searchParams.set('options', '-c synchronous_commit=off')
  const db = new Database({ url: url.href, size: IMPORTS_AT_ONCE + 1, applicationName: 'berth bench' })
  try {
    const vault = await openVault(db, dataDir, {})
    const goods = (await db.run({ text: 'select id from catalogue.goods order by number', values: [] })).map((row) => row[0] as string)
    let next = 0
    const worker = async () => {
      for (let i = next++; i < goods.length; i = next++) {
        await importCards(db, vault, { good: goods[i]!, mode: 'live', batch: 'bench', expiresAt: null }, cardLines(i, i === 0 ? cards.hot : cards.spread))
      }
    }
    await Promise.all(Array.from({ length: IMPORTS_AT_ONCE }, worker))
    return goods
  } finally {
    await db.end()
  }
}

async function* cardLines(good: number, count: number): AsyncGenerator<string> {
  for (let i = 0; i < count; i++) yield cardOf(good * 1_000_000 + i)
}

/** Writes what the peer has to know. */
export function writePeerWorld(postgres: Postgres, world: World): string {
  const file = join(postgres.folder, `peer-${randomBytes(4).toString('hex')}.json`)
  writeFileSync(file, JSON.stringify({ askers: [...world.hot.askers, ...world.spread.askers], unitPrice: UNIT_PRICE, feePpm: FEE_PPM }), { mode: 0o600 })
  return file
}
