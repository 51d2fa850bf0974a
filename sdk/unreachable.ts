export type Language = 'zh' | 'en'
export type Words = { readonly en: string; readonly zh: string }

/**
 * Nobody answered, or something that is no hub, as often as the policy allows. Nothing is known about the last request:
 * an order may stand. Placing it again under the same reference gives that order, or places it once.
 */
export class HubUnreachable extends Error {
  override readonly name = 'HubUnreachable'
  /** The message in both languages. */
  readonly words: Words
  /** How often the request was sent. */
  readonly attempts: number

  /** `cause` is what the platform said, such as a refused connection. */
  constructor(words: Words, language: Language, attempts: number, cause: unknown) {
    super(words[language], { cause })
    this.words = words
    this.attempts = attempts
  }
}
