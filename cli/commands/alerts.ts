import { done, refused, WrongUsage, type Command } from '../command.ts'
import type { Client } from '../client.ts'
import { operatorClient } from '../credentials.ts'
import { beside, table, type Lang } from '../screen.ts'
import { readAmount } from './amount.ts'
import { pathOf } from './contacts.ts'
import { dockingOperand, findDocking } from './docking.ts'

type AlertView = { docking: string | null; dockingName?: string; goodCode?: string; goodName?: string; what: string; good: string | null; mode: string; below: string | number | null; low?: boolean; toldAt?: string | null }

/** Switches a threshold off. */
const NEVER = 'never'
const ONCE = {
  en: 'Told once when it falls below, and again only after it has been above; a value that swings is told at most once in ten minutes. Who is below already is told now. Those are told who are contacts for it ("berth contact add").',
  zh: '跌破阈值时提醒一次，回升后再次跌破才会再提醒；数值反复波动时，十分钟内至多提醒一次。设定时已低于阈值的会立即提醒。提醒发给已登记的联系人（berth contact add）。',
}

export const alertBalance: Command = {
  name: 'alert balance',
  who: 'operator',
  summary: { en: 'Tell the people of a docking when its deposit runs low', zh: '余额低于阈值时提醒对接的联系人' },
  operands: [dockingOperand],
  options: [{ name: 'below', value: 'AMOUNT', isRequired: true, what: { en: `Yuan, or "${NEVER}" to switch it off.`, zh: `金额（元）；“${NEVER}”表示关闭。` } }],
  teaches: [ONCE],
  examples: [{ line: 'berth alert balance shop-1 --below 100', what: { en: 'below a hundred yuan', zh: '低于一百元时' } }, { line: 'berth alert balance shop-1 --below never', what: { en: 'no more', zh: '不再提醒' } }],
  run: async (asked) => {
    const typed = asked.needed('below')
    const below = typed === NEVER ? null : readAmount('--below', typed)
    const client = operatorClient(asked)
    const docking = await findDocking(client, asked.operands[0]!)
    if (!docking.ok) return refused(docking.problem)
    const set = await client.post<AlertView>(`/operator/dockings/${docking.id}/alerts/balance`, { below })
    if (!set.ok) return refused(set.problem)
    const zh = asked.lang === 'zh'
    const unheard = below === null ? '' : await unheardOf(client, `/operator/dockings/${docking.id}`, 'funds', asked.lang)
    return done(set.body, below === null ? (zh ? '余额提醒已关闭' : 'The deposit is watched no more') : (zh ? `余额低于 ${below} 元时提醒` : `The people are told when less than ${below} yuan are left`) + unheard)
  },
}

export const alertStock: Command = {
  name: 'alert stock',
  who: 'operator',
  summary: { en: 'Tell people when a good runs out', zh: '库存低于阈值时提醒' },
  operands: [{ name: 'GOOD', what: { en: 'The code or the id of the good.', zh: '商品编码或编号。' } }],
  options: [
    { name: 'below', value: 'N', isRequired: true, what: { en: `Pieces, or "${NEVER}" to switch it off.`, zh: `件数；“${NEVER}”表示关闭。` } },
    { name: 'mode', value: 'MODE', oneOf: ['sandbox', 'live'], what: { en: 'Whose stock; default live. A docking watches its own mode.', zh: '库存所属环境，默认 live；对接只看自己的环境。' } },
    { name: 'docking', value: 'DOCKING', what: { en: 'Tell the people of this docking; without it those of the main site.', zh: '提醒该对接的联系人；不填则提醒主站自身的联系人。' } },
  ],
  teaches: [ONCE],
  examples: [
    { line: 'berth alert stock junnet-10 --below 20', what: { en: 'the main site is to restock', zh: '提醒主站补货' } },
    { line: 'berth alert stock junnet-10 --below 5 --docking shop-1', what: { en: 'a partner wants to know before it sells out', zh: '售罄前通知某个对接' } },
  ],
  run: async (asked) => {
    const typed = asked.needed('below')
    if (typed !== NEVER && !/^[1-9]\d{0,8}$/.test(typed)) throw new WrongUsage({ en: `--below "${typed}" is not a number of pieces above zero.`, zh: `--below “${typed}”不是大于零的件数。` })
    const below = typed === NEVER ? null : Number(typed)
    const client = operatorClient(asked)
    const at = await pathOf(client, asked.option('docking') ?? 'operator')
    if (!at.ok) return refused(at.problem)
    const good = asked.operands[0]!
    const set = await client.post<AlertView>(`${at.path}/alerts/stock`, { good, below, mode: asked.option('mode') })
    if (!set.ok) return refused(set.problem)
    const zh = asked.lang === 'zh'
    const unheard = below === null ? '' : await unheardOf(client, at.path, 'stock', asked.lang)
    return done(set.body, below === null ? (zh ? `商品 ${good} 的库存提醒已关闭` : `The stock of ${good} is watched no more`) : (zh ? `商品 ${good}（${set.body.mode}）少于 ${below} 件时提醒` : `People are told when fewer than ${below} of ${good} (${set.body.mode}) are left`) + unheard)
  },
}

/** A line that says that nobody would hear the alert; '' when somebody would. */
async function unheardOf(client: Client, path: string, kind: 'funds' | 'stock', lang: Lang): Promise<string> {
  const contacts = await client.get<{ items: { kinds: string[] }[] }>(`${path}/contacts`)
  if (!contacts.ok || contacts.body.items.some(({ kinds }) => kinds.includes(kind))) return ''
  return lang === 'zh'
    ? `\n但目前没有接收 ${kind} 的联系人，不会有人收到；请用 berth contact add … --kinds ${kind} 登记。`
    : `\nBut nobody there is a contact for ${kind}, so nobody would be told: berth contact add … --kinds ${kind} names somebody.`
}

export const listAlerts: Command = {
  name: 'alert list',
  who: 'operator',
  summary: { en: 'Every threshold that is on', zh: '列出所有已开启的阈值' },
  operands: [],
  options: [],
  teaches: [{ en: 'One that is marked low was told and is not yet above again.', zh: '标为“低”的已提醒，尚未回升。' }],
  examples: [{ line: 'berth alert list', what: { en: 'as a table', zh: '表格形式' } }],
  run: async (asked) => {
    const list = await operatorClient(asked).get<{ items: AlertView[] }>('/operator/alerts')
    if (!list.ok) return refused(list.problem)
    const zh = asked.lang === 'zh'
    const { items } = list.body
    if (items.length === 0) return done(list.body, zh ? '没有开启任何提醒。' : 'Nothing is watched.')
    const head = zh ? ['对象', '内容', '商品', '环境', '阈值', '状态', '上次提醒'] : ['whose', 'what', 'good', 'mode', 'below', 'state', 'last told']
    const whose = zh ? '主站' : 'main site'
    return done(list.body, table([head, ...items.map((one) => [one.docking === null ? whose : beside(one.docking, one.dockingName), one.what, one.good === null ? '' : beside(one.good, one.goodCode, one.goodName), one.mode, String(one.below), one.low ? (zh ? '低' : 'low') : '', one.toldAt ?? ''])], 0))
  },
}
