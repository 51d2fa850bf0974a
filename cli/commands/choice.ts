import { formatAmount, parseAmount } from '../../protocol/money.ts'
import { WrongUsage, type Asked, type Option } from '../command.ts'
import type { GoodView } from './partner.ts'

/** Race, options and fields of the form, as they go to the hub; undefined where none was given. */
export type Choice = { race?: string | undefined; options?: Record<string, string> | undefined; form?: Record<string, string> | undefined }

export const choiceOptions: readonly Option[] = [
  { name: 'race', value: 'NAME', what: { en: 'Which race, where the good has any.', zh: '种类（分种类的商品）。' } },
  { name: 'option', value: 'GROUP=NAME', isMany: true, what: { en: 'A choice of an option group; once for each group.', zh: '规格选择（组=项），每组一次。' } },
  { name: 'field', value: 'NAME=VALUE', isMany: true, what: { en: 'A field of the order form.', zh: '下单表单的字段（名称=内容）。' } },
]

export function readChoice(asked: Asked): Choice {
  return { race: asked.option('race'), options: pairsOf('option', asked.all('option')), form: pairsOf('field', asked.all('field')) }
}

/** Typed as NAME=VALUE; undefined where nothing was. */
function pairsOf(option: string, typed: readonly string[]): Record<string, string> | undefined {
  const wrong = typed.find((pair) => !/^[^=]+=/.test(pair))
  if (wrong !== undefined) throw new WrongUsage({ en: `--${option} is written NAME=VALUE, not "${wrong}".`, zh: `--${option} 须写成 名称=内容，不能是“${wrong}”。` })
  return typed.length === 0 ? undefined : Object.fromEntries(typed.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
}

/** The price of a piece now, of this choice and quantity: the tier's or the race's where there is one, and what the options add. */
export function priceNow(good: GoodView, { race, options }: Choice, quantity: number): string {
  const raced = good.races?.find((one) => one.name === race)
  const tier = (raced ?? good).wholesale?.findLast(({ from }) => from <= quantity)
  const added = (good.options ?? []).map((group) => group.choices.find((one) => one.name === options?.[group.name])?.surcharge ?? '0')
  return formatAmount([(tier ?? raced ?? good).unitPrice, ...added].reduce((sum, amount) => sum + (parseAmount(amount) ?? 0n), 0n))
}
