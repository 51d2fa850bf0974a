import { createHash } from 'node:crypto'
import type { Client } from 'pg'
import { canonicalJson } from '../protocol/canonical.ts'
import { publish, recordContract } from '../hub/domain/rulebook/index.ts'
import type { Hub } from '../hub/inbound/hub.ts'
import { laneOf } from '../hub/kernel/lanes.ts'

/** What any reader of a published text can do alone: make its hash from what stands there. */
export function verifyText({ kind, slug, version, title, text, sha256 }: { kind: string; slug: string; version: number; title: object; text: object; sha256: string }): boolean {
  return createHash('sha256').update(canonicalJson({ kind, slug, version, title, text })).digest('hex') === sha256
}

const TEXT = { title: { zh: '合作合同', en: 'Contract' }, text: { zh: '七点二：货款当月结清。', en: '7.2: amounts are paid within the month.' }, resalePrice: false, legalBasis: null, relief: null, effectiveAt: null }

/** Publishes a contract template that the partner of a docking signs at once. @returns the id that a commercial ground takes */
export async function signContract({ db, ids, clock }: Pick<Hub, 'db' | 'ids' | 'clock'>, docking: { id: string }): Promise<string> {
  const make = (prefix: 'rul' | 'ctr') => ids.make(prefix, clock.nowMs())
  const template = await publish(db, { id: make('rul'), ask: { ...TEXT, kind: 'contract_template', slug: `contract-${docking.id.slice(-8)}` }, by: 'wang' })
  if (!template.ok) throw new Error(template.refusal.code)
  const signed = await recordContract(db, { id: make('ctr'), docking: { id: docking.id, lane: laneOf(docking.id) }, text: template.value.id, signedAt: template.value.publishedAt, signedBy: '王小明', by: 'li' })
  if (!signed.ok) throw new Error(`${signed.refusal.code} ${JSON.stringify(signed.refusal.because)}`)
  return signed.value.id
}

/** A rule that was published so many days ago, as the owner of the database alone could make it. */
export async function oldRule(owner: Client, { ageDays, resalePrice = false, isRelief = false }: { ageDays: number; resalePrice?: boolean; isRelief?: boolean }): Promise<{ id: string; sha256: string; publishedAt: Date; effectiveAt: Date }> {
  const id = `rul_${String(++made).padStart(20, '0')}`
  const { rows } = await owner.query(`insert into rulebook.texts (id, kind, slug, version, title_zh, title_en, text_zh, text_en, sha256, resale_price, relief, published_by, published_at, effective_at)
    values ($1, 'rule', $2, 1, '规则', 'Rule', '文', 'Text', $3, $4, $5, 'wang', now() - $6 * interval '1 day', now() - ($6 - $7) * interval '1 day')
    returning id, sha256, published_at as "publishedAt", effective_at as "effectiveAt"`, [id, `old-${made}`, createHash('sha256').update(id).digest('hex'), resalePrice, isRelief ? 'Better for all.' : null, ageDays, isRelief ? 0.1 : 7])
  return rows[0]
}
let made = 0
