import { hash } from 'node:crypto'
import type { FormValues } from '../fulfilment/index.ts'

type Printed = { good: string; quantity: number; form: string; member: string | null }

/** What makes two asks under one reference the same ask: 16 bytes over good, variant, quantity, form and member. Scheme 2. */
export function fingerprintOf(ask: Printed, variant: string, values: FormValues): Buffer {
  const filled = Object.keys(values).length === 0 ? '' : JSON.stringify(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)))
  return hash('sha256', `2\n${ask.good}\n${variant}\n${ask.quantity}\n${ask.member === null ? '' : JSON.stringify(ask.member)}\n${filled}\n${ask.form}`, 'buffer').subarray(0, 16)
}

/** Scheme 1, for orders from before goods had choices and forms. */
export function firstFingerprintOf(ask: Printed): Buffer {
  return hash('sha256', `1\n${ask.good}\n${ask.quantity}\n${ask.member === null ? '' : JSON.stringify(ask.member)}\n${ask.form}`, 'buffer').subarray(0, 16)
}
