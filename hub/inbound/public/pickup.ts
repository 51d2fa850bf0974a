import type { FastifyInstance, FastifyReply } from 'fastify'
import { offeredById } from '../../domain/catalogue/index.ts'
import { orderOfToken } from '../../domain/fulfilment/index.ts'
import { writeTime } from '../../domain/letters/index.ts'
import { deliveryOf, type Delivery, type Order } from '../../domain/orders/index.ts'
import { visitorOf } from '../address.ts'
import type { Hub } from '../hub.ts'

/**
 * /o/<token>: the page of one order that a person delivers. Whoever holds the address may read it, without a docking; so
 * it is kept by no cache, told to no other site and found by no search.
 */
export function pickupRoutes(app: FastifyInstance, hub: Hub): void {
  app.get('/o/:token', { schema: { hide: true } as never }, async (request, reply) => {
    const nowMs = hub.clock.nowMs()
    secure(reply)
    const id = orderOfToken(hub.vault, (request.params as { token: string }).token)
    const delivery = id === null ? null : await deliveryOf(hub.db, hub.vault, id)
    if (!delivery) {
      // A right link always opens; guesses are counted apart from sign-ins, so that nobody is shut out behind the same address.
      const guesser = `o ${visitorOf(request)}`
      hub.limiter.failed(guesser, nowMs)
      return reply.code(hub.limiter.admits(guesser, nowMs).ok ? 404 : 429).send(page('没有这个取货页 · No such page', '<p>地址不完整，或订单不存在。请核对收到的链接。</p><p lang="en">The address is not whole, or there is no such order. Please check the link.</p>'))
    }
    const { order } = delivery
    const [good] = await offeredById(hub.db, { id: order.docking, lane: order.lane, mode: order.mode }, [order.good])
    return reply.send(page('取货 · Pick-up', bodyOf(delivery, good?.name ?? order.good)))
  })
}

function secure(reply: FastifyReply): void {
  reply.type('text/html; charset=utf-8').header('cache-control', 'no-store').header('referrer-policy', 'no-referrer').header('x-robots-tag', 'noindex, nofollow')
    .header('x-content-type-options', 'nosniff').header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
}

const STATES: Readonly<Record<Order['state'], readonly [zh: string, en: string]>> = {
  delivering: ['正在发货，请稍后刷新本页', 'A person is at work; please look again later'],
  delivered: ['已发货', 'Delivered'],
  unknown: ['已发货', 'Delivered'],
  // The hub gives money back to the deposit of the shop; what the buyer paid is between the buyer and the shop.
  cancelled: ['已撤单，货款已退回店铺，请联系店铺退款', 'Cancelled. The shop has its money back: ask the shop for yours'],
  refunded: ['无法发货，货款已退回店铺，请联系店铺退款', 'Could not be delivered. The shop has its money back: ask the shop for yours'],
}

function bodyOf({ order, text, reason }: Delivery, good: string): string {
  const [zh, en] = STATES[order.state]
  const rows = [['商品 · Good', `${good} × ${order.quantity}`], ['订单 · Order', order.reference], ['下单时间 · Ordered (UTC+8)', writeTime(order.createdAt, 'zh-CN')], ...(reason === null ? [] : [['原因 · Reason', reason]])]
  return `<p class="state">${zh}<br><span lang="en">${en}</span></p>${text === null ? '' : `<pre>${escape(text)}</pre>`}` +
    `<dl>${rows.map(([name, value]) => `<dt>${name}</dt><dd>${escape(value!)}</dd>`).join('')}</dl>`
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex"><title>${title}</title>
<style>body{font:16px/1.65 system-ui,-apple-system,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:34rem;margin:2.5rem auto;padding:0 1.2rem;color:#1c2733;background:#fff}
h1{font-size:1.3rem;border-bottom:2px solid #0b6e8f;padding-bottom:.4rem}.state{font-size:1.1rem}span{color:#4a5a68;font-size:.9em}pre{font:1em/1.5 ui-monospace,Menlo,Consolas,monospace;background:#f4f7f9;border:1px solid #dfe7ec;padding:.8rem 1rem;white-space:pre-wrap;overflow-wrap:anywhere;border-radius:6px}dt{color:#4a5a68;font-size:.85rem}dd{margin:0 0 .6rem;overflow-wrap:anywhere}</style>
</head><body><h1>${title}</h1>${body}</body></html>`
}

function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
}
