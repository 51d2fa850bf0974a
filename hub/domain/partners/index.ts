export { PRICE_GUARDS, SCOPES as KEY_SCOPES, type DialectName, type Docking, type LiveKey, type PriceGuard } from './model.ts'
export { addressAllowed, keyInForce, mayUse } from './rules.ts'
export { hashBearer, KeyRing } from './keyring.ts'
export { addKey, endKeyAt, findDocking, guardPrice, listDockings, mountAt, mountedDockings, openDocking, type Credentials } from './service.ts'
