import { done, refused, WrongUsage, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { readAmount } from './amount.ts'
import { dockingOperand, findDocking, type DockingView } from './docking.ts'

export const guardDocking: Command = {
  name: 'docking guard',
  who: 'operator',
  summary: { en: 'Choose what guards the price of an acg-faka shop', zh: '设置异次元店铺的价格保护方式' },
  operands: [dockingOperand, { name: 'GUARD', what: { en: 'last_shown, max or none.', zh: 'last_shown、max 或 none。' } }],
  options: [{ name: 'cap', value: 'YUAN', what: { en: 'The most that a piece may cost; with max only.', zh: '单价上限（元），仅用于 max。' } }],
  teaches: [{
    en: 'The protocol of such a shop cannot say the most that it pays. last_shown (the default) refuses an order at more than the hub last told the shop; max refuses more than a cap; none charges the price of now.',
    zh: '异次元协议不能带单价上限。last_shown（默认）：单价高于本站最近一次报价时拒单；max：高于上限时拒单；none：按当前价成交。',
  }],
  examples: [{ line: 'berth docking guard demo-acg max --cap 200', what: { en: 'nothing above 200 yuan a piece', zh: '单价不超过 200 元' } }],
  run: async (asked) => {
    const [typed, guard] = asked.operands as [string, string]
    if (!['last_shown', 'max', 'none'].includes(guard)) throw new WrongUsage({ en: `GUARD is last_shown, max or none; not "${guard}".`, zh: `GUARD 只能是 last_shown、max 或 none，不能是“${guard}”。` })
    const given = asked.option('cap')
    const cap = given === undefined ? undefined : readAmount('--cap', given)
    const client = operatorClient(asked)
    const docking = await findDocking(client, typed)
    if (!docking.ok) return refused(docking.problem)
    const set = await client.post<DockingView>(`/operator/dockings/${docking.id}/guard`, { guard, cap })
    if (!set.ok) return refused(set.problem)
    return done(set.body, asked.lang === 'zh' ? `对接 ${set.body.name} 的价格保护：${guard}${cap === undefined ? '' : ` ${cap} 元`}` : `${set.body.name} is guarded by ${guard}${cap === undefined ? '' : ` at ${cap} yuan`}`)
  },
}

export const mountDocking: Command = {
  name: 'docking port',
  who: 'operator',
  summary: { en: 'Serve an acg-faka docking at the root of a port of its own', zh: '让异次元对接独占一个端口（根路径）' },
  operands: [dockingOperand, { name: 'PORT', what: { en: '1 to 65535, or none to take it away.', zh: '1 至 65535；none 表示取消。' } }],
  options: [],
  teaches: [{
    en: 'For shops that take no path in an address. The port opens at once and again at every start; the path on the main port serves the same docking as before.',
    zh: '适用于店铺地址不能带路径的情况。端口立即开放，以后每次启动也会开放；主端口上的路径照常可用。',
  }],
  examples: [{ line: 'berth docking port demo-acg 8090', what: { en: 'the shop then keeps http://your-host:8090', zh: '店铺地址填 http://你的主机:8090' } }],
  run: async (asked) => {
    const [typed, text] = asked.operands as [string, string]
    const port = text === 'none' ? null : Number(text)
    if (port !== null && !(/^[1-9]\d{0,4}$/.test(text) && port <= 65_535)) throw new WrongUsage({ en: `PORT is a number from 1 to 65535, or none; not "${text}".`, zh: `PORT 须为 1 至 65535 或 none，不能是“${text}”。` })
    const client = operatorClient(asked)
    const docking = await findDocking(client, typed)
    if (!docking.ok) return refused(docking.problem)
    const set = await client.post<DockingView>(`/operator/dockings/${docking.id}/port`, { port })
    if (!set.ok) return refused(set.problem)
    const zh = asked.lang === 'zh'
    return done(set.body, port === null ? (zh ? `对接 ${set.body.name} 不再独占端口` : `${set.body.name} has no port of its own any more`) : zh ? `对接 ${set.body.name} 现由端口 ${port} 的根路径提供` : `${set.body.name} is served at the root of port ${port}`)
  },
}
