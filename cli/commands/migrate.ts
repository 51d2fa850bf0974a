import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { IMPORT_TIMEOUT_MS } from '../client.ts'
import { done, exitCodes, refused, WrongUsage, type Asked, type Command, type Ending, type Option } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { Applier, StepRefused, type Applied } from '../migrate/apply.ts'
import { checkPlan } from '../migrate/check.ts'
import { comparePlans } from '../migrate/compare.ts'
import { makePlan, type PlanAsk } from '../migrate/plan.ts'
import type { Problem } from '../migrate/old-site.ts'
import { partnerChoices, readList, readPlan, suspendedChoices, writePlan, type Plan } from '../migrate/plan-folder.ts'
import { showApplied, showChanges, showChecked, showPlan } from '../migrate/report.ts'

const planOperand = { name: 'PLAN', what: { en: 'The folder of a plan.', zh: '计划目录。' } }
const sourceOperand = { name: 'DUMP', what: { en: 'A dump of the database (.sql), or a folder of CSV files.', zh: '数据库转储文件（.sql），或 CSV 文件目录。' } }
const outOption: Option = { name: 'out', value: 'FOLDER', what: { en: 'Where the plan is written; default the name and the number of the reading.', zh: '计划写入的目录，默认为“名称-读取次数”。' } }
const suspendedOption: Option = {
  name: 'suspended', value: 'WHAT', oneOf: suspendedChoices,
  what: { en: 'Members that the old site has suspended: open (they trade here unless a decision holds them) or leave (they stay there, with their balances).', zh: '旧站已封禁的会员：open 为照常开通（如需限制请另行作出处理决定），leave 为连同余额留在旧站。' },
}
const withoutCardsOption: Option = { name: 'without-cards', what: { en: 'Leave the cards at the old site: for a parallel run, in which nothing is sold here.', zh: '卡密留在旧站：用于并行期，本站不售卖。' } }

export const planMigration: Command = {
  name: 'migrate plan',
  who: 'operator',
  summary: { en: 'Read another site from its dump and say what would come over', zh: '读取旧站数据并试算迁移，不写入主站' },
  operands: [sourceOperand],
  options: [
    outOption,
    { name: 'name', value: 'NAME', what: { en: 'The name of the migration, default acg-faka; a second old site has another.', zh: '迁移名称，默认 acg-faka；第二个旧站须另起名称。' } },
    { name: 'prefix', value: 'PREFIX', what: { en: 'What the tables of the dump begin with, default acg_.', zh: '数据表前缀，默认 acg_。' } },
    { name: 'partners', value: 'WHICH', oneOf: partnerChoices, what: { en: 'docked: members who have a balance or ever docked (default); all: every member.', zh: 'docked（默认）为有余额或曾对接下单的会员，all 为全部会员。' } },
    suspendedOption,
  ],
  teaches: [
    { en: 'Nothing is written to the hub and no key, card or delivery to the plan: those stay in the dump, which must be there again for apply. Whatever cannot come over is named with its line, and money is counted on both sides.', zh: '不写入主站；密钥、卡密与发货内容也不写入计划，执行时会再次读取同一转储文件。无法迁入的内容逐条注明行号，金额两边各自合计。' },
    { en: 'Reads what mysqldump, phpMyAdmin and Navicat write of acg-faka, or a folder with partners.csv, goods.csv, prices.csv, cards.csv, orders.csv. docs/guides/migrate-from-acg-faka.md goes through the whole day.', zh: '支持 mysqldump、phpMyAdmin、Navicat 导出的异次元发卡数据库，或含 partners.csv、goods.csv、prices.csv、cards.csv、orders.csv 的目录。完整步骤见 docs/guides/migrate-from-acg-faka.md。' },
  ],
  examples: [
    { line: 'berth migrate plan shop.sql --out plan-1', what: { en: 'a dry run', zh: '试算' } },
    { line: 'berth migrate plan shop.sql --prefix faka_ --suspended leave', what: { en: 'other table names; suspended members stay behind', zh: '自定义表前缀；封禁会员不迁入' } },
  ],
  run: async (asked) => {
    const migration = asked.option('name') ?? 'acg-faka'
    if (!/^[0-9a-z-]{3,32}$/.test(migration)) throw new WrongUsage({ en: '--name has 3 to 32 lower-case letters, digits or -.', zh: '--name 为 3 至 32 个小写字母、数字或 -。' })
    const folder = asked.option('out') ?? `${migration}-1`
    const { plan, problems } = await planOf(asked, { folder, migration, prefix: asked.option('prefix') ?? 'acg_', source: asked.operands[0]!, partners: choiceOf(asked, partnerChoices, 'partners') ?? 'docked', suspended: choiceOf(asked, suspendedChoices, 'suspended') ?? null, previous: null })
    return done({ folder, ...plan, problems }, `${showPlan(plan, problems, asked.lang)}\n${asked.lang === 'zh' ? `计划已写入 ${folder}` : `The plan is in ${folder}`}`)
  },
}

export const followMigration: Command = {
  name: 'migrate follow',
  who: 'operator',
  summary: { en: 'Read a newer dump of the old site and say, or bring over, what has changed', zh: '读取旧站的新转储，显示或迁入变化' },
  operands: [{ ...planOperand, what: { en: 'The plan that was applied last.', zh: '上一次执行的计划目录。' } }, sourceOperand],
  options: [outOption, { name: 'apply', what: { en: 'Bring the changes over at once; without it the new plan waits for berth migrate apply.', zh: '立即迁入变化；不加则只生成新计划，待 berth migrate apply 执行。' } }, withoutCardsOption, suspendedOption],
  teaches: [{
    en: 'Until the day of the switch the old site goes on; each newer dump brings new orders, moved balances, changed goods and prices. Cards that were sold there since then leave the shelf here, in the same moment in which the new ones come. Money that was spent on both sides is refused and named.',
    zh: '切换日之前旧站照常营业；每份新转储带来新订单、余额变动、商品与价格变更。其间在旧站售出的卡密会在本站同时撤下。两边都花掉的钱会被拒绝并指明。',
  }],
  examples: [
    { line: 'berth migrate follow plan-1 tuesday.sql --out plan-2', what: { en: 'what has changed', zh: '查看变化' } },
    { line: 'berth migrate follow plan-2 last.sql --out plan-3 --apply', what: { en: 'the last reading, on the day of the switch', zh: '切换日的最后一次读取' } },
  ],
  run: async (asked) => {
    const previous = { folder: asked.operands[0]!, plan: readPlan(asked.operands[0]!) }
    const { migration, step, source, partners, suspended } = previous.plan
    const folder = asked.option('out') ?? `${migration}-${step + 1}`
    const { plan, problems } = await planOf(asked, { folder, migration, prefix: source.prefix, source: asked.operands[1]!, partners, suspended: choiceOf(asked, suspendedChoices, 'suspended') ?? suspended, previous })
    const changes = await comparePlans(previous, { folder, plan })
    const shown = `${showChanges(changes, asked.lang)}\n${asked.lang === 'zh' ? `新计划已写入 ${folder}` : `The new plan is in ${folder}`}`
    if (asked.option('apply') === undefined) return done({ folder, ...plan, problems, changes }, shown)
    const ending = await apply(asked, folder, plan)
    return { ...ending, text: `${shown}\n${ending.text}`, json: { folder, changes, applied: ending.json } }
  },
}

export const applyMigration: Command = {
  name: 'migrate apply',
  who: 'operator',
  summary: { en: 'Bring over what a plan says; may be run again until it is done', zh: '执行迁移计划；可重复执行直至完成' },
  operands: [planOperand],
  options: [withoutCardsOption],
  teaches: [{
    en: 'Old order numbers are bound first, then balances come, and all cards go on sale in one step at the end. Whatever ends it in between, the same command goes on: nothing is opened, booked or sold twice. Exit code 3 says that rows were left out, and names them.',
    zh: '先绑定旧订单号，再写入余额，最后一次性上架全部卡密。中途无论因何中断，重新执行同一命令即可继续，不会重复开通、入账或售卖。退出码 3 表示有内容未能迁入，并逐条列出。',
  }],
  examples: [{ line: 'berth migrate apply plan-1 --without-cards', what: { en: 'a parallel run begins', zh: '开始并行期' } }, { line: 'berth migrate apply plan-3', what: { en: 'everything', zh: '全部迁入' } }],
  run: (asked) => apply(asked, asked.operands[0]!, readPlan(asked.operands[0]!)),
}

export const checkMigration: Command = {
  name: 'migrate check',
  who: 'operator',
  summary: { en: 'Prove what came over: every balance to the fen, every order number, every card', zh: '核对迁移结果：余额到分、订单号、卡密逐项一致' },
  operands: [planOperand],
  options: [withoutCardsOption],
  teaches: [{ en: 'Holds the plan against the hub row by row and lets the books prove themselves. What was bought here since then does not count: openings are compared and not what is left of them. Exit code 3 says that something differs.', zh: '将计划与主站逐行核对，并让账本自检。迁入后的交易不影响核对：比较的是期初余额。退出码 3 表示存在不一致。' }],
  examples: [{ line: 'berth migrate check plan-3', what: { en: 'after apply', zh: '执行之后' } }],
  run: async (asked) => orRefused(async () => {
    const folder = asked.operands[0]!
    const checked = await checkPlan(operatorClient(asked), folder, readPlan(folder), asked.option('without-cards') === undefined)
    return done(checked, showChecked(checked, asked.lang), checked.ok ? exitCodes.done : exitCodes.found)
  }),
}

export const withdrawMigration: Command = {
  name: 'migrate rollback',
  who: 'operator',
  summary: { en: 'Take back what a migration brought, as long as nothing was sold from it', zh: '撤回迁移内容（尚无成交时）' },
  operands: [planOperand],
  options: [],
  teaches: [{ en: 'All in one step or nothing: cards leave the shelf, goods go off sale, balances go back by transfers of their own, keys end. Nothing is deleted. Once an order was placed it is refused and the orders are named. A new try is a new migration: berth migrate plan --name.', zh: '整体撤回或完全不动：卡密下架、商品停售、余额以反向分录退回、密钥停用；不删除任何记录。已有成交则拒绝并列出订单。重新迁移须用 berth migrate plan --name 另起名称。' }],
  examples: [{ line: 'berth migrate rollback plan-1', what: { en: 'back to the old site', zh: '退回旧站' } }],
  run: async (asked) => orRefused(async () => {
    const { migration, step } = readPlan(asked.operands[0]!)
    const withdrawn = await operatorClient(asked).post<{ dockings: number; keys: number; openings: number; amount: string; cards: number; goods: number }>(`/operator/migrations/${migration}/withdrawal`, { step }, IMPORT_TIMEOUT_MS)
    if (!withdrawn.ok) return refused(withdrawn.problem)
    const { dockings, amount, cards, goods } = withdrawn.body
    return done(withdrawn.body, asked.lang === 'zh' ? `已撤回：${dockings} 个对接停用，退回余额 ${amount} 元，下架 ${cards} 张卡密、${goods} 个商品。` : `Withdrawn: ${dockings} dockings ended, ${amount} yuan went back, ${cards} cards and ${goods} goods left the shelf.`)
  }),
}

/** Reads and writes one plan; the first problems are shown, all are in its folder. */
async function planOf(asked: Asked, ask: Omit<PlanAsk, 'onBytes'>): Promise<{ plan: Plan; problems: Problem[] }> {
  const plan = await makePlan({ ...ask, onBytes: (bytes) => asked.progress(`${(bytes / 1_000_000).toFixed(1)} MB`) })
  const problems: Problem[] = []
  for await (const problem of readList(ask.folder, 'problems')) if (problems.push(problem) === MOST_PROBLEMS) break
  writePlan(ask.folder, plan, showPlan(plan, problems, asked.lang))
  asked.progress('')
  return { plan, problems }
}

const MOST_PROBLEMS = 1_000

async function apply(asked: Asked, folder: string, plan: Plan): Promise<Ending> {
  return orRefused(async () => {
    const applied = await new Applier(operatorClient(asked), folder, plan, asked.progress).run(asked.option('without-cards') === undefined)
    writeFileSync(join(folder, 'addresses.csv'), addressesOf(applied))
    return done(applied, showApplied(applied, asked.lang), applied.left.length > 0 ? exitCodes.found : exitCodes.done)
  })
}

function addressesOf({ addresses }: Applied): string {
  return ['member,docking,address', ...addresses.map(({ member, docking, baseUrl }) => `${member},${docking},${baseUrl}`), ''].join('\n')
}

async function orRefused(work: () => Promise<Ending>): Promise<Ending> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StepRefused) return refused(error.problem)
    throw error
  }
}

function choiceOf<T extends string>(asked: Asked, choices: readonly T[], name: string): T | undefined {
  const value = asked.option(name)
  return choices.find((choice) => choice === value)
}
