export { SCOPES as KEY_SCOPES, type DialectName, type Docking, type LiveKey } from './model.ts'
export { addressAllowed, keyInForce, mayUse } from './rules.ts'
export { hashBearer, KeyRing } from './keyring.ts'
export { addKey, endKeyAt, findDocking, listDockings, openDocking, type Credentials } from './service.ts'
