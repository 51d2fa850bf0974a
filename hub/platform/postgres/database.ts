import type { Socket } from 'node:net'
import pg from 'pg'

/** One prepared statement with its values. Rooms hand these out as lock, load and write steps; a caller composes them. */
export type Statement = { readonly name?: string; readonly text: string; readonly values: readonly unknown[] }

/** Rows as arrays in the order of the select list: an object per row costs more than the row. */
export type Rows = readonly (readonly unknown[])[]

export type Connection = { run(statement: Statement): Promise<Rows> }

const INT8 = 20

/** 64-bit columns are money, positions or cursors: always bigint, never a number that may round. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === INT8 && format !== 'binary' ? BigInt : pg.types.getTypeParser(oid, format as 'text'),
} as unknown as pg.CustomTypesConfig

/** SQLSTATE classes after which the same transaction may be tried again: serialisation, deadlock, lock timeout. */
const PASSING = new Set(['40001', '40P01', '55P03'])

export function isPassing(error: unknown): boolean {
  return PASSING.has(sqlState(error))
}

/**
 * What the operating system says of a database that is away, unreachable or stopped (its queue of new lines is then
 * full), or of a hub that may open no more files.
 */
const UNREACHABLE = new Set([
  'ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE', 'ETIMEDOUT', 'EAGAIN', 'ECONNABORTED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'EMFILE', 'ENFILE', 'EADDRNOTAVAIL',
])
/** What the driver says without any code. */
const BROKEN_LINE = /timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error|not queryable|Query read timeout|timeout expired/

/** Whether the database, and not a mistake of ours, is behind an error: away, full, stopping, silent, or every line taken. */
export function isOutage(error: unknown): boolean {
  const state = sqlState(error)
  return isPassing(error) || /^(08|53|57|58|55000)/.test(state) || UNREACHABLE.has(state) || BROKEN_LINE.test(String((error as Error | null)?.message ?? ''))
}

/** A row that must be unique was there already. Never branch on the constraint's name: a sharded Postgres changes it. */
export function isConflict(error: unknown): boolean {
  return sqlState(error) === '23505'
}

function sqlState(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

/** The server said no and rolled back, so the outcome is known. Anything else (a lost line) leaves a COMMIT in doubt. */
export function isAnswered(error: unknown): boolean {
  const state = sqlState(error)
  // Every SQLSTATE holds a digit; EPIPE and its like have five letters too.
  return /^(?=.*\d)[0-9A-Z]{5}$/.test(state) && !state.startsWith('08') && !state.startsWith('57P') && state !== '25P03'
}

/** The COMMIT was sent and its answer is missing: the command may stand or not. Only asking again can tell. */
export class OutcomeUnknown extends Error {
  constructor(cause: unknown) {
    super('the answer to a commit is missing', { cause })
  }
}

/**
 * The statements of the order path know their plan: a walk down an index for each of a few hundred keys. Left to itself
 * the planner looks at the arrays, plans anew each time and hashes whole tables: 80 µs an order for the cards alone, and
 * a batch that runs into its timeout once a lot holds 600,000.
 */
const WRITER_PLANS = `set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off;
  set enable_mergejoin = off; set max_parallel_workers_per_gather = 0`

/** A line that says nothing for so long is broken, whatever the network believes; the server's own limits are shorter. */
const SILENT_MS = 8_000
const TRANSACTION_MS = 5_000
/** Nothing is quicker than a rollback: a server that does not answer it drops the transaction with the line. */
const ROLLBACK_MS = 1_000

export type DatabaseOptions = {
  url: string
  /** Connections for reads and chores; the writer of orders has one of its own. */
  size: number
  applicationName: string
  /** How long a line may say nothing; SILENT_MS unless a test cannot wait for that. */
  silentMs?: number
}

/** Lines kept for what no order can be placed without. */
const URGENT_SIZE = 2

/** The database of the hub, as the runtime role that may not edit history. */
export class Database {
  readonly #pool: pg.Pool
  readonly #urgentPool: pg.Pool
  readonly #options: DatabaseOptions
  readonly #silentMs: number
  /**
   * For the short reads without which no order can be placed (whose key is it, how is its lot sealed): lines of their
   * own, so that reads and chores which hold the whole pool keep no order out.
   */
  readonly urgent: Connection

  constructor(options: DatabaseOptions) {
    this.#options = options
    this.#silentMs = options.silentMs ?? SILENT_MS
    const pool = (max: number) => new pg.Pool({ ...this.#settings(), max, connectionTimeoutMillis: 500, idleTimeoutMillis: 30_000 })
    this.#pool = pool(options.size)
    this.#urgentPool = pool(URGENT_SIZE)
    this.urgent = { run: async (statement) => (await this.#urgentPool.query(bounded(toQuery(statement), this.#silentMs))).rows as Rows }
    // An idle connection that breaks is replaced by the pool; the next caller gets the error if the server is gone.
    for (const each of [this.#pool, this.#urgentPool]) each.on('error', () => {})
  }

  #settings(): pg.ClientConfig {
    return {
      connectionString: this.#options.url,
      application_name: this.#options.applicationName,
      types,
      keepAlive: true,
      statement_timeout: TRANSACTION_MS,
      lock_timeout: 2_000,
      idle_in_transaction_session_timeout: 5_000,
    }
  }

  async run(statement: Statement): Promise<Rows> {
    const result = await this.#pool.query(bounded(toQuery(statement), this.#silentMs))
    return result.rows as Rows
  }

  /** Runs work in one transaction on one connection; an error rolls back. Long chores pass a timeout of their own. */
  async transaction<T>(work: (connection: Connection) => Promise<T>, timeoutMs = TRANSACTION_MS): Promise<T> {
    const client = await this.#pool.connect()
    const silentMs = this.#silentMs + timeoutMs - TRANSACTION_MS
    let broken: Error | undefined
    let committing = false
    // The pool listens only to idle clients: a line that breaks under us is told by the statement that fails.
    const deaf = () => {}
    client.on('error', deaf)
    try {
      await client.query(bounded({ text: 'begin' }, silentMs))
      if (timeoutMs !== TRANSACTION_MS) await client.query(bounded({ text: `set local statement_timeout = ${Math.trunc(timeoutMs)}` }, silentMs))
      const value = await work({ run: async (statement) => (await client.query(bounded(toQuery(statement), silentMs))).rows as Rows })
      committing = true
      const ended = await client.query(bounded({ text: 'commit' }, silentMs))
      if (ended.command !== 'COMMIT') throw new Error(`commit was answered with ${ended.command}`)
      return value
    } catch (error) {
      if (committing && !isAnswered(error)) {
        broken = error as Error
        throw new OutcomeUnknown(error)
      }
      await client.query(bounded({ text: 'rollback' }, ROLLBACK_MS)).catch((rollbackError: Error) => {
        broken = rollbackError
      })
      throw error
    } finally {
      client.off('error', deaf)
      client.release(broken)
    }
  }

  /** A connection of one's own that sends statements without waiting for each answer. The caller ends it. */
  async dedicated(): Promise<pg.Client> {
    const client = new pg.Client({ ...this.#settings(), pipeline: true, connectionTimeoutMillis: 2_000, query_timeout: this.#silentMs } as pg.ClientConfig)
    client.on('error', () => {})
    await client.connect()
    await client.query(WRITER_PLANS)
    return client
  }

  async end(): Promise<void> {
    await Promise.all([this.#pool.end(), this.#urgentPool.end()])
  }
}

export function toQuery(statement: Statement): pg.QueryArrayConfig {
  return { name: statement.name, text: statement.text, values: statement.values as unknown[], rowMode: 'array', types }
}

/** Sends all statements at once and waits for all answers; the first error in their order is the true one. */
export async function flight(client: pg.Client, statements: readonly Statement[]): Promise<Rows[]> {
  // Corked: one write to the socket a flight, where each statement would make one of its own.
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
  stream.cork()
  const sent = statements.map((statement) => client.query(toQuery(statement)))
  stream.uncork()
  const settled = await Promise.allSettled(sent)
  const failed = settled.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
  return settled.map((result) => (result as PromiseFulfilledResult<{ rows: unknown[][] }>).value.rows)
}

/** The server's own limits say nothing when the server is silent. */
function bounded<Q extends pg.QueryConfig>(query: Q, silentMs: number): Q {
  return { ...query, query_timeout: silentMs } as Q
}

/**
 * Array literals for `unnest`, written here because the driver's own way costs about a microsecond an element.
 * `bare` is for values that need no quoting: numbers, and ids of our own making.
 */
export const array = {
  bare(values: readonly (string | number | bigint)[]): string {
    return `{${values.join(',')}}`
  },
  text(values: readonly (string | null)[]): string {
    let literal = '{'
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (i > 0) literal += ','
      literal += value === null ? 'NULL' : PLAIN.test(value!) ? value : `"${value!.replace(/["\\]/g, '\\$&')}"`
    }
    return literal + '}'
  },
  bytes(values: readonly Uint8Array[]): string {
    return `{${values.map((bytes) => `"\\\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}"`).join(',')}}`
  },
}

// "null" without quotes would be read as NULL.
const PLAIN = /^(?!null$)[0-9A-Za-z_.:-]+$/i
