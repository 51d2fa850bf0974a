import { readFileSync } from 'node:fs'
import { HubUnreachable, type Problem } from './client.ts'
import { exitCodes, readArguments, WrongUsage, type Command, type Ending, type Surroundings, type Typed } from './command.ts'
import { addDocking, listDockings } from './commands/docking.ts'
import { addKey, endKey } from './commands/key.ts'
import { importGoods, listGoods } from './commands/goods.ts'
import { importCards } from './commands/cards.ts'
import { diagnoseRequest } from './commands/diagnose.ts'
import { examineDocking } from './commands/doctor.ts'
import { bookDeposit, showBalance } from './commands/funds.ts'
import { setPrice } from './commands/price.ts'
import { cancelPriceChange, changePrices, listPriceChanges } from './commands/price-change.ts'
import { addPriceGroup, assignPrices, setLevel, setPriceRule, showPriceGroups } from './commands/price-group.ts'
import { checkPrices, ownPrice, showPriceHistory } from './commands/price-record.ts'
import { deliverOrder, listWaiting, refundOrder } from './commands/delivery.ts'
import { guardDocking, mountDocking } from './commands/dialect.ts'
import { setImage } from './commands/image.ts'
import { holdDocking, liftDecision } from './commands/decisions.ts'
import { askEvidence, decideAppeal, extendAppeal, listAppeals, showAppeal } from './commands/appeal-review.ts'
import { fileAppeal, giveEvidence, listOwnAppeals, withdrawAppeal } from './commands/appeals.ts'
import { checkLedger, listDoubtful } from './commands/books.ts'
import { confirmCase, endCase, listAccesses, listCaseMovements, listCases, moveCase, noteCase, openCase, showCase, writeDossier } from './commands/case.ts'
import { showFigures } from './commands/figures.ts'
import { listFindings, showEvidence } from './commands/findings.ts'
import { approveDecision, decideMeasure, listDecisions, runCheck, showDecision, supersedeDecision } from './commands/measures.ts'
import { addOperator, endOperator, listOperators } from './commands/persons.ts'
import { checkLog, eraseFromLog } from './commands/log.ts'
import { verifyLog, witnessLog } from './commands/verify.ts'
import { addContact, listContacts, removeContact } from './commands/contacts.ts'
import { alertBalance, alertStock, listAlerts } from './commands/alerts.ts'
import { listNotices, retryNotice } from './commands/notices.ts'
import { applyMigration, checkMigration, followMigration, planMigration, withdrawMigration } from './commands/migrate.ts'
import { abandonDrill, listDrills, planDrill, runDrill, showDrill, startDrill } from './commands/drill.ts'
import { endSchedule, listSchedules, scheduleDrill } from './commands/drill-schedule.ts'
import { placeOrder } from './commands/order.ts'
import { createKey, listKeys, revokeKey, rollKey } from './commands/own-keys.ts'
import { showQuote } from './commands/quote.ts'
import { showReport } from './commands/report.ts'
import { listComments, listRules, publishRule, signContract } from './commands/rules.ts'
import { conformFinish, conformHub, conformPlatform, conformShow, conformTask, conformVerify } from './commands/conform.ts'
import { listRequests } from './commands/requests.ts'
import { clearFaults, depositTestMoney, keepSandboxFile, moveClock, openSandbox, openTwin, setFault, showSandbox } from './commands/sandbox.ts'
import { describe, explainAll, explainCommand, usageOf } from './help.ts'
import { langOf, showRefusal, withoutControls, type Lang, type Words } from './screen.ts'

export const commands: readonly Command[] = [
  addDocking, listDockings, guardDocking, mountDocking, addKey, endKey, importGoods, setImage, importCards, bookDeposit, setPrice, addPriceGroup, setPriceRule, showPriceGroups, setLevel,
  assignPrices, ownPrice, changePrices, listPriceChanges, cancelPriceChange, showPriceHistory, checkPrices, publishRule, listRules, listComments, signContract, holdDocking, decideMeasure, runCheck, approveDecision, showDecision, listDecisions, supersedeDecision, liftDecision,
  listAppeals, showAppeal, askEvidence, extendAppeal, decideAppeal, checkLedger, listDoubtful, addOperator, listOperators, endOperator,
  listWaiting, deliverOrder, refundOrder, addContact, listContacts, removeContact, alertBalance, alertStock, listAlerts, listNotices, retryNotice,
  listFindings, showEvidence, openCase, listCases, showCase, moveCase, noteCase, writeDossier, endCase, confirmCase, listAccesses, listCaseMovements,
  planMigration, applyMigration, checkMigration, followMigration, withdrawMigration,
  openSandbox, openTwin, keepSandboxFile, showSandbox, setFault, clearFaults, moveClock, depositTestMoney,
  checkLog, eraseFromLog, verifyLog, witnessLog,
  conformHub, conformPlatform, conformTask, conformFinish, conformShow, conformVerify,
  scheduleDrill, listSchedules, endSchedule, runDrill, startDrill, listDrills, showDrill, planDrill, abandonDrill,
  placeOrder, showQuote, showReport, examineDocking, diagnoseRequest, showFigures, fileAppeal, listOwnAppeals, giveEvidence, withdrawAppeal, listRequests, listGoods, showBalance, createKey, rollKey, revokeKey, listKeys,
]

/** Runs one command line and answers its exit code (see exitCodes). Nothing but `surroundings` is touched. */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const isJson = argv.includes('--json')
  let lang = langOf(surroundings.env, languageGiven(argv))
  let command: Command | undefined
  let typed: Typed | undefined
  try {
    const rest = withoutLeadingOptions(argv)
    if (rest[0] === '--version') return print(surroundings, isJson, lang, version())
    const named = rest[0] === 'help' ? rest.slice(1) : rest
    command = findCommand(named)
    const leading = argv.slice(0, argv.length - rest.length)
    if (!command) return print(surroundings, isJson, lang, explainTop(leading, rest, lang))
    const words = named.slice(command.name.split(' ').length)
    typed = readArguments(command, [...leading, ...(named === rest ? [] : ['--help']), ...words])
    lang = langOf(surroundings.env, typed.values.get('lang')?.[0])
    if (typed.values.has('help')) return print(surroundings, isJson, lang, { exitCode: exitCodes.done, json: describe(command, lang), text: explainCommand(command, lang) })
    return print(surroundings, isJson, lang, await command.run(asked(typed, surroundings, lang, isJson)))
  } catch (error) {
    return print(surroundings, isJson, lang, failed(error, command, typed === undefined, lang))
  }
}

/** Help, language and form may also stand in front of the command. */
function withoutLeadingOptions(argv: readonly string[]): readonly string[] {
  let i = 0
  while (i < argv.length && (LEADING.has(argv[i]!) || argv[i]!.startsWith('--lang'))) i += argv[i] === '--lang' ? 2 : 1
  return argv.slice(i)
}

const LEADING = new Set(['--json', '--help', '-h'])

function languageGiven(argv: readonly string[]): string | undefined {
  const at = argv.findIndex((word) => word === '--lang' || word.startsWith('--lang='))
  return at < 0 ? undefined : argv[at] === '--lang' ? argv[at + 1] : argv[at]!.slice('--lang='.length)
}

/** The longest name that the words begin with: "prices change" and not "prices". */
function findCommand(words: readonly string[]): Command | undefined {
  const fits = commands.filter(({ name }) => words.slice(0, name.split(' ').length).join(' ') === name)
  return fits.toSorted((a, b) => b.name.length - a.name.length)[0]
}

/** Help when it was asked for; for no command, or an unknown one, wrong usage with the names that there are. */
function explainTop(leading: readonly string[], rest: readonly string[], lang: Lang): Ending {
  const words = rest[0] === 'help' ? rest.slice(1) : rest
  const group = words[0]?.startsWith('-') ? undefined : words[0]
  const isAsked = rest[0] === 'help' || [...leading, ...rest].some((word) => word === '--help' || word === '-h')
  const within = commands.filter(({ name }) => name.startsWith(`${group} `))
  if (isAsked && (group === undefined || within.length > 0)) {
    // What the compliance persons do is told to whoever asks for it by name.
    const shown = group === undefined ? commands.filter(({ who }) => who !== 'compliance') : within
    return { exitCode: exitCodes.done, json: { commands: shown.map((command) => describe(command, lang)), exitCodes }, text: explainAll(shown, lang) }
  }
  const typed = words.slice(0, within.length > 0 ? 2 : 1).join(' ')
  if (typed === '') throw new WrongUsage({ en: 'Say which command; berth help lists all.', zh: '请给出命令；berth help 列出全部命令。' })
  const names = (within.length > 0 ? within : near(words.filter((word) => !word.startsWith('-')))).map(({ name }) => name)
  throw new WrongUsage(
    names.length === 0
      ? { en: `There is no command "${typed}"; berth help lists all.`, zh: `没有命令“${typed}”；berth help 列出全部命令。` }
      : { en: `There is no command "${typed}". Near it: ${names.join(', ')}; berth help lists all.`, zh: `没有命令“${typed}”。相近的有：${names.join('、')}；berth help 列出全部命令。` },
  )
}

const MOST_NEAR = 6
const LEAST_LETTERS = 3

/** Commands of which a word is, but for a few letters, one of those that were typed. */
function near(typed: readonly string[]): readonly Command[] {
  const isNear = (a: string, b: string) => {
    const [short, long] = a.length < b.length ? [a, b] : [b, a]
    return short.length >= LEAST_LETTERS && (long.startsWith(short) || lettersApart(short, long) <= (short.length > 4 ? 2 : 1))
  }
  return commands.filter(({ name, who }) => who !== 'compliance' && name.split(' ').some((word) => typed.some((one) => isNear(word, one.toLowerCase().slice(0, 40))))).slice(0, MOST_NEAR)
}

/** How many letters must be put in, left out or changed to make one word of the other. */
function lettersApart(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}

/** A log wants to know that it goes on, and not more. */
const PLAIN_EVERY_MS = 5_000

function asked(typed: Typed, surroundings: Surroundings, lang: Lang, isJson: boolean) {
  const { env, stdin, nowMs, isTerminal, stderr } = surroundings
  const option = (name: string) => typed.values.get(name)?.[0]
  let toldMs = nowMs()
  return {
    operands: typed.operands, lang, env, stdin, nowMs, option,
    needed: (name: string) => {
      const value = option(name)
      if (value === undefined) throw new TypeError(`--${name} is not declared as required`)
      return value
    },
    all: (name: string) => typed.values.get(name) ?? [],
    progress: (text: string) => {
      if (isJson) return
      if (isTerminal) return stderr(`\r\u001b[K${text}`)
      if (text === '' || nowMs() - toldMs < PLAIN_EVERY_MS) return
      toldMs = nowMs()
      stderr(`${text}\n`)
    },
  }
}

function print({ stdout, stderr }: Surroundings, isJson: boolean, lang: Lang, ending: Ending): number {
  if (isJson) stdout(`${JSON.stringify(ending.json, null, 2)}\n`)
  else if (ending.refusal) stderr(`${withoutControls([showRefusal(ending.refusal, lang), ending.text].filter(Boolean).join('\n'))}\n`)
  else if (ending.exitCode === exitCodes.wrongUsage || ending.exitCode === exitCodes.unreachable) stderr(`${withoutControls(ending.text)}\n`)
  else stdout(`${withoutControls(ending.text)}\n`)
  return ending.exitCode
}

/** Wrong usage and outages as the problem documents of the command line itself. Anything else is a bug and goes on up. */
function failed(error: unknown, command: Command | undefined, isTypo: boolean, lang: Lang): Ending {
  if (error instanceof WrongUsage) {
    const hint: Words = { en: `See: berth ${command ? `${command.name} ` : ''}--help`, zh: `用法见：berth ${command ? `${command.name} ` : ''}--help` }
    const usage = command && isTypo ? [usageOf(command, lang)] : []
    return {
      exitCode: exitCodes.wrongUsage,
      json: ownProblem('cli.wrong_usage', { en: 'The command was not typed as it must be', zh: '命令用法有误' }, error.words, 400, lang),
      text: [error.words[lang], ...usage, hint[lang]].join('\n'),
    }
  }
  if (error instanceof HubUnreachable) {
    return {
      exitCode: exitCodes.unreachable,
      json: ownProblem('cli.hub_unreachable', { en: 'The hub cannot be reached', zh: '无法连接主站' }, error.words, 503, lang), text: error.words[lang],
    }
  }
  throw error
}

function ownProblem(code: string, title: Words, detail: Words, status: number, lang: Lang): Problem {
  return { type: 'about:blank', title: title[lang], status, detail: detail[lang], code, class: 'technical', retry: status === 503 ? 'same_request_after' : 'after_change' }
}

function version(): Ending {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
  return { exitCode: exitCodes.done, json: { version }, text: version }
}
