import { createHash, createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { signRequest } from '../protocol/signature.ts'

/** A docking that asks, with its signing key. */
export type Asker = { docking: string; lane: number; keyId: string; keySecret: string }

/** Who asks for what: every request takes one of each at random. */
export type Shape = { name: 'hot' | 'spread'; askers: readonly Asker[]; goods: readonly string[] }

/** The name in the Host header. The signature covers it, so one file serves every server of the bench, on any port. */
const HOST = 'hub.bench'
const CHUNK = 5_000

/**
 * Writes a file of `count` orders for one card each, signed now with fresh references and nonces, parted by NUL bytes.
 * A signature lives for five minutes: make the file right before its run.
 */
export function writeRequests(file: string, shape: Shape, unitPrice: string, count: number): void {
  const keys = new Map<string, KeyObject>(shape.askers.map((asker) => [asker.keyId, createSecretKey(Buffer.from(asker.keySecret))]))
  writeFileSync(file, '')
  for (let written = 0; written < count; written += CHUNK) {
    let text = ''
    for (let i = 0; i < Math.min(CHUNK, count - written); i++) text += `${requestOf(shape, keys, unitPrice)}\0`
    writeFileSync(file, text, { flag: 'a' })
  }
}

function requestOf(shape: Shape, keys: ReadonlyMap<string, KeyObject>, unitPrice: string): string {
  const asker = anyOf(shape.askers)
  const body = JSON.stringify({ reference: randomBytes(12).toString('hex'), good: anyOf(shape.goods), quantity: 1, maxUnitPrice: unitPrice })
  const headers = signRequest(
    { method: 'POST', url: `http://${HOST}/api/orders`, body },
    {
      keyid: asker.keyId, created: Math.floor(Date.now() / 1000), nonce: randomBytes(12).toString('hex'),
      hmacSha256: (base) => createHmac('sha256', keys.get(asker.keyId)!).update(base).digest(), sha256: (data) => createHash('sha256').update(data).digest(),
    },
  )
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `POST /api/orders HTTP/1.1\r\nhost: ${HOST}\r\ncontent-type: application/json\r\n${lines}content-length: ${body.length}\r\n\r\n${body}`
}

function anyOf<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)]!
}
