export { formatAmount, parseAmount } from '../protocol/money.ts'
export { explain, isReasonCode, reasonOf, type Reason, type ReasonCode } from '../protocol/reasons.ts'
export type { Answer, Outcome, Refusal, Refused } from './answer.ts'
export { Berth, VERSION, type BerthOptions, type CallOptions, type FollowOptions } from './client.ts'
export type {
  Amount, Balance, Card, Change, ChangePage, CreateKey, Decision, Docking, DrillBest, FigureGroup, Figures, Good, KeyView, Mode, Movement, NewKey, Order, OrderVerdicts, Page, PlaceOrder, Problem, Quote, QuoteAsk,
  ReasonList, ReasonView, Report, ReportAsk, ReportCheck, RequestPage, RequestView, RevokedKey, RolledKey, RollKey, Tier, Time,
} from './contract.ts'
export type { AskDrill, Drill, DrillKind, DrillPage, DrillPlan, DrillResult, DrillSummary } from './drill-contract.ts'
export { endpoints, get, post, type Ask, type Endpoint } from './endpoints.ts'
export type { Cosign, MyLeaves, Sealed, WitnessView } from './log-contract.ts'
export { cosign, LogWatch, type LogLook, type LogMemory, type LogOptions, type LogStore, type OwnMemory } from './log.ts'
export { auditLog, type ErasedLeaf, type LogAudit, type Own } from './log-audit.ts'
export type { LogFault, LogFaultKind } from './log-faults.ts'
export type { RetryPolicy } from './retrying.ts'
export type { Credentials } from './signing.ts'
export { HubUnreachable, type Language, type Words } from './unreachable.ts'
export { verifyWebhook, type Webhook, type WebhookAsk, type WebhookProblem } from './webhook.ts'
