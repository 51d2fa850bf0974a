import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { documentBytes, verifyDocument, type PublishedKey } from './documents.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const key: PublishedKey = { id: 'sig_1', algorithm: 'ed25519', publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(12).toString('base64') }

function checkEd25519(raw: Uint8Array, signature: Uint8Array, bytes: Uint8Array): boolean {
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw])
  return verify(null, bytes, createPublicKey({ key: spki, format: 'der', type: 'spki' }), signature)
}

function signed<T extends object>(document: T) {
  return { ...document, signature: { keyId: 'sig_1', algorithm: 'ed25519' as const, value: sign(null, documentBytes(document), privateKey).toString('base64url') } }
}

test('a signed document is believed in whatever order its members arrive, and with no member changed', async () => {
  await fc.assert(fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), async (members) => {
    const document: Record<string, unknown> = signed({ ...members, signature: undefined })
    const turned = Object.fromEntries(Object.entries(document).toReversed())
    assert.equal(await verifyDocument(turned, [key], checkEd25519), true)
    assert.equal(await verifyDocument({ ...document, added: 1 }, [key], checkEd25519), false)
    for (const name of Object.keys(members).filter((one) => one !== 'signature')) assert.equal(await verifyDocument({ ...document, [name]: { other: members[name] } }, [key], checkEd25519), false, name)
  }))
})

test('what is no signed document is a no and never an exception', async () => {
  const good = signed({ verdict: 'healthy' })
  const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }).subarray(12).toString('base64')
  const wrong: unknown[] = [
    null, 7, 'text', {}, { ...good, signature: null }, { ...good, signature: { ...good.signature, algorithm: 'none' } }, { ...good, signature: { ...good.signature, value: '' } },
    { ...good, signature: { ...good.signature, value: '%%%' } }, { ...good, signature: { ...good.signature, keyId: 'sig_2' } }, { ...good, weird: '\ud800' },
  ]
  for (const document of wrong) assert.equal(await verifyDocument(document, [key], checkEd25519), false, JSON.stringify(document))
  assert.equal(await verifyDocument(good, [], checkEd25519), false)
  assert.equal(await verifyDocument(good, [{ ...key, publicKey: other }], checkEd25519), false)
  assert.equal(await verifyDocument(good, [key], checkEd25519), true)
})
