/**
 * The Merkle tree of RFC 9162 (and 6962): a leaf is SHA-256(0x00 ‖ bytes), a node SHA-256(0x01 ‖ left ‖ right). Whoever holds
 * one root can be shown in log n hashes that a leaf stands under it, and that a later tree only added to an earlier one.
 *
 * Everything here is written as `Hashing`: it yields what is to be hashed and is handed the hash. So the same lines run
 * with Node's SHA-256, which answers at once, and with a browser's, which answers later.
 */
export type Hashing<T> = Generator<Uint8Array, T, Uint8Array>

/** Runs a hashing with a SHA-256 that answers at once. */
export function hashNow<T>(hashing: Hashing<T>, sha256: (bytes: Uint8Array) => Uint8Array): T {
  let step = hashing.next()
  while (!step.done) step = hashing.next(sha256(step.value))
  return step.value
}

/** Runs a hashing with a SHA-256 that may answer later, such as WebCrypto's. */
export async function hashLater<T>(hashing: Hashing<T>, sha256: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>): Promise<T> {
  let step = hashing.next()
  while (!step.done) step = hashing.next(await sha256(step.value))
  return step.value
}

export const HASH_BYTES = 32

export function* leafHash(bytes: Uint8Array): Hashing<Uint8Array> {
  const input = new Uint8Array(1 + bytes.length)
  input.set(bytes, 1)
  return yield input
}

export function* nodeHash(left: Uint8Array, right: Uint8Array): Hashing<Uint8Array> {
  const input = new Uint8Array(1 + 2 * HASH_BYTES)
  input[0] = 1
  input.set(left, 1)
  input.set(right, 1 + HASH_BYTES)
  return yield input
}

/** A complete subtree: `level` 0 is a leaf, and `index` counts the subtrees of its level from the left. */
export type NodeId = { readonly level: number; readonly index: number }
export type TreeNode = NodeId & { readonly hash: Uint8Array }

/** A tree as far as it is needed to grow it: its size and the roots of its complete subtrees, the largest first. At most 53 hashes. */
export type Frontier = { readonly size: number; readonly peaks: readonly Uint8Array[] }

export const EMPTY_TREE: Frontier = { size: 0, peaks: [] }

/** Adds leaves, given as leaf hashes; `onNode` is told every complete subtree that they finish, the leaves among them. */
export function* grow(frontier: Frontier, hashes: Iterable<Uint8Array>, onNode: (node: TreeNode) => void = () => {}): Hashing<Frontier> {
  const peaks = [...frontier.peaks]
  let { size } = frontier
  for (const leaf of hashes) {
    let hash = leaf
    let index = size
    let level = 0
    onNode({ level, index, hash })
    for (; index % 2 === 1; index = (index - 1) / 2) {
      hash = yield* nodeHash(peaks.pop()!, hash)
      level++
      onNode({ level, index: (index - 1) / 2, hash })
    }
    peaks.push(hash)
    size++
  }
  return { size, peaks }
}

/** The root of a tree; that of the empty one is the hash of nothing. */
export function* rootOf({ peaks }: Frontier): Hashing<Uint8Array> {
  return peaks.length === 0 ? yield new Uint8Array(0) : yield* fold(peaks)
}

/** Leaves from `from` up to, but without, `to`. */
export type LeafRange = { readonly from: number; readonly to: number }

/** The subtrees whose roots prove that a leaf stands in the tree of this size, nearest first (RFC 9162, 2.1.3.1). */
export function inclusionRanges(leaf: number, size: number): LeafRange[] {
  const ranges: LeafRange[] = []
  for (let from = 0, to = size; to - from > 1; ) {
    const middle = from + split(to - from)
    if (leaf < middle) {
      ranges.unshift({ from: middle, to })
      to = middle
    } else {
      ranges.unshift({ from, to: middle })
      from = middle
    }
  }
  return ranges
}

/** The subtrees whose roots prove that the tree of size `to` goes on from the tree of size `from` (RFC 9162, 2.1.4.1). */
export function consistencyRanges(from: number, to: number): LeafRange[] {
  if (from === 0 || from === to) return []
  const ranges: LeafRange[] = []
  let [start, end, whole] = [0, to, true]
  while (from !== end) {
    const middle = start + split(end - start)
    if (from <= middle) {
      ranges.unshift({ from: middle, to: end })
      end = middle
    } else {
      ranges.unshift({ from: start, to: middle })
      start = middle
      whole = false
    }
  }
  if (!whole) ranges.unshift({ from: start, to: end })
  return ranges
}

/** The complete subtrees that a range of a proof is made of, from the left. There are log n of them. */
export function subtreesOf({ from, to }: LeafRange): NodeId[] {
  const nodes: NodeId[] = []
  for (let start = from; start < to; ) {
    let [level, width] = [0, 1]
    while (start % (width * 2) === 0 && start + width * 2 <= to) {
      level++
      width *= 2
    }
    nodes.push({ level, index: start / width })
    start += width
  }
  return nodes
}

/** The root of a range out of the roots of its complete subtrees, as `subtreesOf` names them. */
export function* fold(hashes: readonly Uint8Array[]): Hashing<Uint8Array> {
  let hash = hashes.at(-1)!
  for (let i = hashes.length - 2; i >= 0; i--) hash = yield* nodeHash(hashes[i]!, hash)
  return hash
}

export type Inclusion = { readonly leafHash: Uint8Array; readonly leaf: number; readonly size: number; readonly root: Uint8Array; readonly hashes: readonly Uint8Array[] }

/** Whether the hashes prove that the leaf stands at its place under the root (RFC 9162, 2.1.3.2). */
export function* verifyInclusion({ leafHash, leaf, size, root, hashes }: Inclusion): Hashing<boolean> {
  if (!isSize(leaf) || !isSize(size) || leaf >= size || !areHashes([leafHash, root, ...hashes])) return false
  let [fn, sn, hash] = [leaf, size - 1, leafHash]
  for (const sibling of hashes) {
    if (sn === 0) return false
    if (isOdd(fn) || fn === sn) {
      hash = yield* nodeHash(sibling, hash)
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else hash = yield* nodeHash(hash, sibling)
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && isSame(hash, root)
}

export type Consistency = { readonly from: number; readonly fromRoot: Uint8Array; readonly to: number; readonly toRoot: Uint8Array; readonly hashes: readonly Uint8Array[] }

/** Whether the hashes prove that the later tree holds the earlier one unchanged (RFC 9162, 2.1.4.2). */
export function* verifyConsistency({ from, fromRoot, to, toRoot, hashes }: Consistency): Hashing<boolean> {
  if (!isSize(from) || !isSize(to) || from > to || !areHashes([fromRoot, toRoot, ...hashes])) return false
  if (from === to) return hashes.length === 0 && isSame(fromRoot, toRoot)
  // Everything goes on from nothing, of which there is one tree.
  if (from === 0) return hashes.length === 0 && isSame(fromRoot, yield new Uint8Array(0))
  const path = isPowerOfTwo(from) ? [fromRoot, ...hashes] : hashes
  if (path.length === 0) return false
  let [fn, sn] = [from - 1, to - 1]
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)]
  let [first, second] = [path[0]!, path[0]!]
  for (const hash of path.slice(1)) {
    if (sn === 0) return false
    if (isOdd(fn) || fn === sn) {
      first = yield* nodeHash(hash, first)
      second = yield* nodeHash(hash, second)
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else second = yield* nodeHash(second, hash)
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && isSame(first, fromRoot) && isSame(second, toRoot)
}

/** Sizes and positions go up to 2⁵³: no bit operation, which would cut them to 32 bits. */
function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function isOdd(value: number): boolean {
  return value % 2 === 1
}

function half(value: number): number {
  return Math.floor(value / 2)
}

function isPowerOfTwo(value: number): boolean {
  let rest = value
  while (rest % 2 === 0) rest /= 2
  return rest === 1
}

/** The largest power of two below n. */
function split(n: number): number {
  let width = 1
  while (width * 2 < n) width *= 2
  return width
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((hash) => hash.length === HASH_BYTES)
}

/** Hashes of a public tree are no secrets: the comparison may stop at the first byte that differs. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
