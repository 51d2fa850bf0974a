import { array, type Rows, type Statement } from '../../platform/postgres/database.ts'
import type { DialectName, Docking, KeyKind, Mode, PriceGuard } from './model.ts'

/** A partner that is known already keeps the name that it has. */
export function insertPartner(id: string, name: string, at: Date): Statement {
  return { text: 'insert into partners.partners (id, name, created_at) values ($1, $2, $3) on conflict (id) do nothing', values: [id, name, at] }
}

export function insertDocking(d: Docking): Statement {
  return {
    text: `insert into partners.dockings (lane, id, partner, name, mode, dialect, app_id, allowed_addresses, created_at, migration, twin_of)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    values: [d.lane, d.id, d.partner, d.name, d.mode, d.dialect, d.appId, d.allowedAddresses, d.createdAt, d.migration, d.twinOf],
  }
}

export type KeyRow = {
  lane: number
  id: string
  docking: string
  kind: KeyKind
  mode: Mode
  hash: Buffer | null
  sealed: Buffer | null
  publicKey: Buffer | null
  scopes: readonly string[]
  createdAt: Date
  expiresAt: Date | null
  revokedAt: Date | null
  /** Under what Idempotency-Key the partner asked for it, null where none was sent; and for what, null where the operator made it. */
  askedAs: string | null
  ask: Buffer | null
  /** The key in whose place it was made. */
  replaces: string | null
}

export function insertKey(k: KeyRow): Statement {
  return {
    text: `insert into partners.keys (lane, id, docking, kind, mode, hash, sealed, public_key, scopes, created_at, expires_at, asked_as, ask, replaces)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    values: [k.lane, k.id, k.docking, k.kind, k.mode, k.hash, k.sealed, k.publicKey, k.scopes, k.createdAt, k.expiresAt, k.askedAs, k.ask, k.replaces],
  }
}

const DOCKING = 'd.id, d.lane, d.partner, d.name, d.mode, d.dialect, d.app_id, d.allowed_addresses, d.created_at, d.price_guard, d.price_cap, d.port, d.migration, d.twin_of, d.clock_offset'
const KEY = 'k.lane, k.id, k.docking, k.kind, k.mode, k.hash, k.sealed, k.public_key, k.scopes, k.created_at, k.expires_at, k.revoked_at, k.asked_as, k.ask, k.replaces'
const JOINED = 'partners.keys k join partners.dockings d on d.lane = k.lane and d.id = k.docking'

export function loadKeyById(id: string): Statement {
  return { name: 'partners.key_by_id', text: `select ${DOCKING}, ${KEY} from ${JOINED} where k.id = $1`, values: [id] }
}

export function loadKeyByHash(hash: Buffer): Statement {
  return { name: 'partners.key_by_hash', text: `select ${DOCKING}, ${KEY} from ${JOINED} where k.hash = $1`, values: [hash] }
}

export function loadKeysOf(docking: string): Statement {
  return { name: 'partners.keys_of', text: `select ${DOCKING}, ${KEY} from ${JOINED} where d.id = $1 order by k.revoked_at is not null, k.created_at desc limit 50`, values: [docking] }
}

/** Keys of a docking that are in force at a time, and one more by its id. */
export function loadKeysInForce(lane: number, docking: string, at: Date, also: string): Statement {
  return {
    text: `select ${DOCKING}, ${KEY} from ${JOINED} where k.lane = $1 and k.docking = $2
      and (k.id = $4 or (k.revoked_at is null and (k.expires_at is null or k.expires_at > $3)))`,
    values: [lane, docking, at, also],
  }
}

/** Keys that will end by themselves between two times, by id. */
export function loadKeysEnding(from: Date, to: Date, after: string, limit: number): Statement {
  return {
    text: `select ${DOCKING}, ${KEY} from ${JOINED} where k.revoked_at is null and k.expires_at > $1 and k.expires_at <= $2 and k.id > $3 order by k.id limit $4`,
    values: [from, to, after, limit],
  }
}

export function loadKeyByAsk(lane: number, docking: string, askedAs: string): Statement {
  return { text: `select ${DOCKING}, ${KEY} from ${JOINED} where k.lane = $1 and k.docking = $2 and k.asked_as = $3`, values: [lane, docking, askedAs] }
}

/** A page of a docking's keys, newest first, older than `before`. */
export function loadKeyPage(lane: number, docking: string, before: string | null, limit: number): Statement {
  return {
    name: before ? 'partners.keys_before' : 'partners.keys_page',
    text: `select ${DOCKING}, ${KEY} from ${JOINED} where k.lane = $1 and k.docking = $2 ${before ? 'and k.id < $4' : ''} order by k.id desc limit $3`,
    values: before ? [lane, docking, limit, before] : [lane, docking, limit],
  }
}

export function loadDocking(id: string): Statement {
  return { name: 'partners.docking', text: `select ${DOCKING} from partners.dockings d where d.id = $1`, values: [id] }
}

export function loadDockings(after: string, limit: number): Statement {
  return { text: `select ${DOCKING} from partners.dockings d where d.id > $1 order by d.id limit $2`, values: [after, limit] }
}

/** Those of some dockings that trade in live mode. */
export function loadLiveAmong(dockings: readonly string[]): Statement {
  return { text: `select d.id from partners.dockings d where d.id = any($1::text[]) and d.mode = 'live'`, values: [array.bare(dockings)] }
}

export function readDocking(row: readonly unknown[]): Docking {
  return {
    id: row[0] as string, lane: row[1] as number, partner: row[2] as string, name: row[3] as string, mode: row[4] as Mode,
    dialect: row[5] as DialectName, appId: row[6] as string | null, allowedAddresses: row[7] as string[], createdAt: row[8] as Date,
    priceGuard: row[9] as PriceGuard, priceCapMicro: row[10] as bigint | null, port: row[11] as number | null, migration: row[12] as string | null,
    twinOf: row[13] as string | null, clockOffsetS: row[14] as number,
  }
}

export function readKeys(rows: Rows): { docking: Docking; key: KeyRow }[] {
  return rows.map((row) => ({
    docking: readDocking(row),
    key: {
      lane: row[15] as number, id: row[16] as string, docking: row[17] as string, kind: row[18] as KeyKind, mode: row[19] as Mode,
      hash: row[20] as Buffer | null, sealed: row[21] as Buffer | null, publicKey: row[22] as Buffer | null, scopes: row[23] as string[],
      createdAt: row[24] as Date, expiresAt: row[25] as Date | null, revokedAt: row[26] as Date | null,
      askedAs: row[27] as string | null, ask: row[28] as Buffer | null, replaces: row[29] as string | null,
    },
  }))
}

export function setClockOffset(lane: number, id: string, offsetS: number): Statement {
  return { text: 'update partners.dockings set clock_offset = $3 where lane = $1 and id = $2', values: [lane, id, offsetS] }
}

/** The sandbox of a live docking. */
export function loadTwin(live: string): Statement {
  return { text: `select ${DOCKING} from partners.dockings d where d.twin_of = $1 order by d.id limit 1`, values: [live] }
}

export function setGuard(lane: number, id: string, guard: PriceGuard, capMicro: bigint | null): Statement {
  return { text: 'update partners.dockings set price_guard = $3, price_cap = $4 where lane = $1 and id = $2', values: [lane, id, guard, capMicro] }
}

export function setPort(lane: number, id: string, port: number | null): Statement {
  return { text: 'update partners.dockings set port = $3 where lane = $1 and id = $2', values: [lane, id, port] }
}

export function loadMounted(): Statement {
  return { text: `select ${DOCKING} from partners.dockings d where d.port is not null order by d.port`, values: [] }
}

export function endKey(lane: number, id: string, at: Date, revoke: boolean): Statement {
  return {
    text: revoke
      ? 'update partners.keys set revoked_at = $3 where lane = $1 and id = $2 and revoked_at is null returning id'
      : 'update partners.keys set expires_at = $3 where lane = $1 and id = $2 and revoked_at is null returning id',
    values: [lane, id, at],
  }
}

/** Dockings that a migration opened, by id. */
export function loadDockingsOfMigration(migration: string, after: string, limit: number): Statement {
  return { text: `select ${DOCKING} from partners.dockings d where d.migration = $1 and d.id > $2 order by d.id limit $3`, values: [migration, after, limit] }
}

/** Ends every key of these dockings at once; a key that was revoked before stays as it was. */
export function revokeKeysOf(dockings: readonly { lane: number; id: string }[], at: Date): Statement {
  return {
    text: `update partners.keys k set revoked_at = $3 from unnest($1::int[], $2::text[]) d(lane, docking)
      where k.lane = d.lane and k.docking = d.docking and k.revoked_at is null returning k.id, k.docking`,
    values: [array.bare(dockings.map((d) => d.lane)), array.text(dockings.map((d) => d.id)), at],
  }
}

/** Takes the end back that a key was given; one that was revoked stays ended. */
export function keepKeyOn(lane: number, id: string): Statement {
  return { text: 'update partners.keys set expires_at = null where lane = $1 and id = $2 and revoked_at is null and expires_at is not null returning id', values: [lane, id] }
}

/** The sandboxes of these live dockings. */
export function loadTwinsOf(lives: readonly string[]): Statement {
  return { text: 'select twin_of, id from partners.dockings where twin_of = any($1::text[])', values: [array.text(lives)] }
}

/** Whether the docking made a key itself: only its own calls carry what they were asked as. */
export function loadMadeItself(lane: number, docking: string, id: string): Statement {
  return { text: 'select 1 from partners.keys where lane = $1 and docking = $2 and id = $3 and asked_as is not null', values: [lane, docking, id] }
}
