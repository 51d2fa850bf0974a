export type { Order, OrderState } from './model.ts'
export { auditOrders } from './audit.ts'
export { Orders, type Asker, type PlaceAsk, type Placed, type Receipt } from './service.ts'
