export type { Approach, Report } from './model.ts'
export { report } from './service.ts'
