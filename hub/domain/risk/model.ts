/** What the orders of one good by one live docking on one day look like. Gaps are milliseconds between one order and the next. */
export type Tally = { lane: number; docking: string; day: string; good: string; orders: number; night: number; gaps: number; gapSquares: number; lastAt: Date }

/** Thresholds and weights of this hub. They are drawn once, within a range around those of the program, and told to nobody. */
export type Profile = { leastOrders: number; bias: number; beat: number; night: number; volume: number; reviewAt: number }

/** Values of a pattern, 0 and up. Those that an order does not carry are named in `notEvaluated`, never guessed. */
export type Features = { beat: number; night: number; volume: number }

/** What may be told of a finding: each value in bands that are the same for everybody. */
export type Bands = { orders: string; beat: string; night: string; notEvaluated: readonly string[] }

/** The sealed part of a finding. Its RFC 8785 form is what the commitment is the SHA-256 of; the salt keeps it from being guessed. */
export type Evidence = { finding: string; detector: string; docking: string; good: string; day: string; tally: { orders: number; night: number; gaps: string; gapSquares: string; lastAt: string }; features: Features; profile: Profile; score: number; salt: string }

export type Finding = { id: string; lane: number; docking: string; detector: string; day: string; good: string; bands: Bands; commitment: string; foundAt: Date }
