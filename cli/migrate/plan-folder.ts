import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync, type WriteStream } from 'node:fs'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { WrongUsage } from '../problem.ts'
import type { GoodKinds, OldPrice, Problem } from './old-site.ts'

export const suspendedChoices = ['open', 'leave'] as const
export const partnerChoices = ['docked', 'all'] as const

/** What a plan says in all. No key, no card and nothing that was delivered stands in a plan: those stay in the dump. */
export type Plan = {
  format: 1
  migration: string
  /** Which reading of the old site this is, counted from 1. */
  step: number
  source: { path: string; kind: 'dump' | 'csv'; sha256: string; bytes: number; prefix: string }
  partners: (typeof partnerChoices)[number]
  /** What happens to members that the old site has suspended; null while there are such and nobody has said. */
  suspended: (typeof suspendedChoices)[number] | null
  counts: Record<Count, number>
  sums: Record<Sum, string>
  /** Tables that hold rows and are not read. */
  aside: Record<string, number>
}

export type Count =
  | 'partners' | 'partnersLeft' | 'suspended' | 'goods' | 'goodsLeft' | 'prices' | 'cards' | 'cardsLeft' | 'cardsOfKinds' | 'cardsSold'
  | 'orders' | 'references' | 'ordersLeft' | 'ordersUnpaid' | 'ordersOfOthers' | 'ordersUndelivered' | 'problems'
export type Sum = 'balances' | 'balancesLeft' | 'orders'

export type PlannedPartner = { member: string; name: string; balance: string; isSuspended: boolean; orders: number; references: number; amount: string }
export type PlannedGoodRow = {
  key: string; code: string; name: string; category: string; description: string; unitPrice: string; minimum: number; maximum: number; onSale: boolean
  /** Unsold cards. */
  cards: number
  isTaken: boolean
  kinds: GoodKinds | null
}
export type PlannedPrice = OldPrice

type Lists = { partners: PlannedPartner; goods: PlannedGoodRow; prices: PlannedPrice; problems: Problem }

/** Writes a list line by line; only the owner of the files may read them. */
export class ListWriter<T> {
  readonly #stream: WriteStream
  count = 0

  constructor(file: string) {
    this.#stream = createWriteStream(file, { mode: 0o600 })
  }

  async add(row: T): Promise<void> {
    this.count++
    if (!this.#stream.write(`${JSON.stringify(row)}\n`)) await once(this.#stream, 'drain')
  }

  async end(): Promise<void> {
    this.#stream.end()
    await once(this.#stream, 'close')
  }
}

/** A new folder for a plan. Throws WrongUsage when it holds something: a plan is never written over. */
export function makePlanFolder(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new WrongUsage({ en: `${folder} is not empty; name another folder with --out.`, zh: `${folder} 非空，请用 --out 指定其他目录。` })
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
}

export function listFile(folder: string, list: keyof Lists): string {
  return join(folder, `${list}.ndjson`)
}

/** The plan itself, written last and in one step: a folder without it is no plan. */
export function writePlan(folder: string, plan: Plan, report: string): void {
  writeFileSync(join(folder, 'report.txt'), `${report}\n`, { mode: 0o600 })
  const draft = join(folder, 'plan.json.draft')
  writeFileSync(draft, `${JSON.stringify(plan, null, 2)}\n`, { mode: 0o600 })
  renameSync(draft, join(folder, 'plan.json'))
}

export function readPlan(folder: string): Plan {
  let plan: Plan
  try {
    plan = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8')) as Plan
  } catch {
    throw new WrongUsage({ en: `${resolve(folder)} holds no plan; berth migrate plan makes one.`, zh: `${resolve(folder)} 中没有迁移计划，请先用 berth migrate plan 生成。` })
  }
  if (plan.format !== 1) throw new WrongUsage({ en: 'The plan was made by another version of berth: make it anew.', zh: '计划由其他版本的 berth 生成，请重新生成。' })
  return plan
}

export async function* readList<L extends keyof Lists>(folder: string, list: L): AsyncGenerator<Lists[L]> {
  const file = listFile(folder, list)
  if (!existsSync(file)) throw new WrongUsage({ en: `${file} is missing: the plan is damaged.`, zh: `缺少 ${file}，计划已损坏。` })
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) if (line !== '') yield JSON.parse(line) as Lists[L]
}

export async function readWhole<L extends keyof Lists>(folder: string, list: L): Promise<Lists[L][]> {
  const rows: Lists[L][] = []
  for await (const row of readList(folder, list)) rows.push(row)
  return rows
}
