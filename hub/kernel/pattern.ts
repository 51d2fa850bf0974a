/** Repeats written out, with one more for each choice of the way: what a pattern may ask of one character at most. */
const MOST_PLACES = 640
const LONGEST_PATTERN = 200
const MOST_KEPT = 500

/** One character of the pattern: an escape that stands for one character, a class, or itself. Word boundaries and back references are none. */
const ONE = /\\(?:u\{[0-9a-fA-F]{1,6}\}|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|[pP]\{[^}]*\}|[^1-9kbBuxcpP])|\[(?:\\.|[^\\\]])*\]|[^\\[\](){}*+?|^$]/uy
const REPEAT = /(?:([*+?])|\{(\d{1,6})(?:(,)(\d{1,6})?)?\})\??/y

type Part =
  | { kind: 'one'; source: string } | { kind: 'start' } | { kind: 'end' } | { kind: 'all'; parts: Part[] } | { kind: 'either'; ways: Part[] }
  | { kind: 'repeat'; part: Part; least: number; most: number }

/** `to` are places of the same program, `ways` those that are open without reading a character. */
type Place = { kind: 'one'; takes: (character: string) => boolean } | { kind: 'fork'; ways: number[] } | { kind: 'start' } | { kind: 'end' } | { kind: 'fits' }

export type Pattern = readonly Place[]

const kept = new Map<string, Pattern | null>()

/** Whether the hub can check the pattern in time that is bounded by its length and that of the value alone. */
export function isTamePattern(pattern: string): boolean {
  return readPattern(pattern) !== null
}

/**
 * The pattern as places to walk; null for one that is no pattern, is too long, or needs more than a walk (look-around,
 * back references, word boundaries). A pattern of the operator meets values of the partners, so it never runs as a
 * regular expression: that can go back as often as there are ways, and takes the event loop with it.
 */
export function readPattern(source: string): Pattern | null {
  const known = kept.get(source)
  if (known !== undefined) return known
  if (kept.size >= MOST_KEPT) kept.clear()
  const read = compile(source)
  if (source.length <= LONGEST_PATTERN) kept.set(source, read)
  return read
}

/**
 * Whether some part of the value fits, as a regular expression with the flag `u` has it: whole values are asked for with ^ and $.
 * All ways are walked at once, so a place is looked at once a character: `steps` is at most places x (characters + 1).
 */
export function walkPattern(pattern: Pattern, value: string): { fits: boolean; steps: number } {
  const characters = [...value]
  const seenAt = new Int32Array(pattern.length).fill(-1)
  let open: number[] = []
  let steps = 0
  for (let i = 0; i <= characters.length; i++) {
    const waiting: number[] = []
    const next = [0, ...open.reverse()]
    while (next.length > 0) {
      const at = next.pop()!
      if (seenAt[at] === i) continue
      seenAt[at] = i
      steps++
      const place = pattern[at]!
      if (place.kind === 'fits') return { fits: true, steps }
      if (place.kind === 'fork') next.push(...place.ways)
      else if (place.kind === 'one') waiting.push(at)
      else if (place.kind === 'start' ? i === 0 : i === characters.length) next.push(at + 1)
    }
    const character = characters[i]
    open = character === undefined ? [] : waiting.filter((at) => (pattern[at] as Place & { kind: 'one' }).takes(character)).map((at) => at + 1)
  }
  return { fits: false, steps }
}

function compile(source: string): Pattern | null {
  if (source.length > LONGEST_PATTERN || /\p{Cc}/u.test(source)) return null
  try {
    new RegExp(source, 'u')
  } catch {
    return null
  }
  const reader = { source, at: 0 }
  const part = readWays(reader)
  if (part === null || reader.at < source.length || sizeOf(part) > MOST_PLACES) return null
  const places: Place[] = []
  write(part, places, new Map())
  return [...places, { kind: 'fits' }]
}

type Reader = { readonly source: string; at: number }

function readWays(reader: Reader): Part | null {
  const ways: Part[] = []
  do {
    if (ways.length > 0) reader.at++
    const parts: Part[] = []
    while (reader.at < reader.source.length && !'|)'.includes(reader.source[reader.at]!)) {
      const part = readPart(reader)
      if (part === null) return null
      parts.push(part)
    }
    ways.push({ kind: 'all', parts })
  } while (reader.source[reader.at] === '|')
  return ways.length === 1 ? ways[0]! : { kind: 'either', ways }
}

function readPart(reader: Reader): Part | null {
  const part = readOne(reader)
  const repeat = part && match(REPEAT, reader)
  if (!repeat) return part
  const [, mark, least, comma, most] = repeat
  if (mark) return { kind: 'repeat', part, least: mark === '+' ? 1 : 0, most: mark === '?' ? 1 : Infinity }
  return { kind: 'repeat', part, least: Number(least), most: comma === undefined ? Number(least) : most === undefined ? Infinity : Number(most) }
}

function readOne(reader: Reader): Part | null {
  const mark = reader.source[reader.at]
  if (mark === '^' || mark === '$') {
    reader.at++
    return { kind: mark === '^' ? 'start' : 'end' }
  }
  if (mark !== '(') {
    const one = match(ONE, reader)
    return one && { kind: 'one', source: one[0] }
  }
  reader.at += reader.source.startsWith('(?:', reader.at) ? 3 : 1
  // A question mark here opens look-around or a name.
  const inside = readWays(reader)
  if (inside === null || reader.source[reader.at] !== ')') return null
  reader.at++
  return inside
}

function match(what: RegExp, reader: Reader): RegExpExecArray | null {
  what.lastIndex = reader.at
  const found = what.exec(reader.source)
  if (found) reader.at = what.lastIndex
  return found
}

/** At least the number of places that the part is written out to; nothing is written before this is known to be small. */
function sizeOf(part: Part): number {
  if (part.kind === 'all') return part.parts.reduce((sum, one) => sum + sizeOf(one), 0)
  if (part.kind === 'either') return part.ways.reduce((sum, one) => sum + sizeOf(one) + 2, 0)
  if (part.kind === 'repeat') return (sizeOf(part.part) + 1) * (part.most === Infinity ? part.least + 1 : part.most) + 1
  return 1
}

function write(part: Part, places: Place[], takers: Map<string, (character: string) => boolean>): void {
  if (part.kind === 'one') places.push({ kind: 'one', takes: takerOf(part.source, takers) })
  else if (part.kind === 'all') for (const one of part.parts) write(one, places, takers)
  else if (part.kind === 'either') writeEither(part.ways, places, takers)
  else if (part.kind === 'repeat') writeRepeat(part, places, takers)
  else places.push({ kind: part.kind })
}

function writeEither(parts: readonly Part[], places: Place[], takers: Map<string, (character: string) => boolean>): void {
  const fork = { kind: 'fork' as const, ways: [] as number[] }
  places.push(fork)
  const ends = parts.map((part) => {
    fork.ways.push(places.length)
    write(part, places, takers)
    const end = { kind: 'fork' as const, ways: [] as number[] }
    places.push(end)
    return end
  })
  for (const end of ends) end.ways.push(places.length)
}

function writeRepeat({ part, least, most }: Part & { kind: 'repeat' }, places: Place[], takers: Map<string, (character: string) => boolean>): void {
  for (let i = 0; i < least; i++) write(part, places, takers)
  const forks: { kind: 'fork'; ways: number[] }[] = []
  for (let i = least; i < (most === Infinity ? least + 1 : most); i++) {
    const fork = { kind: 'fork' as const, ways: [places.length + 1] }
    forks.push(fork)
    const start = places.push(fork) - 1
    write(part, places, takers)
    if (most === Infinity) places.push({ kind: 'fork', ways: [start] })
  }
  for (const fork of forks) fork.ways.push(places.length)
}

/** One character against one class is a question that the language answers at once. */
function takerOf(source: string, takers: Map<string, (character: string) => boolean>): (character: string) => boolean {
  const known = takers.get(source)
  if (known) return known
  const [only] = source
  const asked = new RegExp(`^(?:${source})$`, 'u')
  const taker = only === source && source !== '.' ? (character: string) => character === source : (character: string) => asked.test(character)
  takers.set(source, taker)
  return taker
}
