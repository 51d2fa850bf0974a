/** A row of acg-faka's database. `text` is '' for null and for a column that this version does not have. */
export type Row = { line: number; table: string; text: (column: string) => string; needed: (column: string) => string; has: (column: string) => boolean }
