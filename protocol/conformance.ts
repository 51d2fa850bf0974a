/**
 * The public kit by which a platform is judged: the tasks, and the one function that decides them. The hub that watched a run and
 * whoever reads its report ask the same function, so a verdict can be worked out again from what was seen.
 */
export const KIT_VERSION = '1.0.0'

export type KitDialect = 'json' | 'acg'

/** One request of the platform, as the hub saw it while a task was under way. */
export type Sighting = {
  /** 1 and up, in the order in which the requests came. */
  seq: number
  task: string
  /** Milliseconds since 1970, the hub's clock. */
  atMs: number
  /** `POST /api/orders`, or for a shop `acg trade`. */
  call: string
  isAccepted: boolean
  /** The reason of a refusal. */
  code: string | null
  isSigned: boolean
  keyId: string
  reference: string | null
  order: string | null
  /** maxUnitPrice and the price that was charged, both in millionths of a yuan as decimal digits. */
  guardMicro: string | null
  priceMicro: string | null
  /** The fault that the request met. */
  fault: string | null
  /** The text that was read back. */
  text: string | null
}

export type TaskVerdict = { id: string; verdict: 'pass' | 'fail'; seen: { en: string; zh: string }; evidence: number[] }

type Judged = Omit<TaskVerdict, 'id'>

export type Task = {
  id: string
  dialects: readonly KitDialect[]
  /** What meets the first fitting request of the task. */
  fault: string | null
  what: { en: string; zh: string }
  judge: (seen: readonly Sighting[], about: { text: string }) => Judged
}

const BOTH: readonly KitDialect[] = ['json', 'acg']
const JSON_ALONE: readonly KitDialect[] = ['json']
/** A second as two clocks and a network may count it. */
const TOLERANCE_MS = 250
const BACK_OFF_S = 2

const pass = (en: string, zh: string, ...evidence: readonly Sighting[]): Judged => ({ verdict: 'pass', seen: { en, zh }, evidence: evidence.map(({ seq }) => seq) })
const fail = (en: string, zh: string, ...evidence: readonly Sighting[]): Judged => ({ verdict: 'fail', seen: { en, zh }, evidence: evidence.map(({ seq }) => seq) })

const isPlacing = ({ call }: Sighting) => call === 'POST /api/orders' || call === 'acg trade'
const placed = (seen: readonly Sighting[]) => seen.filter((one) => isPlacing(one) && one.isAccepted && one.order !== null)

/** Every task, in the order in which it is best done. */
export const TASKS: readonly Task[] = [
  {
    id: 'sign', dialects: BOTH, fault: null, what: { en: 'Sign a request that the hub accepts, and none that it does not.', zh: '发出主站认可的签名请求，且没有签名错误。' },
    judge: (seen) => {
      const wrong = seen.filter(({ code }) => code === 'partners.signature_invalid' || code === 'partners.digest_mismatch' || code === 'partners.signature_incomplete' || code === 'partners.signature_malformed')
      const right = seen.filter((one) => one.isAccepted && one.isSigned)
      if (wrong.length > 0) return fail('A signature was refused.', '有签名被拒。', ...wrong)
      return right.length > 0 ? pass('A signed request was accepted.', '签名请求已被接受。', right[0]!) : fail('No signed request came.', '没有收到签名请求。')
    },
  },
  {
    id: 'order', dialects: BOTH, fault: null, what: { en: 'Buy one piece of any good.', zh: '购买任意一件商品。' },
    judge: (seen) => {
      const [first] = placed(seen)
      return first ? pass('An order was placed.', '已成功下单。', first) : fail('No order was placed.', '没有成功的订单。')
    },
  },
  {
    id: 'repeat_reference', dialects: BOTH, fault: null, what: { en: 'Place an order, and send it once more under the same reference.', zh: '下一笔订单，并用同一订单号重发一次。' },
    judge: (seen) => {
      const orders = placed(seen)
      const again = orders.find((one, i) => orders.slice(0, i).some((before) => before.reference === one.reference && before.order === one.order))
      const doubled = orders.filter((one) => orders.some((other) => other.order !== one.order))
      if (doubled.length > 0) return fail('More than one order was placed.', '产生了不止一笔订单。', ...doubled)
      return again ? pass('The repeat got the same order.', '重发得到同一订单。', orders[0]!, again) : fail('No reference was sent twice.', '没有同一订单号的重发。', ...orders)
    },
  },
  {
    id: 'survive_timeout', dialects: BOTH, fault: 'timeout_after_debit;ms=30000',
    what: { en: 'Buy one piece: the order is booked and its answer never comes. Find out what became of it, and buy nothing twice.', zh: '购买一件：订单已扣款但应答永不到达。请自行查明结果，不得重复购买。' },
    judge: (seen) => {
      const lost = seen.find((one) => isPlacing(one) && one.fault === 'timeout_after_debit' && one.order !== null)
      if (!lost) return fail('No order met the time-out.', '没有订单遇到超时。')
      const found = seen.find((one) => one.seq > lost.seq && one.isAccepted && one.fault === null && (one.order === lost.order || (one.reference !== null && one.reference === lost.reference)))
      const twice = placed(seen).filter(({ order }) => order !== lost.order)
      if (twice.length > 0) return fail('Another order was placed for the lost one.', '为丢失的订单又下了一单。', lost, ...twice)
      return found ? pass('The order was asked for again under its reference and found.', '已按原订单号找回订单。', lost, found) : fail('Nobody asked for the order again.', '没有再次查询该订单。', lost)
    },
  },
  {
    id: 'survive_outage', dialects: BOTH, fault: 'http_503;s=2',
    what: { en: 'Buy one piece: the hub is away at first. Try again under the same reference.', zh: '购买一件：主站起初不可用，请用同一订单号重试。' },
    judge: (seen) => {
      const refused = seen.find((one) => one.fault === 'http_503')
      if (!refused) return fail('No request met the outage.', '没有请求遇到故障。')
      const orders = placed(seen).filter(({ seq }) => seq > refused.seq)
      if (orders.length === 0) return fail('No order came through after the outage.', '故障后没有成功下单。', refused)
      if (refused.reference !== null && !orders.some(({ reference }) => reference === refused.reference)) return fail('It was tried again under another reference.', '重试时换了订单号。', refused, orders[0]!)
      return new Set(orders.map(({ order }) => order)).size === 1 ? pass('It was tried again, once, and placed.', '已重试并成功下单一次。', refused, orders[0]!) : fail('More than one order was placed.', '产生了不止一笔订单。', ...orders)
    },
  },
  {
    id: 'back_off', dialects: JSON_ALONE, fault: `rate_limited;s=${BACK_OFF_S}`,
    what: { en: 'Send any request: it is one too many. Wait as long as Retry-After says, then go on.', zh: '发送任意请求：会被限流。请按 Retry-After 等待后继续。' },
    judge: (seen) => {
      const refused = seen.find((one) => one.fault === 'rate_limited')
      const next = refused && seen.find((one) => one.seq > refused.seq)
      if (!refused || !next) return fail('No request came after the limit.', '限流之后没有再收到请求。', ...(refused ? [refused] : []))
      const waitedMs = next.atMs - refused.atMs
      return waitedMs >= BACK_OFF_S * 1000 - TOLERANCE_MS ? pass(`The next request came ${waitedMs} ms later.`, `下一个请求在 ${waitedMs} 毫秒后到达。`, refused, next) : fail(`The next request came ${waitedMs} ms later; Retry-After said ${BACK_OFF_S} s.`, `下一个请求在 ${waitedMs} 毫秒后就到达，而 Retry-After 为 ${BACK_OFF_S} 秒。`, refused, next)
    },
  },
  {
    id: 'price_guard', dialects: JSON_ALONE, fault: 'price_jump;percent=50',
    what: { en: 'Buy one piece with maxUnitPrice at the price that you showed: the price has risen. Do not just raise the guard; then buy at the old price.', zh: '按展示价设置 maxUnitPrice 购买一件：价格已上涨。不要自动抬高上限；随后按原价再买。' },
    judge: (seen) => {
      const refused = seen.find((one) => one.fault === 'price_jump')
      if (!refused) return fail('No order met the risen price.', '没有订单遇到涨价。')
      const raised = seen.filter((one) => one.seq > refused.seq && isPlacing(one) && one.guardMicro !== null && refused.guardMicro !== null && BigInt(one.guardMicro) > BigInt(refused.guardMicro))
      const orders = placed(seen)
      const loose = orders.filter(({ guardMicro, priceMicro }) => guardMicro === null || priceMicro === null || BigInt(guardMicro) > 2n * BigInt(priceMicro))
      if (raised.length > 0) return fail('The guard was raised after the refusal.', '被拒后抬高了价格上限。', refused, ...raised)
      if (loose.length > 0) return fail('A guard of more than twice the price guards nothing.', '上限超过价格两倍，起不到保护作用。', ...loose)
      return orders.length > 0 ? pass('The risen price was not paid, and the old one was.', '未按涨价付款，随后按原价成交。', refused, orders[0]!) : fail('No order followed at the old price.', '随后没有按原价下单。', refused)
    },
  },
  {
    id: 'charset', dialects: JSON_ALONE, fault: null,
    what: { en: 'Ask for the text of the run: it comes in GBK and says so. Send it back in UTF-8.', zh: '读取本次运行的文本（GBK 编码并注明），再以 UTF-8 原样送回。' },
    judge: (seen, { text }) => {
      const sent = seen.filter((one) => one.text !== null)
      const right = sent.find((one) => one.text === text)
      return right ? pass('The text came back whole.', '文本原样返回。', right) : fail(sent.length > 0 ? 'Another text came back.' : 'No text came back.', sent.length > 0 ? '返回的文本不一致。' : '没有返回文本。', ...sent)
    },
  },
  {
    id: 'roll_key', dialects: JSON_ALONE, fault: null, what: { en: 'Roll the key that signs, and go on with the new one.', zh: '轮换签名密钥，并用新密钥继续。' },
    judge: (seen) => {
      const rolled = seen.find((one) => one.isAccepted && /^POST \/api\/keys\/:key\/roll$/.test(one.call))
      if (!rolled) return fail('No key was rolled.', '没有轮换密钥。')
      const next = seen.find((one) => one.seq > rolled.seq && one.isAccepted && one.isSigned && one.keyId !== rolled.keyId)
      return next ? pass('A request was signed with the new key.', '已用新密钥签名请求。', rolled, next) : fail('No request was signed with the new key.', '没有用新密钥签名的请求。', rolled)
    },
  },
]

export function tasksOf(dialect: KitDialect): readonly Task[] {
  return TASKS.filter(({ dialects }) => dialects.includes(dialect))
}

/** The verdict of a run: green when every task of its dialect passed. Equal sightings give equal verdicts, here and anywhere. */
export function judgeRun(dialect: KitDialect, seen: readonly Sighting[], text: string): { verdict: 'green' | 'red'; cases: TaskVerdict[] } {
  const cases = tasksOf(dialect).map((task) => ({ id: task.id, ...task.judge(seen.filter((one) => one.task === task.id), { text }) }))
  return { verdict: cases.every(({ verdict }) => verdict === 'pass') ? 'green' : 'red', cases }
}
