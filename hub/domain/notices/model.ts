import { HOUSE_LANE } from '../../kernel/lanes.ts'

export type Channel = 'email'
export type Language = 'zh-CN' | 'en'

/** What a contact is told of: decisions about its docking, a low deposit, goods that run out. */
export type ContactKind = 'decisions' | 'funds' | 'stock'

export type Mode = 'sandbox' | 'live'

/** The main site among the owners of contacts and watches; every other owner is a docking. */
export const MAIN_SITE = ''

/** Whose contacts and watches: a docking in its lane, or the main site in the lane of the house. */
export type Owner = { lane: number; docking: string }
export const MAIN_SITE_OWNER: Owner = { lane: HOUSE_LANE, docking: MAIN_SITE }

/** A person who is told. The address itself is in nobody's hands but the sender's. */
export type Contact = {
  lane: number
  id: string
  docking: string
  channel: Channel
  /** The address as lists and logs may show it. */
  masked: string
  language: Language
  kinds: readonly ContactKind[]
  setBy: 'operator' | 'partner'
  createdAt: Date
}

/** A threshold of a deposit (µCNY) or of a stock (pieces). */
export type Watch = {
  lane: number
  docking: string
  what: 'balance' | 'stock'
  /** The id of the good; '' for a balance. */
  good: string
  mode: Mode
  below: bigint
  /** Told, and not yet above again. */
  isLow: boolean
  /** How often it was told. */
  round: bigint
  toldAt: Date | null
}

export type NoticeKind = 'decision_taken' | 'decision_changed' | 'decision_lifted' | 'balance_low' | 'stock_low'
export type NoticeState = 'waiting' | 'sent' | 'failed' | 'dropped'

/** One thing that one contact is told. */
export type Notice = {
  lane: number
  id: string
  docking: string
  contact: string
  kind: NoticeKind
  /** The decision, the good, or the docking whose deposit is low. */
  subject: string
  /** JSON: for an alert the threshold, what was seen, and the mode. */
  body: string
  state: NoticeState
  attempts: number
  nextAt: Date
  lastError: string | null
  createdAt: Date
  sentAt: Date | null
}

/** What an alert keeps of the moment in which it was seen; amounts are whole numbers as text. */
export type Seen = { below: string; seen: string; mode: Mode }
