import type { Channel } from './model.ts'

/** A letter that is ready to go: one addressee, and the letter in every form that a channel may need. */
export type Dispatch = {
  /** Stable over all attempts: whoever gets the letter twice can tell. */
  messageId: string
  channel: Channel
  /** The address itself: e-mail, telephone, or the robot's own address, which is a secret. */
  to: string
  /** The address as it may be shown. */
  masked: string
  /** With which a DingTalk robot wants its messages signed; null otherwise. */
  secret: string | null
  subject: string
  text: string
  html: string
  markdown: string
  /** At most a line: class, code and link. */
  short: string
  language: string
  at: Date
}

/** One way out for letters. It throws when the letter did not surely leave; it will then be asked again. */
export type ChannelPort = { send(dispatch: Dispatch): Promise<void> }
export type Channels = Readonly<Record<Channel, ChannelPort>> & {
  /** Forgets copies of letters that were written before this time. */
  sweep(before: Date): Promise<void>
}
