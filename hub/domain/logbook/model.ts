/** What a decision shows beside its statement: where it is sealed, and the proof of it under a checkpoint. */
export type Sealed = { leafIndex: number; leafHash: string; checkpoint: string; inclusion: string[] }

/** A sealed state of the log: `note` is the signed text of it. */
export type SealedCheckpoint = { size: number; root: Buffer; note: string; sealedAt: Date }

/** A leaf as its own docking sees it; salt and payload are null once they were erased. */
export type OwnLeaf = { index: number; leaf: string; counter: number; salt: Buffer | null; payload: string | null }

/** The salt of a docking's pseudonym, and how many leaves the docking has. */
export type OwnName = { salt: Buffer; counter: number }

export type Witness = { name: string; publicKey: Buffer; size: number; signedAt: Date; signature: Buffer }

/** What a check of the whole log found wrong, in the operator's words. */
export type LogFinding = { rule: string; row: string; expected: string; seen: string }
