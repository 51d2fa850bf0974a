import assert from 'node:assert/strict'
import { createHash, hash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  consistencyRanges, EMPTY_TREE, fold, grow, hashLater, hashNow, inclusionRanges, leafHash, nodeHash, rootOf, subtreesOf, verifyConsistency, verifyInclusion, type Hashing, type LeafRange, type TreeNode,
} from './merkle.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
const now = <T>(hashing: Hashing<T>) => hashNow(hashing, sha256)
const bytesOf = (text: string) => new TextEncoder().encode(text)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** The definition in the standard's own words, without a thought for speed. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array(0))
  if (leaves.length === 1) return sha256(Buffer.concat([Buffer.from([0]), leaves[0]!]))
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return sha256(Buffer.concat([Buffer.from([1]), naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k))]))
}

function build(leaves: readonly Uint8Array[]) {
  const nodes = new Map<string, Uint8Array>()
  const keep = ({ level, index, hash }: TreeNode) => nodes.set(`${level} ${index}`, hash)
  const frontier = now(grow(EMPTY_TREE, leaves.map((leaf) => now(leafHash(leaf))), keep))
  const hashOf = (range: LeafRange) => now(fold(subtreesOf(range).map(({ level, index }) => nodes.get(`${level} ${index}`)!)))
  return { frontier, root: now(rootOf(frontier)), hashOf, nodes }
}

const leavesOf = (count: number) => Array.from({ length: count }, (_, i) => bytesOf(`leaf ${i}`))
const flip = (bytes: Uint8Array, at: number) => {
  const changed = new Uint8Array(bytes)
  changed[at >> 3]! ^= 1 << (at & 7)
  return changed
}

test('the roots of the example log of RFC 6962 come out', () => {
  const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map((text) => Buffer.from(text, 'hex'))
  const roots = [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125', 'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7', '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef', 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]
  roots.forEach((root, size) => assert.equal(hex(build(inputs.slice(0, size)).root), root, `size ${size}`))
})

test('a tree of any size has the root of the definition, however it grew and however the hash answers', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 70 }), fc.nat(70), async (leaves, cut) => {
    const hashes = leaves.map((leaf) => now(leafHash(leaf)))
    const first = now(grow(EMPTY_TREE, hashes.slice(0, cut)))
    const whole = await hashLater(grow(first, hashes.slice(cut)), async (bytes) => sha256(bytes))
    assert.equal(whole.size, leaves.length)
    assert.deepEqual(Buffer.from(now(rootOf(whole))), naiveRoot(leaves))
  }), { numRuns: 60 })
})

test('every leaf of every tree up to 70 is proved, in no more hashes than the tree is high', () => {
  for (let size = 1; size <= 70; size++) {
    const { root, hashOf } = build(leavesOf(size))
    for (let leaf = 0; leaf < size; leaf++) {
      const hashes = inclusionRanges(leaf, size).map(hashOf)
      assert.ok(hashes.length <= Math.ceil(Math.log2(size)))
      assert.ok(now(verifyInclusion({ leafHash: now(leafHash(bytesOf(`leaf ${leaf}`))), leaf, size, root, hashes })), `${leaf} of ${size}`)
    }
  }
})

test('every tree up to 60 is proved to go on from every one before it', () => {
  const leaves = leavesOf(60)
  const roots = Array.from({ length: 61 }, (_, size) => naiveRoot(leaves.slice(0, size)))
  const { hashOf } = build(leaves)
  for (let to = 0; to <= 60; to++) {
    for (let from = 0; from <= to; from++) {
      const hashes = consistencyRanges(from, to).map(hashOf)
      assert.ok(now(verifyConsistency({ from, fromRoot: roots[from]!, to, toRoot: roots[to]!, hashes })), `${from} to ${to}`)
    }
  }
})

test('a proof with any bit changed, a hash too many, one too few or two exchanged, another place or size, proves nothing', () => {
  fc.assert(fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(), fc.nat(), fc.nat(), (size, a, b, bit) => {
    const { root, hashOf } = build(leavesOf(size))
    const leaf = a % size
    const right = { leafHash: now(leafHash(bytesOf(`leaf ${leaf}`))), leaf, size, root, hashes: inclusionRanges(leaf, size).map(hashOf) }
    const at = b % right.hashes.length
    const swapped = right.hashes.map((hash, i) => (i === at ? right.hashes[(at + 1) % right.hashes.length]! : i === (at + 1) % right.hashes.length ? right.hashes[at]! : hash))
    const wrong = [
      { ...right, leafHash: flip(right.leafHash, bit % 256) }, { ...right, root: flip(right.root, bit % 256) }, { ...right, hashes: right.hashes.map((hash, i) => (i === at ? flip(hash, bit % 256) : hash)) },
      { ...right, hashes: [...right.hashes, right.root] }, { ...right, hashes: right.hashes.slice(1) }, { ...right, leaf: leaf === 0 ? 1 : leaf - 1 }, { ...right, leaf: size },
      { ...right, hashes: right.hashes.map((hash, i) => (i === at ? hash.slice(1) : hash)) }, { ...right, leaf: -1 }, { ...right, leaf: 0.5 },
      ...(right.hashes.length > 1 ? [{ ...right, hashes: swapped }] : []),
    ]
    assert.ok(now(verifyInclusion(right)))
    for (const one of wrong) assert.equal(now(verifyInclusion(one)), false, JSON.stringify({ size, leaf, at }))
  }), { numRuns: 100 })
})

test('no proof makes a tree of another history one that goes on', () => {
  fc.assert(fc.property(fc.integer({ min: 2, max: 200 }), fc.nat(), fc.nat(), fc.nat(255), (to, a, changed, bit) => {
    const from = 1 + (a % (to - 1))
    const leaves = leavesOf(to)
    const other = leaves.map((leaf, i) => (i === changed % from ? bytesOf('another') : leaf))
    const proof = (tree: ReturnType<typeof build>) => consistencyRanges(from, to).map(tree.hashOf)
    const [mine, theirs] = [build(leaves), build(other)]
    const fromRoot = naiveRoot(leaves.slice(0, from))
    const right = { from, fromRoot, to, toRoot: mine.root, hashes: proof(mine) }
    assert.ok(now(verifyConsistency(right)))
    for (const hashes of [proof(mine), proof(theirs)]) assert.equal(now(verifyConsistency({ ...right, toRoot: theirs.root, hashes })), false)
    assert.equal(now(verifyConsistency({ ...right, fromRoot: flip(fromRoot, bit) })), false)
    assert.equal(now(verifyConsistency({ ...right, hashes: [] })), false)
    assert.equal(now(verifyConsistency({ ...right, from: to, to: from })), false)
    right.hashes.forEach((_, i) => assert.equal(now(verifyConsistency({ ...right, hashes: right.hashes.map((hash, j) => (i === j ? flip(hash, bit) : hash)) })), false))
  }), { numRuns: 100 })
})

test('a leaf cannot be passed off as a node, nor a node as a leaf', () => {
  const [a, b] = [now(leafHash(bytesOf('a'))), now(leafHash(bytesOf('b')))]
  assert.notDeepEqual(now(nodeHash(a, b)), now(leafHash(Buffer.concat([a, b]))))
})

test('a million leaves are grown in a frontier of twenty hashes, and one of them is proved in 640 bytes', () => {
  const size = 1_000_000
  const levels = Array.from({ length: 21 }, () => [] as Uint8Array[])
  const quick = (bytes: Uint8Array) => hash('sha256', bytes, 'buffer')
  const hashes = (function* () {
    const leaf = new Uint8Array(32)
    for (let i = 0; i < size; i++) {
      leaf[i & 31]! ^= i & 255
      yield leaf.slice()
    }
  })()
  const frontier = hashNow(grow(EMPTY_TREE, hashes, ({ level, hash }) => void levels[level]!.push(hash)), quick)
  assert.ok(frontier.peaks.length <= 20)
  const root = hashNow(rootOf(frontier), quick)
  for (const leaf of [0, 1, 524_287, 524_288, 999_999]) {
    const proof = inclusionRanges(leaf, size).map((range) => hashNow(fold(subtreesOf(range).map((node) => levels[node.level]![node.index]!)), quick))
    assert.ok(proof.length * 32 <= 640)
    assert.ok(hashNow(verifyInclusion({ leafHash: levels[0]![leaf]!, leaf, size, root, hashes: proof }), quick))
  }
})
