/** Where a decision stands in the log: its leaf, and the hashes that prove it under a signed checkpoint. */
export type Sealed = { leafIndex: number; leafHash: string; checkpoint: string; inclusion: string[] }

/** Your own leaves of the log with what opens them. */
export type MyLeaves = {
  name: { pseudonym: string; salt: string; leaves: number } | null
  items: { index: number; n: number; leaf: string; salt: string | null; payload: string | null }[]
  /** Ask again with this as `after`. */
  next: number | null
}

export type Cosign = { size: number; publicKey: string; line: string }
export type WitnessView = { name: string; publicKey: string; size: number; signedAt: string; line: string }
