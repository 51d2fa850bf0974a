import { generateKeyPairSync, webcrypto, type KeyObject } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { endpoints, HubUnreachable, type Berth, type Credentials } from '../../sdk/index.ts'
import type { Platform } from './platform.ts'

type Own = { id: string; credentials: Credentials; berth: Berth }

/**
 * Orders with a key of its own, made for this drill, and takes a new one as soon as an answer says that it ends. So the key
 * that the owner has stored stays as it is.
 */
export async function rehearseKeyRoll(platform: Platform): Promise<void> {
  const { patient: owner, clumsy } = platform
  const made: string[] = []
  const keep = (key: Own) => {
    made.push(key.id)
    return key
  }
  let key = keep(await makeKey(platform))
  const first = key
  let endsMs = Infinity
  while (platform.step !== null && platform.step !== 'settle') {
    const isDead = Date.now() > endsMs - platform.secondMs
    if (clumsy.has('dead_key_unused') && platform.isIn('after')) await platform.hasty(first.credentials).getBalance()
    if (clumsy.has('switched_in_time') && isDead && key === first) {
      // Too late, by hand, after somebody noticed that nothing goes.
      if (platform.isIn('after')) key = keep(await makeKey(platform))
    } else if (!(clumsy.has('kept_ordering') && isDead)) {
      const seen = await orderOnce(platform, key)
      if (seen !== null && key === first) {
        endsMs = Date.parse(seen)
        if (!clumsy.has('switched_in_time')) key = keep(await rollKey(platform, key))
      }
    }
    await platform.seconds(0.7)
  }
  // What is gone already cannot be ended twice; the hub says so, and that is fine.
  for (const id of made) await owner.call(endpoints.revokeKey, { path: { key: id }, body: {} })
}

/** @returns when the key ends, as the answer said */
async function orderOnce(platform: Platform, key: Own): Promise<string | null> {
  const reference = platform.nextReference()
  if (platform.clumsy.has('none_lost')) {
    try {
      const answer = await platform.order(platform.hasty(key.credentials), reference)
      return answer.ok ? answer.keyExpiresAt : null
    } catch (error) {
      // The mistake: silence is taken for a no, and the order is forgotten.
      if (error instanceof HubUnreachable) return null
      throw error
    }
  }
  const answer = await platform.order(key.berth, reference)
  if (platform.clumsy.has('no_reference_twice')) {
    await sleep(100)
    await platform.order(key.berth, reference)
  }
  return answer.ok ? answer.keyExpiresAt : null
}

async function makeKey(platform: Platform): Promise<Own> {
  const pair = generateKeyPairSync('ed25519')
  const made = await platform.patient.call(endpoints.createKey, { body: { kind: 'ed25519', publicKey: pemOf(pair.publicKey) } })
  if (!made.ok) throw new Error(`${made.refusal.code}: ${made.refusal.detail}`)
  return own(platform, made.value.key.id, pair.privateKey)
}

async function rollKey(platform: Platform, old: Own): Promise<Own> {
  const pair = generateKeyPairSync('ed25519')
  const rolled = await old.berth.call(endpoints.rollKey, { path: { key: old.id }, body: { overlap: '24h', publicKey: pemOf(pair.publicKey) } })
  if (!rolled.ok) throw new Error(`${rolled.refusal.code}: ${rolled.refusal.detail}`)
  return own(platform, rolled.value.key.id, pair.privateKey)
}

async function own(platform: Platform, id: string, privateKey: KeyObject): Promise<Own> {
  const credentials: Credentials = { keyId: id, privateKey: await webcrypto.subtle.importKey('pkcs8', privateKey.export({ format: 'der', type: 'pkcs8' }), 'Ed25519', false, ['sign']) }
  return { id, credentials, berth: platform.client(credentials) }
}

function pemOf(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'spki' }) as string
}
