import { HOUSE_LANE } from '../../kernel/lanes.ts'
import type { AppealEvent, Language } from '../letters/index.ts'

/** How a person is reached. sms is a telephone; wecom and dingtalk are robots of a group. */
export const CHANNELS = ['email', 'sms', 'wecom', 'dingtalk'] as const
export type Channel = (typeof CHANNELS)[number]

/**
 * What a contact is told of: decisions about its docking and their appeals, a low deposit, goods that run out, keys that
 * end, conditions that last; appeals alone are for the main site, which writes the decisions itself.
 */
export const KINDS = ['decisions', 'funds', 'stock', 'keys', 'conditions', 'appeals'] as const
export type ContactKind = (typeof KINDS)[number]

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

export type NoticeKind =
  | 'decision_taken' | 'decision_changed' | 'decision_lifted' | 'balance_low' | 'stock_low' | 'key_ending' | 'key_revoked' | 'condition_lasting' | AppealEvent
export type NoticeState = 'waiting' | 'sent' | 'failed' | 'dropped'

/** One thing that one contact is told. */
export type Notice = {
  lane: number
  id: string
  docking: string
  contact: string
  kind: NoticeKind
  /** The decision, the good, the key, or the docking whose deposit is low or which met a condition. */
  subject: string
  /** JSON: what was seen at the moment that is told of. */
  body: string
  state: NoticeState
  attempts: number
  nextAt: Date
  lastError: string | null
  createdAt: Date
  sentAt: Date | null
}
