import { createHash, timingSafeEqual } from 'node:crypto'
import { refuse, type Refusal } from '../../../protocol/outcome.ts'
import { explain } from '../../../protocol/reasons.ts'
import type { Check, CheckedDocking, CheckResult } from '../../kernel/checks.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import type { Docking } from './model.ts'
import { keyInForce } from './rules.ts'
import { loadKeysOf, readKeys, type KeyRow } from './store.ts'

const EXPIRY_WARN_MS = 14 * 86_400_000
const DAY_MS = 86_400_000

/**
 * Whether a secret that was found somewhere is a live key of this docking. It is given the SHA-256 of what was found and
 * keeps no more: whoever holds the keys can hash each of them and see which one it is. Once that key has ended it passes.
 */
export function checkKeyLeaked(db: Database, vault: Vault): (docking: CheckedDocking, inputHash: string, at: Date) => Promise<CheckResult> {
  return async (docking, inputHash, at) => {
    const found = Buffer.from(inputHash, 'hex')
    const leaked = readKeys(await db.run(loadKeysOf(docking.id))).filter((one) => !isOperators(one)).map(({ key }) => key)
      .filter((key) => keyInForce(key, at).ok).filter((key) => isSame(found, hashOf(vault, key)))
    const id = leaked[0]?.id ?? null
    return {
      check: 'partners.key_leaked', class: 'technical', side: 'partner', verdict: id === null ? 'pass' : 'fail', code: id === null ? null : 'partners.key_leaked',
      because: { inputHash, ...(id === null ? {} : { key: id }) },
      seen: id === null
        ? { en: 'No live key of this docking is the secret that was found.', zh: '所发现的密文不是该对接任何一把有效密钥。' }
        : { en: `The secret that was found is the live key ${id}.`, zh: `所发现的密文就是有效密钥 ${id}。` },
      evidence: null,
    }
  }
}

/**
 * Whether the operator added a key to a live docking: whoever made a secret can always find it, so that proves nothing of the
 * partner. Its first keys and those that it made itself count. Where such a key is in strangers' hands, the operator ends it.
 */
function isOperators({ key, docking }: { key: KeyRow; docking: Docking }): boolean {
  return key.mode === 'live' && key.ask === null && key.replaces === null && key.createdAt.getTime() !== docking.createdAt.getTime()
}

/** SHA-256 of the secret of the newest live key that has one; null where none does. */
export async function liveSecretHash(db: Database, vault: Vault, docking: string, at: Date): Promise<string | null> {
  const live = readKeys(await db.run(loadKeysOf(docking))).map(({ key }) => key).filter((key) => keyInForce(key, at).ok)
  return live.map((key) => hashOf(vault, key)).find((hash) => hash !== null)?.toString('hex') ?? null
}

function hashOf(vault: Vault, key: KeyRow): Buffer | null {
  if (key.hash) return key.hash
  return key.sealed ? createHash('sha256').update(vault.open(key.sealed, `key|${key.id}`)).digest() : null
}

function isSame(found: Buffer, hash: Buffer | null): boolean {
  return hash !== null && hash.byteLength === found.byteLength && timingSafeEqual(hash, found)
}

/** Whether the docking has a key that it could trade with, and how long that key will last. */
export function checkKeys(db: Database): Check {
  return async (docking, at) => {
    const keys = readKeys(await db.run(loadKeysOf(docking.id))).map(({ key }) => key)
    return [keyResult(keys, docking, at)]
  }
}

function keyResult(keys: readonly KeyRow[], docking: { dialect: string; mode: string }, at: Date): CheckResult {
  const trading = keys.filter((key) => tradesIn(key, docking))
  const live = trading.filter((key) => keyInForce(key, at).ok)
  const result = (verdict: CheckResult['verdict'], refusal: Refusal | null, words: { en: string; zh: string }): CheckResult => ({
    check: 'partners.keys', layer: 'key', class: 'technical', side: 'partner', verdict, code: refusal?.code ?? null, because: refusal?.because ?? {}, seen: words, evidence: null,
  })
  if (live.length === 0) {
    const ended = trading[0] && keyInForce(trading[0], at)
    const refusal = ended && !ended.ok ? ended.refusal : refuse('partners.credentials_missing').refusal
    return result('fail', refusal, { en: `No key is in force that could place orders. ${explain(refusal, 'en')}`, zh: `没有可用于下单的有效密钥。${explain(refusal, 'zh')}` })
  }
  const lasting = live.some(({ expiresAt }) => expiresAt === null || expiresAt.getTime() - at.getTime() >= EXPIRY_WARN_MS)
  const last = live.toSorted((a, b) => (b.expiresAt?.getTime() ?? Infinity) - (a.expiresAt?.getTime() ?? Infinity))[0]!
  if (!lasting) {
    const endedAt = last.expiresAt!.toISOString()
    return result('warn', refuse('partners.key_expired', { key: last.id, endedAt }).refusal, {
      en: `The last key that can place orders, ${last.id}, ends at ${endedAt}; add another before.`, zh: `最后一把可下单的密钥 ${last.id} 将于 ${endedAt} 到期，请提前更换。`,
    })
  }
  const told = live.map(({ id, kind, createdAt }) => `${id} (${kind}, ${Math.floor((at.getTime() - createdAt.getTime()) / DAY_MS)} d)`).join(', ')
  return result('pass', null, { en: `Keys in force that can place orders: ${told}.`, zh: `可下单的有效密钥：${told}。` })
}

function tradesIn({ kind, scopes }: KeyRow, { dialect, mode }: { dialect: string; mode: string }): boolean {
  if (!scopes.includes('orders:write')) return false
  return dialect === 'acg0' ? kind === 'acg' : kind !== 'acg' && (mode === 'sandbox' || kind !== 'bearer')
}
