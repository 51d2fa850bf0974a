import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { auditStock, importCards, importGoods } from '../../hub/domain/catalogue/index.ts'
import { auditLedger, deposit, openBalance } from '../../hub/domain/ledger/index.ts'
import { auditOrders, type PlaceAsk, type Placed } from '../../hub/domain/orders/index.ts'
import { openDocking, type Credentials, type Docking } from '../../hub/domain/partners/index.ts'
import { openContract } from '../../hub/domain/terms/index.ts'
import type { Hub } from '../../hub/inbound/hub.ts'
import { buildHub, closeRooms } from '../../hub/main.ts'
import { readConfig } from '../../hub/platform/config.ts'
import { makeLog } from '../../hub/platform/log.ts'
import { parseAmount } from '../../protocol/money.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import { freshDatabase, type TestDatabase } from '../postgres.ts'

type Owner = Parameters<typeof freshDatabase>[0]

/** The rooms of a hub without its doors, on a database of its own; `owner` looks at and spoils everything. */
export type Rooms = Pick<Hub, 'db' | 'vault' | 'orders' | 'ids' | 'clock'> & {
  hub: Hub
  database: TestDatabase
  owner: Client
  dataDir: string
  fenced(): number
  openDocking(input?: { mode?: 'sandbox' | 'live'; dialect?: 'json' | 'acg0'; deposit?: string; feePpm?: number; id?: string }): Promise<Docking & { credentials: Credentials }>
  addGood(code: string, unitPrice?: string): Promise<string>
  addCards(good: string, cards: number | readonly string[], mode?: 'sandbox' | 'live', expiresAt?: Date | null): Promise<Awaited<ReturnType<typeof importCards>>>
  deposit(docking: Docking, amount: string, reference?: string): ReturnType<typeof deposit>
  place(docking: Docking, reference: string, good: string, quantity?: number, changes?: Partial<PlaceAsk>): Promise<Outcome<Placed>>
  balance(docking: Docking): Promise<bigint>
  findings(): Promise<string[]>
  /** Another life of the hub on the same database and key. */
  nextLife(env?: Record<string, string>): Promise<Rooms>
  close(): Promise<void>
}

export async function openRooms(t: Owner, env: Record<string, string> = {}): Promise<Rooms> {
  const dataDir = mkdtempSync(join(tmpdir(), 'berth-rooms-'))
  t.after(async () => rmSync(dataDir, { recursive: true, force: true }))
  return furnish(t, await freshDatabase(t), dataDir, env)
}

async function furnish(t: Owner, database: TestDatabase, dataDir: string, env: Record<string, string>): Promise<Rooms> {
  let fenced = 0
  const config = readConfig({ DATABASE_URL: database.appUrl, DATA_DIR: dataDir, LOG_LEVEL: 'silent', VOID_AFTER_MS: '100', ...env })
  const hub = await buildHub(config, makeLog('silent'), () => void fenced++)
  const { db, vault, orders, ids, clock } = hub
  const owner = new Client({ connectionString: database.ownerUrl })
  owner.on('error', () => {})
  await owner.connect()
  let open = true
  const close = async () => {
    if (!open) return
    open = false
    await closeRooms(hub)
    await owner.end()
  }
  t.after(close)
  let imports = 0
  const rooms: Rooms = {
    hub, database, owner, dataDir, db, vault, orders, ids, clock, close, fenced: () => fenced,
    async openDocking({ mode = 'live', dialect = 'json', deposit: amount, feePpm = 0, id } = {}) {
      const make = (prefix: 'prt' | 'dck' | 'key') => ids.make(prefix, clock.nowMs())
      const opened = must(await openDocking(db, vault, {
        ids: { partner: make('prt'), docking: id ?? make('dck'), keys: [make('key'), make('key')] }, name: 'Shop', mode, dialect, appId: null, appKey: null, allowedAddresses: [],
      }, async (connection, docking, at) => {
        await connection.run(openBalance(docking.lane, docking.id, docking.mode))
        await connection.run(openContract(docking.lane, docking.id, feePpm, at))
      }))
      if (amount !== undefined) must(await rooms.deposit(opened.docking, amount, 'first'))
      return { ...opened.docking, credentials: opened.credentials }
    },
    async addGood(code, unitPrice = '9.50') {
      await importGoods(db, [{ code, name: `Good ${code}`, category: 'Test', unitPrice }], 1, () => ids.make('gds', clock.nowMs()))
      return (await owner.query<{ id: string }>('select id from catalogue.goods where code = $1', [code])).rows[0]!.id
    },
    addCards(good, cards, mode = 'live', expiresAt = null) {
      const batch = `b${++imports}`
      const lines = typeof cards === 'number' ? Array.from({ length: cards }, (_, i) => `${good}-${mode}-${batch}-${i + 1}`) : cards
      return importCards(db, vault, { good, mode, batch, expiresAt }, inLines(lines))
    },
    deposit: (docking, amount, reference = ids.make('dep', clock.nowMs())) =>
      deposit(db, { id: ids.make('dep', clock.nowMs()), lane: docking.lane, account: docking.id, mode: docking.mode, reference, amountMicro: parseAmount(amount)!, note: '' }),
    place: (docking, reference, good, quantity = 1, changes = {}) =>
      orders.place(docking, { reference, good, quantity, guardMicro: null, member: null, onlyReplay: null, form: 'json', ...changes }),
    balance: async (docking) => BigInt((await owner.query<{ available: string }>('select available from ledger.balances where lane = $1 and account = $2', [docking.lane, docking.id])).rows[0]!.available),
    findings: async () => (await db.transaction(async (connection) => [
      ...(await auditLedger(connection)), ...(await auditOrders(connection)), ...(await auditStock(connection)),
    ], 60_000)).map(({ rule, row, expected, seen }) => `${row}: ${rule}; expected ${expected}, seen ${seen}`),
    nextLife: (more = {}) => furnish(t, database, dataDir, { ...env, ...more }),
  }
  return rooms
}

export async function* inLines(lines: Iterable<string>): AsyncGenerator<string> {
  yield* lines
}

export function must<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`refused: ${outcome.refusal.code} ${JSON.stringify(outcome.refusal.because)}`)
  return outcome.value
}

/** The code of a refusal; 'accepted' otherwise. */
export function codeOf(outcome: Outcome<unknown>): string {
  return outcome.ok ? 'accepted' : outcome.refusal.code
}

export async function until(holds: () => boolean | Promise<boolean>, withinMs = 4_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`it did not become true within ${withinMs} ms: ${holds}`)
    await new Promise((later) => setTimeout(later, 10))
  }
}
