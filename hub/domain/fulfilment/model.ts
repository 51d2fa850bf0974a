/** The values of an order form by the names of its fields. */
export type FormValues = Readonly<Record<string, string>>

/** The order that something is kept for. */
export type OrderKey = { lane: number; docking: string; id: string }

/** What is kept for an order, opened. `text` is what a person delivered; `reason` says why it was given back. */
export type Kept = { order: OrderKey; form: FormValues | null; text: string | null; reason: string | null; waiting: boolean; endedAt: Date | null }
