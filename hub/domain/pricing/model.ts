import type { ReasonCode } from '../../../protocol/reasons.ts'

/** A formula in the words of the operator: decimal strings, of which `set` stands alone but for `round`. */
export type Wording = { factor?: string | undefined; percent?: string | undefined; add?: string | undefined; set?: string | undefined; round?: string | undefined }

/** Whose prices: the list's without any of the three, a group's, that of a level's group, or the own ones of a docking. */
export type Selector = { category?: string | undefined; codes?: string[] | undefined; group?: string | undefined; level?: string | undefined; docking?: string | undefined }

/** A change of many prices as it is asked for, and as it is kept when it is due later. */
export type ChangeAsk = {
  selector: Selector
  change: Wording | null
  /** Prices by code; `line` is the number of the line in the asker's file. */
  rows: { code: string; price: string; line?: number | undefined }[] | null
  allowBelowCost: boolean
  note: string
  by: string
}

/** One price that moves. Worse: above what the docking's group or the list gives to everybody. */
export type PlanLine = { good: string; code: string; oldMicro: bigint; newMicro: bigint; costMicro: bigint | null; publishedMicro: bigint; belowCost: boolean; worse: boolean }

/** A row or good that was left out: its number in the file, counted from 1, or null, and why. */
export type RowError = { line: number | null; good: string; code: ReasonCode; message: { en: string; zh: string } }

export type ChangeResult = { lines: PlanLine[]; selected: number; unchanged: number; errors: RowError[] }
