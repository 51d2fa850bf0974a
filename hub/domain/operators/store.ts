import type { Rows, Statement } from '../../platform/postgres/database.ts'
import type { Operator, Role } from './model.ts'

export type KeptOperator = Operator & { keyHash: Buffer }

export function loadOperators(): Statement {
  return { name: 'operators.all', text: 'select name, roles, added_by, added_at, ended_at, key_hash from operators.operators order by added_at, name', values: [] }
}

export function readOperators(rows: Rows): KeptOperator[] {
  return rows.map((row) => ({
    name: row[0] as string, roles: row[1] as Role[], addedBy: row[2] as string, addedAt: row[3] as Date, endedAt: row[4] as Date | null, keyHash: row[5] as Buffer,
  }))
}

export function insertOperator(operator: { name: string; roles: readonly Role[]; keyHash: Buffer; by: string; at: Date }): Statement {
  return {
    text: 'insert into operators.operators (name, roles, key_hash, added_by, added_at) values ($1, $2, $3, $4, $5) on conflict do nothing returning name',
    values: [operator.name, [...operator.roles], operator.keyHash, operator.by, operator.at],
  }
}

export function endOperator(name: string, by: string, at: Date): Statement {
  return { text: 'select operators.end_operator($1, $2, $3)', values: [name, by, at] }
}
