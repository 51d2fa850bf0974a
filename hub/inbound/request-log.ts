import type { ReasonCode } from '../../protocol/reasons.ts'

/** What is kept of one request: values that there are anyway. Nothing is copied or written out before somebody looks. */
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
  /** The body as it was read, kept when it is small; never the bytes. Of an acg form only what was asked for. */
  body: unknown
  status: number
  code: ReasonCode | null
  bytesOut: number
  durationMs: number
}

/** Longer bodies are not held: their size is told. */
export const BODY_BYTES_KEPT = 1_024
const LONGEST_PATH = 200

export function openEntry(request: { id: string; method: string; ip: string; raw: { url?: string | undefined } }, route: string, bytesIn: number, nowMs: number): Entry {
  const url = request.raw.url ?? '/'
  const mark = url.indexOf('?')
  const end = Math.min(mark < 0 ? url.length : mark, LONGEST_PATH)
  return {
    id: request.id, atMs: nowMs, begunMs: performance.now(), method: request.method, path: end === url.length ? url : copied(url, end), route, address: request.ip, bytesIn,
    docking: '', keyId: '', body: undefined, status: 0, code: null, bytesOut: 0, durationMs: 0,
  }
}

/** A part of a text that does not hold the whole of it in memory. */
function copied(text: string, end: number): string {
  return Buffer.from(text.slice(0, end), 'latin1').toString('latin1')
}

type Ring = { entries: Entry[]; next: number; used: boolean }

/**
 * The last requests of each docking since this life began, in memory: what a partner looks at when a call went wrong.
 * Bounded a docking and in all; when all is full, a docking that has been quiet loses its log first.
 */
export class RequestLog {
  readonly perDocking: number
  readonly sinceMs: number
  readonly #mostEntries: number
  readonly #rings = new Map<string, Ring>()
  #count = 0

  constructor({ perDocking, mostEntries, sinceMs }: { perDocking: number; mostEntries: number; sinceMs: number }) {
    this.perDocking = perDocking
    this.sinceMs = sinceMs
    this.#mostEntries = mostEntries
  }

  /** Keeps a finished request. One of nobody known is kept nowhere. */
  keep(entry: Entry): void {
    if (entry.docking === '') return
    entry.durationMs = performance.now() - entry.begunMs
    let ring = this.#rings.get(entry.docking)
    if (ring === undefined) this.#rings.set(entry.docking, (ring = { entries: [], next: 0, used: true }))
    ring.used = true
    if (ring.entries.length === this.perDocking) ring.entries[ring.next] = entry
    else {
      ring.entries.push(entry)
      if (++this.#count > this.#mostEntries) this.#forgetQuiet()
    }
    ring.next = (ring.next + 1) % this.perDocking
  }

  /** Newest first, older than the request `before`; null when that one is not kept (any more). */
  page(docking: string, before: string | null, limit: number): Entry[] | null {
    const all = this.#newestFirst(docking)
    const start = before === null ? 0 : all.findIndex((entry) => entry.id === before) + 1
    return before !== null && start === 0 ? null : all.slice(start, start + limit)
  }

  find(docking: string, id: string): Entry | null {
    return this.#newestFirst(docking).find((entry) => entry.id === id) ?? null
  }

  get size(): number {
    return this.#count
  }

  #newestFirst(docking: string): Entry[] {
    const ring = this.#rings.get(docking)
    if (ring === undefined) return []
    const { entries, next } = ring
    return entries.length < this.perDocking ? entries.toReversed() : [...entries.slice(next), ...entries.slice(0, next)].toReversed()
  }

  /** Goes round the dockings: one that was written to since the last round is passed over once. */
  #forgetQuiet(): void {
    for (const [docking, ring] of this.#rings) {
      this.#rings.delete(docking)
      if (!ring.used) {
        this.#count -= ring.entries.length
        return
      }
      ring.used = false
      this.#rings.set(docking, ring)
    }
  }
}

/** Fields of a body that say what was asked and never who or with what; all others are shown by their names. */
const SHOWN = new Set(['reference', 'good', 'quantity', 'maxUnitPrice', 'kind', 'overlap', 'call', 'code'])
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
