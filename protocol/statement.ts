import { AMOUNT_PATTERN } from './money.ts'
import { Type, type Static } from './schema.ts'

const closed = { additionalProperties: false }
const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC.' })
const Text = Type.String({ maxLength: 2000 })
const Name = Type.String({ maxLength: 200 })
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$', title: '64 lower-case hexadecimal digits' })
const Class = Type.Union([Type.Literal('technical'), Type.Literal('commercial'), Type.Literal('compliance')])
const Both = Type.Object({ en: Text, zh: Text }, closed)
const orNull = <S extends Parameters<typeof Type.Optional>[0]>(schema: S) => Type.Union([schema, Type.Null()])

/** Every kind of measure. Nothing that leaves one docking worse than its published terms is done under any other name, or under none. */
export const MEASURE_KINDS = [
  'warn', 'throttle', 'suspend', 'refuse', 'restrict_payout', 'delist', 'key_quarantine', 'terminate', 'reprice', 'withdraw_offer', 'limit', 'credit', 'level', 'channel',
] as const
export const MeasureKind = Type.Union([
  Type.Literal('warn'), Type.Literal('throttle'), Type.Literal('suspend'), Type.Literal('refuse'), Type.Literal('restrict_payout'), Type.Literal('delist'), Type.Literal('key_quarantine'),
  Type.Literal('terminate'), Type.Literal('reprice'), Type.Literal('withdraw_offer'), Type.Literal('limit'), Type.Literal('credit'), Type.Literal('level'), Type.Literal('channel'),
])
const Scope = Type.Union([Type.Literal('goods'), Type.Literal('orders'), Type.Literal('funds'), Type.Literal('members'), Type.Literal('key')])

/** When a measure lifts itself: a check of the hub that is green. Words say when a person will lift it. */
export const Condition = Type.Union([
  Type.Object({ check: Type.String({ maxLength: 60, pattern: '^[a-z]+\\.[a-z_]+$', title: 'the name of a check, such as ledger.funds' }), inputHash: Type.Optional(Sha256) }, closed),
  Type.Object({ words: Text }, closed),
])

/** What is still allowed while a measure that limits stands. */
export const Allows = Type.Object({
  requestsPerSecond: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000, description: 'throttle: in place of the published limit.' })),
  unitsPerOrder: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'limit: pieces of one order.' })),
  unitPriceMax: Type.Optional(Type.String({ pattern: AMOUNT_PATTERN, title: 'yuan as a decimal string with up to 6 decimals, such as "9.50"', description: 'reprice: no own price of these goods goes beyond it.' })),
  level: Type.Optional(Name), priceGroup: Type.Optional(Name),
}, closed)

export const Fact = Type.Object({
  text: Text,
  period: orNull(Type.Object({ from: Time, to: Time }, closed)),
  metrics: Type.Array(Type.Object({ name: Name, value: Name, threshold: Name, unit: Name, query: Text }, closed), { maxItems: 20 }),
}, closed)

export const Evidence = Type.Object({
  id: Name,
  kind: Type.Union([Type.Literal('check_run'), Type.Literal('finding'), Type.Literal('ledger'), Type.Literal('file'), Type.Literal('list_match'), Type.Literal('notice')]),
  sha256: Sha256,
  disclosure: Type.Union([Type.Literal('full'), Type.Literal('redacted'), Type.Literal('withheld_by_law'), Type.Literal('withheld_third_party'), Type.Literal('withheld_detection')]),
  withheldGround: orNull(Text),
  reproduce: orNull(Type.Object({ check: Name, version: Name, inputHash: Sha256 }, closed)),
}, closed)

export const Ground = Type.Object({
  type: Type.Union([Type.Literal('law'), Type.Literal('contract'), Type.Literal('published_rule'), Type.Literal('authority_order')]),
  ref: Type.String({ maxLength: 200, description: 'The law or order by its name; a published rule by the id of its version, a contract by its id.' }),
  article: Type.String({ maxLength: 100 }), versionHash: orNull(Sha256), quote: Text, publishedAt: Type.String({ maxLength: 40 }),
}, closed)

/** The statement of reasons: all that the one whom a measure hits is told. Times are RFC 3339 in UTC. */
export const Statement = Type.Object({
  addressee: Type.Object({ docking: Name, name: Name, lang: Type.Union([Type.Literal('zh-CN'), Type.Literal('en')]) }, closed),
  supersedes: orNull(Name),
  measure: Type.Object({
    kind: MeasureKind, scope: Type.Array(Scope), goods: Type.Array(Name), keys: Type.Array(Name), allows: Allows,
    effectiveAt: Time, endsAt: orNull(Time), liftsWhen: orNull(Condition),
  }, closed),
  cause: Type.Object({
    class: Class, code: Name, side: Type.Union([Type.Literal('partner'), Type.Literal('hub'), Type.Literal('supplier'), Type.Literal('network')]),
    secondary: Type.Array(Type.Object({ class: Class, code: Name }, closed)),
  }, closed),
  ground: Type.Array(Ground),
  facts: Type.Array(Fact),
  evidence: Type.Array(Evidence),
  source: Type.Union([Type.Literal('automatic_check'), Type.Literal('own_review'), Type.Literal('third_party_notice'), Type.Literal('authority_order')]),
  automation: Type.Object({ detection: Type.Boolean(), decision: Type.Union([Type.Literal('fully'), Type.Literal('partly'), Type.Literal('not')]), reviewer: orNull(Name) }, closed),
  remedy: Type.Array(Type.Object({
    step: Type.Integer(), action: Both, who: Type.Union([Type.Literal('partner'), Type.Literal('hub'), Type.Literal('supplier')]), selfTest: orNull(Text),
    evidenceNeeded: Type.Array(Text), due: orNull(Time),
  }, closed)),
  clocks: Type.Object({ noticeDays: Type.Integer(), respondBy: Time, decideAppealBy: Time, reviewAt: Time }, closed),
  appeal: Type.Object({ channel: Text, free: Type.Literal(true), differentReviewer: Type.Literal(true), external: Type.Array(Both), suspensiveEffect: Type.Boolean() }, closed),
  funds: Type.Object({ held: Name, releaseAt: orNull(Time), ordersInFlight: Type.Union([Type.Literal('finish'), Type.Literal('refund')]) }, closed),
}, closed)
export type Statement = Static<typeof Statement>

/** Where a decision stands now, and how it came to its end. */
export const Standing = Type.Object({
  state: Type.Union([Type.Literal('in_force'), Type.Literal('to_come'), Type.Literal('ended'), Type.Literal('lifted'), Type.Literal('superseded')]),
  endedAt: orNull(Time),
  how: orNull(Type.Union([Type.Literal('person'), Type.Literal('condition'), Type.Literal('lapse'), Type.Literal('superseded'), Type.Literal('appeal'), Type.Literal('appeal_clock')])),
  note: orNull(Type.String()), supersededBy: orNull(Name),
}, closed)
export type Standing = Static<typeof Standing>
