export { NO_CHOICE, PLAIN, type Card, type Change, type Choice, type Field, type Good, type GoodOptions, type LineError, type Lot, type Pick } from './model.ts'
export { choiceOf, chooseVariant, listPriceOf, quantityOffered, readCard, showCard, stockOf, stockOfChoice, take, variantOf, withinGuard, writeCard, type Chosen } from './rules.ts'
export {
  insertChanges, insertPriceChangesOfAll, loadCards, loadGoodsByCode, loadGoodsById, loadLots, loadPricedByCode, loadPricedById, loadPricedPage, loadSaleTerms, lockLots, moveCursors,
  readCards, readGoods, readLots, readPriced, pricedRace, readSaleTerms, saleKey, writeListPrices, type PricedGood, type SaleTerms, type SealedCards,
} from './store.ts'
export { storeImage, loadImage, MOST_IMAGE_BYTES } from './images.ts'
export { checkForm, formSchema } from './form.ts'
export { CardOpener } from './cards.ts'
export { changesFor, feedHead, sequenceChanges } from './feed.ts'
export { importCards, importGoods, restock, sweepAbandoned, type CardsImported, type GoodsImported } from './service.ts'
export { offeredByCode, offeredById, offeredByNumber, offeredPage, type Offered } from './offering.ts'
export {
  countStaged, flipCards, soldFrom, stageCards, stockOfFamily, takeOffSale, withdrawFamily, type CardToStage, type Family, type Staged,
} from './takeover.ts'
export { checkLastRefusedGood } from './checks.ts'
export { auditStock, cursorsOf } from './audit.ts'
