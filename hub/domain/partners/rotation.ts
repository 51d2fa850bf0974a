import { hash } from 'node:crypto'
import { accept, refuse, type Outcome, type Refusal } from '../../../protocol/outcome.ts'
import { underLanes, type LaneWork } from '../../platform/facts.ts'
import type { Connection, Database, Statement } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { makeMaterial } from './material.ts'
import { SCOPES, type Docking, type KeyKind, type LiveKey } from './model.ts'
import { keyInForce, mayAdd, mayEnd, mayGrant } from './rules.ts'
import { endKey, insertKey, loadKeyByAsk, loadKeyById, loadKeyPage, loadKeysInForce, readKeys, type KeyRow } from './store.ts'

/** Who asks for a change of keys: one of the keys themselves. */
export type KeyAsker = {
  docking: Docking
  key: Pick<LiveKey, 'id' | 'scopes'>
  /** Null when none was sent: then every call makes a key. */
  idempotencyKey: string | null
  /** Set when the signature cannot prove freshness: a known Idempotency-Key gets its answer again, anything else this refusal. */
  onlyReplay: Refusal | null
}

/** `secret` is shown in this one answer: a repeat gets null. `old` is the key that a roll replaces. */
export type MadeKey = { key: KeyRow; secret: string | null; old: KeyRow | null; replayed: boolean }

export type CreateKeyAsk = { id: string; kind: 'hmac-sha256' | 'bearer' | 'ed25519'; publicKeyPem: string | null; scopes: readonly string[] | null }
export type RollKeyAsk = { id: string; old: string; overlapMs: number; publicKeyPem: string | null }

/** A key beside those that live, at most two of a kind. Refuses what its rules and its Idempotency-Key refuse. */
export async function createOwnKey(db: Database, vault: Vault, asker: KeyAsker, ask: CreateKeyAsk): Promise<Outcome<MadeKey>> {
  const scopes = ask.scopes ?? asker.key.scopes
  const unknown = scopes.find((scope) => !(SCOPES as readonly string[]).includes(scope))
  if (unknown !== undefined) return refuse('protocol.invalid_field', { path: '/scopes', expected: `scopes out of ${SCOPES.join(', ')}` })
  const granted = mayGrant(asker.key.scopes, scopes)
  if (!granted.ok) return granted
  const print = printOf(['create', ask.kind, ask.publicKeyPem, [...scopes].sort().join(' ')])
  return underKeys(db, asker, print, async (connection, lane) => {
    const room = mayAdd(await keysBeside(connection, asker, lane.at, ''), ask.kind, lane.at)
    if (!room.ok) return room
    const made = await write(connection, vault, asker, lane, { ...ask, scopes, print, replaces: null })
    if (!made.ok) return made
    lane.append({ lane: asker.docking.lane, docking: asker.docking.id, kind: 'key.added', subject: ask.id, code: null, body: JSON.stringify({ kind: ask.kind, scopes, by: asker.key.id }) })
    return accept({ ...made.value, old: null, replayed: false })
  })
}

/**
 * A new key in the place of an old one, which goes on for the overlap. Same kind, same scopes. Without an overlap a secret
 * that gets lost with the answer would leave nobody who can ask again, so another key must be there that can; an Ed25519
 * key has no secret to lose.
 */
export async function rollKey(db: Database, vault: Vault, asker: KeyAsker, ask: RollKeyAsk): Promise<Outcome<MadeKey>> {
  const { docking } = asker
  const print = printOf(['roll', ask.old, ask.publicKeyPem, String(ask.overlapMs)])
  return underKeys(db, asker, print, async (connection, lane) => {
    const keys = await keysBeside(connection, asker, lane.at, ask.old)
    const old = keys.find((key) => key.id === ask.old)
    if (!old) return refuse('partners.key_not_found', { key: ask.old.slice(0, 64) })
    const covered = mayGrant(asker.key.scopes, old.scopes)
    if (!covered.ok) return covered
    if (!keyInForce(old, lane.at).ok) return refuse('partners.key_ended', { key: old.id, endedAt: (old.revokedAt ?? old.expiresAt)!.toISOString() })
    const free = ask.overlapMs === 0 && old.kind !== 'ed25519' ? mayEnd(keys, old, docking.mode, lane.at) : accept(null)
    if (!free.ok) return free
    const room = mayAdd(ask.overlapMs === 0 ? keys.filter((key) => key.id !== old.id) : keys, old.kind, lane.at)
    if (!room.ok) return room
    const made = await write(connection, vault, asker, lane, { id: ask.id, kind: old.kind, publicKeyPem: ask.publicKeyPem, scopes: old.scopes, print, replaces: old.id })
    if (!made.ok) return made
    // One that ends sooner already is not given more time.
    const endsAt = new Date(Math.min(lane.at.getTime() + ask.overlapMs, old.expiresAt?.getTime() ?? Infinity))
    await connection.run(endKey(docking.lane, old.id, endsAt, ask.overlapMs === 0))
    lane.append({
      lane: docking.lane, docking: docking.id, kind: 'key.rolled', subject: ask.id, code: null,
      body: JSON.stringify({ kind: old.kind, scopes: old.scopes, old: old.id, oldEndsAt: endsAt.toISOString(), by: asker.key.id }),
    })
    return accept({ ...made.value, old: { ...old, ...(ask.overlapMs === 0 ? { revokedAt: endsAt } : { expiresAt: endsAt }) }, replayed: false })
  })
}

/** Ends a key at once. One that was revoked before stays ended when it ended; the last that could make another stays. */
export async function revokeOwnKey(db: Database, asker: KeyAsker, id: string): Promise<Outcome<KeyRow>> {
  const { docking, key, onlyReplay } = asker
  if (onlyReplay) return { ok: false, refusal: onlyReplay }
  return db.transaction((connection) =>
    underLanes(connection, [docking.lane], async ({ at, append }): Promise<Outcome<KeyRow>> => {
      const keys = await keysBeside(connection, asker, at, id)
      const known = keys.find((one) => one.id === id)
      if (!known) return refuse('partners.key_not_found', { key: id.slice(0, 64) })
      const covered = mayGrant(key.scopes, known.scopes)
      if (!covered.ok) return covered
      if (known.revokedAt) return accept(known)
      const free = mayEnd(keys, known, docking.mode, at)
      if (!free.ok) return free
      await connection.run(endKey(docking.lane, id, at, true))
      append({ lane: docking.lane, docking: docking.id, kind: 'key.revoked', subject: id, code: null, body: JSON.stringify({ at: at.toISOString(), by: key.id }) })
      return accept({ ...known, revokedAt: at })
    }))
}

/** A page of the docking's keys, newest first. Their secrets stay closed. */
export async function listOwnKeys(db: Database, docking: Docking, before: string | null, limit: number): Promise<KeyRow[]> {
  return readKeys(await db.run(loadKeyPage(docking.lane, docking.id, before, limit))).map(({ key }) => key)
}

/** Work on a docking's keys under its lane: a known Idempotency-Key is answered first, then what cannot prove to be fresh is refused. */
async function underKeys(
  db: Database, asker: KeyAsker, print: Buffer, work: (connection: Connection, lane: LaneWork) => Promise<Outcome<MadeKey>>,
): Promise<Outcome<MadeKey>> {
  const { docking, idempotencyKey, onlyReplay } = asker
  return db.transaction((connection) =>
    underLanes(connection, [docking.lane], async (lane): Promise<Outcome<MadeKey>> => {
      const one = async (statement: Statement) => readKeys(await connection.run(statement))[0]?.key
      const known = idempotencyKey === null ? undefined : await one(loadKeyByAsk(docking.lane, docking.id, idempotencyKey))
      if (!known) return onlyReplay ? { ok: false, refusal: onlyReplay } : work(connection, lane)
      if (!known.ask!.equals(print)) return refuse('protocol.idempotency_key_reused', { key: known.id })
      const old = known.replaces === null ? undefined : await one(loadKeyById(known.replaces))
      return accept({ key: known, secret: null, old: old ?? null, replayed: true })
    }))
}

/** The docking's keys that are in force, and the one that is asked about whatever became of it. */
async function keysBeside(connection: Connection, { docking }: KeyAsker, at: Date, id: string): Promise<KeyRow[]> {
  return readKeys(await connection.run(loadKeysInForce(docking.lane, docking.id, at, id))).map(({ key }) => key)
}

async function write(
  connection: Connection, vault: Vault, asker: KeyAsker, { at }: LaneWork,
  key: { id: string; kind: KeyKind; publicKeyPem: string | null; scopes: readonly string[]; print: Buffer; replaces: string | null },
): Promise<Outcome<{ key: KeyRow; secret: string | null }>> {
  const { docking, idempotencyKey } = asker
  const material = makeMaterial(vault, { id: key.id, kind: key.kind, mode: docking.mode }, key.publicKeyPem)
  if (!material.ok) return material
  const { secret, ...kept } = material.value
  const row: KeyRow = {
    ...kept, lane: docking.lane, id: key.id, docking: docking.id, kind: key.kind, mode: docking.mode, scopes: key.scopes, createdAt: at, expiresAt: null, revokedAt: null,
    askedAs: idempotencyKey, ask: key.print, replaces: key.replaces,
  }
  await connection.run(insertKey(row))
  return accept({ key: row, secret })
}

/** What makes two asks under one Idempotency-Key the same ask: 16 bytes. */
function printOf(parts: readonly (string | null)[]): Buffer {
  return hash('sha256', JSON.stringify(parts), 'buffer').subarray(0, 16)
}
