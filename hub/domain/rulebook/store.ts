import type { Rows, Statement } from '../../platform/postgres/database.ts'
import type { Comment, Contract, PublishAsk, RuleText, TextKind } from './model.ts'

const TEXT = 'id, kind, slug, version, title_zh, title_en, text_zh, text_en, sha256, resale_price, legal_basis, relief, supersedes, published_by, published_at, effective_at'

/** Without a time of its own it counts seven days from now, or now where it is a relief; now is the database's. */
export function insertText(one: PublishAsk & Pick<RuleText, 'id' | 'version' | 'sha256' | 'supersedes' | 'publishedBy'>): Statement {
  return {
    text: `insert into rulebook.texts (id, kind, slug, version, title_zh, title_en, text_zh, text_en, sha256, resale_price, legal_basis, relief, supersedes, published_by, effective_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, coalesce($15, now() + case when $12::text is null then interval '7 days' else interval '0' end)) returning ${TEXT}`,
    values: [
      one.id, one.kind, one.slug, one.version, one.title.zh, one.title.en, one.text.zh, one.text.en, one.sha256, one.resalePrice, one.legalBasis, one.relief, one.supersedes,
      one.publishedBy, one.effectiveAt,
    ],
  }
}

export function loadText(id: string): Statement {
  return { text: `select ${TEXT} from rulebook.texts where id = $1`, values: [id] }
}

export function loadTexts(ids: readonly string[]): Statement {
  return { text: `select ${TEXT} from rulebook.texts where id = any($1)`, values: [ids] }
}

/** All versions under a slug, newest first. */
export function loadVersions(slug: string): Statement {
  return { text: `select ${TEXT} from rulebook.texts where slug = $1 order by version desc limit 200`, values: [slug] }
}

/** The newest version of each slug, from behind one, and whichever version of it is in force. */
export function loadShelf(kind: TextKind | null, after: string, limit: number): Statement {
  return {
    text: `select ${TEXT} from (select distinct on (slug) * from rulebook.texts where slug > $2 and ($1::text is null or kind = $1) order by slug, version desc) t order by slug limit $3`,
    values: [kind, after, limit],
  }
}

export function readTexts(rows: Rows): RuleText[] {
  return rows.map((row) => ({
    id: row[0] as string, kind: row[1] as TextKind, slug: row[2] as string, version: row[3] as number, title: { zh: row[4] as string, en: row[5] as string },
    text: { zh: row[6] as string, en: row[7] as string }, sha256: row[8] as string, resalePrice: row[9] as boolean, legalBasis: row[10] as string | null,
    relief: row[11] as string | null, supersedes: row[12] as string | null, publishedBy: row[13] as string, publishedAt: row[14] as Date, effectiveAt: row[15] as Date,
  }))
}

export function insertComment(one: Omit<Comment, 'at'> & { textEffectiveAt: Date }): Statement {
  return {
    text: 'insert into rulebook.comments (id, text, text_effective_at, docking, body) values ($1, $2, $3, $4, $5) returning id, text, docking, body, at',
    values: [one.id, one.text, one.textEffectiveAt, one.docking, one.body],
  }
}

/** How many comments on a text came from one docking, or from the public, within the last day. */
export function countComments(text: string, docking: string | null): Statement {
  return {
    text: `select count(*)::int from rulebook.comments where text = $1 and docking is not distinct from $2 and at > now() - interval '1 day'`,
    values: [text, docking],
  }
}

export function loadComments(text: string, after: string, limit: number): Statement {
  return { text: 'select id, text, docking, body, at from rulebook.comments where text = $1 and id > $2 order by id limit $3', values: [text, after, limit] }
}

export function loadNewestComments(text: string, limit: number): Statement {
  return { text: 'select id, text, docking, body, at from rulebook.comments where text = $1 order by id desc limit $2', values: [text, limit] }
}

export function readComments(rows: Rows): Comment[] {
  return rows.map((row) => ({ id: row[0] as string, text: row[1] as string, docking: row[2] as string | null, body: row[3] as string, at: row[4] as Date }))
}

const CONTRACT = 'lane, id, docking, text, sha256, signed_at, signed_by, recorded_by, recorded_at'

/** No row comes back when the docking has signed this version before. */
export function insertContract(one: Omit<Contract, 'recordedAt'>): Statement {
  return {
    text: `insert into rulebook.contracts (lane, id, docking, text, sha256, signed_at, signed_by, recorded_by) values ($1, $2, $3, $4, $5, $6, $7, $8)
      on conflict (lane, docking, text) do nothing returning ${CONTRACT}`,
    values: [one.lane, one.id, one.docking, one.text, one.sha256, one.signedAt, one.signedBy, one.recordedBy],
  }
}

/** The contracts of one docking, newest first. */
export function loadContractsOf(lane: number, docking: string): Statement {
  return { text: `select ${CONTRACT} from rulebook.contracts where lane = $1 and docking = $2 order by id desc limit 100`, values: [lane, docking] }
}

export function readContracts(rows: Rows): Contract[] {
  return rows.map((row) => ({
    lane: row[0] as number, id: row[1] as string, docking: row[2] as string, text: row[3] as string, sha256: row[4] as string, signedAt: row[5] as Date,
    signedBy: row[6] as string, recordedBy: row[7] as string, recordedAt: row[8] as Date,
  }))
}
