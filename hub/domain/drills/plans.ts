import { OUTAGE_ORDERS, type DrillKind, type Plan, type PlanCriterion, type PlanStep, type Words } from './model.ts'

const words = (en: string, zh: string): Words => ({ en, zh })
const step = (name: string, limitS: number, what: Words, asks: Words): PlanStep => ({ name, limitS, what, asks })
const criterion = (name: string, points: number, what: Words, advice: Words): PlanCriterion => ({ name, points, what, advice })

/** A platform has so long to appear. */
const GATE_S = 300

const NONE_LOST = (points: number) => criterion('none_lost', points,
  words('Every order that was refused in passing, or whose answer got lost, came to an end under its own number.', '凡暂时被拒或应答丢失的订单，最终都以原订单号得到结果。'),
  words('Keep every order in a table of your own until you hold a clear answer, and send it again under the same reference after 401, 429, 5xx and after silence.', '每笔订单在取得明确应答前都应留存；遇 401、429、5xx 或无应答时，用同一订单号重发。'))
const NO_REFERENCE_TWICE = (points: number) => criterion('no_reference_twice', points,
  words('No order was sent again after it had been answered.', '已得到应答的订单没有再次提交。'),
  words('Mark an order as done in the same moment in which you read its answer; two workers must not take the same one.', '读到应答的同时即标记完成，并避免两个线程取到同一笔订单。'))
const SETTLE = (limitS: number) => step('settle', limitS,
  words('Nothing more happens.', '不再注入任何情况。'), words('Place no new orders. Bring those that are open to their end.', '请勿再下新单，把未完结的订单处理完。'))

export const PLANS: Readonly<Record<DrillKind, Plan>> = {
  key_roll: {
    kind: 'key_roll', version: 1, title: words('Key roll under load', '业务中轮换密钥'),
    what: words('While orders flow, the hub gives the key that they are signed with an end in 60 seconds. One answer gets lost meanwhile.', '在持续下单过程中，主站令正在使用的密钥 60 秒后终止，期间有一个应答丢失。'),
    steps: [
      step('load', GATE_S, words('The hub looks on until 5 orders are placed.', '等待平台下满 5 单。'), words('Place an order about every second, and go on until you are told to settle.', '约每秒下一单，直到要求收尾为止。')),
      step('roll', 60, words('The key ends in 60 seconds; every answer says so (Berth-Key-Expires). The answer to one order is cut.', '密钥将在 60 秒后终止，每个应答都会提示（Berth-Key-Expires）；有一单的应答会中断。'), words('Take a new key (POST /api/keys/{key}/roll) and go on with it.', '请轮换密钥（POST /api/keys/{key}/roll）并用新密钥继续。')),
      step('after', 20, words('The old key is dead.', '旧密钥已终止。'), words('Go on with the new key.', '请用新密钥继续下单。')),
      SETTLE(15),
    ],
    criteria: [
      criterion('switched_in_time', 30, words('An order was placed with another key before the old one ended.', '旧密钥终止前，已用新密钥下单成功。'),
        words('Read Berth-Key-Expires on every answer; when it appears, roll the key by program and put the new one into use at once.', '程序应读取每个应答的 Berth-Key-Expires；一旦出现即自动轮换并立即启用新密钥。')),
      criterion('kept_ordering', 20, words('Orders went on before and after the end of the old key.', '旧密钥终止前后均持续下单。'),
        words('Changing a key needs no restart: hold both keys in memory and let new requests take the new one.', '更换密钥不必重启：内存中同时保留两把密钥，新请求改用新密钥即可。')),
      NONE_LOST(20),
      NO_REFERENCE_TWICE(10),
      criterion('dead_key_unused', 20, words('The old key was not used after its end.', '旧密钥终止后未再使用。'),
        words('Change the key in one place for all of your programs; whatever polls goods or balance must not keep the old one.', '所有程序应从同一处取密钥；轮询商品、余额的程序也不得继续用旧密钥。')),
    ],
  },
  rush: {
    kind: 'rush', version: 1, title: words('Rush', '抢购高峰'),
    what: words('About a minute of orders as fast as the limit of the docking allows; twice the hub says that it is too fast.', '约一分钟内以对接限额允许的速度下单，其间主站会提示过快（429）。'),
    steps: [
      step('warm', GATE_S, words('The hub looks on until 3 orders are placed.', '等待平台下满 3 单。'), words('Begin to place orders.', '请开始下单。')),
      step('rush', 20, words('Nothing is in the way.', '不注入任何情况。'), words('Place orders as fast as your platform does in its best hour, within the published limit.', '在公布的限额内，以平台业务高峰的速度下单。')),
      step('squeeze', 15, words('5 requests are answered with 429 and Retry-After: 1.', '5 个请求答复 429（Retry-After: 1）。'), words('Go on; obey Retry-After.', '继续下单，并遵守 Retry-After。')),
      step('rush_again', 20, words('3 more requests are answered with 429.', '再有 3 个请求答复 429。'), words('Go on.', '继续下单。')),
      SETTLE(15),
    ],
    criteria: [
      criterion('honours_retry_after', 30, words('What was refused with 429 came again no sooner than Retry-After said.', '被 429 拒绝的请求，未早于 Retry-After 重发。'),
        words('After 429 wait at least Retry-After seconds before that order is sent again, and spread the wait a little.', '收到 429 后，至少等待 Retry-After 秒再重发该单，并稍加随机间隔。')),
      NONE_LOST(20),
      NO_REFERENCE_TWICE(15),
      criterion('accepted_share', 15, words('At least 95 of 100 orders were accepted.', '每 100 单至少受理 95 单。'),
        words('Ask for what is offered: read goods, prices and stock from the feed before you sell, and keep the deposit filled.', '按实际供应下单：售卖前从变更流读取商品、价格与库存，并保持余额充足。')),
      criterion('quick', 10, words('99 of 100 orders were accepted within 10 seconds, waits that the hub asked for left out.', '99% 的订单在 10 秒内受理（主站要求的等待不计）。'),
        words('Do not let one refused order hold up the queue, and do not wait much longer than Retry-After says.', '单笔被拒不应阻塞整个队列，等待也不宜远超 Retry-After。')),
      criterion('kept_pace', 10, words('At least 2 orders a second through both rushes.', '两段高峰平均每秒至少 2 单。'),
        words('Let several orders be under way at once and keep connections open.', '并发处理多笔订单，并复用连接。')),
    ],
  },
  outage: {
    kind: 'outage', version: 1, title: words('Outage and catch-up', '中断与补单'),
    what: words(`You have ${OUTAGE_ORDERS} orders to place, one for each of ${OUTAGE_ORDERS} buyers. Two answers get lost, then the hub is away for 20 seconds and a price is told anew, then it is back.`,
      `共有 ${OUTAGE_ORDERS} 位买家、${OUTAGE_ORDERS} 笔订单要下。其间两个应答丢失，随后主站中断 20 秒并重发一条价格变更，然后恢复。`),
    steps: [
      step('calm', GATE_S, words('The hub looks on until 3 orders are placed.', '等待平台下满 3 单。'), words(`Begin to place the ${OUTAGE_ORDERS} orders, one about every 3 seconds.`, `请开始下这 ${OUTAGE_ORDERS} 单，约每 3 秒一单。`)),
      step('doubt', 30, words('The orders are booked, but two answers are cut.', '订单已入账，但两个应答中断。'), words('Go on.', '继续下单。')),
      step('outage', 20, words('Every request is answered with 503 and Retry-After: 2. The price of a good is told anew in your feed.', '所有请求答复 503（Retry-After: 2）；变更流中重发一条商品价格。'), words('Go on; what cannot be placed waits.', '继续；暂时下不了的订单先排队。')),
      step('recovery', 60, words('The hub is back.', '主站已恢复。'), words('Settle what is in doubt, place what has waited in its order, and read the changes (GET /api/goods/changes).', '核实存疑订单，按先后顺序补下排队订单，并读取变更流（GET /api/goods/changes）。')),
    ],
    criteria: [
      criterion('backs_off', 20, words('What was refused with 503 came again no sooner than Retry-After said.', '被 503 拒绝的请求，未早于 Retry-After 重发。'),
        words('Wait at least Retry-After seconds after 503, longer each time; a hub that comes back needs no storm.', '收到 503 后至少等待 Retry-After 秒并逐次延长，避免恢复时形成冲击。')),
      criterion('settles_doubt', 25, words('Each order without an answer was looked up, or sent again under its number, in time.', '每笔无应答的订单都及时用原订单号查询或重发。'),
        words('Silence is no refusal: ask GET /api/orders?reference=… or send the same order again before you do anything else.', '无应答不等于失败：先用 GET /api/orders?reference=… 查询，或用同一订单号重发。')),
      criterion('repeats_refused', 15, words('What the outage refused was placed afterwards under the same number.', '中断期间被拒的订单，恢复后以原订单号下单成功。'),
        words('Keep what 503 refused in a queue with its number, and place it when the hub is back.', '把被 503 拒绝的订单连同订单号排队，恢复后补下。')),
      criterion('none_doubled', 20, words(`No more than ${OUTAGE_ORDERS} orders were booked: none was bought twice under two numbers.`, `入账订单不超过 ${OUTAGE_ORDERS} 笔：没有用两个订单号重复购买。`),
        words('Give an order its number once, when the buyer pays, and never a new one for another attempt.', '订单号在买家付款时生成一次，重试时绝不更换。')),
      criterion('order_kept', 10, words('What was refused first was placed before what came after it.', '先被拒的订单先补下。'),
        words('Catch up from a queue, the oldest first: those buyers have waited longest.', '补单应先进先出：最早的买家等得最久。')),
      criterion('feed_caught_up', 10, words('The feed of changes was read up to the change that fell into the outage.', '变更流已读到中断期间的那条变更。'),
        words('After an outage read GET /api/goods/changes from your last position until nothing more comes.', '中断恢复后，从上次位置起读取 GET /api/goods/changes，直到没有更多。')),
    ],
  },
  tampered_log: {
    kind: 'tampered_log', version: 1, title: words('Tampered log', '日志篡改'),
    what: words('The hub shows you a log of this drill alone, which first grows honestly and is then rewritten. The true log is not touched.', '主站展示一份仅供本次演练的日志，先正常增长，然后被改写；真实日志不受影响。'),
    steps: [
      step('watch', GATE_S, words('The log has 16 leaves.', '日志共 16 条。'), words('Look at the checkpoint and sign it as a witness.', '请检查检查点并以见证方身份签名。')),
      step('grow', 30, words('The log grows to 24 leaves, honestly.', '日志正常增长到 24 条。'), words('Check that it goes on from the one before, and sign it.', '请核对其与之前一致，再签名。')),
      step('forged', 60, words('A checkpoint of another history is shown.', '展示一份属于另一段历史的检查点。'), words('Sign nothing that contradicts what you have seen; report both notes.', '与所见不符的不要签名，并提交两份检查点举报。')),
    ],
    criteria: [
      criterion('witnessed', 20, words('The first checkpoint was signed by a witness key of the docking.', '首个检查点已由对接方的见证密钥签名。'),
        words('Run a witness (berth witness, or LogWatch of the SDK) beside your platform, and let it sign what it has checked.', '在平台旁运行见证程序（berth witness 或 SDK 的 LogWatch），核对后签名。')),
      criterion('went_on', 10, words('The honest growth was checked and signed, and no alarm was raised.', '正常增长已核对并签名，未误报。'),
        words('Ask for the consistency proof between the checkpoint you remember and the new one; growth alone is no fraud.', '向主站索取新旧检查点之间的一致性证明；单纯增长不是篡改。')),
      criterion('refused_forged', 40, words('The forged checkpoint was not signed.', '未对伪造的检查点签名。'),
        words('Never sign before the consistency proof from your own remembered checkpoint holds; keep that memory on your side.', '必须先从自己记住的检查点验证一致性再签名，记忆须保存在自己一侧。')),
      criterion('reported_split', 30, words('Both notes were reported as evidence, and they contradict each other.', '已提交两份相互矛盾的检查点作为证据。'),
        words('Keep the signed notes as text: two of them that cannot both be true are the proof. Report them at once.', '请以原文保存检查点：两份不可能同时为真的检查点就是证据，应立即提交。')),
    ],
  },
}

export function stepOf(kind: DrillKind, ordinal: number): PlanStep | undefined {
  return PLANS[kind].steps[ordinal]
}
