export type { Finding } from './model.ts'
export { Watch } from './service.ts'
