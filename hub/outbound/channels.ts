import { createHmac } from 'node:crypto'
import type { ChannelPort, Channels } from '../domain/notices/ports.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Config } from '../platform/config.ts'
import type { Log } from '../platform/log.ts'
import { CallFailed, openCall, type Call, type CallAnswer } from './call.ts'
import { openOutbox } from './outbox.ts'

type Settings = Pick<Config, 'dataDir' | 'mailFrom' | 'noticeWire' | 'smsGateway' | 'outboundPrivate'>

/** Every way to reach a person: the local outbox, and the wire for the channels that are set to use it. */
export function openChannels(config: Settings, { log, clock }: { log: Log; clock: Clock }): Channels {
  const outbox = openOutbox(config.dataDir, config.mailFrom)
  const call = openCall({ log, allowPrivate: config.outboundPrivate })
  const wire: Record<Config['noticeWire'][number], () => ChannelPort> = {
    sms: () => smsGateway(call, config.smsGateway!), wecom: () => wecomRobot(call), dingtalk: () => dingtalkRobot(call, clock),
  }
  const of = (name: keyof typeof wire) => (config.noticeWire.includes(name) ? wire[name]() : outbox)
  return { email: outbox, sms: of('sms'), wecom: of('wecom'), dingtalk: of('dingtalk'), sweep: (before) => outbox.sweep(before) }
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' }

/** A robot of a 企业微信 group. Its address holds its key; the answer says 200 even where it refuses. */
export function wecomRobot(call: Call): ChannelPort {
  return {
    async send({ to, markdown }) {
      checkRobot(await call({ method: 'POST', url: to, headers: JSON_TYPE, body: JSON.stringify({ msgtype: 'markdown', markdown: { content: markdown } }) }))
    },
  }
}

/** A robot of a 钉钉 group with 加签: HMAC-SHA-256 of the time in milliseconds and the secret, under the secret. */
export function dingtalkRobot(call: Call, clock: Clock): ChannelPort {
  return {
    async send({ to, secret, subject, markdown }) {
      const url = new URL(to)
      const timestamp = String(clock.nowMs())
      url.searchParams.set('timestamp', timestamp)
      url.searchParams.set('sign', createHmac('sha256', secret ?? '').update(`${timestamp}\n${secret ?? ''}`).digest('base64'))
      checkRobot(await call({ method: 'POST', url: url.href, headers: JSON_TYPE, body: JSON.stringify({ msgtype: 'markdown', markdown: { title: subject, text: markdown } }) }))
    },
  }
}

/** A gateway for short messages: {id, to, text, language} under a bearer key, accepted once an id; it answers {"accepted": true}. */
export function smsGateway(call: Call, { url, key }: { url: string; key: string }): ChannelPort {
  return {
    async send({ messageId, to, short, language }) {
      const id = messageId.replace(/^<|@.*$/g, '')
      const answer = await call({
        method: 'POST', url, headers: { ...JSON_TYPE, ...(key === '' ? {} : { authorization: `Bearer ${key}` }), 'idempotency-key': id }, body: JSON.stringify({ id, to, text: short, language }),
      })
      const { accepted } = readAnswer(answer) as { accepted?: unknown }
      if (accepted !== true) throw new CallFailed('not_accepted', 'the gateway did not accept the message')
    },
  }
}

function checkRobot(answer: CallAnswer): void {
  const { errcode, errmsg } = readAnswer(answer) as { errcode?: unknown; errmsg?: unknown }
  if (errcode !== 0) throw new CallFailed('not_accepted', `the robot answered errcode ${String(errcode).slice(0, 20)}: ${String(errmsg ?? '').slice(0, 100)}`)
}

function readAnswer({ status, text }: CallAnswer): object {
  if (status < 200 || status > 299) throw new CallFailed('not_accepted', `the answer was HTTP ${status}`)
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Said below: what is no JSON is no answer of a robot.
  }
  throw new CallFailed('not_accepted', 'the answer is not JSON')
}
