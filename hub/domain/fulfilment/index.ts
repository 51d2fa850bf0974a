export type { FormValues, Kept } from './model.ts'
export { readKept, sealForm, sealText } from './sealing.ts'
export { deliveriesOf, endDelivery, insertDeliveries, loadDelivery, loadWaiting } from './store.ts'
export { orderOfToken, pickupToken } from './pickup.ts'
