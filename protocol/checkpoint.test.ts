import assert from 'node:assert/strict'
import { createHash, createPublicKey, generateKeyPairSync, sign, verify as verifyWith } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromBase64, fromHex, toBase64, toHex } from './bytes.ts'
import { cosignature, cosignedAt, cosignedBytes, isSignedBy, keyHashOf, readNote, readSignature, signedBytes, writeCheckpoint, writeNote, type NoteKey } from './checkpoint.ts'
import { hashNow } from './merkle.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
const PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const verify = (publicKey: Uint8Array, signature: Uint8Array, bytes: Uint8Array) =>
  verifyWith(null, bytes, createPublicKey({ key: Buffer.concat([PREFIX, publicKey]), format: 'der', type: 'spki' }), signature)

function makeSigner(name: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const key: NoteKey = { name, publicKey: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)) }
  return { key, sign: (bytes: Uint8Array) => new Uint8Array(sign(null, bytes, privateKey)) as Uint8Array<ArrayBuffer> }
}

const root = sha256(Buffer.from('root'))
const log = makeSigner('hub.example/log')
const text = writeCheckpoint({ origin: log.key.name, size: 42, root })
const own = { name: log.key.name, keyHash: hashNow(keyHashOf(log.key, 'log'), sha256), bytes: log.sign(signedBytes(text)) }
const note = writeNote(text, [own])

test('a signed checkpoint is the text that other logs write too, and is read back', async () => {
  assert.match(note, /^hub\.example\/log\n42\n[A-Za-z0-9+/]{43}=\n\n— hub\.example\/log [A-Za-z0-9+/]+=*\n$/)
  const read = readNote(note)!
  assert.deepEqual(read.checkpoint, { origin: 'hub.example/log', size: 42, root: new Uint8Array(root) })
  assert.equal(writeNote(read.text, read.signatures), note)
  assert.ok(await isSignedBy(read, log.key, sha256, verify))
})

test('the key hash is that of the note form: the published example of a verifier key', () => {
  // https://pkg.go.dev/golang.org/x/mod/sumdb/note: PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW
  const key = fromBase64('ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')!
  assert.equal(key[0], 1)
  assert.equal(toHex(hashNow(keyHashOf({ name: 'PeterNeumann', publicKey: key.slice(1) }, 'log'), sha256)), 'c74f20a3')
})

test('a note of which any single byte was changed is not signed by the log', async () => {
  const bytes = Buffer.from(note)
  for (let at = 0; at < bytes.length; at++) {
    for (const bit of [1, 128]) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= bit
      const read = readNote(changed.toString('utf8'))
      assert.ok(read === null || !(await isSignedBy(read, log.key, sha256, verify)), `byte ${at}`)
    }
  }
})

test('a note of another key, another origin or another name is not signed by the log', async () => {
  const other = makeSigner('hub.example/log')
  assert.equal(await isSignedBy(readNote(note)!, other.key, sha256, verify), false)
  assert.equal(await isSignedBy(readNote(note)!, { ...log.key, name: 'hub.example/log2' }, sha256, verify), false)
  const foreign = writeCheckpoint({ origin: 'other.example/log', size: 42, root })
  const signed = readNote(writeNote(foreign, [{ ...own, bytes: log.sign(signedBytes(foreign)) }]))!
  assert.equal(await isSignedBy(signed, log.key, sha256, verify), false)
})

test('witnesses sign below the log, each with a time, and nobody is taken for another', async () => {
  const [ann, bob] = [makeSigner('ann'), makeSigner('bob')]
  const lineOf = (witness: typeof ann, timeS: number) => ({
    name: witness.key.name, keyHash: hashNow(keyHashOf(witness.key, 'witness'), sha256), bytes: cosignature(timeS, witness.sign(cosignedBytes(text, timeS))),
  })
  const read = readNote(writeNote(text, [own, lineOf(ann, 1_800_000_000), lineOf(bob, 1_800_000_005)]))!
  assert.ok(await isSignedBy(read, log.key, sha256, verify))
  assert.equal(await cosignedAt(read.text, read.signatures[1]!, ann.key, sha256, verify), 1_800_000_000)
  assert.equal(await cosignedAt(read.text, read.signatures[2]!, bob.key, sha256, verify), 1_800_000_005)
  assert.equal(await cosignedAt(read.text, read.signatures[2]!, ann.key, sha256, verify), null)
  assert.equal(await cosignedAt(read.text, { ...read.signatures[2]!, name: 'ann' }, ann.key, sha256, verify), null)
  const later = read.signatures[1]!.bytes.slice()
  later[7]!++
  assert.equal(await cosignedAt(read.text, { ...read.signatures[1]!, bytes: later }, ann.key, sha256, verify), null, 'the time is signed too')
  assert.equal(await cosignedAt(writeCheckpoint({ origin: log.key.name, size: 43, root }), read.signatures[1]!, ann.key, sha256, verify), null)
})

test('what is no note is none: other numbers, other lines, control characters, other base64', () => {
  const line = note.split('\n\n')[1]!
  const rootText = toBase64(root)
  const wrong = [
    '', '\n\n', text, `${text}\n`, note.slice(0, -1), `${note}x`, note.replace('\n42\n', '\n042\n'), note.replace('\n42\n', '\n-1\n'), note.replace('\n42\n', '\n4.2\n'), note.replace('\n42\n', '\n9999999999999999\n'),
    note.replace(rootText, rootText.slice(0, -1)), note.replace(rootText, rootText.replace('=', '')), note.replace('hub', 'h\u0000b'), note.replace('—', '-'), note.replace('— hub', '—  hub'),
    `${text}extra\n\n${line}`, `${text}\n${line.repeat(101)}`, `${'x'.repeat(40_000)}${note}`, note.replaceAll('\n', '\r\n'),
  ]
  for (const one of wrong) assert.equal(readNote(one), null, JSON.stringify(one.slice(0, 120)))
  assert.equal(readSignature('— ann AAAA\n'), null)
})

test('bytes go to text and back, and no second spelling is read', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
    assert.equal(toBase64(bytes), Buffer.from(bytes).toString('base64'))
    assert.equal(toHex(bytes), Buffer.from(bytes).toString('hex'))
    assert.deepEqual(fromBase64(toBase64(bytes)), new Uint8Array(bytes))
    assert.deepEqual(fromHex(toHex(bytes)), new Uint8Array(bytes))
  }))
  for (const text of ['AB==', 'A', 'AAA', ' AAAA', 'AA AA', 'AA=A', 'é']) assert.equal(fromBase64(text), null, text)
  for (const text of ['A', 'AB', '0', '0g', ' 00']) assert.equal(fromHex(text), null, text)
})
