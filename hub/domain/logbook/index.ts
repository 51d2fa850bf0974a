export type { LogFinding, OwnLeaf, OwnName, Sealed, SealedCheckpoint, Witness } from './model.ts'
export { auditLog } from './audit.ts'
export type { StatementOf } from './audit-leaves.ts'
export { Logbook } from './service.ts'
