export type { Approach, Report, SeenRequest } from './model.ts'
export { report } from './service.ts'
