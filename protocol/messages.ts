import Type, { type Static, type TSchema } from 'typebox'
import { AMOUNT_PATTERN } from './money.ts'
import { reasonCodes } from './reasons.ts'

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
/** Order numbers of the trade: visible ASCII without blanks, quotes or backslashes. */
const REFERENCE = "^[!#-&(-\\[\\]-~]+$"

export const PlaceOrder = Type.Object(
  {
    reference: Type.String({ minLength: 1, maxLength: 64, pattern: REFERENCE, title: 'visible ASCII characters without blanks, quotes or backslashes', description: "The partner's own order number; unique for ever once accepted." }),
    good: Type.String({ minLength: 1, maxLength: 64, pattern: '^[0-9a-z_]+$', title: 'lower-case letters, digits or _' }),
    quantity: Type.Integer({ minimum: 1, maximum: 1000 }),
    maxUnitPrice: Amount,
    form: Type.Optional(Type.Object({}, { ...closed, description: 'Card goods ask for nothing, so the form is empty.' })),
    member: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: PLAIN_TEXT, title: 'text without control, direction or zero-width characters', description: "The partner's own word for the buyer; never required." })),
  },
  closed,
)
export type PlaceOrder = Static<typeof PlaceOrder>

export const Card = Type.Object({
  number: Type.Union([Type.String(), Type.Null()]),
  secret: Type.String({ description: 'Masked as **** for a bearer key in live mode.' }),
  expiresAt: Type.Union([Time, Type.Null()]),
}, closed)

export const OrderState = Type.Union([Type.Literal('delivered'), Type.Literal('unknown'), Type.Literal('cancelled')])

export const Order = Type.Object({
  id: Id, reference: Type.String(), state: OrderState, good: Id, quantity: Type.Integer(), unitPrice: Amount, total: Amount, fee: Amount, charged: Amount,
  member: Type.Optional(Type.String()), cards: Type.Optional(Type.Array(Card)), createdAt: Time,
}, closed)

export const OrderPage = page(Order)

export const StockClass = Type.Union([Type.Literal('in_stock'), Type.Literal('low'), Type.Literal('out_of_stock')])

export const Good = Type.Object({
  id: Id, code: Type.String(), name: Type.String(), category: Type.String(), description: Type.String(), unitPrice: Amount, onSale: Type.Boolean(),
  stock: Type.Integer({ minimum: 0 }), stockClass: StockClass, minimum: Type.Integer(), maximum: Type.Integer(),
  form: Type.Object({}, { additionalProperties: true, description: 'JSON Schema of the order form; card goods ask for nothing.' }),
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
  endsAt: Type.Union([Time, Type.Null()]), statement: Type.Object({}, { additionalProperties: true }),
}, closed)

export const Docking = Type.Object({
  id: Id, name: Type.String(), mode: Type.Union([Type.Literal('sandbox'), Type.Literal('live')]), dialect: Type.String(), state: Type.Union([Type.Literal('open'), Type.Literal('held')]),
  key: Type.Object({ id: Id, kind: Type.String(), scopes: Type.Array(Type.String()), createdAt: Time, expiresAt: Type.Union([Time, Type.Null()]) }, closed),
  version: Type.String(), limits: Type.Object({ requestsPerSecond: Type.Integer(), inFlight: Type.Integer(), requestBytes: Type.Integer(), cardsPerOrder: Type.Integer() }, closed),
  decisions: Type.Array(DecisionView), serverTime: Time,
}, closed)

const ClassOrHealthy = Type.Union([Type.Literal('healthy'), Type.Literal('technical'), Type.Literal('commercial'), Type.Literal('compliance')])

export const ReportCheck = Type.Object({
  check: Type.String(), verdict: Type.Union([Type.Literal('pass'), Type.Literal('warn'), Type.Literal('fail')]), class: Type.String(), side: Type.String(),
  code: Type.Union([Type.String(), Type.Null()]), because: Type.Object({}, { additionalProperties: true }), seen: Type.Object({ en: Type.String(), zh: Type.String() }, closed),
  evidence: Type.Union([Type.String(), Type.Null()]), page: Type.Union([Type.String(), Type.Null()]), remedy: Type.Union([Type.Object({ en: Type.String(), zh: Type.String() }, closed), Type.Null()]),
}, closed)

export const Report = Type.Object({
  docking: Id, mode: Type.String(), at: Time, checks: Type.Array(ReportCheck),
  verdict: Type.Object({ class: ClassOrHealthy, code: Type.Union([Type.String(), Type.Null()]), side: Type.Union([Type.String(), Type.Null()]), text: Type.Object({ en: Type.String(), zh: Type.String() }, closed) }, closed),
}, closed)

/** What a partner may send along to have it compared: the canonical string as its own program built it. */
export const ReportAsk = Type.Object({ signature: Type.Optional(Type.Object({ base: Type.String({ maxLength: 8192 }) }, closed)), probe: Type.Optional(Type.String({ maxLength: 64 })) }, closed)

export const ReasonView = Type.Object({
  code: Type.String(), class: Type.String(), kind: Type.String(), side: Type.String(), by: Type.Array(Type.String()), status: Type.Integer(), retry: Type.String(), appeal: Type.Boolean(),
  title: Type.Object({ en: Type.String(), zh: Type.String() }, closed), detail: Type.Object({ en: Type.String(), zh: Type.String() }, closed), because: Type.Array(Type.String()), docs: Type.String(),
}, closed)
export const ReasonList = Type.Object({ items: Type.Array(ReasonView), next: Type.Null() }, closed)

export const Problem = Type.Object({
  type: Type.String(), title: Type.String(), status: Type.Integer(), detail: Type.String(),
  code: Type.Union(reasonCodes.map((code) => Type.Literal(code))), class: Type.Union([Type.Literal('technical'), Type.Literal('commercial'), Type.Literal('compliance')]),
  because: Type.Object({}, { additionalProperties: true }), retry: Type.Union([Type.Literal('never'), Type.Literal('same_request_after'), Type.Literal('after_change')]),
  side: Type.String(), decision: Type.Optional(Type.String()), appeal: Type.Optional(Type.String()),
  also: Type.Optional(Type.Array(Type.Object({ code: Type.String(), class: Type.String(), detail: Type.String(), because: Type.Object({}, { additionalProperties: true }) }, closed))),
  requestId: Type.String(), serverTime: Time,
}, closed)

function page<T extends TSchema>(item: T) {
  return Type.Object({ items: Type.Array(item), next: Type.Union([Type.String(), Type.Null()]) }, closed)
}
