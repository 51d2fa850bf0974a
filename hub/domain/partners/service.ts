import { randomBytes } from 'node:crypto'
import { makeKey } from '../../../protocol/keys.ts'
import { formatAmount } from '../../../protocol/money.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { HOUSE_LANE, laneOf } from '../../kernel/lanes.ts'
import { underLanes, type LaneWork } from '../../platform/facts.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { hashBearer } from './keyring.ts'
import { makeMaterial } from './material.ts'
import { READ_SCOPES, SCOPES, type DialectName, type Docking, type Mode, type PriceGuard } from './model.ts'
import { endKey, insertDocking, insertKey, insertPartner, keepKeyOn, loadDocking, loadDockings, loadKeyById, loadKeysEnding, loadMounted, readDocking, readKeys, setGuard, setPort, type KeyRow } from './store.ts'

export type OpenDockingCommand = {
  ids: { partner: string; docking: string; keys: [string, string] }
  name: string
  mode: Mode
  dialect: DialectName
  appId: string | null
  /** A secret that the shop has stored already and would like to keep; made when null. */
  appKey: string | null
  allowedAddresses: readonly string[]
  /** Set when another site's partner is taken over: it comes with the key that it has, and gets none beside it. */
  migration?: string
  /** Set for the sandbox of a live docking: it belongs to the same partner, whose id stands in `ids`. */
  twinOf?: string
}

/** What the partner is given once and never again. */
export type Credentials = { appId?: string; appKey?: string; keyId?: string; keySecret?: string; apiKey?: string }

/**
 * Opens a docking with its first keys. `also` writes what other rooms keep of a docking (its balance, its contract) in
 * the same transaction.
 */
export async function openDocking(
  db: Database,
  vault: Vault,
  command: OpenDockingCommand,
  also: AlsoWrite,
): Promise<Outcome<{ docking: Docking; credentials: Credentials }>> {
  const lane = laneOf(command.ids.docking)
  return db.transaction((connection) => underLanes(connection, [lane], (work) => writeDocking(connection, vault, command, also, work)))
}

/** What other rooms write of a docking with its opening, under its lane. */
export type AlsoWrite = (connection: Connection, docking: Docking, at: Date, append: LaneWork['append']) => Promise<void>

/** The opening itself, in a transaction that holds the lane of the docking. */
export async function writeDocking(connection: Connection, vault: Vault, command: OpenDockingCommand, also: AlsoWrite, { at, append }: LaneWork): Promise<Outcome<{ docking: Docking; credentials: Credentials }>> {
  const lane = laneOf(command.ids.docking)
  const docking: Docking = {
    id: command.ids.docking, lane, partner: command.ids.partner, name: command.name, mode: command.mode, dialect: command.dialect,
    appId: command.dialect === 'json' ? null : (command.appId ?? String(1000 + (randomBytes(3).readUIntBE(0, 3) % 900_000))),
    allowedAddresses: command.allowedAddresses, priceGuard: 'last_shown', priceCapMicro: null, port: null, migration: command.migration ?? null, twinOf: command.twinOf ?? null, clockOffsetS: 0, createdAt: at,
  }
  if (docking.twinOf === null) await connection.run(insertPartner(docking.partner, command.name, at))
  await connection.run(insertDocking(docking))
  const { rows, credentials } = makeCredentials(vault, docking, command, at)
  for (const row of rows) await connection.run(insertKey(row))
  await also(connection, docking, at, append)
  append({
    lane, docking: docking.id, kind: 'docking.opened', subject: docking.id, code: null,
    body: JSON.stringify({ name: docking.name, mode: docking.mode, dialect: docking.dialect, keys: rows.map((row) => row.id) }),
  })
  return accept({ docking, credentials })
}

/** The first keys of a docking, and what of them is shown this once. */
export function makeCredentials(vault: Vault, docking: Docking, command: Pick<OpenDockingCommand, 'appKey' | 'migration'> & { ids: { keys: [string, string] } }, at: Date): { rows: KeyRow[]; credentials: Credentials } {
  const common = { lane: docking.lane, docking: docking.id, mode: docking.mode, hash: null, sealed: null, publicKey: null, scopes: SCOPES, createdAt: at, expiresAt: null, revokedAt: null, askedAs: null, ask: null, replaces: null }
  const [first, second] = command.ids.keys
  const apiKey = makeKey(docking.mode === 'live' ? 'bth_live_' : 'bth_test_', randomBytes)
  if (docking.dialect === 'acg0') {
    const appKey = command.appKey ?? randomBytes(8).toString('hex').toUpperCase()
    const own = { ...common, id: first, kind: 'acg' as const, sealed: vault.seal(Buffer.from(appKey), `key|${first}`) }
    if (command.migration !== undefined) return { rows: [own], credentials: {} }
    return {
      rows: [
        own,
        // The shop's software cannot show a report; its owner reads it with a key that can only read.
        { ...common, id: second, kind: 'bearer', hash: hashBearer(apiKey), scopes: READ_SCOPES },
      ],
      // A key that the shop has stored already is not shown again.
      credentials: { appId: docking.appId!, ...(command.appKey === null ? { appKey } : {}), apiKey },
    }
  }
  const keySecret = randomBytes(32).toString('base64url')
  return {
    rows: [
      { ...common, id: first, kind: 'hmac-sha256', sealed: vault.seal(Buffer.from(keySecret), `key|${first}`) },
      { ...common, id: second, kind: 'bearer', hash: hashBearer(apiKey) },
    ],
    credentials: { keyId: first, keySecret, apiKey },
  }
}

export type AddKeyCommand = { id: string; docking: Docking; kind: 'bearer' | 'hmac-sha256' | 'ed25519' | 'acg'; publicKeyPem: string | null; scopes: readonly string[] }

/** Adds a key beside those that live: two are valid while a partner rotates. */
export async function addKey(db: Database, vault: Vault, command: AddKeyCommand): Promise<Outcome<{ keyId: string; secret: string | null }>> {
  const { docking, id } = command
  const unknown = command.scopes.find((scope) => !(SCOPES as readonly string[]).includes(scope))
  if (unknown !== undefined) return refuse('protocol.invalid_field', { path: '/scopes', expected: `scopes out of ${SCOPES.join(', ')}` })
  const material = makeMaterial(vault, { id, kind: command.kind, mode: docking.mode }, command.publicKeyPem)
  if (!material.ok) return material
  const { secret, ...kept } = material.value
  return db.transaction((connection) =>
    underLanes(connection, [docking.lane], async ({ at, append }) => {
      await connection.run(insertKey({
        ...kept, lane: docking.lane, id, docking: docking.id, kind: command.kind, mode: docking.mode, scopes: command.scopes,
        createdAt: at, expiresAt: null, revokedAt: null, askedAs: null, ask: null, replaces: null,
      }))
      append({ lane: docking.lane, docking: docking.id, kind: 'key.added', subject: id, code: null, body: JSON.stringify({ kind: command.kind, scopes: command.scopes }) })
      return accept({ keyId: id, secret })
    }),
  )
}

/** Ends a key: at once when revoked, at a time when it is only replaced. */
export async function endKeyAt(db: Database, keyId: string, endsAt: Date | null): Promise<Outcome<{ keyId: string; endsAt: Date }>> {
  return db.transaction(async (connection) => {
    const place = readKeys(await connection.run(loadKeyById(keyId)))[0]
    if (!place) return refuse('partners.key_not_found', { key: keyId.slice(0, 64) })
    return underLanes(connection, [place.key.lane], async ({ at, append }) => {
      const known = readKeys(await connection.run(loadKeyById(keyId)))[0]!
      const when = endsAt ?? at
      const ended = await connection.run(endKey(known.key.lane, keyId, when, endsAt === null))
      // Revoked before: it stays ended when it ended.
      if (ended.length === 0) return accept({ keyId, endsAt: known.key.revokedAt ?? at })
      append({ lane: known.key.lane, docking: known.docking.id, kind: endsAt ? 'key.expires' : 'key.revoked', subject: keyId, code: null, body: JSON.stringify({ at: when.toISOString() }) })
      return accept({ keyId, endsAt: when })
    })
  })
}

/** Lets a key live on that was given an end, passed or to come, and was not revoked. */
export async function keepKey(db: Database, docking: Docking, keyId: string): Promise<void> {
  await db.transaction((connection) =>
    underLanes(connection, [docking.lane], async ({ append }) => {
      const kept = await connection.run(keepKeyOn(docking.lane, keyId))
      if (kept.length > 0) append({ lane: docking.lane, docking: docking.id, kind: 'key.kept', subject: keyId, code: null, body: '{}' })
    }))
}

/** A page of the keys of all dockings that will end by themselves between two times, by id. */
export async function keysEnding(db: Database, from: Date, to: Date, after: string, limit: number): Promise<KeyRow[]> {
  return readKeys(await db.run(loadKeysEnding(from, to, after, limit))).map(({ key }) => key)
}

export async function findDocking(db: Database, id: string): Promise<Docking | null> {
  const row = (await db.run(loadDocking(id)))[0]
  return row ? readDocking(row) : null
}

export async function listDockings(db: Database, after: string, limit: number): Promise<Docking[]> {
  return (await db.run(loadDockings(after, limit))).map(readDocking)
}

/** Sets what guards the docking's price. `capMicro` is needed with `max` and with nothing else. */
export async function guardPrice(db: Database, docking: Docking, guard: PriceGuard, capMicro: bigint | null): Promise<void> {
  await db.transaction((connection) =>
    underLanes(connection, [docking.lane], async ({ append }) => {
      await connection.run(setGuard(docking.lane, docking.id, guard, capMicro))
      append({ lane: docking.lane, docking: docking.id, kind: 'docking.guarded', subject: docking.id, code: null, body: JSON.stringify({ guard, ...(capMicro === null ? {} : { cap: formatAmount(capMicro) }) }) })
    }))
}

/** Gives the docking a port of its own, or takes it away. Refuses `protocol.invalid_field` when another docking has it. */
export async function mountAt(db: Database, docking: Docking, port: number | null): Promise<Outcome<null>> {
  return db.transaction((connection) =>
    underLanes(connection, [HOUSE_LANE, docking.lane], async ({ append }) => {
      // Under the house's lane: two dockings that ask for one port at once are told apart.
      const other = (await connection.run(loadMounted())).map(readDocking).find((one) => one.port === port && one.id !== docking.id)
      if (port !== null && other) return refuse('protocol.invalid_field', { path: '/port', expected: 'a port that no other docking has' })
      await connection.run(setPort(docking.lane, docking.id, port))
      append({ lane: docking.lane, docking: docking.id, kind: 'docking.mounted', subject: docking.id, code: null, body: JSON.stringify({ port }) })
      return accept(null)
    }))
}

/** Dockings with a port of their own. */
export async function mountedDockings(db: Database): Promise<Docking[]> {
  return (await db.run(loadMounted())).map(readDocking)
}
