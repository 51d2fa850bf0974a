export type { Card, Change, Good, LineError, Lot, Pick } from './model.ts'
export { quantityOffered, readCard, showCard, stockOf, take, withinGuard, writeCard } from './rules.ts'
export {
  insertChanges, loadCards, loadSaleTerms, loadGoodsByCode, loadGoodsById, lockLots, moveCursors, readCards, readGoods, readLots, readSaleTerms, type SaleTerms, type SealedCards,
} from './store.ts'
export { CardOpener } from './cards.ts'
export { changesFor, sequenceChanges } from './feed.ts'
export { importCards, importGoods, restock, sweepAbandoned, type CardsImported, type GoodsImported } from './service.ts'
export { offeredByCode, offeredById, offeredPage, type Offered } from './offering.ts'
export {
  countStaged, flipCards, soldFrom, stageCards, stockOfFamily, takeOffSale, withdrawFamily, type CardToStage, type Family, type Staged,
} from './takeover.ts'
export { checkLastRefusedGood } from './checks.ts'
export { auditStock, cursorsOf } from './audit.ts'
