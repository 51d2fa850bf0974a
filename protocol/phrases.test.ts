import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { Locale } from 'typebox/system'
import { inChinese, WORDED } from './phrases.ts'
import { explain, isReasonCode, type ReasonCode } from './reasons.ts'

const root = join(import.meta.dirname, '..')

/** What programs call the thing in every language. */
const NAMES = new Set(['application/json', 'application/x-www-form-urlencoded', 'GET, POST', '@method', '@authority', '@path', '@query', 'content-digest', 'idempotency-key', 'created', 'nonce', 'keyid'])

type Token = { kind: 'text' | 'name' | 'mark'; value: string; line: number }

const SKIPPED = /(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)+/y
const QUOTED = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"/y
const NAME = /[\p{L}\p{N}_$#]+/uy
const PATTERN = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/y
const MARK = /=>|[=!]==?|[<>]=|\?\?=|\?\?|\?\.|\.\.\.|&&|\|\||[^]/y

/** The source as tokens. A template is one text, with 7 for each value that it fills in: a number, and good enough a name. */
function tokensOf(source: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(source)
    if (found) at = pattern.lastIndex
    return found
  }
  while (at < source.length) {
    if (take(SKIPPED)) continue
    const line = source.slice(0, at).split('\n').length
    const before = tokens.at(-1)
    const mayDivide = before !== undefined && (before.kind !== 'mark' ? before.value !== 'return' : /^[)\]}]$/.test(before.value))
    let found: RegExpExecArray | null
    if (source[at] === '`') {
      const end = templateEnd(source, at)
      tokens.push({ kind: 'text', value: unescape(filled(source.slice(at + 1, end))), line })
      at = end + 1
    } else if ((found = take(QUOTED))) tokens.push({ kind: 'text', value: unescape(found[1] ?? found[2]!), line })
    else if ((found = take(NAME))) tokens.push({ kind: 'name', value: found[0], line })
    else if (mayDivide || !(found = take(PATTERN))) tokens.push({ kind: 'mark', value: take(MARK)![0], line })
  }
  return tokens
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, '$1')
}

/** The index of the backtick that ends the template at `start`. */
function templateEnd(source: string, start: number): number {
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === '\\') at++
    else if (source[at] === '`') return at
    else if (source.startsWith('${', at)) at = valueEnd(source, at + 2)
  }
  throw new Error('a template is not closed')
}

function valueEnd(source: string, start: number): number {
  for (let at = start, depth = 0; at < source.length; at++) {
    if (source[at] === '`') at = templateEnd(source, at)
    else if (source[at] === '{') depth++
    else if (source[at] === '}' && depth-- === 0) return at
  }
  throw new Error('a value of a template is not closed')
}

function filled(template: string): string {
  let text = ''
  for (let at = 0; at < template.length; at++) {
    if (template.startsWith('${', at)) {
      at = valueEnd(template, at + 2)
      text += '7'
    } else text += template[at]
  }
  return text
}

const OPENS = new Set(['(', '[', '{'])
const CLOSES = new Set([')', ']', '}'])
/** Names of parameters through which a helper is handed words for a refusal. */
const HANDED = new Set(['problem', 'expected', 'missing', 'needed', 'seen'])

/** Finds the words of refusals in one source. */
class Finder {
  readonly phrases = new Set<string>()
  readonly #tokens: Token[]
  readonly #seen = new Set<number>()

  constructor(source: string) {
    this.#tokens = tokensOf(source)
  }

  find(): Set<string> {
    this.#tokens.forEach((token, i) => {
      if (token.kind !== 'name') return
      const next = this.#at(i + 1)
      if (next === '(' && this.#at(i - 1) !== 'function') this.#call(i)
      if ((token.value === 'problem' || token.value === 'expected') && (next === '=' || next === '??=')) this.#read(i + 2, this.#expressionEnd(i + 2))
      if (token.value === 'x-expected' || /^(expected|problem)Of$|(Expected|Problem)$/.test(token.value)) this.#returns(token.value)
      if (token.value === 'missing' && next === '.' && this.#at(i + 2) === 'push') this.#read(i + 4, this.#close(i + 3))
    })
    this.#tokens.forEach((token, i) => {
      if (token.kind === 'text' && token.value === 'x-expected' && this.#at(i + 1) === ':') this.#read(i + 2, this.#expressionEnd(i + 2))
    })
    return this.phrases
  }

  #at(i: number): string {
    const token = this.#tokens[i]
    return token === undefined || token.kind === 'text' ? '' : token.value
  }

  #close(open: number): number {
    let depth = 0
    for (let i = open; i < this.#tokens.length; i++) {
      if (OPENS.has(this.#at(i))) depth++
      else if (CLOSES.has(this.#at(i)) && --depth === 0) return i
    }
    throw new Error('a bracket is not closed')
  }

  /** The parts between the commas of a bracket, as [start, end). */
  #parts(open: number): [number, number][] {
    const end = this.#close(open)
    const parts: [number, number][] = []
    let start = open + 1
    for (let i = start; i <= end; i++) {
      if (i === end || this.#at(i) === ',') {
        if (i > start) parts.push([start, i])
        start = i + 1
      } else if (OPENS.has(this.#at(i))) i = this.#close(i)
    }
    return parts
  }

  /** An expression ends with its line, its comma or the bracket around it. */
  #expressionEnd(start: number): number {
    let i = start
    for (; i < this.#tokens.length; i++) {
      if (CLOSES.has(this.#at(i)) || this.#at(i) === ',') break
      if (i > start && this.#tokens[i]!.line > this.#tokens[i - 1]!.line && !/^[?:&|+.]/.test(this.#at(i)) && !/^[?:&|+=]+$/.test(this.#at(i - 1))) break
      if (OPENS.has(this.#at(i))) i = this.#close(i)
    }
    return i
  }

  /** A call that names a reason, or one of a helper in this source. */
  #call(i: number): void {
    const parts = this.#parts(i + 1)
    const named = parts.some(([start]) => this.#tokens[start]!.kind === 'text' && isReasonCode(this.#tokens[start]!.value))
    if (named || this.#at(i) === 'refuse') for (const [start] of parts) if (this.#at(start) === '{') this.#because(start)
    if (this.#at(i - 1) === '.') return
    this.#parameters(this.#at(i)).forEach((name, position) => {
      const part = parts[position]
      if (part && HANDED.has(name)) this.#read(...part)
    })
  }

  #because(open: number): void {
    for (const [start, end] of this.#parts(open)) {
      if (!WORDED.has(this.#at(start))) continue
      if (end === start + 1) this.#read(start, end)
      else if (this.#at(start + 1) === ':') this.#read(start + 2, end)
    }
  }

  /** Takes the texts that the expression may become, not those it compares with or hands to a call. */
  #read(start: number, end: number): void {
    for (let i = start; i < end; i++) {
      const { kind, value } = this.#tokens[i]!
      const compared = /^[!=]==$/.test(this.#at(i - 1)) || /^[!=]==$/.test(this.#at(i + 1))
      if (kind === 'text') {
        if (value !== '' && !compared) this.phrases.add(value)
      } else if (kind === 'name' && this.#at(i - 1) !== '.' && this.#at(i + 1) !== ':') this.#resolve(value, this.#at(i + 1) === '(')
      const after = this.#tokens[i - 1]
      const belongs = after !== undefined && i > start && (after.kind === 'name' || CLOSES.has(this.#at(i - 1)))
      if (belongs && (value === '(' || value === '[') && kind === 'mark') i = this.#close(i)
    }
  }

  /** What a constant was set to, and what a function returns. */
  #resolve(name: string, called: boolean): void {
    if (called) return this.#returns(name)
    this.#tokens.forEach((token, i) => {
      if (token.value !== 'const' || this.#at(i + 1) !== name || this.#seen.has(i)) return
      this.#seen.add(i)
      const equals = this.#at(i + 2) === '=' ? i + 2 : this.#at(i + 2) === ':' ? this.#tokens.findIndex((t, at) => at > i && t.value === '=') : -1
      if (equals > 0) this.#read(equals + 1, this.#expressionEnd(equals + 1))
    })
  }

  #declaration(name: string): number {
    return this.#tokens.findIndex((token, i) => token.kind === 'name' && token.value === name &&
      (this.#at(i - 1) === 'function' ? this.#at(i + 1) === '(' : this.#at(i - 1) === 'const' && this.#at(i + 1) === '=' && this.#at(i + 2) === '(' && this.#isArrow(i + 2)))
  }

  #isArrow(open: number): boolean {
    return this.#at(this.#close(open) + 1) === '=>' || this.#at(this.#close(open) + 1) === ':'
  }

  #parameters(name: string): string[] {
    const at = this.#declaration(name)
    if (at < 0) return []
    return this.#parts(this.#at(at + 1) === '(' ? at + 1 : at + 2).map(([start]) => this.#at(start))
  }

  #returns(name: string): void {
    const at = this.#declaration(name)
    if (at < 0 || this.#seen.has(at) || this.#at(at - 1) !== 'function') return
    this.#seen.add(at)
    let open = this.#close(at + 1) + 1
    while (this.#at(open) !== '{') open++
    const end = this.#close(open)
    for (let i = open; i < end; i++) if (this.#at(i) === 'return') this.#read(i + 1, this.#expressionEnd(i + 1))
  }
}

function phrasesOf(source: string): string[] {
  return [...new Finder(source).find()].filter((phrase) => !NAMES.has(phrase))
}

function untranslated(phrases: readonly string[]): string[] {
  return phrases.filter((phrase) => !/\p{Script=Han}/u.test(inChinese(phrase)) && !/^(acg or bearer|true or false)$/.test(phrase))
}

export const sources = globSync(['protocol/**/*.ts', 'dialects/**/*.ts', 'hub/**/*.ts'], { cwd: root }).filter((file) => !file.endsWith('.test.ts'))
const found = new Map(sources.map((file) => [file, phrasesOf(readFileSync(join(root, file), 'utf8'))]))

test('every phrase that a refusal carries has its Chinese', () => {
  assert.deepEqual([...found].flatMap(([file, phrases]) => untranslated(phrases).map((phrase) => `${file}: ${phrase}`)), [])
})
for (const [file, phrases] of found) if (phrases.length) console.log(file, phrases)
