import type { Static } from '../../../protocol/schema.ts'
import { Type } from '../../../protocol/schema.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { isReasonCode, reasonOf } from '../../../protocol/reasons.ts'
import { Allows, Condition, Evidence, MeasureKind } from '../../../protocol/statement.ts'
import { parseTime } from '../../../protocol/time.ts'
import { look, REVIEW_WITHIN_DAYS, SCOPES, type MeasureKind as Kind, type Scope, type StatementDraft } from '../../domain/decisions/index.ts'
import { listOwnKeys, type Docking } from '../../domain/partners/index.ts'
import type { Hub } from '../hub.ts'
import { findPriced } from './dockings.ts'

const closed = { additionalProperties: false }
const Text = Type.String({ minLength: 1, maxLength: 2000 })
const Both = Type.Object({ en: Text, zh: Text }, closed)
const Time = Type.String({ maxLength: 40 })
const Names = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 500 })
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$', title: '64 lower-case hexadecimal digits' })
const DAY_MS = 86_400_000

export const Ground = Type.Object({
  type: Type.Union([Type.Literal('law'), Type.Literal('contract'), Type.Literal('published_rule'), Type.Literal('authority_order')]),
  ref: Type.String({ maxLength: 200 }), article: Type.String({ maxLength: 100 }), quote: Type.Optional(Type.String({ maxLength: 2000 })), publishedAt: Type.Optional(Time),
}, closed)
const Proof = Type.Object({
  id: Type.String({ maxLength: 80 }), kind: Type.String({ maxLength: 20 }), sha256: Sha256, disclosure: Type.Optional(Type.String({ maxLength: 30 })), withheldGround: Type.Optional(Text),
}, closed)
const Told = Type.Union([Text, Type.Object({
  text: Text, period: Type.Optional(Type.Object({ from: Time, to: Time }, closed)),
  metrics: Type.Optional(Type.Array(Type.Object({ name: Type.String({ maxLength: 200 }), value: Type.String({ maxLength: 200 }), threshold: Type.String({ maxLength: 200 }), unit: Type.String({ maxLength: 200 }), query: Type.String({ maxLength: 2000 }) }, closed), { maxItems: 20 })),
}, closed)])
const Step = Type.Object({
  action: Both, who: Type.Optional(Type.Union([Type.Literal('partner'), Type.Literal('hub'), Type.Literal('supplier')])), selfTest: Type.Optional(Text),
  evidenceNeeded: Type.Optional(Type.Array(Text, { maxItems: 20 })), due: Type.Optional(Time),
}, closed)

/** The whole of a statement as a person sends it; what goes without saying may be left out. */
export const Decide = Type.Object({
  measure: Type.Object({
    kind: MeasureKind, scope: Type.Optional(Type.Array(Type.Union(SCOPES.map((scope) => Type.Literal(scope))), { minItems: 1, maxItems: 5 })), goods: Type.Optional(Names), keys: Type.Optional(Names),
    allows: Type.Optional(Allows), effectiveAt: Type.Optional(Time), endsAt: Type.Optional(Time), liftsWhen: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 500 }), Condition])),
  }, closed),
  code: Type.String({ maxLength: 60 }),
  side: Type.Optional(Type.Union([Type.Literal('partner'), Type.Literal('hub'), Type.Literal('supplier'), Type.Literal('network')])),
  secondary: Type.Optional(Type.Array(Type.String({ maxLength: 60 }), { maxItems: 10 })),
  ground: Type.Array(Ground, { maxItems: 10 }),
  facts: Type.Array(Told, { maxItems: 20 }),
  evidence: Type.Optional(Type.Array(Proof, { maxItems: 20 })),
  remedy: Type.Array(Step, { maxItems: 20 }),
  source: Type.Optional(Type.Union([Type.Literal('own_review'), Type.Literal('third_party_notice'), Type.Literal('authority_order'), Type.Literal('automatic_check')])),
  detection: Type.Optional(Type.Boolean()),
  respondBy: Type.Optional(Time), reviewAt: Type.Optional(Time),
  external: Type.Optional(Type.Array(Both, { maxItems: 5 })), suspensiveEffect: Type.Optional(Type.Boolean()),
  funds: Type.Optional(Type.Object({ held: Type.Optional(Type.String({ maxLength: 40 })), releaseAt: Type.Optional(Time), ordersInFlight: Type.Optional(Type.Union([Type.Literal('finish'), Type.Literal('refund')])) }, closed)),
}, closed)
export type Decide = Static<typeof Decide>

/** What a detector found is told in bands alone, so that nobody can work out how to pass below it. */
const FINDING = {
  disclosure: 'withheld_detection',
  withheldGround: 'A pattern detector: thresholds and weights are not told. The hash commits to the record, and whoever decides an appeal reads it. · 模式检测：阈值与权重不予披露；哈希已固定其记录，复核申诉的人可以查阅。',
}

/** What a measure of a kind is on, where nobody says. */
const USUAL: Readonly<Partial<Record<Kind, Scope[]>>> = {
  warn: ['orders'], throttle: ['orders'], limit: ['orders'], delist: ['goods'], withdraw_offer: ['goods'], reprice: ['goods'], level: ['goods'], key_quarantine: ['key'], terminate: ['orders', 'goods', 'key'],
}
/** What a measure can stop today. A hold on anything else would be a statement that does nothing. */
const HELD: readonly Scope[] = ['orders', 'goods', 'key']

/** Turns what a person sent into a statement: names become ids, times become RFC 3339, and each is looked at. */
export async function readStatement(hub: Hub, docking: Docking, body: Decide, by: string): Promise<Outcome<StatementDraft>> {
  const { code, measure } = body
  if (!isReasonCode(code) || reasonOf(code).kind !== 'measure') return refuse('protocol.invalid_field', { path: '/code', expected: 'the code of a measure; GET /api/reasons lists them' })
  const kind = measure.kind
  const scope = (measure.scope as Scope[] | undefined) ?? USUAL[kind] ?? []
  if (scope.some((one) => !HELD.includes(one))) return refuse('protocol.invalid_field', { path: '/scope', expected: 'orders, goods or key: nothing else can be held yet' })
  const now = new Date(hub.clock.nowMs())
  const timed = readTimes(body, now)
  if (!timed.ok) return timed
  const named = await readNames(hub, docking, measure)
  if (!named.ok) return named
  const condition = await readCondition(hub, docking, measure.liftsWhen, now)
  if (!condition.ok) return condition
  const undated = body.ground.findIndex((one) => one.publishedAt !== undefined && publishedMs(one.publishedAt) === null)
  if (undated >= 0) return refuse('protocol.invalid_field', { path: `/ground/${undated}/publishedAt`, expected: 'a day such as 2018-08-31, or a time in RFC 3339' })
  const odd = oddWord(body)
  if (odd) return odd
  const reason = reasonOf(code)
  const time = timed.value
  return accept({
    addressee: { docking: docking.id, name: docking.name, lang: 'zh-CN' },
    measure: {
      kind, scope, ...named.value, allows: measure.allows ?? {}, ...(time.effectiveAt === undefined ? {} : { effectiveAt: time.effectiveAt }), endsAt: time.endsAt ?? null, liftsWhen: condition.value,
    },
    cause: { class: reason.class, code, side: body.side ?? reason.side, secondary: (body.secondary ?? []).filter(isReasonCode).map((one) => ({ class: reasonOf(one).class, code: one })) },
    ground: body.ground.map(({ publishedAt, ...one }) => ({ ...one, quote: one.quote ?? '', publishedAt: publishedAt === undefined ? '' : new Date(publishedMs(publishedAt)!).toISOString() })),
    facts: body.facts.map((one) => (typeof one === 'string' ? { text: one } : { text: one.text, period: one.period ? { from: inUtc(one.period.from), to: inUtc(one.period.to) } : null, metrics: one.metrics ?? [] })),
    evidence: (body.evidence ?? []).map((one) => ({ ...(one.kind === 'finding' ? FINDING : { disclosure: 'full' }), ...one, kind: one.kind as 'file' })) as StatementDraft['evidence'],
    source: body.source ?? (code === 'compliance.authority_order' ? 'authority_order' : 'own_review'),
    automation: { detection: body.detection ?? false, decision: 'not', reviewer: by },
    remedy: body.remedy.map((one, i) => ({ step: i + 1, action: one.action, who: one.who ?? 'partner', selfTest: one.selfTest ?? null, evidenceNeeded: one.evidenceNeeded ?? [], due: one.due === undefined ? null : inUtc(one.due) })),
    clocks: { respondBy: time.respondBy ?? after(now, 7), decideAppealBy: after(now, 15), reviewAt: time.reviewAt ?? after(now, REVIEW_WITHIN_DAYS) },
    appeal: { channel: `${hub.publicUrl}/reasons/${code}`, free: true, differentReviewer: true, external: body.external ?? [], suspensiveEffect: body.suspensiveEffect ?? false },
    funds: { held: body.funds?.held ?? '0', releaseAt: time.releaseAt ?? null, ordersInFlight: body.funds?.ordersInFlight ?? 'finish' },
  })
}

type Times = { effectiveAt?: string; endsAt?: string; respondBy?: string; reviewAt?: string; releaseAt?: string }

/** Every time of a statement lies ahead. */
function readTimes({ measure, respondBy, reviewAt, funds }: Decide, now: Date): Outcome<Times> {
  const given: [string, string | undefined][] = [['effectiveAt', measure.effectiveAt], ['endsAt', measure.endsAt], ['respondBy', respondBy], ['reviewAt', reviewAt], ['releaseAt', funds?.releaseAt]]
  const times: Record<string, string> = {}
  for (const [name, text] of given) {
    if (text === undefined) continue
    const ms = parseTime(text)
    if (ms === null || ms <= now.getTime()) return refuse('protocol.invalid_field', { path: `/${name}`, expected: 'a time to come, in RFC 3339' })
    times[name] = new Date(ms).toISOString()
  }
  if (times.effectiveAt !== undefined && times.endsAt !== undefined && times.endsAt <= times.effectiveAt) return refuse('protocol.invalid_field', { path: '/endsAt', expected: 'a time behind effectiveAt' })
  return accept(times)
}

/** Goods by code or id, keys by id; only keys of this docking can be held. */
async function readNames(hub: Hub, docking: Docking, { goods = [], keys = [] }: Decide['measure']): Promise<Outcome<{ goods: string[]; keys: string[] }>> {
  const found: string[] = []
  for (const named of goods) {
    const good = await findPriced(hub, named)
    if (!good) return refuse('catalogue.good_not_found', { good: named })
    found.push(good.id)
  }
  const own = keys.length === 0 ? [] : await listOwnKeys(hub.db, docking, null, 500)
  const foreign = keys.find((key) => !own.some((one) => one.id === key))
  return foreign === undefined ? accept({ goods: found, keys: [...keys] }) : refuse('partners.key_not_found', { key: foreign })
}

/** The name of a check is a condition, and so is what a person promises; a check that nobody runs is none. */
async function readCondition(hub: Hub, docking: Docking, given: Decide['measure']['liftsWhen'], now: Date): Promise<Outcome<StatementDraft['measure']['liftsWhen']>> {
  if (given === undefined) return accept(null)
  const condition = typeof given === 'string' ? (/^[a-z]+\.[a-z_]+$/.test(given) ? { check: given } : { words: given }) : given
  if ('words' in condition) return accept(condition)
  const { check, inputHash = null } = condition
  if (Object.hasOwn(hub.inputChecks, check) && inputHash === null) return refuse('protocol.invalid_field', { path: '/liftsWhen/inputHash', expected: 'the inputHash of the run that proves it' })
  const results = await look({ checks: hub.checks, inputs: hub.inputChecks }, docking, { check, inputHash }, now)
  return results.length > 0 ? accept(condition) : refuse('protocol.invalid_field', { path: '/liftsWhen/check', expected: 'a check that this hub runs; berth check run lists them' })
}

function oddWord({ evidence = [], facts, remedy }: Decide): ReturnType<typeof refuse> | null {
  const words = (schema: unknown) => (schema as { anyOf: { const: string }[] }).anyOf.map((one) => one.const)
  const properties = (Evidence as unknown as { properties: Record<string, unknown> }).properties
  for (const [i, one] of evidence.entries()) {
    if (!words(properties.kind).includes(one.kind)) return refuse('protocol.invalid_field', { path: `/evidence/${i}/kind`, expected: `one of ${words(properties.kind).join(', ')}` })
    if (one.disclosure !== undefined && !words(properties.disclosure).includes(one.disclosure)) return refuse('protocol.invalid_field', { path: `/evidence/${i}/disclosure`, expected: `one of ${words(properties.disclosure).join(', ')}` })
  }
  const undated = facts.findIndex((one) => typeof one !== 'string' && one.period !== undefined && !(parseTime(one.period.from)! <= parseTime(one.period.to)!))
  if (undated >= 0) return refuse('protocol.invalid_field', { path: `/facts/${undated}/period`, expected: 'two times in RFC 3339, the earlier first' })
  const late = remedy.findIndex((one) => one.due !== undefined && parseTime(one.due) === null)
  return late < 0 ? null : refuse('protocol.invalid_field', { path: `/remedy/${late}/due`, expected: 'a time to come, in RFC 3339' })
}

/** Laws and rules are published on a day; the day begins at midnight in China. */
function publishedMs(text: string): number | null {
  return parseTime(text) ?? parseTime(`${text}T00:00:00+08:00`)
}

function inUtc(text: string): string {
  return new Date(parseTime(text) ?? Number.NaN).toISOString()
}

function after(now: Date, days: number): string {
  return new Date(now.getTime() + days * DAY_MS).toISOString()
}
