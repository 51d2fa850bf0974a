export type { TakenOver, TakenOverCount, TakeOverAsk } from './model.ts'
export { findTakenOver, openTakenOver, takeOver } from './service.ts'
export { countTakenOver, loadTakenOver, readTakenOver } from './store.ts'
