export type { Order, OrderState } from './model.ts'
export { auditOrders } from './audit.ts'
export { quote, type Quote } from './quote.ts'
export { Orders, type Asker, type Handed, type PlaceAsk, type Placed, type Receipt } from './service.ts'
