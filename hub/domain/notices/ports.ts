/** A letter that is ready to go: one addressee, one text in two forms. */
export type Mail = {
  /** Stable over all attempts: whoever gets the letter twice can tell. */
  messageId: string
  to: string
  subject: string
  text: string
  html: string
  language: string
  at: Date
}

/** One way out for letters. It throws when the letter did not surely leave; it will then be asked again. */
export type MailPort = { send(mail: Mail): Promise<void> }
