import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Static } from '../protocol/schema.ts'
import * as drillMessages from '../protocol/drills.ts'
import * as hub from '../protocol/messages.ts'
import { VERSION } from './client.ts'
import type * as ours from './contract.ts'
import type * as drills from './drill-contract.ts'
import * as log from '../protocol/log-messages.ts'
import type * as ourLog from './log-contract.ts'

/** Whether two types are the same is known to the compiler alone: `tsc` stops here once the hub and the client differ. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
/** A type written out. What the hub leaves open is only `object` to it; the client may say more about the names and values. */
type Plain<T> = T extends readonly string[] ? string[]
  : T extends readonly (infer Item)[] ? Plain<Item>[]
  : T extends object ? (string extends keyof T ? object : keyof T extends never ? object : { [Name in keyof T]: Plain<T[Name]> }) : T
type Agree<Schema, Ours> = Same<Plain<Schema>, Plain<Ours>>

const agreed: Record<string, true> = {
  PlaceOrder: true satisfies Agree<Static<typeof hub.PlaceOrder>, ours.PlaceOrder>,
  Order: true satisfies Agree<Static<typeof hub.Order>, ours.Order>,
  OrderPage: true satisfies Agree<Static<typeof hub.OrderPage>, ours.Page<ours.Order>>,
  Card: true satisfies Agree<Static<typeof hub.Card>, ours.Card>,
  Good: true satisfies Agree<Static<typeof hub.Good>, ours.Good>,
  GoodPage: true satisfies Agree<Static<typeof hub.GoodPage>, ours.Page<ours.Good>>,
  Change: true satisfies Agree<Static<typeof hub.Change>, ours.Change>,
  ChangePage: true satisfies Agree<Static<typeof hub.ChangePage>, ours.ChangePage>,
  Balance: true satisfies Agree<Static<typeof hub.Balance>, ours.Balance>,
  // The hub makes these two lists when it starts, which no type can follow; the codes come from one registry.
  Movement: true satisfies Agree<Omit<Static<typeof hub.Movement>, 'kind'>, Omit<ours.Movement, 'kind'>>,
  Problem: true satisfies Agree<Omit<Static<typeof hub.Problem>, 'code'>, Omit<ours.Problem, 'code'>>,
  DecisionView: true satisfies Agree<Static<typeof hub.DecisionView>, ours.Decision>,
  DecisionPage: true satisfies Agree<Static<typeof hub.DecisionPage>, ours.Page<ours.Decision>>,
  Docking: true satisfies Agree<Static<typeof hub.Docking>, ours.Docking>,
  Report: true satisfies Agree<Static<typeof hub.Report>, ours.Report>,
  ReportCheck: true satisfies Agree<Static<typeof hub.ReportCheck>, ours.ReportCheck>,
  ReportAsk: true satisfies Agree<Static<typeof hub.ReportAsk>, ours.ReportAsk>,
  DiagnoseAsk: true satisfies Agree<Static<typeof hub.DiagnoseAsk>, ours.DiagnoseAsk>,
  Diagnosis: true satisfies Agree<Static<typeof hub.Diagnosis>, ours.Diagnosis>,
  ReasonView: true satisfies Agree<Static<typeof hub.ReasonView>, ours.ReasonView>,
  FileAppeal: true satisfies Agree<Static<typeof hub.FileAppeal>, ours.FileAppeal>,
  GiveEvidence: true satisfies Agree<Static<typeof hub.GiveEvidence>, ours.GiveEvidence>,
  AppealPage: true satisfies Agree<Static<typeof hub.AppealPage>, ours.Page<ours.AppealSummary>>,
  AppealView: true satisfies Agree<Static<typeof hub.AppealView>, ours.Appeal>,
  Quote: true satisfies Agree<Static<typeof hub.Quote>, ours.Quote>,
  QuoteAsk: true satisfies Agree<Static<typeof hub.QuoteAsk>, ours.QuoteAsk>,
  KeyView: true satisfies Agree<Static<typeof hub.KeyView>, ours.KeyView>,
  CreateKey: true satisfies Agree<Static<typeof hub.CreateKey>, ours.CreateKey>,
  RollKey: true satisfies Agree<Static<typeof hub.RollKey>, ours.RollKey>,
  NewKey: true satisfies Agree<Static<typeof hub.NewKey>, ours.NewKey>,
  RolledKey: true satisfies Agree<Static<typeof hub.RolledKey>, ours.RolledKey>,
  RevokedKey: true satisfies Agree<Static<typeof hub.RevokedKey>, ours.RevokedKey>,
  RequestPage: true satisfies Agree<Static<typeof hub.RequestPage>, ours.RequestPage>,
  Sealed: true satisfies Agree<Static<typeof log.Sealed>, ourLog.Sealed>,
  MyLeaves: true satisfies Agree<Static<typeof log.MyLeaves>, ourLog.MyLeaves>,
  Cosign: true satisfies Agree<Static<typeof log.Cosign>, ourLog.Cosign>,
  WitnessView: true satisfies Agree<Static<typeof log.WitnessView>, ourLog.WitnessView>,
  Figures: true satisfies Agree<Static<typeof hub.Figures>, ours.Figures>,
  RuleView: true satisfies Agree<Static<typeof hub.RuleView>, ours.Rule>,
  RulePage: true satisfies Agree<Static<typeof hub.RulePage>, ours.Page<ours.Rule>>,
  CommentAsk: true satisfies Agree<Static<typeof hub.CommentAsk>, ours.CommentAsk>,
  CommentView: true satisfies Agree<Static<typeof hub.CommentView>, ours.Comment>,
  DrillPlan: true satisfies Agree<Static<typeof drillMessages.DrillPlan>, drills.DrillPlan>,
  DrillSummary: true satisfies Agree<Static<typeof drillMessages.DrillSummary>, drills.DrillSummary>,
  DrillResult: true satisfies Agree<Static<typeof drillMessages.DrillResult>, drills.DrillResult>,
  Drill: true satisfies Agree<Static<typeof drillMessages.Drill>, drills.Drill>,
  DrillPage: true satisfies Agree<Static<typeof drillMessages.DrillPage>, drills.DrillPage>,
  AskDrill: true satisfies Agree<Static<typeof drillMessages.AskDrill>, drills.AskDrill>,
  ReasonList: true satisfies Agree<Static<typeof hub.ReasonList>, ours.ReasonList>,
}

/** The comparison can fail: a field more, a field less, another value, a field that need not be there. */
const told: readonly false[] = [
  false satisfies Agree<{ a: string; b: number }, { a: string }>,
  false satisfies Agree<{ a: string }, { a: string; b: number }>,
  false satisfies Agree<{ a: { b: 'x' | 'y' }[] }, { a: { b: 'x' }[] }>,
  false satisfies Agree<{ a: string }, { a?: string }>,
  false satisfies Agree<Static<typeof hub.Order>, ours.Good>,
]

test('the client speaks a version that the hub keeps alive, with the types that the hub checks', () => {
  assert.ok((hub.API_VERSIONS as readonly string[]).includes(VERSION))
  assert.deepEqual([Object.values(agreed).every(Boolean), told.some(Boolean)], [true, false])
})
