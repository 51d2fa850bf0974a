import { createPublicKey, generateKeyPairSync, hash, sign, verify, type KeyObject } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fromBase64, toBase64 } from '../../protocol/bytes.ts'
import { cosignature, cosignedBytes, isSignedBy, keyHashOf, readNote, witnessNameOf, writeSignature, type Note } from '../../protocol/checkpoint.ts'
import { hashNow, isSame, verifyConsistency } from '../../protocol/merkle.ts'
import { endpoints } from '../../sdk/index.ts'
import type { Platform } from './platform.ts'

const LOOK_EVERY_MS = 200
const SPKI_HEAD_BYTES = 12

type Seen = { text: string; note: Note }

/** A witness: it remembers the last checkpoint that held, checks that the next one goes on from it, and signs only then. */
export async function rehearseTamperedLog(platform: Platform): Promise<void> {
  const { clumsy, drill } = platform
  const pair = generateKeyPairSync('ed25519')
  let last = null as Seen | null
  let isReported = false
  while (platform.step !== null) {
    const log = platform.drill.log
    const text = log === null ? null : await fetchText(`${log}/api/log/checkpoint`)
    const note = text === null ? null : readNote(text)
    if (text !== null && note !== null && log !== null && text !== last?.text && !isReported) {
      const isGood = (await isOfHub(log, note)) && (last === null || (await goesOn(log, last.note, note)))
      // The mistakes: to sign whatever is shown, or to keep a split to oneself.
      if (isGood || clumsy.has('refused_forged')) {
        if (!isSkipped(clumsy, note.checkpoint.size)) await platform.patient.call(endpoints.witnessDrill, { path: { drill: drill.id }, body: signature(note, pair) })
        if (clumsy.has('went_on') && last !== null && isGood) await report(platform, last.text, text)
      }
      if (isGood) last = { text, note }
      else if (last !== null && !clumsy.has('reported_split')) {
        await report(platform, last.text, text)
        isReported = true
      }
    }
    await sleep(LOOK_EVERY_MS)
  }
}

function isSkipped(clumsy: ReadonlySet<string>, size: number): boolean {
  return (clumsy.has('witnessed') && size === 16) || (clumsy.has('went_on') && size === 24)
}

async function report(platform: Platform, first: string, second: string): Promise<void> {
  await platform.patient.call(endpoints.disputeDrill, { path: { drill: platform.drill.id }, body: { first, second } })
}

async function isOfHub(log: string, note: Note): Promise<boolean> {
  const known = JSON.parse((await fetchText(`${log}/.well-known/berth`)) ?? '{}') as { keys?: { publicKey: string }[] }
  const publicKey = fromBase64(known.keys?.[0]?.publicKey ?? '')
  return publicKey !== null && isSignedBy(note, { name: note.checkpoint.origin, publicKey }, sha256, (key, value, bytes) => {
    return verify(null, bytes, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key).toString('base64url') }, format: 'jwk' }), value)
  })
}

async function goesOn(log: string, { checkpoint: from }: Note, { checkpoint: to }: Note): Promise<boolean> {
  if (to.size < from.size) return false
  if (to.size === from.size) return isSame(to.root, from.root)
  const proof = JSON.parse((await fetchText(`${log}/api/log/consistency?from=${from.size}&to=${to.size}`)) ?? '{}') as { hashes?: string[] }
  const hashes = (proof.hashes ?? []).map((text) => fromBase64(text) ?? new Uint8Array())
  return hashNow(verifyConsistency({ from: from.size, fromRoot: from.root, to: to.size, toRoot: to.root, hashes }), sha256)
}

function signature(note: Note, { privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject }): { size: number; publicKey: string; line: string } {
  const raw = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(SPKI_HEAD_BYTES))
  const name = hashNow(witnessNameOf(raw), sha256)
  const timeS = Math.floor(Date.now() / 1000)
  const bytes = cosignature(timeS, new Uint8Array(sign(null, cosignedBytes(note.text, timeS), privateKey)))
  return { size: note.checkpoint.size, publicKey: toBase64(raw), line: writeSignature({ name, keyHash: hashNow(keyHashOf({ name, publicKey: raw }, 'witness'), sha256), bytes }).trimEnd() }
}

async function fetchText(url: string): Promise<string | null> {
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(10_000) }).catch(() => null)
  return response?.ok ? await response.text() : null
}

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer')
