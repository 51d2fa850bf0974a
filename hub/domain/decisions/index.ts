export {
  SCOPES, type CheckRun, type Condition, type Decision, type Ground, type How, type Measure, type MeasureKind, type Scope, type Statement, type StatementDraft,
} from './model.ts'
export { isInForce, isStopping, pricedUpTo, quarantineIn, refusalOf, refusalsInForce, REVIEW_WITHIN_DAYS, throttleIn } from './rules.ts'
export { isWithheld } from './honesty.ts'
export { tellable } from './wording.ts'
export { insertKnown, loadMeasures, readMeasures } from './store.ts'
export {
  approveDraft, decidersOf, decisionPage, decisionsOf, draftDecision, dropToWarn, findDecision, findDecisionById, hold, lift, overturn, supersede, whatStands, type HoldCommand,
} from './service.ts'
export { look, runChecks, type CheckDesk, type InputCheck } from './runs.ts'
export { DecisionClock } from './clock.ts'
export { checkStanding } from './checks.ts'
