export type { TakenOver, TakenOverCount, TakeOverAsk } from './model.ts'
export { asOrder } from './rules.ts'
export { findTakenOver, openTakenOver, takeOver } from './service.ts'
export { countTakenOver, loadTakenOver, readTakenOver } from './store.ts'
