import { Type, type Static, type TSchema } from './schema.ts'
import { Sealed } from './log-messages.ts'
import { AMOUNT_PATTERN } from './money.ts'
import { reasonCodes } from './reasons.ts'
import { Standing, Statement } from './statement.ts'

/** The dated versions of the API that are alive, newest last. Each stays alive for at least 24 months. */
export const API_VERSIONS = ['2026-12-01'] as const
export const NEWEST_VERSION = API_VERSIONS[API_VERSIONS.length - 1]!

const closed = { additionalProperties: false }

/** Yuan as a decimal string with up to six decimals. */
export const Amount = Type.String({ pattern: AMOUNT_PATTERN, title: 'yuan as a decimal string with up to 6 decimals, such as "9.50"', description: 'Yuan as a decimal string, up to 6 decimals, e.g. "9.50".', examples: ['9.50'] })
/** A balance change or a balance; may be below zero. */
export const SignedAmount = Type.String({ pattern: '^-?(0|[1-9]\\d{0,11})(\\.\\d{1,6})?$', description: 'Yuan as a decimal string; a leading minus is money that went out.' })
export const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC.' })
const Id = Type.String({ minLength: 1, maxLength: 64, description: 'Opaque.' })

/** What a person typed: no control characters, no bidirectional overrides, no zero-width characters. */
const PLAIN_TEXT = '^[^\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]*$'
/** Order numbers of the trade. Nothing in them means anything to a shell, a path, a query or a spreadsheet. */
export const REFERENCE = '^[A-Za-z0-9][A-Za-z0-9._:@#+=~/-]*$'

/** Names of races and options. */
const ChoiceName = { minLength: 1, maxLength: 64, pattern: PLAIN_TEXT, title: 'text without control, direction or zero-width characters' }

/** What is asked for, by an order and by its dry run. */
const wanted = {
  good: Type.String({ minLength: 1, maxLength: 64, pattern: '^[0-9a-z_]+$', title: 'lower-case letters, digits or _' }),
  quantity: Type.Integer({ minimum: 1, maximum: 1000 }),
  race: Type.Optional(Type.String({ ...ChoiceName, description: 'Which of the races of the good; needed where it has any.' })),
  options: Type.Optional(Type.Record(Type.String(ChoiceName), Type.String(ChoiceName), { maxProperties: 10, description: 'One choice of each option group of the good.' })),
  form: Type.Optional(Type.Record(Type.String({ pattern: '^[A-Za-z]\\w{0,31}$', title: 'no such field here' }), Type.String({ maxLength: 1000 }), { maxProperties: 32, description: 'What the form of the good asks for; all values are text.' })),
  member: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: PLAIN_TEXT, title: 'text without control, direction or zero-width characters', description: "The partner's own word for the buyer; never required." })),
}

export const PlaceOrder = Type.Object({
  reference: Type.String({ minLength: 1, maxLength: 64, pattern: REFERENCE, title: 'a letter or digit, then letters, digits or . _ : @ # + = ~ / -', description: "The partner's own order number; unique for ever once accepted." }),
  maxUnitPrice: Amount,
  ...wanted,
}, closed)
export type PlaceOrder = Static<typeof PlaceOrder>

/** A dry run: the same ask without a reference. The guard may be left out, since nothing is charged. */
export const QuoteAsk = Type.Object({ ...wanted, maxUnitPrice: Type.Optional(Amount) }, closed)

export const Card = Type.Object({
  number: Type.Union([Type.String(), Type.Null()]),
  secret: Type.String({ description: 'Masked as **** for a bearer key in live mode.' }),
  expiresAt: Type.Union([Time, Type.Null()]),
}, closed)

export const OrderState = Type.Union([Type.Literal('delivering'), Type.Literal('delivered'), Type.Literal('unknown'), Type.Literal('cancelled'), Type.Literal('refunded')])

export const Order = Type.Object({
  id: Id, reference: Type.String(), state: OrderState, good: Id, race: Type.Optional(Type.String()), options: Type.Optional(Type.Object({}, { additionalProperties: true })), quantity: Type.Integer(), unitPrice: Amount, total: Amount, fee: Amount, charged: Amount,
  member: Type.Optional(Type.String()), cards: Type.Optional(Type.Array(Card)),
  text: Type.Optional(Type.String({ description: 'What a person delivered; masked as **** for a bearer key in live mode.' })),
  pickup: Type.Optional(Type.String({ description: 'The page at which whoever holds its address sees state and delivered text.' })), createdAt: Time,
}, closed)

export const OrderPage = page(Order)

export const StockClass = Type.Union([Type.Literal('in_stock'), Type.Literal('low'), Type.Literal('out_of_stock')])

export const Quote = Type.Object({
  good: Id, quantity: Type.Integer(), unitPrice: Amount, total: Amount, fee: Amount, charged: Amount, stockClass: StockClass, at: Time,
  validForS: Type.Integer({ description: 'How long a shop may well show it, in seconds. It holds neither price nor stock: the order itself is guarded by maxUnitPrice.' }),
}, closed)

/** At most this many orders are placed with one request. */
export const BATCH_ORDERS_MAX = 500

export const PlaceOrders = Type.Object({
  orders: Type.Array(PlaceOrder, { minItems: 1, maxItems: BATCH_ORDERS_MAX, description: 'Each as for POST /api/orders, with its own reference and its own verdict; at most 5000 cards in all. Every 5 orders begun count as one request of the rate.' }),
}, closed)

const Tiers = Type.Array(Type.Object({ from: Type.Integer(), unitPrice: Amount }, closed), { description: 'From this quantity on a piece costs this.' })

export const Good = Type.Object({
  id: Id, code: Type.String(), name: Type.String(), category: Type.String(), description: Type.String(), unitPrice: Amount, onSale: Type.Boolean(),
  stock: Type.Integer({ minimum: 0 }), stockClass: StockClass, minimum: Type.Integer(), maximum: Type.Integer(),
  delivery: Type.Union([Type.Literal('card'), Type.Literal('manual')], { description: 'card: the answer to the order carries it. manual: a person delivers later.' }),
  races: Type.Optional(Type.Array(Type.Object({ name: Type.String(), unitPrice: Amount, stock: Type.Integer(), wholesale: Type.Optional(Tiers) }, closed))),
  options: Type.Optional(Type.Array(Type.Object({ name: Type.String(), choices: Type.Array(Type.Object({ name: Type.String(), surcharge: Amount }, closed)) }, closed), { description: 'One choice of each group; what it costs comes on top.' })),
  wholesale: Type.Optional(Tiers), image: Type.Optional(Type.String({ description: 'Address of a picture.' })),
  form: Type.Object({}, { additionalProperties: true, description: 'JSON Schema of the order form.' }),
}, closed)

export const GoodPage = page(Good)

export const Change = Type.Object({
  position: Type.String({ description: 'Dense and ascending; ask with ?after= the last one read.' }), good: Id,
  what: Type.Union([Type.Literal('good'), Type.Literal('price'), Type.Literal('stock')]), at: Time, now: Type.Union([Good, Type.Null()]),
}, closed)

export const ChangePage = Type.Object({ items: Type.Array(Change), after: Type.String({ description: 'Ask again from here.' }), more: Type.Boolean() }, closed)

export const Balance = Type.Object({ available: Amount, mode: Type.Union([Type.Literal('sandbox'), Type.Literal('live')]), currency: Type.Literal('CNY') }, closed)

export const Movement = Type.Object({
  kind: Type.Union(['order', 'fee', 'refund', 'fee_refund', 'deposit', 'opening'].map((kind) => Type.Literal(kind))), subject: Id, amount: SignedAmount, balance: Amount, at: Time,
}, closed)
export const MovementPage = page(Movement)

export const DecisionView = Type.Object({
  id: Id, code: Type.String(), class: Type.String(), measure: Type.String(), scope: Type.Array(Type.String()), effectiveAt: Time,
  endsAt: Type.Union([Time, Type.Null()]), decidedAt: Time, standing: Standing, statement: Statement,
  sealed: Type.Optional(Type.Union([Sealed, Type.Null()], { description: 'Where the decision stands in the log, with the proof; null until it is sealed, a second or two later.' })),
}, closed)
export const DecisionPage = page(DecisionView)

const InBothLanguages = Type.Object({ en: Type.String(), zh: Type.String() }, closed)

export const RuleView = Type.Object({
  id: Id, kind: Type.Union([Type.Literal('rule'), Type.Literal('contract_template'), Type.Literal('price_rule'), Type.Literal('guide')]), slug: Type.String(), version: Type.Integer(),
  title: InBothLanguages, text: InBothLanguages, sha256: Type.String({ description: 'SHA-256 over the canonical JSON (RFC 8785) of kind, slug, version, title and text.' }),
  resalePrice: Type.Boolean({ description: 'Whether it sets a least resale price.' }), legalBasis: Type.Union([Type.String(), Type.Null()]),
  relief: Type.Union([Type.String(), Type.Null()], { description: 'Why it needed no seven days of notice: it favours partners and nobody else.' }), supersedes: Type.Union([Id, Type.Null()]),
  publishedAt: Time, effectiveAt: Time, commentsOpen: Type.Boolean(), page: Type.String(),
}, closed)
export const RulePage = page(RuleView)

export const CommentAsk = Type.Object({ comment: Type.String({ minLength: 1, maxLength: 2000, pattern: '[^\\s]', title: 'text that is not blank' }) }, closed)
export const CommentView = Type.Object({ id: Id, rule: Id, comment: Type.String(), at: Time }, closed)

export const DrillKind = Type.Union([Type.Literal('key_roll'), Type.Literal('rush'), Type.Literal('outage'), Type.Literal('tampered_log')])
export const DrillBest = Type.Object({ kind: DrillKind, score: Type.Integer(), drill: Id, at: Time }, closed)

/** A fault that the next requests of a sandbox meet. */
export const SandboxSwitch = Type.Object({ fault: Type.String({ description: 'As it is written in the header, such as slow;ms=500.' }), remaining: Type.Integer({ description: 'So many requests it still strikes.' }) }, closed)

export const Docking = Type.Object({
  id: Id, name: Type.String(), mode: Type.Union([Type.Literal('sandbox'), Type.Literal('live')]), dialect: Type.String(), state: Type.Union([Type.Literal('open'), Type.Literal('held')]),
  key: Type.Object({ id: Id, kind: Type.String(), scopes: Type.Array(Type.String()), createdAt: Time, expiresAt: Type.Union([Time, Type.Null()]) }, closed),
  version: Type.String(),
  limits: Type.Object({
    requestsPerSecond: Type.Integer(), inFlight: Type.Integer(), requestBytes: Type.Integer(), cardsPerOrder: Type.Integer(), batchOrders: Type.Integer(), batchCards: Type.Integer(), batchBytes: Type.Integer(),
  }, closed),
  decisions: Type.Array(DecisionView), drills: Type.Array(DrillBest, { description: 'The best score a kind in the last 90 days; of its sandbox where the docking is live.' }), serverTime: Time,
  sandbox: Type.Optional(Type.Object({
    live: Type.Union([Id, Type.Null()], { description: 'The live docking whose sandbox this is.' }), clockOffsetS: Type.Integer({ description: 'By how many seconds its clock is ahead.' }), time: Time, faults: Type.Array(SandboxSwitch),
  }, closed)),
}, closed)

/** A document that is handed in with an appeal. */
const EvidenceAsk = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 120, pattern: PLAIN_TEXT, title: 'text without control, direction or zero-width characters' }),
  note: Type.Optional(Type.String({ maxLength: 500 })),
  sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$', title: '64 lower-case hexadecimal digits', description: 'Needed where the document itself is handed over elsewhere.' })),
  content: Type.Optional(Type.String({ maxLength: 349_528, pattern: '^[A-Za-z0-9+/]*={0,2}$', title: 'content in base64', description: 'The document, at most 256 KB, in base64. It is kept sealed.' })),
}, closed)
const AppealText = Type.String({ minLength: 1, maxLength: 4000 })
const AppealEvidence = Type.Optional(Type.Array(EvidenceAsk, { maxItems: 5 }))

export const FileAppeal = Type.Object({ text: AppealText, evidence: AppealEvidence }, closed)
export const GiveEvidence = Type.Object({ text: AppealText, evidence: AppealEvidence }, closed)
export const WithdrawAppeal = Type.Object({}, closed)

const AppealState = Type.Union([
  Type.Literal('filed'), Type.Literal('evidence_owed'), Type.Literal('under_review'), Type.Literal('upheld'), Type.Literal('overturned'), Type.Literal('partly'), Type.Literal('withdrawn'),
])
const appealView = {
  id: Id, decision: Id, code: Type.String(), class: Type.String(), state: AppealState, filedAt: Time,
  decideBy: Type.Union([Time, Type.Null()], { description: 'Another person has decided by then; null while evidence is owed, since the clock stands still, and once the appeal has ended.' }),
  evidenceDue: Type.Union([Time, Type.Null()]), extendedDays: Type.Integer(), missedAt: Type.Union([Time, Type.Null()], { description: 'When the clock was missed; the measure then blocks no longer, unless it rests on a law, an order or a fraud.' }),
  closedAt: Type.Union([Time, Type.Null()]), outcomeDecision: Type.Union([Id, Type.Null()], { description: 'The decision that took the place of the one appealed against.' }),
}
const AppealEntry = Type.Object({
  kind: Type.Union([
    Type.Literal('filed'), Type.Literal('asked'), Type.Literal('given'), Type.Literal('resumed'), Type.Literal('extended'), Type.Literal('missed'), Type.Literal('upheld'), Type.Literal('overturned'), Type.Literal('partly'), Type.Literal('withdrawn'),
  ]),
  side: Type.Union([Type.Literal('partner'), Type.Literal('main_site'), Type.Literal('clock')]), text: Type.Union([Type.String(), Type.Null()]), at: Time, dueAt: Type.Union([Time, Type.Null()]),
}, closed)
const AppealDocument = Type.Object({ number: Type.Integer(), name: Type.String(), note: Type.String(), sha256: Type.String(), bytes: Type.Union([Type.Integer(), Type.Null()]) }, closed)

export const AppealSummary = Type.Object(appealView, closed)
export const AppealPage = page(AppealSummary)
/** An appeal with all that was said; names of the main site's people are not part of it. */
export const AppealView = Type.Object({ ...appealView, entries: Type.Array(AppealEntry), evidence: Type.Array(AppealDocument) }, closed)

export const ContactLanguage = Type.Union([Type.Literal('zh-CN'), Type.Literal('en')])
const ContactKind = Type.Union([Type.Literal('decisions'), Type.Literal('funds'), Type.Literal('stock'), Type.Literal('keys'), Type.Literal('conditions'), Type.Literal('appeals')])
export const ContactKinds = Type.Array(ContactKind, {
  minItems: 1, maxItems: 6,
  description: 'What the person is told: decisions about the docking and their appeals, a low deposit, goods that run out, keys that end or are revoked, conditions that last, appeals alone.',
})
const ContactChannel = Type.Union([Type.Literal('email'), Type.Literal('sms'), Type.Literal('wecom'), Type.Literal('dingtalk')], { description: 'sms: a telephone. wecom, dingtalk: the robot of a group.' })
const ContactAddress = Type.String({ minLength: 3, maxLength: 500, description: 'An e-mail address, a mobile number, or the address of the robot, which is kept as a secret.', examples: ['owner@shop.example', '+8613800138000'] })

export const ContactAsk = Type.Object({
  channel: ContactChannel, address: ContactAddress, secret: Type.Optional(Type.String({ maxLength: 200, description: 'Of a DingTalk robot: the secret SEC… with which its messages are signed.' })),
  language: ContactLanguage, kinds: ContactKinds,
}, closed)
export const PutContacts = Type.Object({ items: Type.Array(ContactAsk, { maxItems: 20, description: 'The whole list of people that you name; the operator may have named others.' }) }, closed)

export const ContactView = Type.Object({
  id: Id, channel: ContactChannel, address: Type.String({ description: 'Masked: enough to recognise it by.' }), language: ContactLanguage, kinds: ContactKinds,
  setBy: Type.Union([Type.Literal('partner'), Type.Literal('operator')]), createdAt: Time,
}, closed)
export const ContactList = Type.Object({ items: Type.Array(ContactView), next: Type.Null() }, closed)

const BothLanguages = Type.Object({ en: Type.String(), zh: Type.String() }, closed)
const ClassOrHealthy = Type.Union([Type.Literal('healthy'), Type.Literal('technical'), Type.Literal('commercial'), Type.Literal('compliance')])

export const ReportCheck = Type.Object({
  check: Type.String(), layer: Type.String({ description: 'Where it stands in the order in which things break: name, tls, clock, charset, form, signature, key, scope, version, condition, sync, funds, goods, terms, holds.' }),
  verdict: Type.Union([Type.Literal('pass'), Type.Literal('warn'), Type.Literal('fail'), Type.Literal('withheld')], { description: 'withheld: something stands, and the law forbids to say what; the article is named.' }), class: Type.String(), side: Type.String(),
  code: Type.Union([Type.String(), Type.Null()]), because: Type.Object({}, { additionalProperties: true }), seen: Type.Object({ en: Type.String(), zh: Type.String() }, closed),
  evidence: Type.Union([Type.String(), Type.Null()]), page: Type.Union([Type.String(), Type.Null()]), remedy: Type.Union([BothLanguages, Type.Null()]),
  selfTest: Type.Union([Type.String({ description: 'The call or command by which you repeat the check.' }), Type.Null()]),
}, closed)

const Verdict = Type.Object({ class: ClassOrHealthy, code: Type.Union([Type.String(), Type.Null()]), side: Type.Union([Type.String(), Type.Null()]), text: BothLanguages }, closed)

/** What the hub has signed: see /.well-known/berth for its keys. */
export const Signature = Type.Object({ keyId: Type.String(), algorithm: Type.Literal('ed25519'), value: Type.String({ description: 'base64url, over the RFC 8785 form of the document without this member.' }) }, closed)

export const Report = Type.Object({
  docking: Id, mode: Type.String(), at: Time, checks: Type.Array(ReportCheck),
  causes: Type.Array(Type.Object({ check: Type.String(), class: Type.String(), side: Type.String(), code: Type.String(), evidence: Type.Union([Type.String(), Type.Null()]) }, closed), { description: 'All that stands in the way now; the one to mend first stands in front.' }),
  verdict: Verdict, signature: Signature,
}, closed)

/** What a partner may send along to have it compared: the canonical string as its own program built it. */
export const ReportAsk = Type.Object({ signature: Type.Optional(Type.Object({ base: Type.String({ maxLength: 8192 }) }, closed)), probe: Type.Optional(Type.String({ maxLength: 64 })) }, closed)

export const DiagnoseAsk = Type.Object({
  request: Type.String({ minLength: 1, maxLength: 115_000, description: 'One raw HTTP request as it went out: line, headers, blank line, body. At most 80 KB of bytes.' }),
  encoding: Type.Optional(Type.Union([Type.Literal('text'), Type.Literal('base64')], { description: 'base64 keeps line ends and bytes that are no UTF-8; the default is text.' })),
  response: Type.Optional(Type.String({ maxLength: 66_000, description: 'The answer that was seen. Its Date says when the request was sent.' })),
  base: Type.Optional(Type.String({ maxLength: 8192, description: 'The string that your own program signed, to be compared with the one that the hub builds.' })),
  sentAt: Type.Optional(Time),
}, closed)

const DiagnosisStep = Type.Object({
  layer: Type.String({ description: 'line, head, body, route, version, media, charset, form, credentials, clock, signature, key, address, permission, fields, business, answer.' }),
  verdict: Type.Union([Type.Literal('pass'), Type.Literal('warn'), Type.Literal('fail'), Type.Literal('unknown')], { description: 'unknown: these bytes alone do not tell.' }),
  class: Type.String(), side: Type.String(), code: Type.Union([Type.String(), Type.Null()]), because: Type.Object({}, { additionalProperties: true }), seen: BothLanguages,
  page: Type.Union([Type.String(), Type.Null()]), remedy: Type.Union([BothLanguages, Type.Null()]), decision: Type.Union([Type.String(), Type.Null()]),
}, closed)

export const Diagnosis = Type.Object({
  at: Time, dialect: Type.String({ description: 'json, acg0, acg1, acg2 or unknown.' }),
  layer: Type.Union([Type.String({ description: 'The first layer that broke: what it refused is what the hub answers.' }), Type.Null()]), verdict: Verdict, steps: Type.Array(DiagnosisStep),
  lookalikes: Type.Array(Type.Object({ family: Type.String(), name: BothLanguages, score: Type.Number(), marks: Type.Array(Type.String()), signs: BothLanguages, served: Type.Boolean() }, closed), { description: 'Protocols of the trade that the request looks like; empty when it looks like none that is known.' }),
  canonical: Type.Union([Type.Object({
    hub: Type.String({ description: 'The string that the hub builds, with *** for keys and what a buyer filled in.' }),
    difference: Type.Union([Type.Object({ at: Type.Integer(), hub: Type.String(), yours: Type.String() }, closed), Type.Null()]),
  }, closed), Type.Null()]),
  notes: Type.Array(BothLanguages),
}, closed)

export const ReasonView = Type.Object({
  code: Type.String(), class: Type.String(), kind: Type.String(), side: Type.String(), by: Type.Array(Type.String()), status: Type.Integer(), retry: Type.String(), appeal: Type.Boolean(),
  title: Type.Object({ en: Type.String(), zh: Type.String() }, closed), detail: Type.Object({ en: Type.String(), zh: Type.String() }, closed), because: Type.Array(Type.String()), docs: Type.String(),
}, closed)
export const ReasonList = Type.Object({ items: Type.Array(ReasonView), next: Type.Null() }, closed)

const FigureClass = Type.Union([Type.Literal('technical'), Type.Literal('commercial'), Type.Literal('compliance'), Type.Literal(''), Type.Null()], { description: 'Empty where a thing has no class; null: the small lines of all classes together.' })
const FigureCode = Type.Union([Type.String(), Type.Null()], { description: 'The reason, outcome or result; null: the small lines of the class together.' })
const FigureGroups = Type.Array(Type.Object({ class: FigureClass, code: FigureCode, events: Type.Integer() }, closed), { description: 'Each event is in one line of one list. No line is about fewer than `smallestGroup` partners; an empty list means that there were not as many.' })
const Percent = Type.Union([Type.Integer(), Type.Null()])

export const Figures = Type.Object({
  quarter: Type.String(), state: Type.Union([Type.Literal('running'), Type.Literal('published')], { description: 'running: no number is told before the quarter has ended.' }),
  from: Time, to: Time, publishedAt: Type.Union([Time, Type.Null()]), smallestGroup: Type.Integer(), roundedTo: Type.Integer({ description: 'Numbers of events come in steps of so many.' }),
  refusals: FigureGroups, measures: FigureGroups,
  remedies: Type.Array(Type.Object({ class: FigureClass, code: FigureCode, medianHours: Type.Integer(), p90Hours: Type.Integer() }, closed), { description: 'How long measures had stood that were lifted in the quarter.' }),
  appeals: FigureGroups, missed: FigureGroups, followed: FigureGroups, conformance: FigureGroups, admissions: FigureGroups, ruleChanges: Type.Integer(),
  technicalLater: Type.Object({ overturnedPercent: Percent, followedPercent: Percent }, { ...closed, description: 'Of a hundred technical measures so many were overturned on appeal, or followed by one of another class; from the lines above alone.' }),
  signature: Signature,
}, closed)

export const Problem = Type.Object({
  type: Type.String(), title: Type.String(), status: Type.Integer(), detail: Type.String(),
  code: Type.Union(reasonCodes.map((code) => Type.Literal(code))), class: Type.Union([Type.Literal('technical'), Type.Literal('commercial'), Type.Literal('compliance')]),
  because: Type.Object({}, { additionalProperties: true }), retry: Type.Union([Type.Literal('never'), Type.Literal('same_request_after'), Type.Literal('after_change')]),
  side: Type.String(), decision: Type.Optional(Type.String()), appeal: Type.Optional(Type.String()),
  also: Type.Optional(Type.Array(Type.Object({ code: Type.String(), class: Type.String(), detail: Type.String(), because: Type.Object({}, { additionalProperties: true }) }, closed))),
  requestId: Type.String(), serverTime: Time,
}, closed)

/** One verdict an order, in the order of the asks. */
export const OrderVerdicts = Type.Object({
  items: Type.Array(Type.Union([
    Type.Object({ status: Type.Integer({ description: '201 placed, 202 placed where a person delivers the good, 200 the order that its reference had bound before.' }), order: Order }, closed),
    Type.Object({ status: Type.Integer({ description: 'What POST /api/orders would have answered.' }), problem: Problem }, closed),
  ])),
}, closed)

const KeyState = Type.Union([Type.Literal('live'), Type.Literal('ending'), Type.Literal('ended')])
export const KeyView = Type.Object({
  id: Id, kind: Type.String(), scopes: Type.Array(Type.String()), state: KeyState, current: Type.Boolean({ description: 'The key of this very call.' }),
  createdAt: Time, expiresAt: Type.Union([Time, Type.Null()]), revokedAt: Type.Union([Time, Type.Null()]),
}, closed)
export const KeyPage = page(KeyView)

const PublicKey = Type.Optional(Type.String({ maxLength: 1000, description: 'ed25519: the public key in PEM.' }))
export const CreateKey = Type.Object({
  kind: Type.Union([Type.Literal('hmac-sha256'), Type.Literal('bearer'), Type.Literal('ed25519')]),
  publicKey: PublicKey,
  scopes: Type.Optional(Type.Array(Type.String({ maxLength: 40 }), { minItems: 1, maxItems: 10, description: "Out of the caller's own; without it all of them." })),
}, closed)

/** How long the old key goes on beside the new one. */
export const OVERLAPS = ['0', '1h', '24h', '7d'] as const
export const RollKey = Type.Object({ overlap: Type.Union([Type.Literal('0'), Type.Literal('1h'), Type.Literal('24h'), Type.Literal('7d')]), publicKey: PublicKey }, closed)
export const RevokeKey = Type.Object({}, closed)

const Secret = Type.Union([Type.String(), Type.Null()], { description: 'Shown in this answer and never again; null for ed25519 and for a repeat.' })
export const NewKey = Type.Object({ key: KeyView, secret: Secret }, closed)
export const RolledKey = Type.Object({ key: KeyView, secret: Secret, old: KeyView }, closed)
export const RevokedKey = Type.Object({ key: KeyView }, closed)

export const RequestView = Type.Object({
  id: Id, at: Time, method: Type.String(), path: Type.String({ description: 'Without its query; long runs of letters and digits are hidden.' }), route: Type.String(), status: Type.Integer(),
  code: Type.Union([Type.String(), Type.Null()]), class: Type.Union([Type.String(), Type.Null()]), durationMs: Type.Number(), key: Id,
  bytesIn: Type.Integer(), bytesOut: Type.Integer(), addressPrefix: Type.String(),
  fields: Type.Object({}, { additionalProperties: true, description: 'Names of the fields of a body of up to 280 bytes, with the values of those that say what was asked; all others are hidden.' }),
}, closed)
export const RequestPage = Type.Object({
  items: Type.Array(RequestView), next: Type.Union([Type.String(), Type.Null()]), since: Time, kept: Type.Integer({ description: 'So many of the newest requests are kept, since the hub started.' }),
}, closed)

function page<T extends TSchema>(item: T) {
  return Type.Object({ items: Type.Array(item), next: Type.Union([Type.String(), Type.Null()]) }, closed)
}
