export type { Best, Criterion, DrillKind, Plan, Run, Schedule, Seen, Step } from './model.ts'
export { PLANS } from './plans.ts'
export { SIZES, type CopyPhase, type LogCopy } from './copy.ts'
export { Drills } from './service.ts'
