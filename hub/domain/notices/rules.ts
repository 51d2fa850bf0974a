import type { Decision } from '../decisions/index.ts'
import type { Channel, Watch } from './model.ts'

/** Ordinary addresses of one person: no quoted parts, no comments, no bare hosts; a Chinese domain is written in its xn-- form. */
const LOCAL = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const DOMAIN = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])$/

/** The addresses of the robots themselves. Others are read only where the operator has named them. */
const ROBOTS = { wecom: { origin: 'https://qyapi.weixin.qq.com', path: '/cgi-bin/webhook/send', key: 'key' }, dingtalk: { origin: 'https://oapi.dingtalk.com', path: '/robot/send', key: 'access_token' } } as const

export const EXPECTED_ADDRESS: Readonly<Record<Channel, string>> = {
  email: 'an e-mail address such as name@example.com',
  sms: 'a mobile number such as 13800138000 or +8613800138000',
  wecom: 'the address of a WeCom group robot, https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…',
  dingtalk: 'the address of a DingTalk robot, https://oapi.dingtalk.com/robot/send?access_token=…',
}

/**
 * The address in the one form in which it is kept; null when the channel could not be handed it as it stands.
 * @param origins where robots may live besides their makers' own servers, such as https://wecom.corp.example
 */
export function readAddress(channel: Channel, text: string, origins: readonly string[]): string | null {
  if (channel === 'email') return readEmail(text)
  if (channel === 'sms') return readTelephone(text)
  return readRobot(channel, text, origins)
}

function readEmail(text: string): string | null {
  const at = text.lastIndexOf('@')
  if (at < 1 || text.length > 254) return null
  const [local, domain] = [text.slice(0, at), text.slice(at + 1).toLowerCase()]
  return local.length <= 64 && LOCAL.test(local) && DOMAIN.test(domain) ? `${local}@${domain}` : null
}

/** E.164; a bare Chinese mobile number gets its country. */
function readTelephone(text: string): string | null {
  const digits = text.replace(/[ -]/g, '')
  if (/^1[3-9]\d{9}$/.test(digits)) return `+86${digits}`
  return digits.startsWith('+86') ? (/^\+861[3-9]\d{9}$/.test(digits) ? digits : null) : /^\+[1-9]\d{6,14}$/.test(digits) ? digits : null
}

function readRobot(channel: 'wecom' | 'dingtalk', text: string, origins: readonly string[]): string | null {
  const { origin, path, key } = ROBOTS[channel]
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  const token = url.searchParams.get(key) ?? ''
  if (url.origin !== origin && !origins.includes(url.origin)) return null
  if (url.username !== '' || url.password !== '' || url.pathname !== path || !/^[\w-]{8,128}$/.test(token)) return null
  return `${url.origin}${path}?${key}=${token}`
}

/** Enough to recognise one's own address by, too little to write to it. */
export function maskAddress(channel: Channel, address: string): string {
  if (channel === 'email') return `${address.slice(0, 1)}***${address.slice(address.lastIndexOf('@'))}`
  if (channel === 'sms') return `${address.slice(0, -8)}****${address.slice(-4)}`
  return `${new URL(address).host} ***${address.slice(-4)}`
}

/** The secret with which a DingTalk robot wants its messages signed. */
export function isRobotSecret(text: string): boolean {
  return /^SEC[0-9A-Za-z]{16,125}$/.test(text)
}

/** No address stands in an error that is shown, whoever worded it. */
export function maskError(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').replace(/[^\s<>@"']+@[^\s<>@"']+|https?:\/\/\S+|\+?\d{7,}/g, '***').slice(0, MOST_ERROR)
}

const MOST_ERROR = 200

const DAY_MS = 86_400_000
const [SECOND_MS, MINUTE_MS, HOUR_MS] = [1_000, 60_000, 3_600_000]
/** How long after each attempt the next one comes: 99 hours in all, and 79 when every dice falls low. */
const WAITS_MS = [5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, ...[2, 5, 10, 14, 20, 24, 24].map((hours) => hours * HOUR_MS)]
export const MOST_ATTEMPTS = WAITS_MS.length + 1

/** @param attempt the attempt that is being made, from 1  @param dice in [0, 1): spreads the next one by ±20 % */
export function waitMs(attempt: number, dice: number): number {
  return Math.round(WAITS_MS[Math.min(attempt, WAITS_MS.length) - 1]! * (0.8 + 0.4 * dice))
}

/** How many days before its end a key is told to end. */
const KEY_DAYS = [1, 3, 14] as const
export const KEY_NOTICE_DAYS = 14

/** Which of the notices of a key's end is due, in days before it; null while none is. */
export function keyNoticeDue(endsAt: Date, at: Date): number | null {
  const left = (endsAt.getTime() - at.getTime()) / DAY_MS
  return left <= 0 ? null : (KEY_DAYS.find((days) => left <= days) ?? null)
}

/** A link lives until so long after its decision has ended, or its alert was written. */
const LINK_DAYS = 90

export function isLinkAlive(startedAt: Date, decision: Pick<Decision, 'liftedAt' | 'statement'> | null, at: Date): boolean {
  if (!decision) return at.getTime() - startedAt.getTime() < LINK_DAYS * DAY_MS
  const ended = endOf(decision)
  return ended === null || at.getTime() - ended.getTime() < LINK_DAYS * DAY_MS
}

/** When a measure ended or will end by itself; null while nobody knows. */
function endOf({ liftedAt, statement }: Pick<Decision, 'liftedAt' | 'statement'>): Date | null {
  const ends = statement.measure.endsAt === null ? null : new Date(statement.measure.endsAt)
  if (liftedAt === null || ends === null) return liftedAt ?? ends
  return ends < liftedAt ? ends : liftedAt
}

/**
 * What a look at a watch comes to. It is told once when the value falls below the threshold, and re-armed when the value
 * is above it again; on the threshold nothing changes. A value that swings is told at most once in `quietMs`: it stays
 * armed meanwhile, so that a fall that lasts is told when the quiet is over.
 */
export function look(watch: Pick<Watch, 'below' | 'isLow' | 'toldAt'>, value: bigint, at: Date, quietMs: number): 'tell' | 'rearm' | null {
  if (watch.isLow) return value > watch.below ? 'rearm' : null
  if (value >= watch.below) return null
  return watch.toldAt === null || at.getTime() - watch.toldAt.getTime() >= quietMs ? 'tell' : null
}
