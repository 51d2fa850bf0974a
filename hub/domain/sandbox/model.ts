/** twin: the sandbox of a live docking. application: opened by whoever asked, with no person in between. */
export type Origin = 'twin' | 'application'

/** What the room keeps of a sandbox docking. One that the operator opened by hand has none: it lives on what the operator gives it. */
export type Box = { lane: number; docking: string; origin: Origin; dialect: string; openedAt: Date; usedAt: Date; endedAt: Date | null }

/**
 * Where a fault strikes. before: nothing is booked. order: the order's own answer, under the rule that a bound reference gets its
 * order. answer: everything is done, and the answer suffers. callback: strikes callbacks, which nobody sends yet. decision: a
 * decision stands until it is lifted.
 */
export type Strikes = 'before' | 'order' | 'answer' | 'callback' | 'decision'

export type Param = { least: number; most: number; otherwise: number; what: { en: string; zh: string } }

export type Fault = {
  name: string
  strikes: Strikes
  /** Only calls that carry the time at which they were signed. */
  needsSignature?: true
  /** Only calls that place an order. */
  needsOrder?: true
  params: Readonly<Record<string, Param>>
  what: { en: string; zh: string }
}

/** A fault that was asked for, with a value for each of its parameters. */
export type Asked = { fault: Fault; params: Readonly<Record<string, number>>; /** The reason of a decision. */ code: string | null }

/** A fault that the next requests of a docking meet. */
export type Switch = { fault: string; params: Readonly<Record<string, number>>; remaining: number; setAt: Date }

/** What is known of a call when it is asked which fault it meets. */
/** isOrder: an order or its dry run; isPlacing: one or more orders. isControl: what steers the sandbox itself, which no fault may lock its owner out of. */
export type Call = { isOrder: boolean; isPlacing: boolean; isSigned: boolean; isControl: boolean }

const ms = (otherwise: number, most: number, en: string, zh: string): Param => ({ least: 0, most, otherwise, what: { en, zh } })

/** All faults. A room that brings one adds its line here; doors ask by `strikes` and by name. */
export const FAULTS: readonly Fault[] = [
  {
    name: 'timeout_after_debit', strikes: 'answer', needsOrder: true, params: { ms: ms(15_000, 60_000, 'how long the line stays open and silent; 0 cuts it at once', '连接保持静默的毫秒数，0 为立即断开') },
    what: { en: 'The order is booked, and no answer ever comes. The same reference again gets the order.', zh: '订单已扣款，但应答永不到达；用同一订单号重发即得原订单。' },
  },
  { name: 'slow', strikes: 'answer', params: { ms: ms(5_000, 30_000, 'by how much the answer is late', '应答推迟的毫秒数') }, what: { en: 'The answer comes late.', zh: '应答很慢。' } },
  { name: 'http_500', strikes: 'before', params: {}, what: { en: 'A fault of the hub; nothing is booked.', zh: '主站内部故障，未入账。' } },
  { name: 'http_503', strikes: 'before', params: { s: { least: 1, most: 60, otherwise: 2, what: { en: 'Retry-After', zh: 'Retry-After 秒数' } } }, what: { en: 'The hub cannot work now; nothing is booked.', zh: '主站暂不可用，未入账。' } },
  { name: 'gbk_body', strikes: 'answer', params: {}, what: { en: 'The answer comes in GBK bytes and says so.', zh: '应答正文为 GBK 编码（并注明）。' } },
  { name: 'cut_in_body', strikes: 'answer', params: {}, what: { en: 'The line breaks in the middle of the answer.', zh: '应答传到一半时断开。' } },
  {
    name: 'clock_skew', strikes: 'before', needsSignature: true, params: { s: { least: 301, most: 86_400, otherwise: 600, what: { en: 'by how much the clocks differ', zh: '时钟偏差秒数' } } },
    what: { en: 'The signature is judged as if your clock were wrong.', zh: '按贵方时钟有偏差来判断签名。' },
  },
  { name: 'rotated_key', strikes: 'before', params: {}, what: { en: 'The key is answered as revoked.', zh: '答复密钥已吊销。' } },
  { name: 'rate_limited', strikes: 'before', params: { s: { least: 1, most: 60, otherwise: 2, what: { en: 'Retry-After', zh: 'Retry-After 秒数' } } }, what: { en: 'Too many requests.', zh: '请求过于频繁。' } },
  { name: 'low_balance', strikes: 'order', params: {}, what: { en: 'The deposit does not cover the order.', zh: '余额不足。' } },
  { name: 'price_jump', strikes: 'order', params: { percent: { least: 1, most: 1_000, otherwise: 50, what: { en: 'by how much the price rises, at least above the guard', zh: '涨价百分比，至少高于上限' } } }, what: { en: 'The price has risen above the guard.', zh: '价格已涨过上限。' } },
  { name: 'sold_out', strikes: 'order', params: {}, what: { en: 'Nothing is in stock.', zh: '库存不足。' } },
  { name: 'duplicate_callback', strikes: 'callback', params: {}, what: { en: 'The same callback comes twice. Not yet: callbacks are not sent.', zh: '同一回调到达两次。暂不可用：尚无回调。' } },
  { name: 'late_callback', strikes: 'callback', params: {}, what: { en: 'A callback comes late. Not yet: callbacks are not sent.', zh: '回调迟到。暂不可用：尚无回调。' } },
  { name: 'decision', strikes: 'decision', params: {}, what: { en: 'decision:CODE is a real decision on this sandbox with its statement of reasons; DELETE lifts it.', zh: 'decision:代码 会对此沙箱作出一份真实的处理决定（含处理说明）；DELETE 即解除。' } },
]

/** What may be set for a sandbox. */
export const LIMITS = {
  /** Requests that one switch may strike. */
  times: 1_000,
  openingMicro: 10_000_000_000n,
  depositMicro: 100_000_000_000n,
  balanceMicro: 1_000_000_000_000n,
  travelS: 400 * 86_400,
  /** After so many days without a request a sandbox that was applied for ends. */
  unusedDays: 30,
  applicationsAnHour: 10,
  /** Decisions that a sandbox may have asked for: at one time, and in a day. Each is a whole statement that is kept for good. */
  decisionsOpen: 5,
  decisionsADay: 50,
} as const
