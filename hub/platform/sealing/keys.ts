import { randomBytes, createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeFolder } from '../folder.ts'
import { makeKey } from '../../../protocol/keys.ts'
import type { Database } from '../postgres/database.ts'
import { StartRefused } from '../refusal-to-start.ts'
import { Vault } from './vault.ts'

/**
 * Opens the vault with the key-encryption key from BERTH_KEK (64 hex digits) or DATA_DIR/kek. The key is made only for
 * an empty database, which remembers its fingerprint: with another key every card and secret would be lost, so the hub
 * does not start.
 */
export async function openVault(db: Database, dataDir: string, env: NodeJS.ProcessEnv): Promise<Vault> {
  const path = join(dataDir, 'kek')
  const known = await meta(db, 'kek_fingerprint')
  let hex = env.BERTH_KEK?.trim() || readText(path)
  if (hex === null) {
    if (known !== undefined) throw new StartRefused(`The key-encryption key is missing: this database was sealed with one of fingerprint ${known}. Put the file back at ${path}, or set BERTH_KEK.`)
    hex = randomBytes(32).toString('hex')
    writeSecret(path, hex)
  }
  if (!/^[0-9a-f]{64}$/i.test(hex)) throw new StartRefused(`The key-encryption key in ${env.BERTH_KEK ? 'BERTH_KEK' : path} is damaged: 64 hexadecimal digits are needed. Restore it from your backup.`)
  const vault = new Vault(Buffer.from(hex, 'hex'))
  if (known === undefined) {
    await db.run({ text: `insert into platform.meta (key, value) values ('kek_fingerprint', $1) on conflict do nothing`, values: [vault.fingerprint] })
  }
  // Read again: another hub may have started on the same empty database with a key of its own.
  const stored = (await meta(db, 'kek_fingerprint')) ?? ''
  if (stored !== vault.fingerprint) {
    throw new StartRefused(`The key-encryption key is another one: this database was sealed with fingerprint ${stored}, the key in ${env.BERTH_KEK ? 'BERTH_KEK' : path} has ${vault.fingerprint}. Use the key that belongs to this database.`)
  }
  return vault
}

/** The hash of the operator's key. The key is made once and kept in DATA_DIR/operator.key for the command line. */
export async function openOperatorKey(db: Database, dataDir: string): Promise<Buffer> {
  const path = join(dataDir, 'operator.key')
  const known = await meta(db, 'operator_key_sha256')
  const text = readText(path)
  if (known !== undefined) {
    const hash = Buffer.from(known, 'hex')
    if (text !== null && !timingSafeEqual(createHash('sha256').update(text).digest(), hash)) {
      throw new StartRefused(`The operator's key in ${path} is not the one of this database. Put the right file back, or remove it to run without one on this machine.`)
    }
    return hash
  }
  const key = text ?? makeKey('bth_op_', randomBytes)
  if (text === null) writeSecret(path, key)
  const hash = createHash('sha256').update(key).digest()
  await db.run({ text: `insert into platform.meta (key, value) values ('operator_key_sha256', $1) on conflict do nothing`, values: [hash.toString('hex')] })
  return Buffer.from((await meta(db, 'operator_key_sha256'))!, 'hex')
}

async function meta(db: Database, key: string): Promise<string | undefined> {
  return (await db.run({ text: 'select value from platform.meta where key = $1', values: [key] }))[0]?.[0] as string | undefined
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new StartRefused(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}): give the hub's user read access to it.`)
  }
}

function writeSecret(path: string, text: string): void {
  try {
    makeFolder(dirname(path))
    writeFileSync(path, `${text}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    throw new StartRefused(`${path} cannot be written (${(error as NodeJS.ErrnoException).code}): make the folder writable for the hub's user, or set DATA_DIR to one that is.`)
  }
}
