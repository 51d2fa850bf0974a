import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { Operator, Role } from './model.ts'

/** The form of a name: it stands in decisions and facts, so it is short and plain. */
export const NAME = /^[a-z0-9][a-z0-9._-]{0,39}$/

/** Whether a person has the role that an act asks for. */
export function mayAct(operator: Pick<Operator, 'name' | 'roles'>, role: Role): Outcome<null> {
  return operator.roles.includes(role) ? accept(null) : refuse('operators.role_missing', { needed: role, granted: operator.roles })
}

/** Nobody could name or end operators any more without an owner. */
export function mayEnd(name: string, living: readonly Operator[]): Outcome<null> {
  const owners = living.filter((one) => one.roles.includes('owner'))
  return owners.length === 1 && owners[0]!.name === name ? refuse('operators.last_owner', { operator: name }) : accept(null)
}
