import { canonicalJson } from './canonical.ts'

/** Who stands behind a document: the hub's key by its id, and 64 bytes of Ed25519 in base64url. */
export type DocumentSignature = { readonly keyId: string; readonly algorithm: 'ed25519'; readonly value: string }

/** A document that can be kept and shown to others: whoever has the hub's public key can tell that the hub wrote it. */
export type Signed<T> = T & { readonly signature: DocumentSignature }

/** A public key as a hub publishes it under /.well-known/berth: 32 raw bytes in base64. */
export type PublishedKey = { readonly id: string; readonly algorithm: 'ed25519'; readonly publicKey: string }

/** Ed25519 of whoever calls: browsers and servers have it under different names. */
export type VerifyEd25519 = (publicKey: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>, bytes: Uint8Array<ArrayBuffer>) => boolean | Promise<boolean>

/** Stands before the signed bytes, so that no signature of a document is one of something else that the key signs. */
const PREFIX = 'berth document v1\n'

/** What is signed: the canonical JSON of the document without its member `signature`. */
export function documentBytes(document: object): Uint8Array<ArrayBuffer> {
  const { signature: _, ...said } = document as { signature?: unknown }
  return new TextEncoder().encode(PREFIX + canonicalJson(said))
}

/** Whether one of these keys signed exactly this document. Whatever else is wrong with it is a no, never an exception. */
export async function verifyDocument(document: unknown, keys: readonly PublishedKey[], verify: VerifyEd25519): Promise<boolean> {
  if (typeof document !== 'object' || document === null) return false
  const { signature } = document as { signature?: Partial<DocumentSignature> | null }
  if (typeof signature !== 'object' || signature === null || signature.algorithm !== 'ed25519' || typeof signature.value !== 'string') return false
  const key = keys.find((one) => one.id === signature.keyId)
  if (!key) return false
  try {
    const value = fromBase64(signature.value.replaceAll('-', '+').replaceAll('_', '/'))
    const publicKey = fromBase64(key.publicKey)
    return value.byteLength === 64 && publicKey.byteLength === 32 && await verify(publicKey, value, documentBytes(document))
  } catch {
    return false
  }
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
