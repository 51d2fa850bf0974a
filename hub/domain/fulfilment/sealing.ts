import type { Rows } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import type { FormValues, Kept } from './model.ts'
import { readRows } from './store.ts'

/** The values of a form as they are kept; null when there are none. Sealed for one order: in another's row they do not open. */
export function sealForm(vault: Vault, order: string, values: FormValues): Buffer | null {
  return Object.keys(values).length === 0 ? null : vault.seal(Buffer.from(JSON.stringify(values)), `form|${order}`)
}

/** What a person delivers, as it is kept. */
export function sealText(vault: Vault, order: string, text: string): Buffer {
  return vault.seal(Buffer.from(text), `delivered|${order}`)
}

/** The answers of the loads below, opened. */
export function readKept(vault: Vault, rows: Rows): Kept[] {
  return readRows(rows).map(({ order, form, delivered, reason, waiting, endedAt }) => ({
    order, reason, waiting, endedAt,
    form: form ? (JSON.parse(vault.open(form, `form|${order.id}`).toString('utf8')) as FormValues) : null,
    text: delivered ? vault.open(delivered, `delivered|${order.id}`).toString('utf8') : null,
  }))
}
