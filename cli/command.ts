import { parseArgs } from 'node:util'
import { WrongUsage, type Lang, type Problem, type Words } from './problem.ts'

export { WrongUsage }

/** Documented in `berth --help`; scripts rely on them. */
export const exitCodes = { done: 0, refused: 1, wrongUsage: 2, found: 3, unreachable: 4, technical: 10, commercial: 11, compliance: 12 } as const


export type Option = {
  name: string
  /** What stands for the value in the usage line; an option without one is a switch. */
  value?: string
  isRequired?: true
  /** Another option in whose presence this one is not required. */
  unless?: string
  /** May be given more than once. */
  isMany?: true
  oneOf?: readonly string[]
  what: Words
}

export type Command = {
  /** One word or more: "docking add", "prices group set". */
  name: string
  who: 'operator' | 'partner' | 'compliance'
  summary: Words
  operands: readonly { name: string; what: Words }[]
  options: readonly Option[]
  /** What one should know before the first use, a paragraph a line. */
  teaches: readonly Words[]
  examples: readonly { line: string; what: Words }[]
  run: (asked: Asked) => Promise<Ending>
}

/** How a command ended: a value for programs and a text for people, of which one is printed. */
export type Ending = { exitCode: number; json: unknown; text: string; refusal?: Problem }

export type Surroundings = {
  env: NodeJS.ProcessEnv
  stdin: AsyncIterable<Uint8Array>
  stdout: (text: string) => void
  stderr: (text: string) => void
  /** Whether a person watches stderr. */
  isTerminal: boolean
  nowMs: () => number
}

/** What was typed, checked against the command's own declaration. */
export type Asked = {
  operands: readonly string[]
  option: (name: string) => string | undefined
  /** A required option: it is there. */
  needed: (name: string) => string
  all: (name: string) => readonly string[]
  lang: Lang
  env: NodeJS.ProcessEnv
  stdin: AsyncIterable<Uint8Array>
  nowMs: () => number
  /** Overwrites one line for whoever watches; a plain line now and then where nobody does, and nothing beside --json. '' clears. */
  progress: (text: string) => void
}

export function done(json: unknown, text: string, exitCode: number = exitCodes.done): Ending {
  return { exitCode, json, text }
}

/** A problem document; a fault of the hub counts as not reachable. */
export function refused(problem: Problem): Ending {
  return { exitCode: problem.status >= 500 ? exitCodes.unreachable : exitCodes.refused, json: problem, text: '', refusal: problem }
}

/** Options that every command takes. */
export const everywhere: readonly Option[] = [
  { name: 'json', what: { en: 'Print exactly one JSON document, also for a refusal.', zh: '只输出一份 JSON（被拒绝时也是）。' } },
  { name: 'lang', value: 'LANG', oneOf: ['en', 'zh'], what: { en: 'The language of texts; the default follows LC_ALL and LANG.', zh: '文字语言，默认按 LC_ALL、LANG 判断。' } },
  { name: 'help', what: { en: 'Explain the command, with examples.', zh: '说明命令用法并给出示例。' } },
]

export type Typed = { operands: string[]; values: ReadonlyMap<string, readonly string[]> }

/** Reads what follows the command's name. Throws WrongUsage for anything that was not declared. */
export function readArguments(command: Command, argv: readonly string[]): Typed {
  const declared = new Map([...everywhere, ...command.options].map((option) => [option.name, option]))
  const { tokens } = parseArgs({
    args: [...argv], strict: false, allowPositionals: true, tokens: true,
    options: Object.fromEntries([...declared.values()].map((option) => [option.name, { type: option.value ? 'string' as const : 'boolean' as const, ...(option.name === 'help' ? { short: 'h' } : {}) }])),
  })
  const operands: string[] = []
  const values = new Map<string, string[]>()
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    const option = declared.get(token.name)
    if (!option) throw new WrongUsage({ en: `There is no option ${token.rawName} here.`, zh: `没有选项 ${token.rawName}。` })
    const value = readValue(option, token.value, token.inlineValue ?? false)
    const before = values.get(option.name)
    if (before && option.value && !option.isMany) throw new WrongUsage({ en: `--${option.name} is given twice.`, zh: `选项 --${option.name} 重复。` })
    values.set(option.name, [...(before ?? []), value])
  }
  if (!values.has('help')) checkComplete(command, operands, values)
  return { operands, values }
}

function readValue(option: Option, value: string | undefined, isInline: boolean): string {
  const name = `--${option.name}`
  if (!option.value) {
    if (isInline) throw new WrongUsage({ en: `${name} takes no value.`, zh: `选项 ${name} 不带值。` })
    return ''
  }
  // A value that looks like an option is most likely one whose own value was forgotten.
  if (value === undefined || value === '' || (!isInline && value.startsWith('-') && value.length > 1)) {
    throw new WrongUsage({ en: `${name} needs a value: ${name} ${option.value}.`, zh: `选项 ${name} 缺少值：${name} ${option.value}。` })
  }
  if (option.oneOf && !option.oneOf.includes(value)) {
    throw new WrongUsage({ en: `${name} is one of ${option.oneOf.join(', ')}; not "${value}".`, zh: `选项 ${name} 只能是 ${option.oneOf.join('、')}，不能是“${value}”。` })
  }
  return value
}

function checkComplete(command: Command, operands: readonly string[], values: ReadonlyMap<string, unknown>): void {
  const missing = [
    ...command.operands.slice(operands.length).map((operand) => operand.name),
    ...command.options.filter((option) => option.isRequired && !values.has(option.name) && !(option.unless && values.has(option.unless))).map((option) => `--${option.name}`),
  ]
  if (missing.length > 0) throw new WrongUsage({ en: `Missing: ${missing.join(', ')}.`, zh: `缺少：${missing.join('、')}。` })
  const extra = operands[command.operands.length]
  if (extra !== undefined) throw new WrongUsage({ en: `"${extra}" is one word too many.`, zh: `多出了“${extra}”。` })
}
