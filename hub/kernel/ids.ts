/** Crockford's base32 in lower case: no letter that is mistaken for a digit, and byte order is time order. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

export type IdPrefix = 'ord' | 'gds' | 'dck' | 'prt' | 'key' | 'dec' | 'lot' | 'dep' | 'req' | 'chk' | 'chg' | 'ctc' | 'ntc' | 'cfr' | 'rul' | 'cmt' | 'ctr' | 'dft' | 'fnd' | 'apl' | 'drl'

/**
 * Makes ids such as `ord_01jd3q8w5kz0g7tq4m2x`: 10 characters of milliseconds, 10 of a random number that counts up
 * within one millisecond, so that ids of one process sort in the order in which they were made.
 * Ids are made in the app and never by a database sequence: a row knows its id before it is written.
 */
export class IdMaker {
  #lastMs = -1
  #low = 0
  #high = 0
  readonly #random: () => number

  /** @param random a source of numbers in [0, 1) that nobody outside can predict */
  constructor(random: () => number) {
    this.#random = random
  }

  make(prefix: IdPrefix, nowMs: number): string {
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs
      // 24 of the 25 bits: the counter can then never run over within one millisecond.
      this.#high = Math.floor(this.#random() * 0x1000000)
      this.#low = Math.floor(this.#random() * 0x1000000)
    } else if (++this.#low > 0x1ffffff) {
      this.#low = 0
      this.#high++
    }
    return `${prefix}_${encode(this.#lastMs, 10)}${encode(this.#high, 5)}${encode(this.#low, 5)}`
  }
}

function encode(value: number, length: number): string {
  let text = ''
  for (let i = 0; i < length; i++) {
    text = ALPHABET[value % 32] + text
    value = Math.floor(value / 32)
  }
  return text
}

const ID = /^[a-z]{3}_[0-9a-z]{20}$/

/** Whether a text could be an id of this kind; says nothing about whether it exists. */
export function isId(prefix: IdPrefix, text: string): boolean {
  return text.length === 24 && text.startsWith(prefix) && ID.test(text)
}
