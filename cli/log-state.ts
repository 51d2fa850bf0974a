import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { LogMemory, LogStore } from '../sdk/index.ts'
import { dataDirOf } from './credentials.ts'
import { WrongUsage, type Words } from './problem.ts'

/** Where the newest checkpoint of a hub's log is remembered: --state, or a file of the data folder named after the host. */
export function stateFileOf(env: NodeJS.ProcessEnv, hub: string, given: string | undefined): string {
  return given ?? join(dataDirOf(env), `log-${new URL(hub).host.replace(/[^A-Za-z0-9.-]/g, '-')}.json`)
}

/** A file as the memory of a log. It is put in place whole: a crash leaves the one before. */
export function fileStore(file: string): LogStore {
  return {
    async load() {
      if (!existsSync(file)) return null
      try {
        const { origin, publicKey, note, own } = JSON.parse(readFileSync(file, 'utf8')) as LogMemory
        if (typeof origin === 'string' && typeof publicKey === 'string' && typeof note === 'string' && (own === undefined || isOwn(own))) return { origin, publicKey, note, ...(own && { own }) }
      } catch {
        // Told below.
      }
      throw unreadable(file, { en: 'it holds no memory of a log. Losing it loses the proof that the log only grew: restore it, or remove it to begin anew', zh: '内容不是日志状态。丢失它就无法证明日志只增不改：请恢复该文件，或删除后重新开始' })
    },
    async save(memory) {
      try {
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(`${file}.new`, `${JSON.stringify(memory, null, 2)}\n`)
        renameSync(`${file}.new`, file)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        throw unreadable(file, { en: `it cannot be written (${code})`, zh: `无法写入（${code}）` })
      }
    },
  }
}

function isOwn(own: unknown): boolean {
  return typeof own === 'object' && own !== null && Object.values(own).every((one) => typeof one?.pseudonym === 'string' && Number.isSafeInteger(one.leaves))
}

/** Keeps what proves a fault beside the state, and does not overwrite what was kept before. */
export function keepEvidence(stateFile: string, evidence: unknown, nowMs: number): string {
  const file = `${stateFile.replace(/\.json$/, '')}.evidence-${new Date(nowMs).toISOString().replace(/\D/g, '').slice(0, 14)}.json`
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(evidence, null, 2)}\n`)
  return file
}

/** The witness's own key: made at the first use, readable by its owner alone. */
export async function witnessKey(file: string) {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600, flag: 'wx' })
  }
  try {
    const key = createPrivateKey(readFileSync(file, 'utf8'))
    if (key.asymmetricKeyType !== 'ed25519') throw new Error('another kind of key')
    const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
    return {
      privateKey: await crypto.subtle.importKey('pkcs8', new Uint8Array(key.export({ format: 'der', type: 'pkcs8' })), 'Ed25519', false, ['sign']), publicKey: new Uint8Array(raw),
    }
  } catch (error) {
    if (error instanceof WrongUsage) throw error
    throw unreadable(file, { en: 'it holds no Ed25519 private key in PEM', zh: '其中没有 PEM 格式的 Ed25519 私钥' })
  }
}

function unreadable(file: string, why: Words): WrongUsage {
  return new WrongUsage({ en: `${file}: ${why.en}.`, zh: `${file}：${why.zh}。` })
}
