export type { BalanceRow, BroughtDocking, BroughtGood, CardRow, Migration, OrderRow, PartnerRow, PriceRow, RowResult, Withdrawn } from './model.ts'
export { begin, bringCards, bringGoods, openPartners, publishCards, setBalances, setPrices, takeOrders, type CardsFlipped, type CardsStaged, type Reading } from './service.ts'
export { withdraw } from './withdrawal.ts'
export { broughtDockings, broughtGoods, findMigration } from './proof.ts'
