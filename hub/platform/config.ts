import { resolve } from 'node:path'
import { StartRefused } from './refusal-to-start.ts'

export type Config = {
  databaseUrl: string
  dataDir: string
  host: string
  port: number
  publicUrl: string
  logLevel: string
  trustedProxies: readonly string[]
  requestsPerSecond: number
  inFlight: number
  failuresPerMinute: number
  voidAfterMs: number
  /** The address that letters to people come from. */
  mailFrom: string
  /** How long an alert that was told keeps quiet although its value swings around the threshold. */
  alertQuietMs: number
  /** Channels whose letters go out over the wire; those of all others are left in the local outbox. */
  noticeWire: readonly WireChannel[]
  /** Where group robots may live besides their makers' own servers: origins such as https://wecom.corp.example. */
  robotOrigins: readonly string[]
  smsGateway: { url: string; key: string } | null
  /** Whether calls may go to private networks and without TLS: for tests, and for a gateway in the same rack. */
  outboundPrivate: boolean
  /** How many sandboxes strangers may open in 24 hours; 0 closes the door. */
  sandboxesADay: number
  /** How many requests a day a sandbox may send that a stranger opened. */
  sandboxRequestsADay: number
  /** How many times as fast as its plan a drill runs; what it says of itself tells. */
  drillTempo: number
}

const WIRE_CHANNELS = ['sms', 'wecom', 'dingtalk'] as const
export type WireChannel = (typeof WIRE_CHANNELS)[number]

/** Reads the settings of a hub from its environment; a wrong one is named in a sentence. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const number = (name: string, fallback: number, least: number, most: number) => {
    const text = env[name]
    if (text === undefined || text === '') return fallback
    const value = Number(text)
    if (!Number.isInteger(value) || value < least || value > most) throw new StartRefused(`${name} must be a whole number from ${least} to ${most}, not "${text}".`)
    return value
  }
  if (!env.DATABASE_URL) throw new StartRefused('DATABASE_URL is not set: start with `npm start`, which brings a Postgres of its own, or point DATABASE_URL at a Postgres of version 15 or newer.')
  const host = env.HOST || '127.0.0.1'
  const port = number('PORT', 8080, 0, 65_535)
  return {
    databaseUrl: env.DATABASE_URL, dataDir: resolve(env.DATA_DIR || '.data'), host, port,
    publicUrl: (env.PUBLIC_URL || `http://${host.includes(':') ? `[${host}]` : host}:${port}`).replace(/\/+$/, ''),
    logLevel: env.LOG_LEVEL || 'info',
    trustedProxies: wordsOf(env.TRUSTED_PROXIES),
    requestsPerSecond: number('LIMIT_REQUESTS_PER_SECOND', 500, 1, 1_000_000),
    inFlight: number('LIMIT_IN_FLIGHT', 20, 1, 100_000),
    failuresPerMinute: number('LIMIT_FAILED_SIGN_INS_PER_MINUTE', 60, 1, 1_000_000),
    voidAfterMs: number('VOID_AFTER_MS', 10_000, 0, 600_000),
    mailFrom: mailAddress(env.MAIL_FROM || 'berth@localhost'),
    alertQuietMs: number('ALERT_QUIET_MS', 600_000, 0, 86_400_000),
    noticeWire: wireOf(env),
    robotOrigins: wordsOf(env.NOTICE_ROBOT_ORIGINS).map(originOf),
    smsGateway: URL.canParse(env.SMS_GATEWAY_URL ?? '') ? { url: new URL(env.SMS_GATEWAY_URL!).href, key: env.SMS_GATEWAY_KEY ?? '' } : null,
    outboundPrivate: env.OUTBOUND_PRIVATE === 'yes',
    sandboxesADay: number('SANDBOXES_A_DAY', 200, 0, 100_000),
    sandboxRequestsADay: number('SANDBOX_REQUESTS_A_DAY', 20_000, 1, 100_000_000),
    drillTempo: number('DRILL_TEMPO', 1, 1, 20),
  }
}

function wordsOf(text: string | undefined): string[] {
  return (text ?? '').split(',').map((word) => word.trim()).filter(Boolean)
}

function wireOf(env: NodeJS.ProcessEnv): readonly WireChannel[] {
  const wire = wordsOf(env.NOTICE_WIRE)
  const unknown = wire.find((name) => !(WIRE_CHANNELS as readonly string[]).includes(name))
  if (unknown !== undefined) throw new StartRefused(`NOTICE_WIRE may name ${WIRE_CHANNELS.join(', ')}, not "${unknown.slice(0, 40)}".`)
  if (wire.includes('sms') && !URL.canParse(env.SMS_GATEWAY_URL ?? '')) throw new StartRefused('NOTICE_WIRE names sms, so SMS_GATEWAY_URL must be the address of the gateway.')
  return wire as WireChannel[]
}

function originOf(text: string): string {
  if (URL.canParse(text) && new URL(text).origin === text) return text
  throw new StartRefused(`NOTICE_ROBOT_ORIGINS must be origins such as https://wecom.corp.example, not "${text.slice(0, 100)}".`)
}

function mailAddress(text: string): string {
  if (/^[\w.+-]{1,64}@[A-Za-z0-9.-]{1,190}$/.test(text)) return text
  throw new StartRefused(`MAIL_FROM must be an e-mail address such as notices@hub.example, not "${text.slice(0, 100)}".`)
}
