import { Type } from './schema.ts'

/** The messages of the log that partners verify. Hashes of the tree are base64, those inside a leaf and salts are hexadecimal. */
const closed = { additionalProperties: false }
const Hash = Type.String({ pattern: '^[A-Za-z0-9+/]{43}=$', title: '32 bytes in base64', description: '32 bytes in base64.' })
const Hashes = Type.Array(Hash, { maxItems: 108, description: 'Nearest to the leaf first, as RFC 9162 orders them.' })
const Place = Type.Integer({ minimum: 0 })
const LeafText = Type.String({ description: 'Canonical JSON (RFC 8785): the bytes that are hashed.' })
const Hex = Type.String({ pattern: '^([0-9a-f]{2})*$' })

export const LogProof = Type.Object({ leaf: Place, size: Place, leafHash: Hash, hashes: Hashes }, closed)
export const LogConsistency = Type.Object({ from: Place, to: Place, hashes: Hashes }, closed)
export const LogLeaves = Type.Object({
  items: Type.Array(Type.Object({ index: Place, leaf: LeafText }, closed)),
  next: Type.Union([Place, Type.Null()], { description: 'Ask again with ?from= this; null when nothing more is sealed.' }),
}, closed)

export const MyLeaves = Type.Object({
  name: Type.Union([
    Type.Object({
      pseudonym: Type.String({ description: 'SHA-256 over salt and the id of the docking, in hexadecimal: as which it stands in the log.' }), salt: Hex,
      leaves: Type.Integer({ minimum: 0, description: 'How many leaves it has: they are counted from 1 without a gap.' }),
    }, closed),
    Type.Null(),
  ], { description: 'null before the first leaf.' }),
  items: Type.Array(Type.Object({
    index: Place, n: Type.Integer({ minimum: 1 }), leaf: LeafText, salt: Type.Union([Hex, Type.Null()]),
    payload: Type.Union([Type.String(), Type.Null()], { description: 'What the leaf commits to, as SHA-256 over salt and this text; null once it was erased.' }),
  }, closed)),
  next: Type.Union([Place, Type.Null()], { description: 'Ask again with ?after= this.' }),
}, closed)

export const Cosign = Type.Object({
  size: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  publicKey: Type.String({ maxLength: 44, description: 'The raw Ed25519 key of the witness, 32 bytes in base64.' }),
  line: Type.String({ maxLength: 300, description: 'The line that goes below the note: — name base64, as C2SP tlog-cosignature says.' }),
}, closed)
export const WitnessView = Type.Object({
  name: Type.String(), publicKey: Hash, size: Place, signedAt: Type.String({ format: 'date-time' }), line: Type.String(),
}, closed)
export const WitnessList = Type.Object({ items: Type.Array(WitnessView), next: Type.Null() }, closed)

export const Sealed = Type.Object({
  leafIndex: Place, leafHash: Hash, checkpoint: Type.String({ description: 'The signed note under which the proof holds.' }), inclusion: Hashes,
}, closed)
