import { randomBytes, randomInt } from 'node:crypto'
import type pg from 'pg'
import { NO_CHOICE } from '../hub/domain/catalogue/index.ts'
import { fold, lockAndLoad, readLoaded, writes, cardsOf, type BatchInput } from '../hub/domain/orders/batch.ts'
import type { PlaceCommand } from '../hub/domain/orders/model.ts'
import { BATCH_CAP } from '../hub/domain/orders/writer.ts'
import { IdMaker } from '../hub/kernel/ids.ts'
import { Database, toQuery, type Rows, type Statement } from '../hub/platform/postgres/database.ts'
import { cpuSecondsOf } from './processes.ts'
import type { Asker, Shape } from './requests.ts'
import type { World } from './world.ts'

/** One round of P2: orders a second and database CPU per order, of whole batches and of the bare inserts of their rows. */
export type BatchRound = { batch: Side; plain: Side }
type Side = { perSecond: number; databaseCpuUs: number }

/** The rows that an order cannot do without: what a plain INSERT has to write as well. */
const ROWS = ['facts.append', 'orders.insert', 'orders.sold', 'ledger.post']

/**
 * Runs batches of 256 orders against the database itself, and the same rows as plain inserts in one transaction each
 * into a twin with the same schema. Time is that of the database with its line: what the rule in between takes is left out.
 * @param twinUrl a database with the same schema and nothing in it
 */
export async function batchRound(world: World, twinUrl: string, batches: number): Promise<BatchRound> {
  const db = new Database({ url: world.appUrl, size: 1, applicationName: 'berth bench' })
  const twin = new Database({ url: twinUrl, size: 1, applicationName: 'berth bench' })
  const [own, other] = [await db.dedicated(), await twin.dedicated()]
  const ids = new IdMaker(() => randomInt(2 ** 47) / 2 ** 47)
  const spent = { batch: { seconds: 0, cpu: 0 }, plain: { seconds: 0, cpu: 0 } }
  try {
    const [ownPid, otherPid] = [await backendOf(own), await backendOf(other)]
    const cpuBefore = [cpuSecondsOf(ownPid), cpuSecondsOf(otherPid)] as const
    for (let i = 0; i < batches; i++) {
      const { rows, seconds } = await wholeBatch(own, commandsFor(world.spread, ids))
      spent.batch.seconds += seconds
      spent.plain.seconds += await timed(() => flight(other, [{ text: 'begin', values: [] }, ...rows.map(asPlain), { text: 'commit', values: [] }]))
    }
    spent.batch.cpu = cpuSecondsOf(ownPid) - cpuBefore[0]
    spent.plain.cpu = cpuSecondsOf(otherPid) - cpuBefore[1]
  } finally {
    await Promise.all([own.end(), other.end(), db.end(), twin.end()])
  }
  const side = ({ seconds, cpu }: { seconds: number; cpu: number }): Side => ({ perSecond: (batches * BATCH_CAP) / seconds, databaseCpuUs: (cpu / (batches * BATCH_CAP)) * 1e6 })
  return { batch: side(spent.batch), plain: side(spent.plain) }
}

async function wholeBatch(client: pg.Client, places: PlaceCommand[]): Promise<{ rows: Statement[]; seconds: number }> {
  const input: BatchInput = { places, notes: [] }
  let loaded: Rows[] = []
  let seconds = await timed(async () => (loaded = await flight(client, [{ text: 'begin', values: [] }, ...lockAndLoad(input)])))
  const { lanes, tally } = readLoaded(input, loaded.slice(1))
  const folded = fold(input, tally)
  const refused = folded.verdicts.find((verdict) => verdict.kind !== 'placed')
  if (refused) throw new Error(`the round is void: an order of the batch was ${refused.kind}`)
  const steps = writes(folded, lanes, () => 0n).map((step) => step.statement)
  seconds += await timed(() => flight(client, [...steps, cardsOf(folded)!.statement]))
  seconds += await timed(() => flight(client, [{ text: 'commit', values: [] }]))
  return { rows: steps.filter((step) => ROWS.includes(step.name ?? '')), seconds }
}

function commandsFor(shape: Shape, ids: IdMaker): PlaceCommand[] {
  const anyOf = <T>(list: readonly T[]): T => list[randomInt(list.length)]!
  return Array.from({ length: BATCH_CAP }, () => {
    const asker: Asker = anyOf(shape.askers)
    return {
      id: ids.make('ord', Date.now()), lane: asker.lane, docking: asker.docking, mode: 'live', reference: randomBytes(12).toString('hex'), good: anyOf(shape.goods),
      quantity: 1, guardMicro: null, member: null, choice: NO_CHOICE, variant: '', values: {}, sealedForm: null, firstFingerprint: () => null, 
      fingerprint: randomBytes(16), onlyReplay: null,
    }
  })
}

/** The insert without what makes it safe: no look at what is there already, and no count of what was written. */
function asPlain(statement: Statement): Statement {
  const text = statement.text.replace(/\s+on conflict do nothing returning lane\s*$/, '')
  if (text === statement.text) throw new Error(`${statement.name} is written in another way than the bench knows`)
  return { ...statement, name: `plain.${statement.name}`, text }
}

async function flight(client: pg.Client, statements: readonly Statement[]): Promise<Rows[]> {
  const results = await Promise.all(statements.map((statement) => client.query(toQuery(statement))))
  return results.map((result) => result.rows as Rows)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return (performance.now() - from) / 1000
}

async function backendOf(client: pg.Client): Promise<number> {
  return (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid
}
