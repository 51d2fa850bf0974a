/** The languages that the command speaks, and one sentence in both. */
export type Lang = 'en' | 'zh'
export type Words = { readonly en: string; readonly zh: string }

/** Problem details (RFC 9457) as the hub sends them. */
export type Problem = {
  type: string
  title: string
  status: number
  detail: string
  code?: string
  class?: string
  because?: Record<string, unknown>
  retry?: string
  side?: string
  decision?: string
  appeal?: string
  also?: { code: string; class: string; detail: string }[]
  requestId?: string
  /** Seconds, from the header Retry-After. */
  retryAfterS?: number
}

/** The command cannot begin as it was typed. It says what to type instead. */
export class WrongUsage extends Error {
  readonly words: Words

  constructor(words: Words) {
    super(words.en)
    this.words = words
  }
}
