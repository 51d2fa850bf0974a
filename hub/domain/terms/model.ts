/** What a docking was promised. The fee is paid on top of the goods. */
export type Contract = { docking: string; feePpm: number }
