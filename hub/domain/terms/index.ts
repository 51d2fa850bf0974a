export { feeOn, priceBy, priceFor, pricesOf, publishedPriceFor, showFormula } from './rules.ts'
export {
  endOffer, endRule, insertHistory, loadBook, loadBookOf, loadContracts, loadHistory, loadOffers, loadOffersOf, loadRules, loadRulesFor, loadWholeHistory, moveBook, openContract,
  readBook, readContracts, readHistory, readOffers, readRules, writeOffers, writeRules,
} from './store.ts'
export {
  countScheduled, dueExists, endChange, insertChange, insertGroup, loadAllOffers, loadChange, loadChangeByReference, loadChanges, loadGroup, loadGroups, loadLevel, loadLevels,
  loadPlacedByDecision, loadPlacing, loadStanding, lockChange, lockDue, readChanges, writeLevel, writePlacing,
} from './changes.ts'
export {
  EMPTY_BOOK, type DockingPrices, type Formula, type HistoryEntry, type HistoryLine, type Offers, type PriceBook, type Prices, type Rule, type RuleScope, type StoredChange,
} from './model.ts'
