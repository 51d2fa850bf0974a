import type {
  Appeal, AppealSummary, Balance, ChangePage, Comment, CommentAsk, CreateKey, Decision, DiagnoseAsk, Diagnosis, Docking, Figures, FileAppeal, GiveEvidence, Good, KeyView, Movement, NewKey, Order, OrderVerdicts, Page, PlaceOrder, Quote, QuoteAsk, ReasonList,
  Report, ReportAsk, RequestPage, RevokedKey, RolledKey, RollKey, Rule,
} from './contract.ts'
import type { AskDrill, Drill, DrillPage } from './drill-contract.ts'
import type { Cosign, MyLeaves, WitnessView } from './log-contract.ts'

/** What a call may carry: names in its path, its query, its JSON body. */
export type Ask = {
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: object
}

/** One call of the API. Its type says what is asked and what is answered. */
export type Endpoint<A extends Ask, Value> = {
  readonly method: 'GET' | 'POST'
  /** With a name in braces for each name of `Ask.path`. */
  readonly path: string
  /** Whether the same ask may be sent once more when nobody knows what became of the first: a look-up, or an order, which its reference binds. */
  readonly isRepeatable: boolean
  /** Never there when the program runs: it carries the types. */
  readonly carries?: (ask: A) => Value
}

type Nothing = { readonly path?: never; readonly query?: never; readonly body?: never }
/** `limit` is how many stand on a page, at most 500. */
export type PageAsk = { readonly cursor?: string; readonly limit?: number }

/** Every call that the hub knows; a new one is one line here. */
export const endpoints = {
  getDocking: get<Nothing, Docking>('/api/docking'),
  getReport: get<Nothing, Report>('/api/docking/report'),
  compareReport: post<{ readonly body: ReportAsk }, Report>('/api/docking/report', { isRepeatable: true }),
  diagnose: post<{ readonly body: DiagnoseAsk }, Diagnosis>('/api/docking/diagnose', { isRepeatable: true }),
  listReasons: get<Nothing, ReasonList>('/api/reasons'),
  getFigures: get<{ readonly query: { readonly quarter?: string } }, Figures>('/api/figures'),
  listDecisions: get<{ readonly query: PageAsk & { readonly state?: 'open' | 'all' } }, Page<Decision>>('/api/decisions'),
  getDecision: get<{ readonly path: { readonly decision: string } }, Decision>('/api/decisions/{decision}'),
  listRules: get<{ readonly query: { readonly kind?: Rule['kind']; readonly cursor?: string } }, Page<Rule>>('/api/rules'),
  getRule: get<{ readonly path: { readonly rule: string } }, Rule>('/api/rules/{rule}'),
  commentOnRule: post<{ readonly path: { readonly rule: string }; readonly body: CommentAsk }, Comment>('/api/rules/{rule}/comments', { isRepeatable: false }),
  listGoods: get<{ readonly query: PageAsk }, Page<Good>>('/api/goods'),
  getGood: get<{ readonly path: { readonly good: string } }, Good>('/api/goods/{good}'),
  listChanges: get<{ readonly query: { readonly after?: string; readonly limit?: number } }, ChangePage>('/api/goods/changes'),
  placeOrder: post<{ readonly body: PlaceOrder }, Order>('/api/orders', { isRepeatable: true }),
  placeOrders: post<{ readonly body: { readonly orders: readonly PlaceOrder[] } }, OrderVerdicts>('/api/orders/batch', { isRepeatable: true }),
  getQuote: post<{ readonly body: QuoteAsk }, Quote>('/api/quotes', { isRepeatable: true }),
  getOrder: get<{ readonly path: { readonly order: string } }, Order>('/api/orders/{order}'),
  listOrders: get<{ readonly query: PageAsk & { readonly reference?: string } }, Page<Order>>('/api/orders'),
  getBalance: get<Nothing, Balance>('/api/funds/balance'),
  listMovements: get<{ readonly query: PageAsk }, Page<Movement>>('/api/funds/movements'),
  listKeys: get<Nothing, Page<KeyView>>('/api/keys'),
  // A key that was made twice is one too many, and its secret is shown once: these are never sent again by themselves.
  createKey: post<{ readonly body: CreateKey }, NewKey>('/api/keys', { isRepeatable: false }),
  rollKey: post<{ readonly path: { readonly key: string }; readonly body: RollKey }, RolledKey>('/api/keys/{key}/roll', { isRepeatable: false }),
  revokeKey: post<{ readonly path: { readonly key: string }; readonly body: Readonly<Record<string, never>> }, RevokedKey>('/api/keys/{key}/revoke', { isRepeatable: false }),
  listMyLeaves: get<{ readonly query: { readonly after?: number; readonly limit?: number } }, MyLeaves>('/api/log/mine'),
  cosignCheckpoint: post<{ readonly body: Cosign }, WitnessView>('/api/log/witness', { isRepeatable: true }),
  // A second appeal against one decision is refused while the first is open, but what was added twice stands twice.
  fileAppeal: post<{ readonly path: { readonly decision: string }; readonly body: FileAppeal }, AppealSummary>('/api/decisions/{decision}/appeals', { isRepeatable: false }),
  listAppeals: get<{ readonly query: PageAsk }, Page<AppealSummary>>('/api/appeals'),
  getAppeal: get<{ readonly path: { readonly appeal: string } }, Appeal>('/api/appeals/{appeal}'),
  giveEvidence: post<{ readonly path: { readonly appeal: string }; readonly body: GiveEvidence }, AppealSummary>('/api/appeals/{appeal}/evidence', { isRepeatable: false }),
  withdrawAppeal: post<{ readonly path: { readonly appeal: string }; readonly body: Readonly<Record<string, never>> }, AppealSummary>('/api/appeals/{appeal}/withdraw', { isRepeatable: false }),
  listDrills: get<{ readonly query: PageAsk }, DrillPage>('/api/drills'),
  // A second one would be refused while the first is under way.
  askDrill: post<{ readonly body: AskDrill }, Drill>('/api/drills', { isRepeatable: false }),
  getDrill: get<{ readonly path: { readonly drill: string } }, Drill>('/api/drills/{drill}'),
  abandonDrill: post<{ readonly path: { readonly drill: string }; readonly body: Readonly<Record<string, never>> }, Drill>('/api/drills/{drill}/abandon', { isRepeatable: false }),
  witnessDrill: post<{ readonly path: { readonly drill: string }; readonly body: { readonly size: number; readonly publicKey: string; readonly line: string } }, { size: number; witness: string }>('/api/drills/{drill}/witness', { isRepeatable: true }),
  disputeDrill: post<{ readonly path: { readonly drill: string }; readonly body: { readonly first: string; readonly second: string } }, { holds: boolean }>('/api/drills/{drill}/dispute', { isRepeatable: true }),
  listRequests: get<{ readonly query: { readonly before?: string; readonly limit?: number } }, RequestPage>('/api/requests'),
}

/** A look-up. It changes nothing, so it may always be repeated. */
export function get<A extends Ask, Value>(path: string): Endpoint<A, Value> {
  return { method: 'GET', path, isRepeatable: true }
}

/** A call with a body. `isRepeatable` only where the hub answers a repeat with what the first one did. */
export function post<A extends Ask, Value>(path: string, { isRepeatable }: { isRepeatable: boolean }): Endpoint<A, Value> {
  return { method: 'POST', path, isRepeatable }
}

/** The address of a call. Throws a TypeError for a path name that is missing or that no path can carry. */
export function addressOf(hubUrl: string, endpoint: { readonly path: string }, ask: Ask): URL {
  const path = endpoint.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = ask.path?.[name]
    // A URL parser takes dots for steps through the path: the call would go to another address.
    if (value === undefined || /^\.{0,2}$/.test(value)) throw new TypeError(`${endpoint.path} needs a ${name}, not ${value === undefined ? 'nothing' : `"${value}"`}`)
    return encodeURIComponent(value)
  })
  const url = new URL(hubUrl + path)
  for (const [name, value] of Object.entries(ask.query ?? {})) if (value !== undefined) url.searchParams.set(name, String(value))
  return url
}
