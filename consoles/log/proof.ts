import { fromBase64, fromHex } from '../../protocol/bytes.ts'
import { isSignedBy, readNote, type Note, type NoteKey } from '../../protocol/checkpoint.ts'
import { commitmentOf, readLeaf, statementHash } from '../../protocol/leaf.ts'
import { hashLater, isSame, leafHash, verifyConsistency, verifyInclusion } from '../../protocol/merkle.ts'
import { platformSha256, platformVerify, readHashes } from '../../sdk/log.ts'
import type { LogReader } from '../../sdk/log-reader.ts'

/** What came out of one proof: what was shown to be true, in the order of the steps, and the first step that failed. */
export type Judgement = { readonly holds: readonly Step[]; readonly fails: Step | null; readonly leaf: string | null }
export type Step = 'readable' | 'signed' | 'included' | 'same_leaf' | 'goes_on' | 'payload' | 'statement'

type Pasted = { leafIndex: number; leafHash?: string; checkpoint?: string; inclusion?: string[]; salt?: string; payload?: string; statement?: unknown }

/** Reads what a person pastes: the number of a leaf, a decision as the API gives it, or its proof alone; null for anything else. */
export function readPasted(text: string): Pasted | null {
  const number = text.trim()
  if (/^(0|[1-9]\d{0,14})$/.test(number)) return { leafIndex: Number(number) }
  try {
    const value = JSON.parse(text) as { sealed?: Pasted; statement?: unknown } & Pasted
    const proof = value.sealed ?? value
    return Number.isSafeInteger(proof.leafIndex) && proof.leafIndex >= 0 ? { ...proof, statement: value.statement, salt: value.salt ?? proof.salt, payload: value.payload ?? proof.payload } as Pasted : null
  } catch {
    return null
  }
}

/** Judges one proof against the checkpoint that this browser has checked: step by step, until one fails. */
export async function judge(reader: LogReader, key: NoteKey, note: Note, pasted: Pasted): Promise<Judgement> {
  const holds: Step[] = []
  const { checkpoint } = note
  const page = await reader.json<{ items: { index: number; leaf: string }[] }>(`/api/log/leaves?from=${pasted.leafIndex}&limit=1`)
  const text = page?.items?.[0]?.index === pasted.leafIndex ? page.items[0].leaf : null
  const end = (fails: Step | null): Judgement => ({ holds, fails, leaf: text })
  const leaf = text === null ? null : readLeaf(text)
  if (text === null || leaf === null) return end('readable')
  holds.push('readable')
  const hash = await hashLater(leafHash(new TextEncoder().encode(text)), platformSha256)

  const under = async (proof: Note, hashes: readonly Uint8Array[] | null) => hashes !== null && hashLater(verifyInclusion({ leafHash: hash, leaf: pasted.leafIndex, size: proof.checkpoint.size, root: proof.checkpoint.root, hashes }), platformSha256)
  if (pasted.checkpoint !== undefined) {
    const given = readNote(pasted.checkpoint)
    if (given === null || !(await isSignedBy(given, key, platformSha256, platformVerify))) return end('signed')
    holds.push('signed')
    if (pasted.leafHash !== undefined && !isSame(fromBase64(pasted.leafHash) ?? new Uint8Array(), hash)) return end('same_leaf')
    holds.push('same_leaf')
    if (!(await under(given, readHashes(pasted.inclusion)))) return end('included')
    holds.push('included')
    if (!(await goesOn(reader, given, note))) return end('goes_on')
    holds.push('goes_on')
  } else {
    const proof = await reader.json<{ hashes: string[] }>(`/api/log/proof?leaf=${pasted.leafIndex}&size=${checkpoint.size}`)
    if (!(await under(note, readHashes(proof?.hashes)))) return end('included')
    holds.push('included')
  }
  if (pasted.payload === undefined || pasted.salt === undefined) return end(null)
  if ((await hashLater(commitmentOf(fromHex(pasted.salt) ?? new Uint8Array(), pasted.payload), platformSha256)) !== leaf.commitment) return end('payload')
  holds.push('payload')
  if (pasted.statement === undefined) return end(null)
  const sealed = (JSON.parse(pasted.payload) as { statement?: string }).statement
  if (sealed !== (await hashLater(statementHash(pasted.statement), platformSha256))) return end('statement')
  holds.push('statement')
  return end(null)
}

/** Whether one of two checkpoints goes on from the other, whichever is older. */
async function goesOn(reader: LogReader, a: Note, b: Note): Promise<boolean> {
  const [from, to] = a.checkpoint.size <= b.checkpoint.size ? [a.checkpoint, b.checkpoint] : [b.checkpoint, a.checkpoint]
  if (from.size === to.size) return isSame(from.root, to.root)
  const hashes = readHashes((await reader.json<{ hashes: string[] }>(`/api/log/consistency?from=${from.size}&to=${to.size}`))?.hashes)
  return hashes !== null && hashLater(verifyConsistency({ from: from.size, fromRoot: from.root, to: to.size, toRoot: to.root, hashes }), platformSha256)
}
