export { ROLES, type Operator, type Role } from './model.ts'
export { mayAct } from './rules.ts'
export { Operators } from './service.ts'
