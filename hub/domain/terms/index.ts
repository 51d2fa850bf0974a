export { feeOn, priceFor } from './rules.ts'
export { loadContracts, loadOffers, loadOffersOf, openContract, readContracts, readOffers, writeOffer, writeOffers } from './store.ts'
export type { Contract } from './model.ts'
