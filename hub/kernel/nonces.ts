/**
 * The nonces spent in the last minutes, so that a signed message is taken once only.
 *
 * It keeps no text, only a seeded 53-bit hash of key and nonce, in one open-addressing table of doubles for each minute,
 * and drops whole minutes as they age. Three million nonces (5,000 a second for ten minutes) are eleven tables of
 * 4 MB each: about 46 MB in typed arrays, and not one object for the garbage collector to visit.
 *
 * A spent nonce is always found: equal text gives an equal hash. A fresh one is taken for a spent one with a chance of
 * n / 2^53: with three million held that is 3.3e-10 a request, so at 5,000 requests a second about one in seven days,
 * and all that happens is that this one request must be signed again. The seed is secret and drawn at each start;
 * without it nobody can look for two texts that meet.
 */
export class NonceWindow {
  readonly #windowS: number
  readonly #seedLow: number
  readonly #seedHigh: number
  /** Newest first. */
  readonly #minutes: Minute[] = []
  #nowS = -Infinity

  /** `windowS`: how long a spent nonce is held at least, in seconds. `seed`: a random integer of up to 64 bits. */
  constructor({ windowS, seed }: { windowS: number; seed: bigint | number }) {
    const bits = BigInt.asUintN(64, BigInt(seed))
    this.#windowS = windowS
    this.#seedLow = Number(bits & 0xffffffffn) | 0
    this.#seedHigh = Number(bits >> 32n) | 0
  }

  /**
   * Spends a nonce; false if this key spent it in the window. `nowS` is seconds since any fixed start; a clock that
   * steps back is read as standing still until it has caught up, so that nothing is forgotten too early.
   */
  spend(keyId: string, nonce: string, nowS: number): boolean {
    this.#advance(nowS)
    const hash = this.#hash(keyId, nonce)
    if (this.#holds(hash)) return false
    const minute = Math.floor(this.#nowS / 60)
    let newest = this.#minutes[0]
    if (newest === undefined || newest.minute !== minute) {
      // A new minute will likely be as busy as the last one; made large at once it need not be copied while growing.
      newest = { minute, count: 0, slots: new Float64Array(capacityFor(newest?.count ?? 0)) }
      this.#minutes.unshift(newest)
    }
    add(newest, hash)
    return true
  }

  /** Whether this key spent the nonce in the window; spends nothing. */
  spent(keyId: string, nonce: string, nowS: number): boolean {
    this.#advance(nowS)
    return this.#holds(this.#hash(keyId, nonce))
  }

  /** How many nonces are held. */
  get size(): number {
    return this.#minutes.reduce((sum, { count }) => sum + count, 0)
  }

  /** Drops the minutes whose last second lies a whole window back, so a nonce is held for the window and up to 60 s more. */
  #advance(nowS: number): void {
    if (nowS > this.#nowS) this.#nowS = nowS
    for (let oldest = this.#minutes.at(-1); oldest !== undefined; oldest = this.#minutes.at(-1)) {
      if ((oldest.minute + 1) * 60 + this.#windowS > this.#nowS) return
      this.#minutes.pop()
    }
  }

  #holds(hash: number): boolean {
    for (const { slots } of this.#minutes) {
      const mask = slots.length - 1
      let at = hash & mask
      let held = slots[at]!
      while (held !== 0) {
        if (held === hash) return true
        at = (at + 1) & mask
        held = slots[at]!
      }
    }
    return false
  }

  /** 53 bits of two 32-bit lanes, never 0, which marks an empty slot. The key's length keeps ("ab","c") from ("a","bc"). */
  #hash(keyId: string, nonce: string): number {
    let low = this.#seedLow ^ keyId.length
    let high = this.#seedHigh ^ nonce.length
    for (let i = 0; i < keyId.length; i++) {
      const unit = keyId.charCodeAt(i)
      low = turn(low ^ unit, 0x9e3779b1)
      high = turn(high ^ unit, 0x5f356495)
    }
    for (let i = 0; i < nonce.length; i++) {
      const unit = nonce.charCodeAt(i)
      low = turn(low ^ unit, 0x9e3779b1)
      high = turn(high ^ unit, 0x5f356495)
    }
    low = finish(low ^ (high >>> 15))
    high = finish(high ^ (low >>> 13))
    return (high & 0x1fffff) * 0x1_0000_0000 + (low >>> 0) || 1
  }
}

type Minute = { readonly minute: number; count: number; slots: Float64Array }

const SMALLEST_TABLE = 1024

/** Tables are three quarters full at most: a search in vain then reads some eight slots on average, and three at half. */
function isFull(count: number, capacity: number): boolean {
  return count * 4 > capacity * 3
}

function capacityFor(count: number): number {
  let capacity = SMALLEST_TABLE
  while (isFull(count, capacity)) capacity *= 2
  return capacity
}

function add(minute: Minute, hash: number): void {
  minute.count++
  if (isFull(minute.count, minute.slots.length)) {
    const smaller = minute.slots
    minute.slots = new Float64Array(smaller.length * 2)
    for (const held of smaller) if (held !== 0) put(minute.slots, held)
  }
  put(minute.slots, hash)
}

function put(slots: Float64Array, hash: number): void {
  const mask = slots.length - 1
  let at = hash & mask
  while (slots[at] !== 0) at = (at + 1) & mask
  slots[at] = hash
}

function turn(lane: number, odd: number): number {
  const product = Math.imul(lane, odd)
  return product ^ (product >>> 15)
}

/** The finalizer of MurmurHash3: every bit of the lane reaches every other. */
function finish(lane: number): number {
  let mixed = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
