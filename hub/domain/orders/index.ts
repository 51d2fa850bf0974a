export type { Order, OrderState } from './model.ts'
export { auditOrders } from './audit.ts'
export { countTakenOver, ordersOn, takeOver, type TakeOverAsk, type TakenOverCount } from './takenover.ts'
export { Orders, type Asker, type PlaceAsk, type Placed, type Receipt } from './service.ts'
