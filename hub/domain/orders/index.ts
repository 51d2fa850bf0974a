export type { FormValues, Order, OrderState } from './model.ts'
export type { Delivery } from './fulfilment.ts'
export { auditOrders } from './audit.ts'
export { Orders, type Asker, type PlaceAsk, type Placed, type Receipt } from './service.ts'
