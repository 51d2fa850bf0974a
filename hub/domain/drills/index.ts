export { DRILL_KINDS, type Best, type Criterion, type DrillKind, type Plan, type Run, type Schedule, type Seen, type Step } from './model.ts'
export { PLANS } from './plans.ts'
export { SIZES, type CopyPhase, type LogCopy } from './copy.ts'
export { Drills } from './service.ts'
