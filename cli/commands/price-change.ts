import { IMPORT_TIMEOUT_MS } from '../client.ts'
import { done, exitCodes, refused, WrongUsage, type Asked, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { readPricesFile } from '../prices-file.ts'
import { table, type Lang, type Words } from '../screen.ts'
import { charsetGiven, charsetOption, readText } from '../text-file.ts'
import { findDocking } from './docking.ts'
import { formulaOf, formulaOptions } from './price-group.ts'
import { readTime, timeForm } from './time.ts'

type Row = { code: string; old: string; new: string; cost: string | null; belowCost: boolean; worseThanPublished: boolean }
type RowError = { line: number | null; good: string; code: string; message: Words }
type Counts = { selected: number; changed: number; unchanged: number; errors: number; belowCost: number; worseThanPublished: number }
type Changed = { id: string | null; state: string; at: string | null; replayed?: boolean; counts: Counts; rows: Row[]; errors: RowError[] }

const MOST_SHOWN = 20

export const changePrices: Command = {
  name: 'prices change',
  who: 'operator',
  summary: { en: 'Change many prices at once; a preview unless --yes is given', zh: '批量调价；不加 --yes 只预览' },
  operands: [],
  options: [
    { name: 'file', value: 'FILE', what: { en: 'A .csv with the columns code,price instead of a formula ("-" is stdin).', zh: '用 .csv 文件（列 code,price）代替公式，- 为标准输入。' } },
    charsetOption,
    { name: 'category', value: 'NAME', what: { en: 'Only goods of this category.', zh: '仅该分类的商品。' } },
    { name: 'good', value: 'CODE', isMany: true, what: { en: 'Only these goods; may be given again.', zh: '仅这些商品，可多次给出。' } },
    { name: 'group', value: 'GROUP', what: { en: 'The prices of this group instead of the list.', zh: '改该价格组的价格，而非目录价。' } },
    { name: 'level', value: 'LEVEL', what: { en: 'The prices of the group of this level.', zh: '改该等级对应价格组的价格。' } },
    { name: 'docking', value: 'DOCKING', what: { en: 'The own prices of this docking.', zh: '改该对接的专属价。' } },
    ...formulaOptions,
    { name: 'at', value: 'TIME', what: { en: `When it shall count (${timeForm.en}).`, zh: `定时生效（${timeForm.zh}）。` } },
    { name: 'allow-below-cost', what: { en: 'Prices below cost are meant.', zh: '允许低于成本。' } },
    { name: 'note', value: 'TEXT', what: { en: 'Why; kept in the history.', zh: '原因，记入调价历史。' } },
    { name: 'reference', value: 'REF', what: { en: 'A number of your own: asked again with it, nothing is changed twice.', zh: '自定流水号：重复提交不会重复调价。' } },
    { name: 'yes', what: { en: 'Carry it out.', zh: '执行。' } },
  ],
  teaches: [
    { en: 'All of a change counts from one moment on, up to 10,000 goods; orders go on meanwhile. Lines of a file that cannot be read are left out and named.', zh: '一次最多 10000 个商品，全部同时生效，期间照常接单。文件中有误的行会跳过并标明行号。' },
    { en: 'For a group it writes fixed prices; a price that shall follow the list is a rule: berth prices group set.', zh: '对价格组写入的是固定价；要随目录价变动，请用 berth prices group set 设规则。' },
  ],
  examples: [
    { line: 'berth prices change --category 游戏点卡 --percent=-2', what: { en: 'what 2 % less would come to', zh: '预览该分类降价 2%' } },
    { line: 'berth prices change --file prices.csv --at 2026-12-12T00:00:00+08:00 --yes --note 双十二', what: { en: 'prices of a file from a moment on', zh: '按文件定时调价' } },
    { line: 'berth prices change --docking 小卡铺 --good junnet-10 --set 9.42 --yes', what: { en: 'own prices of one docking', zh: '某对接的专属价' } },
  ],
  run: async (asked) => {
    const { option } = asked
    const client = operatorClient(asked)
    const typed = option('docking')
    const docking = typed === undefined ? null : await findDocking(client, typed)
    if (docking && !docking.ok) return refused(docking.problem)
    const { rows, errors } = await readRows(asked)
    if (rows?.length === 0) return done({ errors }, showErrors(errors, asked.lang) || (asked.lang === 'zh' ? '文件没有价格。' : 'The file has no prices.'), exitCodes.found)
    const codes = asked.all('good')
    const changed = await client.post<Changed>('/operator/prices/changes', {
      selector: { category: option('category'), codes: codes.length > 0 ? codes : undefined, group: option('group'), level: option('level'), docking: docking?.id },
      ...(rows ? { rows } : { change: formulaOf(asked) }), at: readTime('at', option('at')), note: option('note'), reference: option('reference'),
      allowBelowCost: option('allow-below-cost') !== undefined, dryRun: option('yes') === undefined,
    }, IMPORT_TIMEOUT_MS)
    if (!changed.ok) return refused(changed.problem)
    const body = { ...changed.body, errors: [...errors, ...changed.body.errors].sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) }
    return done(body, showChanged(body, asked.lang), body.errors.length > 0 || body.counts.selected === 0 ? exitCodes.found : exitCodes.done)
  },
}

async function readRows(asked: Asked): Promise<{ rows: { code: string; price: string; line: number }[] | null; errors: RowError[] }> {
  const file = asked.option('file')
  if ((file === undefined) === (formulaOf(asked) === null)) {
    throw new WrongUsage({ en: 'Give --file, or a formula (--percent, --factor, --add, --set).', zh: '请给出 --file，或公式（--percent、--factor、--add、--set）之一。' })
  }
  if (file === undefined) return { rows: null, errors: [] }
  const rows: { code: string; price: string; line: number }[] = []
  const errors: RowError[] = []
  for await (const { line, price, problem } of readPricesFile(file, readText(file, asked.stdin, charsetGiven(asked.option('charset'))))) {
    if (price) rows.push({ ...price, line })
    else errors.push({ line, good: '', code: 'protocol.malformed_request', message: problem! })
  }
  return { rows, errors }
}

function showChanged({ id, state, at, counts, rows, errors }: Changed, lang: Lang): string {
  const zh = lang === 'zh'
  const { selected, changed, unchanged, belowCost, worseThanPublished } = counts
  const head =
    state === 'preview' ? (zh ? '预览，未作修改（加 --yes 执行）' : 'A preview: nothing was changed (--yes carries it out)')
    : state === 'scheduled' ? (zh ? `调价 ${id} 将于 ${at} 生效` : `The change ${id} will count from ${at}`)
    : zh ? `调价 ${id}：${state}` : `The change ${id}: ${state}`
  const flags = (row: Row) => [row.belowCost ? (zh ? `低于成本 ${row.cost}` : `below cost ${row.cost}`) : '', row.worseThanPublished ? (zh ? '高于公示价' : 'worse than published') : ''].filter(Boolean).join(', ')
  // What is flagged is what a person has to look at, so it stands in front.
  const shown = rows.toSorted((a, b) => Number(b.belowCost || b.worseThanPublished) - Number(a.belowCost || a.worseThanPublished)).slice(0, MOST_SHOWN)
  const more = rows.length - shown.length
  return [
    head,
    zh ? `选中 ${selected}，变动 ${changed}，未变 ${unchanged}，低于成本 ${belowCost}，高于公示价 ${worseThanPublished}` : `${selected} selected, ${changed} changed, ${unchanged} unchanged, ${belowCost} below cost, ${worseThanPublished} worse than published`,
    ...(selected === 0 ? [zh ? '没有选中任何商品：请核对分类或编码的写法。' : 'Nothing was selected: check how the category or the codes are written.'] : []),
    ...(shown.length > 0 ? [table(shown.map((row) => [row.code, `${row.old} -> ${row.new}`, flags(row)]))] : []),
    ...(more > 0 ? [zh ? `  另有 ${more} 行，用 --json 查看。` : `  and ${more} more; --json lists them.`] : []),
    ...(errors.length > 0 ? [showErrors(errors, lang)] : []),
  ].join('\n')
}

function showErrors(errors: readonly RowError[], lang: Lang): string {
  if (errors.length === 0) return ''
  const zh = lang === 'zh'
  const rows = errors.slice(0, MOST_SHOWN).map(({ line, good, message }) => [line === null ? good : zh ? `第 ${line} 行` : `line ${line}`, message[lang]])
  const more = errors.length - rows.length
  return [zh ? `有 ${errors.length} 项未计入：` : `${errors.length} left out:`, table(rows), ...(more > 0 ? [zh ? `  另有 ${more} 项，用 --json 查看。` : `  and ${more} more; --json lists them.`] : [])].join('\n')
}

type Kept = { id: string; state: string; at: string; by: string; note: string; outcome: { changed?: number; code?: string } | null }

export const listPriceChanges: Command = {
  name: 'prices changes',
  who: 'operator',
  summary: { en: 'Changes of prices, newest first', zh: '列出批量调价，最新在前' },
  operands: [],
  options: [{ name: 'state', value: 'STATE', oneOf: ['scheduled', 'applied', 'cancelled', 'refused'], what: { en: 'Only these.', zh: '只看该状态。' } }],
  teaches: [{ en: 'The newest 100 are shown. One that fell due and could not be carried out is refused, with its reason in --json.', zh: '显示最近 100 条。到点未能执行的为 refused，原因见 --json。' }],
  examples: [{ line: 'berth prices changes --state scheduled', what: { en: 'what is to come', zh: '待生效的调价' } }],
  run: async (asked) => {
    const list = await operatorClient(asked).get<{ items: Kept[] }>('/operator/prices/changes', { state: asked.option('state'), limit: '100' })
    if (!list.ok) return refused(list.problem)
    const zh = asked.lang === 'zh'
    const rows = list.body.items.map(({ id, state, at, by, note, outcome }) => [id, state, at, String(outcome?.changed ?? outcome?.code ?? ''), by, note ?? ''])
    return done(list.body, rows.length > 0 ? table([zh ? ['编号', '状态', '生效时间', '变动', '操作人', '备注'] : ['id', 'state', 'at', 'changed', 'by', 'note'], ...rows], 0) : zh ? '没有调价记录。' : 'No changes.')
  },
}

export const cancelPriceChange: Command = {
  name: 'prices cancel',
  who: 'operator',
  summary: { en: 'Take back a change that waits for its time', zh: '取消待生效的调价' },
  operands: [{ name: 'CHANGE', what: { en: 'The id of the change, chg_….', zh: '调价编号，chg_…。' } }],
  options: [{ name: 'note', value: 'TEXT', what: { en: 'Why; kept with the change.', zh: '原因，随调价留存。' } }],
  teaches: [{ en: 'What has counted once is not undone: change the prices again instead.', zh: '已生效的调价不能撤回，请重新调价。' }],
  examples: [{ line: 'berth prices cancel chg_01jd…', what: { en: 'a sale is called off', zh: '取消促销' } }],
  run: async (asked) => {
    const [id] = asked.operands as [string]
    const cancelled = await operatorClient(asked).post<Kept>(`/operator/prices/changes/${encodeURIComponent(id)}/cancel`, { note: asked.option('note') })
    if (!cancelled.ok) return refused(cancelled.problem)
    return done(cancelled.body, asked.lang === 'zh' ? `调价 ${id} 已取消` : `The change ${id} is taken back`)
  },
}
