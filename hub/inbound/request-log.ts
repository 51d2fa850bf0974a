import { reasonCodes, type ReasonCode } from '../../protocol/reasons.ts'
import type { Meeting } from '../domain/sandbox/index.ts'
import { addressOf } from './address.ts'

/** One request as it goes through the doors; `keep` writes it down. */
export type Entry = {
  readonly id: string
  readonly atMs: number
  readonly begunMs: number
  readonly method: string
  /** Without its query. */
  readonly path: string
  readonly route: string
  readonly address: string
  readonly bytesIn: number
  docking: string
  keyId: string
  /** Whether a key proved who asks. Whoever names a docking's key and fails has a place of its own in that docking's log. */
  isProven: boolean
  /** The bytes of a JSON body. Of an acg form only what was asked for, as an object: the form carries the shop's key. */
  body: Uint8Array | object | null
  status: number
  code: ReasonCode | null
  bytesOut: number
  /** The fault that a request of a sandbox meets. */
  struck: Meeting | null
  /** Whether a signature proved who asks. */
  isSigned: boolean
}

/** One request as it is shown; `body` is what was read of it, null when it was too long to be kept or is no JSON. */
export type Kept = Omit<Entry, 'begunMs' | 'docking' | 'isProven' | 'body' | 'struck' | 'isSigned'> & { body: unknown; durationMs: number }

/** Longer bodies are not held: their size is told. */
export const BODY_BYTES_KEPT = 280
const LONGEST_PATH = 80

export function openEntry(request: { id: string; method: string; ip: string; raw: { url?: string | undefined } }, route: string, bytesIn: number, nowMs: number): Entry {
  const url = request.raw.url ?? '/'
  const mark = url.indexOf('?')
  return {
    id: request.id, atMs: nowMs, begunMs: performance.now(), method: request.method, path: mark < 0 ? url : url.slice(0, mark), route, address: addressOf(request), bytesIn,
    docking: '', keyId: '', isProven: false, body: null, status: 0, code: null, bytesOut: 0, struck: null, isSigned: false,
  }
}

type Ring = { slots: Buffer; filled: number; next: number; used: boolean }

// A slot: two doubles, two 32-bit and three 16-bit numbers, a double, then texts with their lengths in front.
const AT = 0, DURATION = 8, BYTES_IN = 16, BYTES_OUT = 20, STATUS = 24, CODE = 26, ROUTE = 28, TURN = 30, TEXTS = 38
const LONGEST_NAME = 31
const SLOT_BYTES = TEXTS + 4 * (1 + LONGEST_NAME) + 2 + LONGEST_PATH + BODY_BYTES_KEPT
const FIRST_SLOTS = 8
/** Enough to see that somebody tries, or that one's own program signs wrongly. */
const MOST_UNPROVEN = 10

/**
 * The last requests of each docking since this life began, in memory: what a partner looks at when a call went wrong.
 * Bounded a docking and in all; when all is full, failed sign-ins go first, then the log of a docking that has been quiet.
 * Failed sign-ins have ten places a docking beside its own: anybody can make them, and they push out nothing that was proven.
 *
 * They are written into buffers. As objects each of them outlived its request by seconds, and moving them through the
 * generations of the heap cost 40 MB and half as much again as the order itself.
 */
export class RequestLog {
  readonly perDocking: number
  readonly sinceMs: number
  readonly #mostEntries: number
  readonly #rings = new Map<string, Ring>()
  readonly #unproven = new Map<string, Ring>()
  /** Method and route, which are few, by number. */
  readonly #routes: { method: string; route: string }[] = []
  readonly #routeNumbers = new Map<string, Map<string, number>>()
  #count = 0
  #turn = 0

  constructor({ perDocking, mostEntries, sinceMs }: { perDocking: number; mostEntries: number; sinceMs: number }) {
    this.perDocking = perDocking
    this.sinceMs = sinceMs
    this.#mostEntries = mostEntries
  }

  /** Keeps a finished request. One of nobody known is kept nowhere. */
  keep(entry: Entry): void {
    if (entry.docking === '') return
    const [rings, most] = entry.isProven ? [this.#rings, this.perDocking] : [this.#unproven, Math.min(MOST_UNPROVEN, this.perDocking)]
    let ring = rings.get(entry.docking)
    if (ring === undefined) rings.set(entry.docking, (ring = { slots: Buffer.alloc(Math.min(FIRST_SLOTS, most) * SLOT_BYTES), filled: 0, next: 0, used: true }))
    ring.used = true
    if ((ring.next + 1) * SLOT_BYTES > ring.slots.length) ring.slots = Buffer.concat([ring.slots], Math.min(ring.slots.length * 2, most * SLOT_BYTES))
    this.#write(ring.slots.subarray(ring.next * SLOT_BYTES, (ring.next + 1) * SLOT_BYTES), entry)
    ring.next = (ring.next + 1) % most
    if (ring.filled === most) return
    ring.filled++
    if (++this.#count > this.#mostEntries) this.#forgetQuiet()
  }

  /** Newest first, older than the request `before`; null when that one is not kept (any more). */
  page(docking: string, before: string | null, limit: number): Kept[] | null {
    const all = this.#newestFirst(docking)
    const start = before === null ? 0 : all.findIndex((entry) => entry.id === before) + 1
    return before !== null && start === 0 ? null : all.slice(start, start + limit)
  }

  find(docking: string, id: string): Kept | null {
    return this.#newestFirst(docking).find((entry) => entry.id === id) ?? null
  }

  get size(): number {
    return this.#count
  }

  #newestFirst(docking: string): Kept[] {
    const slots = [this.#rings.get(docking), this.#unproven.get(docking)].flatMap((ring) => (ring === undefined ? [] : Array.from({ length: ring.filled }, (_, i) => ring.slots.subarray(i * SLOT_BYTES, (i + 1) * SLOT_BYTES))))
    return slots.sort((a, b) => b.readDoubleLE(TURN) - a.readDoubleLE(TURN)).map((slot) => this.#read(slot))
  }

  #write(slot: Buffer, entry: Entry): void {
    slot.writeDoubleLE(entry.atMs, AT)
    slot.writeDoubleLE(performance.now() - entry.begunMs, DURATION)
    slot.writeUInt32LE(entry.bytesIn, BYTES_IN)
    slot.writeUInt32LE(entry.bytesOut, BYTES_OUT)
    slot.writeUInt16LE(entry.status, STATUS)
    slot.writeUInt16LE(entry.code === null ? 0 : reasonCodes.indexOf(entry.code) + 1, CODE)
    slot.writeUInt16LE(this.#routeNumber(entry.method, entry.route), ROUTE)
    slot.writeDoubleLE(++this.#turn, TURN)
    let at = TEXTS
    for (const text of [entry.id, entry.keyId, entry.address]) {
      const bytes = slot.write(text, at + 1, LONGEST_NAME, 'latin1')
      slot[at] = bytes
      at += 1 + bytes
    }
    // Most addresses are their route: that is told by no length at all.
    slot[at] = entry.path === entry.route ? 0 : slot.write(entry.path, at + 1, LONGEST_PATH, 'latin1')
    at += 1 + slot[at]!
    const { body } = entry
    const bytes = body === null ? null : body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body))
    const length = bytes === null || bytes.length > BODY_BYTES_KEPT ? 0 : bytes.length
    slot.writeUInt16LE(length, at)
    if (length > 0) slot.set(bytes!, at + 2)
  }

  #read(slot: Buffer): Kept {
    let at = TEXTS
    const text = (): string => {
      const from = at + 1
      at = from + slot[at]!
      return slot.toString('latin1', from, at)
    }
    const [id, keyId, address, path] = [text(), text(), text(), text()]
    const length = slot.readUInt16LE(at)
    const { method, route } = this.#routes[slot.readUInt16LE(ROUTE)]!
    const code = slot.readUInt16LE(CODE)
    return {
      id, keyId, address, method, route, path: path === '' ? route : path, atMs: slot.readDoubleLE(AT), durationMs: slot.readDoubleLE(DURATION), bytesIn: slot.readUInt32LE(BYTES_IN),
      bytesOut: slot.readUInt32LE(BYTES_OUT), status: slot.readUInt16LE(STATUS), code: code === 0 ? null : reasonCodes[code - 1]!, body: length === 0 ? null : parsed(slot.subarray(at + 2, at + 2 + length)),
    }
  }

  #routeNumber(method: string, route: string): number {
    let numbers = this.#routeNumbers.get(method)
    if (!numbers) this.#routeNumbers.set(method, (numbers = new Map()))
    let number = numbers.get(route)
    if (number === undefined) {
      number = this.#routes.push({ method, route }) - 1
      numbers.set(route, number)
    }
    return number
  }

  /** Failed sign-ins first; then it goes round the dockings: one that was written to since the last round is passed over once. */
  #forgetQuiet(): void {
    for (const [docking, ring] of this.#unproven) {
      this.#unproven.delete(docking)
      this.#count -= ring.filled
      return
    }
    for (const [docking, ring] of this.#rings) {
      this.#rings.delete(docking)
      if (!ring.used) {
        this.#count -= ring.filled
        return
      }
      ring.used = false
      this.#rings.set(docking, ring)
    }
  }
}

/** The bytes came from outside: what is no JSON is not shown. */
function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return null
  }
}

/** Fields of a body that say what was asked and never who or with what; all others are shown by their names. */
const SHOWN = new Set(['reference', 'good', 'quantity', 'maxUnitPrice', 'kind', 'overlap', 'call', 'code', 'after', 'limit'])
const MOST_FIELDS = 20
const LONGEST_VALUE = 64
const NAME = /^[A-Za-z_]{1,24}$/
const HIDDEN = '***'

/** The fields of a kept body; none when it was too long or could not be read. */
export function fieldsOf(body: unknown): Record<string, string | number> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return {}
  const shown: Record<string, string | number> = {}
  for (const [name, value] of Object.entries(body).slice(0, MOST_FIELDS)) {
    const isPlain = typeof value === 'number' || (typeof value === 'string' && value.length <= LONGEST_VALUE)
    shown[NAME.test(name) ? name : HIDDEN] = SHOWN.has(name) && isPlain ? (typeof value === 'string' ? withoutSecrets(value) : value) : HIDDEN
  }
  return shown
}

/** Keys and signing secrets are long runs of letters and digits; whoever puts one into a path or a field does not meet it again. */
export function withoutSecrets(text: string): string {
  return text.replace(/bth_[0-9A-Za-z_]+|[0-9A-Za-z_-]{40,}/g, HIDDEN)
}

/** Enough of an address to tell one's own machines apart: three parts of an IPv4 address, the first 48 bits of an IPv6 one. */
export function prefixOf(address: string): string {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  if (plain.includes('.')) return `${plain.split('.').slice(0, 3).join('.')}.0/24`
  const [head = ''] = plain.split('::')
  return `${head.split(':').slice(0, 3).join(':') || ''}::/48`
}
