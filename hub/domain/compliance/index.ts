export { CASE_STATES, type Access, type Case, type CaseState, type Dossier } from './model.ts'
export { Cases } from './service.ts'
