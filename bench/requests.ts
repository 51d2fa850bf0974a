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

/** One order that somebody will ask for, before it is signed. */
export type Ask = { asker: Asker; good: string; reference: string }

/** Asks with fresh references; each takes an asker and a good at random. */
export function drawAsks(shape: Shape, count: number): Ask[] {
  return Array.from({ length: count }, () => ({ asker: anyOf(shape.askers), good: anyOf(shape.goods), reference: randomBytes(12).toString('hex') }))
}

/**
 * Writes a file of `count` orders for one card each, signed now with fresh references and nonces, parted by NUL bytes.
 * A signature lives for five minutes: make the file right before its run.
 */
export function writeRequests(file: string, shape: Shape, unitPrice: string, count: number): void {
  writeInChunks(file, count, (length) => requestsFor(drawAsks(shape, length), unitPrice))
}

/** The same for asks that are known: written twice, the second file holds their repeats, with nonces of their own. */
export function writeAsks(file: string, asks: readonly Ask[], unitPrice: string): void {
  writeInChunks(file, asks.length, (length, first) => requestsFor(asks.slice(first, first + length), unitPrice))
}

/** Requests to the batch endpoint, each with `size` orders of one asker. */
export function writeBatches(file: string, shape: Shape, unitPrice: string, count: number, size: number): void {
  writeInChunks(file, count, (length) => Array.from({ length }, () => {
    const asker = anyOf(shape.askers)
    const orders = drawAsks({ ...shape, askers: [asker] }, size).map((ask) => orderOf(ask, unitPrice))
    return requestOf('/api/orders/batch', asker, JSON.stringify({ orders }))
  }))
}

function writeInChunks(file: string, count: number, make: (length: number, first: number) => string[]): void {
  writeFileSync(file, '')
  for (let written = 0; written < count; written += CHUNK) {
    writeFileSync(file, make(Math.min(CHUNK, count - written), written).map((request) => `${request}\0`).join(''), { flag: 'a' })
  }
}

function requestsFor(asks: readonly Ask[], unitPrice: string): string[] {
  return asks.map((ask) => requestOf('/api/orders', ask.asker, JSON.stringify(orderOf(ask, unitPrice))))
}

function orderOf({ reference, good }: Ask, maxUnitPrice: string) {
  return { reference, good, quantity: 1, maxUnitPrice }
}

const keys = new Map<string, KeyObject>()

/** Made once: a key out of bytes costs more than a signature. */
function keyOf({ keyId, keySecret }: Asker): KeyObject {
  let key = keys.get(keyId)
  if (!key) keys.set(keyId, (key = createSecretKey(Buffer.from(keySecret))))
  return key
}

function requestOf(path: string, asker: Asker, body: string): string {
  const headers = signRequest(
    { method: 'POST', url: `http://${HOST}${path}`, body },
    {
      keyid: asker.keyId, created: Math.floor(Date.now() / 1000), nonce: randomBytes(12).toString('hex'),
      hmacSha256: (base) => createHmac('sha256', keyOf(asker)).update(base).digest(), sha256: (data) => createHash('sha256').update(data).digest(),
    },
  )
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `POST ${path} HTTP/1.1\r\nhost: ${HOST}\r\ncontent-type: application/json\r\n${lines}content-length: ${body.length}\r\n\r\n${body}`
}

function anyOf<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)]!
}
