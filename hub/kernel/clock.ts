/** The time of the machine, handed in, so that rules and tests can be told what time it is. */
export type Clock = {
  /** Milliseconds since 1970, UTC. */
  nowMs(): number
}

export const systemClock: Clock = { nowMs: () => Date.now() }
