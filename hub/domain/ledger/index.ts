export { house, type Mode, type Transfer } from './model.ts'
export { chargeLegs, refundLegs, spend } from './rules.ts'
export {
  loadBalances, loadMovements, openBalance, postTransfers, readBalances, readMovements, writeBalances, type Movement,
} from './store.ts'
export { deposit, type Deposited } from './service.ts'
export { loadOpenings, openBalances, readOpenings, type OpeningAsk, type Opened } from './openings.ts'
export { auditLedger, chargesOf, type Finding } from './audit.ts'
export { checkFunds } from './checks.ts'
