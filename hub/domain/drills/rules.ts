import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { LIMITS, OUTAGE_ORDERS, type Best, type Evidence, type Finding, type Judgement, type Plan, type Seen, type Words } from './model.ts'
import { acceptedMs, hurried, isAccepted, isPassing, isSettled, percentile, sentTwice, storiesOf, type Story } from './stories.ts'

/** Judges a rehearsal by its plan: every criterion by name, with its points and, where some were lost, how to win them. */
export function judge(plan: Plan, evidence: Evidence): Judgement {
  const stories = storiesOf(evidence)
  const { findings, measured } = JUDGES[plan.kind](evidence, stories)
  const criteria = plan.criteria.map(({ name, points: of, what, advice }) => {
    const { share, seen, evidence: where } = findings[name]!
    const points = pointsOf(of, share)
    return { name, points, of, what, seen, advice: points < of ? advice : null, evidence: where.slice(0, 5) }
  })
  return { score: criteria.reduce((sum, { points }) => sum + points, 0), criteria, measured }
}

/** Whole points, never rounded up: all of them are for what is met wholly. */
export function pointsOf(of: number, share: number): number {
  return Math.floor(of * Math.min(1, Math.max(0, share)) + 1e-9)
}

/** Whether the current step has brought what it is there for; at its limit it ends anyway. */
export function isStepDone({ kind, steps, seen, booked, secondMs }: Evidence): boolean {
  const step = steps.at(-1)!
  const within = seen.filter((one) => one.atMs >= step.begunMs)
  const accepted = (least: number) => seen.filter((one) => one.what === 'order' && isAccepted(one)).length >= least
  const stories = () => storiesOf({ seen, booked })
  const isQuiet = (ms: number) => step.endedMs - step.begunMs >= ms && !seen.some((one) => one.what === 'order' && one.endedMs > step.endedMs - ms)
  switch (`${kind}.${step.name}`) {
    case 'key_roll.load': return accepted(5)
    case 'rush.warm': case 'outage.calm': return accepted(3)
    case 'rush.squeeze': return within.filter((one) => one.status === 429).length >= 5
    case 'rush.rush': case 'rush.rush_again': return within.length >= LIMITS.seenOfStep
    case 'outage.doubt': return within.filter((one) => one.what === 'order' && !one.isAnswered).length >= 2
    case 'outage.recovery': {
      const all = stories()
      // Who buys twice under two numbers has more to place when the twelfth is booked.
      return isQuiet(10 * secondMs) && all.filter(({ sends, looks }) => sends.some(isAccepted) || looks.some((look) => look.holds === true)).length >= OUTAGE_ORDERS && all.every(isSettled) && within.some((one) => one.what === 'feed' && one.isAnswered)
    }
    // Whoever looks and does not sign has come too; the drill goes on without that signature.
    case 'tampered_log.watch': return hasSigned(within, 16) || within.some((one) => one.what === 'look' && one.atMs < step.endedMs - 10 * secondMs)
    case 'tampered_log.grow': return hasSigned(within, 24)
    case 'tampered_log.forged': return within.some((one) => one.what === 'disputed' && one.holds === true)
    // A second of quiet: whoever is told to settle takes a moment to hear it.
    case 'key_roll.settle': case 'rush.settle': return isQuiet(QUIET_MS) && stories().every(isSettled)
    default: return false
  }
}

const QUIET_MS = 1_000

function hasSigned(seen: readonly Seen[], size: number): boolean {
  return seen.some((one) => one.what === 'cosigned' && one.holds === true && one.size === size)
}

type Verdict = { findings: Record<string, Finding>; measured: Judgement['measured'] }
type Judge = (evidence: Evidence, stories: readonly Story[]) => Verdict

const JUDGES: Readonly<Record<Plan['kind'], Judge>> = {
  key_roll(evidence, stories) {
    const roll = spanOf(evidence, 'roll')
    const after = spanOf(evidence, 'after')
    const { key, keyEndsMs = Infinity } = roll.data
    const accepted = evidence.seen.filter((one) => one.what === 'order' && isAccepted(one))
    const fresh = accepted.filter((one) => one.key !== key && one.atMs >= roll.begunMs)
    const inTime = fresh.filter((one) => one.endedMs <= keyEndsMs)
    const before = accepted.filter((one) => one.atMs >= roll.begunMs && one.atMs < keyEndsMs)
    const later = accepted.filter((one) => one.atMs >= keyEndsMs && one.atMs < after.endedMs)
    const dead = evidence.seen.filter((one) => one.key === key && one.atMs > keyEndsMs + IN_FLIGHT_MS)
    const lateS = dead.length === 0 ? 0 : (Math.max(...dead.map((one) => one.atMs)) - keyEndsMs) / evidence.secondMs
    return {
      measured: { switchSeconds: fresh[0] ? round((fresh[0].endedMs - roll.begunMs) / evidence.secondMs) : null, ordersWithOldKey: before.length - inTime.length, ordersAfterEnd: later.length },
      findings: {
        switched_in_time: whole(inTime.length > 0, `${inTime.length} orders with another key before the old one ended`, `旧密钥终止前，用新密钥下单 ${inTime.length} 笔`, inTime),
        kept_ordering: {
          share: (Math.min(1, before.length / LEAST_ORDERS) + Math.min(1, later.length / LEAST_ORDERS)) / 2,
          seen: { en: `${before.length} orders before the end, ${later.length} after it`, zh: `终止前 ${before.length} 单，终止后 ${later.length} 单` }, evidence: idsOf([...before.slice(-2), ...later]),
        },
        none_lost: noneLost(stories), no_reference_twice: noneTwice(stories),
        dead_key_unused: {
          share: dead.length === 0 ? 1 : lateS <= 2 ? 0.5 : 0, evidence: idsOf(dead),
          seen: { en: dead.length === 0 ? 'the old key was let go' : `${dead.length} requests with the dead key, the last ${round(lateS)} s after its end`, zh: dead.length === 0 ? '旧密钥已停用' : `用已终止的密钥请求 ${dead.length} 次，最后一次在终止后 ${round(lateS)} 秒` },
        },
      },
    }
  },

  rush(evidence, stories) {
    const spans = [spanOf(evidence, 'rush'), spanOf(evidence, 'rush_again')]
    const hasty = hurried(stories, 429)
    const accepted = stories.filter((story) => acceptedMs(story) !== null)
    const ratio = stories.length === 0 ? 0 : accepted.length / stories.length
    // The waits that the hub asked for are its own doing.
    const tookMs = accepted.map((story) => acceptedMs(story)! - story.sends[0]!.atMs - story.sends.reduce((sum, send) => sum + (isPassing(send) ? (send.retryAfterS ?? 0) * 1000 : 0), 0))
    const p99Ms = percentile(tookMs, 99)
    const orders = spans.flatMap((span) => evidence.seen.filter((one) => one.what === 'order' && isAccepted(one) && one.atMs >= span.begunMs && one.atMs < span.endedMs))
    const perSecond = orders.length / Math.max(0.001, spans.reduce((sum, span) => sum + span.endedMs - span.begunMs, 0) / 1000)
    const quickMs = 10 * evidence.secondMs
    return {
      measured: { ordersPerSecond: round(perSecond), accepted: accepted.length, asked: stories.length, refusedTooFast: hasty.asked.length, p99Ms: p99Ms === null ? null : Math.round(p99Ms), hubP99Ms: hubP99(evidence.seen) },
      findings: {
        honours_retry_after: patient(hasty, '429'), none_lost: noneLost(stories), no_reference_twice: noneTwice(stories),
        accepted_share: {
          share: ratio / 0.95, seen: { en: `${accepted.length} of ${stories.length} orders accepted`, zh: `${stories.length} 单中受理 ${accepted.length} 单` },
          evidence: idsOf(stories.filter((story) => acceptedMs(story) === null).map(({ sends }) => sends.at(-1)!)),
        },
        quick: {
          share: p99Ms === null ? 0 : p99Ms <= quickMs ? 1 : p99Ms <= 2 * quickMs ? 0.5 : 0, evidence: [],
          seen: { en: `99 of 100 within ${p99Ms === null ? '–' : round(p99Ms / evidence.secondMs)} s`, zh: `99% 在 ${p99Ms === null ? '–' : round(p99Ms / evidence.secondMs)} 秒内` },
        },
        kept_pace: { share: perSecond / 2, seen: { en: `${round(perSecond)} orders a second`, zh: `每秒 ${round(perSecond)} 单` }, evidence: [] },
      },
    }
  },

  outage(evidence, stories) {
    const hasty = hurried(stories, 503)
    const doubtful = stories.filter((story) => story.sends.some((send) => !send.isAnswered) && story.booked !== null)
    const settled = doubtful.filter(isSettled)
    const refused = stories.filter(({ sends }) => sends.some((send) => send.status === 503 && send.isAnswered))
    const placed = refused.filter((story) => acceptedMs(story) !== null)
    const booked = evidence.booked.filter((order) => !order.isCancelled)
    const overtaken = placed.filter((story) => stories.some((other) => other.sends[0]!.atMs > story.sends[0]!.atMs && (acceptedMs(other) ?? Infinity) < acceptedMs(story)!))
    const read = evidence.seen.filter((one) => one.what === 'feed' && one.isAnswered && one.after !== null && evidence.feedPosition !== null && BigInt(one.after) >= BigInt(evidence.feedPosition))
    const recovery = spanOf(evidence, 'recovery')
    const lastMs = Math.max(...doubtful.map((story) => acceptedMs(story) ?? Infinity))
    return {
      measured: { booked: booked.length, doubtful: doubtful.length, refused: refused.length, settledSeconds: Number.isFinite(lastMs) ? round(Math.max(0, lastMs - recovery.begunMs) / evidence.secondMs) : null },
      findings: {
        backs_off: patient(hasty, '503'),
        settles_doubt: parts(settled.length, doubtful.length, 'orders without an answer settled', '笔无应答订单已核实', doubtful.filter((story) => !isSettled(story))),
        repeats_refused: parts(placed.length, refused.length, 'refused orders placed afterwards', '笔被拒订单已补下', refused.filter((story) => acceptedMs(story) === null)),
        none_doubled: { share: booked.length <= OUTAGE_ORDERS ? 1 : 0, seen: { en: `${booked.length} orders booked for ${OUTAGE_ORDERS} buyers`, zh: `${OUTAGE_ORDERS} 位买家，入账 ${booked.length} 单` }, evidence: booked.slice(OUTAGE_ORDERS).map(({ position }) => position) },
        order_kept: whole(placed.length > 0 && overtaken.length === 0, `${overtaken.length} of ${placed.length} were overtaken`, `${placed.length} 单中有 ${overtaken.length} 单被后来者抢先`, overtaken.flatMap(({ sends }) => sends)),
        feed_caught_up: whole(read.length > 0, read.length > 0 ? 'the change was read' : 'the change was not read', read.length > 0 ? '已读到该变更' : '未读到该变更', read),
      },
    }
  },

  tampered_log({ seen, steps }) {
    const forgedMs = steps.find((step) => step.name === 'forged')?.begunMs ?? Infinity
    const signed = (size: number) => seen.filter((one) => one.what === 'cosigned' && one.holds === true && one.size === size)
    const fooled = seen.filter((one) => one.what === 'cosigned' && one.holds === false)
    const alarms = seen.filter((one) => one.what === 'disputed' && one.atMs < forgedMs)
    const reported = seen.filter((one) => one.what === 'disputed' && one.holds === true)
    // Who never saw the forged one has withstood nothing.
    const shown = reported.length > 0 || seen.some((one) => one.what === 'look' && one.holds === false)
    const yes = (good: boolean): Words => (good ? { en: 'yes', zh: '是' } : { en: 'no', zh: '否' })
    return {
      measured: { reportSeconds: reported[0] && Number.isFinite(forgedMs) ? round((reported[0].atMs - forgedMs) / 1000) : null, cosignatures: seen.filter((one) => one.what === 'cosigned').length },
      findings: {
        witnessed: { share: signed(16).length > 0 ? 1 : 0, seen: yes(signed(16).length > 0), evidence: idsOf(signed(16)) },
        went_on: whole(signed(24).length > 0 && alarms.length === 0, `${signed(24).length} signatures, ${alarms.length} false alarms`, `签名 ${signed(24).length} 次，误报 ${alarms.length} 次`, alarms),
        refused_forged: whole(shown && fooled.length === 0, !shown ? 'the forged checkpoint was never asked for' : `${fooled.length} signatures under it`, !shown ? '从未读取伪造的检查点' : `对其签名 ${fooled.length} 次`, fooled),
        reported_split: { share: reported.length > 0 ? 1 : 0, seen: yes(reported.length > 0), evidence: idsOf(reported) },
      },
    }
  },
}

/** Requests that were under way when the key ended. */
const IN_FLIGHT_MS = 250
const LEAST_ORDERS = 3

function spanOf({ steps }: Evidence, name: string): Evidence['steps'][number] {
  return steps.find((step) => step.name === name) ?? { name, begunMs: 0, endedMs: 0, data: {} }
}

function whole(isMet: boolean, en: string, zh: string, seen: readonly Seen[]): Finding {
  return { share: isMet ? 1 : 0, seen: { en, zh }, evidence: idsOf(seen) }
}

/** What never came up was not shown either: no points. */
function parts(good: number, all: number, en: string, zh: string, wrong: readonly Story[]): Finding {
  return { share: all === 0 ? 0 : good / all, seen: { en: `${good} of ${all} ${en}`, zh: `${all} 笔中 ${good} ${zh}` }, evidence: idsOf(wrong.map(({ sends }) => sends.at(-1)!)) }
}

function patient({ asked, hurried: hasty }: { asked: readonly Seen[]; hurried: readonly Seen[] }, status: string): Finding {
  return {
    share: asked.length === 0 ? 0 : 1 - hasty.length / asked.length, evidence: idsOf(hasty),
    seen: { en: `${hasty.length} orders came too soon after ${asked.length} answers of ${status}`, zh: `${asked.length} 次 ${status} 之后，过早重发 ${hasty.length} 次` },
  }
}

function noneLost(stories: readonly Story[]): Finding {
  const lost = stories.filter((story) => !isSettled(story))
  return { share: lost.length === 0 && stories.length > 0 ? 1 : 0, seen: { en: `${lost.length} of ${stories.length} orders left open`, zh: `${stories.length} 单中 ${lost.length} 单没有下文` }, evidence: idsOf(lost.map(({ sends }) => sends.at(-1)!)) }
}

function noneTwice(stories: readonly Story[]): Finding {
  const twice = sentTwice(stories)
  return { share: twice.length === 0 && stories.length > 0 ? 1 : 0, seen: { en: `${twice.length} orders sent again after a yes`, zh: `${twice.length} 单在受理后又被提交` }, evidence: idsOf(twice) }
}

function idsOf(seen: readonly Seen[]): string[] {
  return [...new Set(seen.map(({ request }) => request))].slice(0, 5)
}

function hubP99(seen: readonly Seen[]): number | null {
  const value = percentile(seen.filter((one) => one.what === 'order').map((one) => one.endedMs - one.atMs), 99)
  return value === null ? null : Math.round(value)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** What the best scores are worth where levels are given out: 25 points a kind at most. */
export function levelPointsOf(best: readonly Best[]): { points: number; of: number } {
  return { points: best.reduce((sum, { score }) => sum + Math.floor(score / 4), 0), of: 100 }
}

type Rehearser = { id: string; mode: string; dialect: string }

/** Only a sandbox rehearses, and only a platform that can do what the plans ask for. */
export function mayRehearse(docking: Rehearser): Outcome<null> {
  if (docking.mode === 'live') return refuse('sandbox.live_docking', { docking: docking.id })
  return docking.dialect === 'json' ? accept(null) : refuse('drills.dialect_not_rehearsed', { dialect: docking.dialect, rehearsed: 'json' })
}
