import { createPublicKey, hash, verify } from 'node:crypto'
import { fromBase64 } from '../../../protocol/bytes.ts'
import { cosignedAt, keyHashOf, readNote, readSignature, witnessNameOf, writeSignature } from '../../../protocol/checkpoint.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { SealedCheckpoint, Witness } from './model.ts'
import { now } from './seal.ts'
import { loadWitnessesOf, putWitness, readWitnesses } from './store.ts'

const WITNESS_KEYS_MAX = 5
/** A witness says when it looked: what was signed long ago, or ahead of time, says nothing about now. */
const CLOCK_SLACK_S = 300

export type CosignAsk = { publicKey: string; line: string }

/**
 * Takes a docking's signature under a checkpoint. A key that is new here is named by a fact, so that the log shows its own
 * witnesses; after that only its newest signature is kept, since it vouches for every checkpoint before it. That of a
 * sandbox is judged and not kept: anybody may open one, and would be as many witnesses as he likes.
 */
export async function cosign(db: Database, docking: { lane: number; id: string; mode: 'sandbox' | 'live' }, checkpoint: SealedCheckpoint, ask: CosignAsk, nowMs: number): Promise<Outcome<Witness>> {
  const publicKey = fromBase64(ask.publicKey)
  if (publicKey?.length !== 32) return refuse('protocol.invalid_field', { path: '/publicKey', expected: '32 bytes in base64: a raw Ed25519 public key' })
  const name = now(witnessNameOf(publicKey))
  const line = readSignature(`${ask.line}\n`)
  if (line === null) return refuse('logbook.cosignature_invalid', { problem: 'the line is not written as a note asks', witness: name })
  const timeS = await cosignedAt(readNote(checkpoint.note)!.text, line, { name, publicKey }, (bytes) => hash('sha256', bytes, 'buffer'), verifyEd25519)
  if (timeS === null) return refuse('logbook.cosignature_invalid', { problem: 'this key did not sign this checkpoint', witness: name })
  if (Math.abs(timeS * 1000 - nowMs) > CLOCK_SLACK_S * 1000) return refuse('logbook.cosignature_invalid', { problem: `the time of it is more than ${CLOCK_SLACK_S} seconds away`, witness: name })
  const witness: Witness = { name, publicKey: Buffer.from(publicKey), size: checkpoint.size, signedAt: new Date(timeS * 1000), signature: Buffer.from(line.bytes) }
  if (docking.mode === 'sandbox') return accept(witness)
  return db.transaction(async (connection) => {
    const known = readWitnesses(await connection.run(loadWitnessesOf(docking.lane, docking.id)))
    if (known.some((one) => one.name === name)) {
      await connection.run(putWitness(docking.lane, docking.id, witness, witness.signedAt))
      return accept(witness)
    }
    return underLanes(connection, [docking.lane], async ({ at, append }) => {
      const keys = readWitnesses(await connection.run(loadWitnessesOf(docking.lane, docking.id)))
      if (keys.length >= WITNESS_KEYS_MAX) return refuse('protocol.invalid_field', { path: '/publicKey', expected: `one of the ${WITNESS_KEYS_MAX} witness keys that this docking has named` })
      if ((await connection.run(putWitness(docking.lane, docking.id, witness, at))).length > 0 && !keys.some((one) => one.name === name)) {
        append({ lane: docking.lane, docking: docking.id, kind: 'witness.added', subject: name, code: null, body: JSON.stringify({ publicKey: ask.publicKey }) })
      }
      return accept(witness)
    })
  })
}

/** The line of a witness as it stands below a note, without its end. */
export function lineOfWitness({ name, publicKey, signature }: Witness): string {
  const keyHash = now(keyHashOf({ name, publicKey: new Uint8Array(publicKey) }, 'witness'))
  return writeSignature({ name, keyHash, bytes: new Uint8Array(signature) }).trimEnd()
}

export function verifyEd25519(publicKey: Uint8Array, signature: Uint8Array, bytes: Uint8Array): boolean {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }, format: 'jwk' })
  return verify(null, bytes, key, signature)
}
