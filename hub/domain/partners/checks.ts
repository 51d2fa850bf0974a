import { createHash, timingSafeEqual } from 'node:crypto'
import type { CheckedDocking, CheckResult } from '../../kernel/checks.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { keyInForce } from './rules.ts'
import { loadKeysOf, readKeys, type KeyRow } from './store.ts'

/**
 * Whether a secret that was found somewhere is a live key of this docking. It is given the SHA-256 of what was found and
 * keeps no more: whoever holds the keys can hash each of them and see which one it is. Once that key has ended it passes.
 */
export function checkKeyLeaked(db: Database, vault: Vault): (docking: CheckedDocking, inputHash: string, at: Date) => Promise<CheckResult> {
  return async (docking, inputHash, at) => {
    const found = Buffer.from(inputHash, 'hex')
    const leaked = readKeys(await db.run(loadKeysOf(docking.id))).map(({ key }) => key)
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
