import { generateKeyPairSync, webcrypto } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { cosign, endpoints, HubUnreachable, LogWatch, type LogLook, type LogMemory } from '../../sdk/index.ts'
import type { Platform } from './platform.ts'

const LOOK_EVERY_MS = 200
const SPKI_HEAD_BYTES = 12

/** A witness as the client of the SDK has it, pointed at the log of the drill: it signs what goes on from what it remembers. */
export async function rehearseTamperedLog(platform: Platform): Promise<void> {
  const { clumsy, drill, patient } = platform
  const key = await makeWitnessKey()
  let memory = null as LogMemory | null
  let watch = null as LogWatch | null
  const done = new Set<string>()
  const report = (first: string, second: string) => patient.call(endpoints.disputeDrill, { path: { drill: drill.id }, body: { first, second } })
  while (platform.step !== null) {
    const { log } = platform.drill
    if (log !== null) watch ??= new LogWatch({ url: log, store: { load: async () => memory, save: async (kept) => void (memory = kept) } })
    const before = memory
    const look = watch === null ? null : await lookOnce(watch)
    if (look?.note && !done.has(look.note.text)) {
      const { note, faults } = look
      const [first, second] = faults[0]?.evidence ?? []
      // The mistakes: to sign whatever is shown, to sleep, to cry wolf, or to keep a split to oneself.
      const isSlept = (clumsy.has('witnessed') && note.checkpoint.size === 16) || (clumsy.has('went_on') && note.checkpoint.size === 24)
      if ((faults.length === 0 || clumsy.has('refused_forged')) && !isSlept) {
        await patient.call(endpoints.witnessDrill, { path: { drill: drill.id }, body: await cosign(note, key, Math.floor(Date.now() / 1000)) })
      }
      if (clumsy.has('went_on') && before !== null && faults.length === 0) await report(before.note, memory?.note ?? '')
      if (first !== undefined && second !== undefined && !clumsy.has('reported_split')) await report(first, second)
      done.add(note.text)
    }
    await sleep(LOOK_EVERY_MS)
  }
}

/** When the drill is over its log is gone: that is no fault of it. */
async function lookOnce(watch: LogWatch): Promise<LogLook | null> {
  try {
    return await watch.look()
  } catch (error) {
    if (error instanceof HubUnreachable) return null
    throw error
  }
}

async function makeWitnessKey() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', privateKey.export({ format: 'der', type: 'pkcs8' }), 'Ed25519', false, ['sign']),
    publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(SPKI_HEAD_BYTES)),
  }
}
