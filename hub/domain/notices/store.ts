import { array, type Rows, type Statement } from '../../platform/postgres/database.ts'
import type { Language } from '../letters/index.ts'
import type { Channel, Contact, ContactKind, Mode, Notice, NoticeKind, NoticeState, Owner, Watch } from './model.ts'

const CONTACT = 'lane, id, docking, channel, masked, lang, kinds, set_by, created_at'

export function insertContact(c: Contact, sealed: Buffer, blind: Buffer): Statement {
  return {
    text: `insert into notices.contacts (${CONTACT}, sealed, blind, state) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'active')`,
    values: [c.lane, c.id, c.docking, c.channel, c.masked, c.language, c.kinds, c.setBy, c.createdAt, sealed, blind],
  }
}

/** @param sealed the address anew, since the secret of a robot may have changed beside it */
export function changeContact({ lane, id, language, kinds, setBy }: Contact, sealed: Buffer): Statement {
  return {
    text: `update notices.contacts set lang = $3, kinds = $4, set_by = $5, sealed = $6 where lane = $1 and id = $2 and state = 'active' returning id`,
    values: [lane, id, language, kinds, setBy, sealed],
  }
}

/** When the partner added addresses of its own since then, the first one first; those that are gone again count. */
export function loadAdded({ lane, docking }: Owner, since: Date): Statement {
  return { text: `select created_at from notices.contacts where lane = $1 and docking = $2 and set_by = 'partner' and created_at > $3 order by created_at`, values: [lane, docking, since] }
}

/** Ends a contact and forgets its address. */
export function eraseContact(lane: number, id: string, at: Date): Statement {
  return {
    text: `update notices.contacts set state = 'removed', removed_at = $3, sealed = null, blind = null where lane = $1 and id = $2 and state = 'active' returning id`,
    values: [lane, id, at],
  }
}

/** Active contacts of owners, each with the keyed hash of its address and the sealed address as the last columns. */
export function loadContacts(owners: readonly Owner[]): Statement {
  return {
    name: 'notices.contacts',
    text: `select ${CONTACT}, blind, sealed from notices.contacts c where state = 'active'
      and (lane, docking) in (select * from unnest($1::int[], $2::text[])) order by id`,
    values: [array.bare(owners.map((o) => o.lane)), textArray(owners.map((o) => o.docking))],
  }
}

export function locateContact(id: string): Statement {
  return { text: `select ${CONTACT}, blind, sealed from notices.contacts where id = $1 and state = 'active'`, values: [id] }
}

export type KeptContact = Contact & { blind: Buffer; sealed: Buffer }

export function readContacts(rows: Rows): KeptContact[] {
  return rows.map((row) => ({
    lane: row[0] as number, id: row[1] as string, docking: row[2] as string, channel: row[3] as Channel, masked: row[4] as string, language: row[5] as Language,
    kinds: row[6] as ContactKind[], setBy: row[7] as 'operator', createdAt: row[8] as Date, blind: row[9] as Buffer, sealed: row[10] as Buffer,
  }))
}

/** One contact with its sealed address; no row once it is removed. */
export function loadContact(lane: number, id: string): Statement {
  return { name: 'notices.contact', text: `select ${CONTACT}, blind, sealed from notices.contacts where lane = $1 and id = $2 and state = 'active'`, values: [lane, id] }
}

const WATCH = 'w.lane, w.docking, w.what, w.good, w.mode, w.below, w.is_low, w.round, w.told_at'

/** Sets a threshold or, with null, switches it off. What was told is forgotten, so that a new threshold is looked at afresh. */
export function writeWatch(owner: Owner, what: Watch['what'], good: string, mode: Mode, below: bigint | null): Statement {
  return {
    text: `insert into notices.watches (lane, docking, what, good, mode, below) values ($1, $2, $3, $4, $5, $6)
      on conflict (lane, docking, what, good, mode) do update set below = excluded.below, is_low = false, told_at = null`,
    values: [owner.lane, owner.docking, what, good, mode, below],
  }
}

export function countWatches(owner: Owner): Statement {
  return { text: 'select count(*)::int from notices.watches where lane = $1 and docking = $2 and below is not null', values: [owner.lane, owner.docking] }
}

export function anyWatch(): Statement {
  return { name: 'notices.any_watch', text: 'select exists (select from notices.watches where below is not null)', values: [] }
}

export function loadBalanceWatches(lane: number, dockings: readonly string[]): Statement {
  return {
    name: 'notices.balance_watches',
    text: `select ${WATCH} from notices.watches w where lane = $1 and docking = any($2::text[]) and what = 'balance' and below is not null`,
    values: [lane, array.text(dockings)],
  }
}

export function loadStockWatches(goods: readonly string[]): Statement {
  return {
    name: 'notices.stock_watches',
    text: `select ${WATCH} from notices.watches w where good = any($1::text[]) and what = 'stock' and below is not null`,
    values: [array.text(goods)],
  }
}

/** A page of all watches in the order of their key. */
export function loadWatches(after: Watch | null, limit: number): Statement {
  return {
    text: `select ${WATCH} from notices.watches w where below is not null
      ${after ? 'and (lane, docking, what, good, mode) > ($2, $3, $4, $5, $6)' : ''} order by lane, docking, what, good, mode limit $1`,
    values: after ? [limit, after.lane, after.docking, after.what, after.good, after.mode] : [limit],
  }
}

export function loadWatch(key: Pick<Watch, 'lane' | 'docking' | 'what' | 'good' | 'mode'>): Statement {
  return {
    name: 'notices.watch',
    text: `select ${WATCH} from notices.watches w where lane = $1 and docking = $2 and what = $3 and good = $4 and mode = $5 and below is not null`,
    values: [key.lane, key.docking, key.what, key.good, key.mode],
  }
}

export function readWatches(rows: Rows): Watch[] {
  return rows.map((row) => ({
    lane: row[0] as number, docking: row[1] as string, what: row[2] as 'stock', good: row[3] as string, mode: row[4] as Mode,
    below: row[5] as bigint, isLow: row[6] as boolean, round: row[7] as bigint, toldAt: row[8] as Date | null,
  }))
}

/** Moves a watch on from the state in which it was seen; no row if somebody else has moved it, or it was set anew. */
export function moveWatch(seen: Watch, next: Pick<Watch, 'isLow' | 'round' | 'toldAt'>): Statement {
  return {
    name: 'notices.move_watch',
    text: `update notices.watches set is_low = $9, round = $10, told_at = $11
      where lane = $1 and docking = $2 and what = $3 and good = $4 and mode = $5 and below = $6 and is_low = $7 and round = $8 returning lane`,
    values: [seen.lane, seen.docking, seen.what, seen.good, seen.mode, seen.below, seen.isLow, seen.round, next.isLow, next.round, next.toldAt],
  }
}

export function loadCursors(): Statement {
  return { name: 'notices.cursors', text: 'select lane, position from notices.cursors', values: [] }
}

/** Moves the cursor of a lane; no row if another follower has moved it. */
export function moveCursor(lane: number, from: bigint, to: bigint): Statement {
  return { name: 'notices.move_cursor', text: 'update notices.cursors set position = $3 where lane = $1 and position = $2 returning lane', values: [lane, from, to] }
}

export type NewNotice = Pick<Notice, 'lane' | 'id' | 'docking' | 'contact' | 'kind' | 'subject' | 'body' | 'createdAt'> & { occasion: bigint; tokenHash: Buffer }

/** Writes intents to tell; one that was written before is left as it is. */
export function insertNotices(notices: readonly NewNotice[]): Statement {
  return {
    text: `insert into notices.outbox (lane, id, docking, contact, kind, subject, occasion, body, token_hash, next_at, created_at)
      select l, i, d, c, k, s, o, b, t, clock_timestamp(), a
      from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::bytea[], $10::timestamptz[]) n(l, i, d, c, k, s, o, b, t, a)
      on conflict do nothing returning id`,
    values: [
      notices.map((n) => n.lane), notices.map((n) => n.id), notices.map((n) => n.docking), notices.map((n) => n.contact), notices.map((n) => n.kind),
      notices.map((n) => n.subject), notices.map((n) => n.occasion), notices.map((n) => n.body), notices.map((n) => n.tokenHash), notices.map((n) => n.createdAt),
    ],
  }
}

const NOTICE = 'o.lane, o.id, o.docking, o.contact, o.kind, o.subject, o.body, o.state, o.attempts, o.next_at, o.last_error, o.created_at, o.sent_at'

export function loadDue(limit: number): Statement {
  return { name: 'notices.due', text: `select ${NOTICE} from notices.outbox o where state = 'waiting' and next_at <= clock_timestamp() order by next_at limit $1`, values: [limit] }
}

/** Takes one attempt, and names the time of the next one before this one is made; no row if another sender has taken it. */
export function takeAttempt(notice: Notice, waitMs: number): Statement {
  return {
    name: 'notices.take_attempt',
    text: `update notices.outbox set attempts = attempts + 1, next_at = clock_timestamp() + $4::int * interval '1 ms' where lane = $1 and id = $2 and attempts = $3 and state = 'waiting' returning id`,
    values: [notice.lane, notice.id, notice.attempts, waitMs],
  }
}

export function endNotice(notice: Notice, state: NoticeState, error: string | null): Statement {
  return {
    name: 'notices.end',
    text: `update notices.outbox set state = $3, last_error = $4, sent_at = case when $3 = 'sent' then clock_timestamp() end
      where lane = $1 and id = $2 and state = 'waiting' returning id`,
    values: [notice.lane, notice.id, state, error],
  }
}

/** Lets a notice that was given up begin again. */
export function retryNotice(id: string): Statement {
  return { text: `update notices.outbox set state = 'waiting', attempts = 0, next_at = clock_timestamp() where id = $1 and state = 'failed' returning id`, values: [id] }
}

/** The notice of a link, with whether its contact is still one, and in which language it was written. */
export function loadByToken(hash: Buffer): Statement {
  return {
    name: 'notices.by_token',
    text: `select ${NOTICE}, c.lang from notices.outbox o join notices.contacts c on c.lane = o.lane and c.id = o.contact and c.state = 'active' where o.token_hash = $1`,
    values: [hash],
  }
}

/** A page of all notices, newest first, with channel and masked address of each. */
export function loadNotices(before: string | null, state: NoticeState | null, limit: number): Statement {
  return {
    text: `select ${NOTICE}, c.channel, c.masked from notices.outbox o join notices.contacts c on c.lane = o.lane and c.id = o.contact
      where ($1::text is null or o.id < $1) and ($2::text is null or o.state = $2) order by o.id desc limit $3`,
    values: [before, state, limit],
  }
}

export function readNotices(rows: Rows): Notice[] {
  return rows.map((row) => ({
    lane: row[0] as number, id: row[1] as string, docking: row[2] as string, contact: row[3] as string, kind: row[4] as NoticeKind, subject: row[5] as string, body: row[6] as string,
    state: row[7] as NoticeState, attempts: row[8] as number, nextAt: row[9] as Date, lastError: row[10] as string | null, createdAt: row[11] as Date, sentAt: row[12] as Date | null,
  }))
}

/** The main site's '' has to be quoted in an array. */
function textArray(values: readonly string[]): string {
  return `{${values.map((value) => (value === '' ? '""' : array.text([value]).slice(1, -1))).join(',')}}`
}
