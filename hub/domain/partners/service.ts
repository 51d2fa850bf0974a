import { createPublicKey, randomBytes } from 'node:crypto'
import { makeKey } from '../../../protocol/keys.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { laneOf } from '../../kernel/lanes.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { hashBearer } from './keyring.ts'
import { READ_SCOPES, SCOPES, type DialectName, type Docking, type Mode } from './model.ts'
import { endKey, insertDocking, insertKey, insertPartner, loadDocking, loadDockings, loadKeyById, readDocking, readKeys, type KeyRow } from './store.ts'

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
  also: (connection: Connection, docking: Docking, at: Date) => Promise<void>,
): Promise<Outcome<{ docking: Docking; credentials: Credentials }>> {
  const lane = laneOf(command.ids.docking)
  return db.transaction((connection) =>
    underLanes(connection, [lane], async ({ at, append }) => {
      const docking: Docking = {
        id: command.ids.docking, lane, partner: command.ids.partner, name: command.name, mode: command.mode, dialect: command.dialect,
        appId: command.dialect === 'json' ? null : (command.appId ?? String(1000 + (randomBytes(3).readUIntBE(0, 3) % 900_000))),
        allowedAddresses: command.allowedAddresses, createdAt: at, migration: command.migration ?? null,
      }
      await connection.run(insertPartner(docking.partner, command.name, at))
      await connection.run(insertDocking(docking))
      const { rows, credentials } = makeCredentials(vault, docking, command, at)
      for (const row of rows) await connection.run(insertKey(row))
      await also(connection, docking, at)
      append({
        lane, docking: docking.id, kind: 'docking.opened', subject: docking.id, code: null,
        body: JSON.stringify({ name: docking.name, mode: docking.mode, dialect: docking.dialect, keys: rows.map((row) => row.id) }),
      })
      return accept({ docking, credentials })
    }),
  )
}

function makeCredentials(vault: Vault, docking: Docking, command: OpenDockingCommand, at: Date): { rows: KeyRow[]; credentials: Credentials } {
  const common = { lane: docking.lane, docking: docking.id, mode: docking.mode, hash: null, sealed: null, publicKey: null, scopes: SCOPES, createdAt: at, expiresAt: null, revokedAt: null }
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
      credentials: { appId: docking.appId!, appKey, apiKey },
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
  let publicKey: Buffer | null = null
  if (command.kind === 'ed25519') {
    publicKey = readPublicKey(command.publicKeyPem ?? '')
    if (!publicKey) return refuse('protocol.invalid_field', { path: '/publicKey', expected: 'an Ed25519 public key in PEM' })
  }
  const secret =
    command.kind === 'ed25519' ? null
    : command.kind === 'bearer' ? makeKey(docking.mode === 'live' ? 'bth_live_' : 'bth_test_', randomBytes)
    : command.kind === 'acg' ? randomBytes(8).toString('hex').toUpperCase() : randomBytes(32).toString('base64url')
  return db.transaction((connection) =>
    underLanes(connection, [docking.lane], async ({ at, append }) => {
      await connection.run(insertKey({
        lane: docking.lane, id, docking: docking.id, kind: command.kind, mode: docking.mode, publicKey,
        hash: command.kind === 'bearer' ? hashBearer(secret!) : null,
        sealed: command.kind === 'hmac-sha256' || command.kind === 'acg' ? vault.seal(Buffer.from(secret!), `key|${id}`) : null,
        scopes: command.scopes, createdAt: at, expiresAt: null, revokedAt: null,
      }))
      append({ lane: docking.lane, docking: docking.id, kind: 'key.added', subject: id, code: null, body: JSON.stringify({ kind: command.kind, scopes: command.scopes }) })
      return accept({ keyId: id, secret })
    }),
  )
}

function readPublicKey(pem: string): Buffer | null {
  try {
    const key = createPublicKey(pem)
    return key.asymmetricKeyType === 'ed25519' ? key.export({ format: 'der', type: 'spki' }) : null
  } catch {
    return null
  }
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

export async function findDocking(db: Database, id: string): Promise<Docking | null> {
  const row = (await db.run(loadDocking(id)))[0]
  return row ? readDocking(row) : null
}

export async function listDockings(db: Database, after: string, limit: number): Promise<Docking[]> {
  return (await db.run(loadDockings(after, limit))).map(readDocking)
}
