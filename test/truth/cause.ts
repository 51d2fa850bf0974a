import type { ReasonClass, ReasonCode } from '../../protocol/reasons.ts'
import type { Stage, Shown, Way } from './stage.ts'

/** What is known of a value that must be shown: itself, a pattern of its text, or a rule. */
export type Expected = string | number | boolean | RegExp | ((value: unknown) => boolean)

/** One thing that can be wrong, how it is made wrong, what must be shown for it, and what its remedy must lead to. */
export type Cause = {
  name: string
  class: ReasonClass
  code: ReasonCode
  ways: readonly Way[]
  set?: Parameters<typeof Stage.set>[2]
  /** Bends what is to be bent; the default is to bend nothing, where only the asking is wrong. */
  inject?: (stage: Stage) => Promise<void>
  /** Asks as somebody who does not know of it; the default is an order of one card. */
  ask?: (stage: Stage) => Promise<Shown>
  because?: (stage: Stage) => Readonly<Record<string, Expected>>
  /** What a shop of the acg family must print. */
  msg?: RegExp
  /** Causes that stand beside it and must be named as well. */
  also?: readonly ReasonCode[]
  /** Refused before anybody is known: no docking's report may hold it. */
  stranger?: boolean
  /** Nobody is let in at all, the owner who asks for the report included. */
  shut?: boolean
  /** The decision's own words of what to do: shown wherever the measure is. */
  remedy?: { en: string; zh: string }
  /** What the remedy must say, in either language, for the mending to be nothing but following it. */
  says: { en: RegExp; zh: RegExp }
  /** Does what the remedy says with what was shown, and asks again. */
  mend: (stage: Stage, shown: Shown) => Promise<Shown>
}
