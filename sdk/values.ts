/** Yuan as a decimal string with up to six decimals, such as "9.50". Never a number: a float cannot hold 0.0015 exactly. */
export type Amount = string
/** RFC 3339 in UTC. */
export type Time = string
export type Mode = 'sandbox' | 'live'
export type InBothLanguages = { en: string; zh: string }
