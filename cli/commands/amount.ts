import { parseAmount } from '../../protocol/money.ts'
import { WrongUsage } from '../command.ts'

/** The amount as it was typed, once it is sure that the hub reads it as one above zero; else WrongUsage. */
export function readAmount(name: string, text: string): string {
  if (parseAmount(text)) return text
  throw new WrongUsage({
    en: `${name} "${text}" is not an amount: write yuan above zero with up to 6 decimals, such as 1000.00.`,
    zh: `${name} “${text}”不是金额：请写大于零的元，最多 6 位小数，如 1000.00。`,
  })
}
