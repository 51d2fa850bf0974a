import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import { inChinese, WORDED } from './phrases.ts'
import { explain, isReasonCode, type ReasonCode } from './reasons.ts'

const root = join(import.meta.dirname, '..')

/** What has no word in it: paths, methods, media types, names of a signature, sizes, and texts without letters. */
const WORDLESS = /^(?:\??\/\S*|[A-Z]+(?:, [A-Z]+)*|application\/[\w-]+|@[a-z-]+|signature-input\.\S+|\d+ KB|[^A-Za-z]*)$/

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
      if (token.kind === 'mark' && token.value === '{') this.#rule(i)
      if (token.kind !== 'name') return
      const next = this.#at(i + 1)
      if (next === '(' && this.#at(i - 1) !== 'function') this.#call(i)
      if ((token.value === 'problem' || token.value === 'expected') && (next === '=' || next === '??=')) this.#read(i + 2, this.#expressionEnd(i + 2))
      if (token.value === 'expectedOf') this.#returns(token.value)
      if (token.value === 'missing' && next === '.' && this.#at(i + 2) === 'push') this.#read(i + 4, this.#close(i + 3))
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

  /** A schema with a pattern says in its title what the pattern means. */
  #rule(open: number): void {
    const parts = this.#parts(open)
    const has = (start: number, name: string) => this.#at(start) === name && this.#at(start + 1) === ':'
    if (!parts.some(([start]) => has(start, 'pattern'))) return
    for (const [start, end] of parts) if (has(start, 'title')) this.#read(start + 2, end)
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
      const follows = i > start && (this.#tokens[i - 1]!.kind === 'name' || CLOSES.has(this.#at(i - 1)))
      if (follows && kind === 'mark' && (value === '(' || value === '[')) i = this.#close(i)
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
  return [...new Finder(source).find()].filter((text) => !WORDLESS.test(text))
}

/** What a Chinese reader could not read: a phrase without a line in the table, or one whose line kept an English word. */
function faultsOf(phrase: string, chinese = inChinese(phrase)): string[] {
  if (!/\p{Script=Han}/u.test(chinese)) return [`${phrase}: has no Chinese`]
  const kept = chinese.match(/[A-Za-z][\w-]*/g) ?? []
  return kept.filter((word) => word !== 'BOM' && !phrase.includes(word)).map((word) => `${phrase}: the Chinese says ${word}`)
}

const sources = new Map(globSync(['protocol/**/*.ts', 'dialects/**/*.ts', 'hub/**/*.ts'], { cwd: root })
  .filter((file) => !file.endsWith('.test.ts')).map((file) => [file, readFileSync(join(root, file), 'utf8')]))
const found = new Map([...sources].map(([file, source]) => [file, phrasesOf(source)]))

test('every phrase that a refusal carries has its Chinese', () => {
  assert.deepEqual([...found].flatMap(([file, phrases]) => phrases.flatMap((phrase) => faultsOf(phrase)).map((fault) => `${file}: ${fault}`)), [])
})

test('the finder hears every room that refuses', () => {
  const heard: Record<string, string> = {
    'protocol/signature.ts': 'whole seconds since 1970 as an integer, not before created',
    'protocol/structured-fields.ts': 'this label stands twice',
    'protocol/wire/json.ts': 'a control character in a string is not escaped',
    'protocol/wire/form.ts': 'a field has no name',
    'dialects/acg/asks.ts': 'a whole number from 1 to 1000, in digits',
    'hub/inbound/edge.ts': '7 Host headers',
    'hub/inbound/pipeline.ts': 'none',
    'hub/inbound/operator/dockings.ts': 'acg or bearer',
    'hub/domain/orders/rules.ts': 'quantity',
    'hub/domain/decisions/honesty.ts': 'ground: an article',
    'hub/domain/catalogue/service.ts': 'line 7',
    'hub/platform/limiter.ts': '7 failed sign-ins a minute',
  }
  for (const [file, phrase] of Object.entries(heard)) assert.ok(found.get(file)?.includes(phrase), `${file}: ${phrase}`)
})

const planted = `
const RULE: Record<string, string> = { a: 'from a table', b: "from a second row" }
const half = /['"\`]/.test(text) ? 'from a constant' : 'another of it' // 'not from a remark'
function invalid(path: string, expected: string): Outcome<never> {
  return refuse('protocol.invalid_field', { path, expected })
}
const bad = (path: string, expected: string) => refuse('protocol.invalid_field', { path, expected })
function whatIsWrong(code: number): string | null {
  if (code === 0) return 'from a function'
  return code === 1 ? \`from a \${f('x')} template\` : null
}
if (kind === 'compared') return refuse('protocol.host_ambiguous', { seen: 'in the call' })
refused('orders.reference_reused', { reference: 'not a word', differs: a !== 'compared too' ? 'chosen' : 'or chosen' })
fail(line, 'protocol.invalid_field', { path: '/a', expected: RULE[name] ?? '' })
invalid('/b', half)
bad('/c', text.slice('not handed') || 'handed by an arrow')
malformed(whatIsWrong(code) ?? 'otherwise')
function malformed(problem: string) { return refuse('partners.signature_malformed', { problem }) }
problem ??= 'set'
missing.push('pushed')
const Code = Type.String({ pattern: '^a$', title: 'beside a pattern' })
const page = { title: 'not a word of a refusal' }
`

test('the finder takes each way of saying a phrase, and leaves what is no phrase', () => {
  assert.deepEqual(phrasesOf(planted).toSorted(), [
    'another of it', 'beside a pattern', 'chosen', 'from a 7 template', 'from a constant', 'from a function', 'from a second row', 'from a table',
    'handed by an arrow', 'in the call', 'or chosen', 'otherwise', 'pushed', 'set',
  ])
})

test('a phrase without Chinese is a fault, and so is Chinese that kept English words', () => {
  assert.deepEqual(phrasesOf(`refuse('protocol.malformed_request', { problem: 'the moon is full', at: 'the head' })`).flatMap((phrase) => faultsOf(phrase)), ['the moon is full: has no Chinese'])
  assert.deepEqual(faultsOf('the body is empty'), [])
  assert.deepEqual(faultsOf('an Ed25519 key', 'Ed25519 的 public 密钥'), ['an Ed25519 key: the Chinese says public'])
})

test('each word of the schema library that the doors can give has its Chinese, and none shows a pattern', () => {
  const doors = [...sources].filter(([file]) => file === 'protocol/messages.ts' || file.startsWith('hub/inbound/')).map(([, source]) => source).join('\n')
  const built = new Set([...doors.matchAll(/\bType\.([A-Z]\w+)\(/g)].map((hit) => hit[1]!))
  // Another kind of schema has words of its own: give it a line here and in the table.
  assert.deepEqual([...built].filter((kind) => !['Object', 'Optional', 'String', 'Integer', 'Boolean', 'Null', 'Array', 'Union', 'Literal', 'Record', 'Unknown', 'Number'].includes(kind)), [])
  const ajv = addFormats.default(new Ajv({ allErrors: true, strictTypes: false }))
  const wrong: [schema: object, value: unknown][] = [
    ...['string', 'integer', 'number', 'boolean', 'null', 'array', 'object'].map((type): [object, unknown] => [{ type }, type === 'string' ? 1 : 'x']),
    [{ minimum: 3 }, 1], [{ maximum: 3 }, 4], [{ minLength: 3 }, 'a'], [{ maxLength: 3 }, 'abcd'], [{ minItems: 3 }, []], [{ maxItems: 3 }, [1, 2, 3, 4]],
    [{ type: 'string', format: 'date-time' }, 'today'], [{ maxProperties: 3 }, { a: 1, b: 2, c: 3, d: 4 }], [{ type: 'array', uniqueItems: true }, [1, 1]],
  ]
  const messages = wrong.map(([schema, value]) => {
    assert.equal(ajv.validate(schema, value), false)
    return ajv.errors![0]!.message!.replace(' NOT ', ' not ')
  })
  assert.deepEqual([...messages, 'no such field here', 'this field is required', 'written as /openapi.json says'].flatMap((phrase) => faultsOf(phrase)), [])
  assert.equal(inChinese('one of sandbox, live'), '可选值为 sandbox、live')
})

test('the sentence for a Chinese reader is Chinese throughout, but for what the asker named', () => {
  const told: [ReasonCode, Record<string, unknown>, string][] = [
    ['protocol.invalid_field', { path: '/num', expected: 'a whole number from 1 to 1000, in digits' }, '字段 /num：1 至 1000 的整数，用数字书写。'],
    ['protocol.malformed_request', { problem: 'a string is not closed', at: 'line 3 column 14' }, '请求正文格式有误：字符串没有结束引号，位置 第 3 行第 14 列。'],
    ['partners.signature_malformed', { problem: 'Signature-Input, character 9: the value of created cannot be read' }, '签名无法解析：Signature-Input 第 9 个字符：created 的值无法解析。'],
    ['decisions.statement_incomplete', { missing: ['facts', 'class technical for partners.key_leaked', 'ground: an article'] }, '此类措施的处理说明缺少：事实说明、partners.key_leaked 所属的类别（技术原因）、依据：具体条款。'],
    ['terms.payment_overdue', { measure: 'suspend', since: '2026-11-01T00:00:00Z' }, '因款项逾期未付，自 2026-11-01T00:00:00Z 起：暂停。'],
    ['platform.rate_limited', { allowed: '5 failed sign-ins a minute', retryAfterS: 7 }, '公示上限为 每分钟 5 次登录失败，请 7 秒后重试。'],
    ['orders.reference_reused', { reference: 'form', differs: 'form' }, '订单号 form 已有订单，且下单表单不同。'],
    ['catalogue.good_not_found', { good: 'body' }, '商品不存在：body。'],
    ['partners.scope_missing', { needed: 'orders:write', granted: ['goods:read', 'funds:read'] }, '此调用需要权限 orders:write，密钥现有 goods:read、funds:read。'],
  ]
  for (const [code, because, sentence] of told) assert.equal(explain({ code, because }, 'zh'), sentence)
  assert.equal(explain({ code: 'protocol.invalid_field', because: { path: '/num', expected: 'a whole number from 1 to 1000, in digits' } }, 'en'), '/num: a whole number from 1 to 1000, in digits.')
})

test('what the table does not hold is told as it came, and a name cannot bring phrases of its own', () => {
  for (const text of ['', 'the moon', 'at most many characters', '"" is covered twice', 'constructor', '{n} Host headers', `"${'a'.repeat(400)}" is covered twice`]) assert.equal(inChinese(text), text)
  assert.equal(inChinese('a, character 1: b, character 2: body'), 'a 第 1 个字符：b, character 2: body')
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (name) => {
    fc.pre(name !== '')
    assert.equal(inChinese(`"${name}" is covered twice`), `"${name}" 被重复覆盖`)
  }))
})
