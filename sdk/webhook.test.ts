import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { verifyWebhook, type WebhookAsk } from './webhook.ts'

const AT = 1_795_383_129
const BODY = '{"type":"order.delivered","data":{"order":"ord_1","name":"点卡"}}'
const oldSecret = `whsec_${randomBytes(24).toString('base64')}`
const newSecret = `whsec_${randomBytes(24).toString('base64')}`

/** As a sender does it, with the cryptography of Node. */
const signed = (secret: string, id = 'msg_1', at: number | string = AT, body = BODY) =>
  `v1,${createHmac('sha256', Buffer.from(secret.slice(6), 'base64')).update(`${id}.${at}.${body}`).digest('base64')}`

const ask = (change: Partial<WebhookAsk> & { signature?: string; id?: string; at?: string } = {}): WebhookAsk => ({
  headers: { 'webhook-id': change.id ?? 'msg_1', 'webhook-timestamp': change.at ?? String(AT), 'webhook-signature': change.signature ?? signed(newSecret) },
  body: BODY, secrets: [newSecret], nowS: AT, ...change,
})
const problemOf = async (asked: WebhookAsk) => {
  const webhook = await verifyWebhook(asked)
  return webhook.ok ? 'believed' : webhook.problem
}

test('the example that the standard publishes is believed', async () => {
  const webhook = await verifyWebhook({
    headers: new Headers({ 'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330', 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' }),
    body: '{"test": 2432232314}', secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], nowS: 1614265330,
  })
  assert.deepEqual(webhook, { ok: true, id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', sentAtS: 1614265330, text: '{"test": 2432232314}' })
})

test('a callback is believed under every secret that is alive, while one follows the other', async () => {
  const both = `${signed(oldSecret)} ${signed(newSecret)}`
  assert.equal(await problemOf(ask({ signature: both, secrets: [oldSecret] })), 'believed')
  assert.equal(await problemOf(ask({ signature: both, secrets: [newSecret] })), 'believed')
  assert.equal(await problemOf(ask({ signature: signed(oldSecret), secrets: [newSecret, oldSecret] })), 'believed')
  assert.equal(await problemOf(ask({ signature: `v1a,AAAA ${signed(newSecret)}` })), 'believed')
  assert.equal(await problemOf(ask({ body: new TextEncoder().encode(BODY) })), 'believed')
})

test('what was changed, is stale or is not signed is not believed, and it is said why', async () => {
  const rows: [string, WebhookAsk, string][] = [
    ['another body', ask({ body: BODY.replace('ord_1', 'ord_2') }), 'signature_mismatch'],
    ['another id', ask({ id: 'msg_2' }), 'signature_mismatch'],
    ['another time', ask({ at: String(AT + 1) }), 'signature_mismatch'],
    ['another secret', ask({ secrets: [oldSecret] }), 'signature_mismatch'],
    ['a signature cut short', ask({ signature: signed(newSecret).slice(0, 23) }), 'signature_mismatch'],
    ['five minutes are fresh', ask({ nowS: AT + 300 }), 'believed'],
    ['a second more is not', ask({ nowS: AT + 301 }), 'too_old'],
    ['from the future', ask({ nowS: AT - 301 }), 'too_new'],
    ['a narrower window', ask({ nowS: AT + 11, windowS: 10 }), 'too_old'],
    ['no signature', ask({ headers: { 'webhook-id': 'x', 'webhook-timestamp': '1' } }), 'headers_missing'],
    ['another version alone', ask({ signature: signed(newSecret).replace('v1,', 'v2,') }), 'headers_malformed'],
    ['no base64', ask({ signature: 'v1,***' }), 'headers_malformed'],
    ['a time that is none', ask({ at: '1e9', signature: signed(newSecret, 'msg_1', '1e9') }), 'headers_malformed'],
    ['the ninth signature is not read', ask({ signature: `${'v1,AAAA '.repeat(8)}${signed(newSecret)}` }), 'signature_mismatch'],
  ]
  for (const [name, asked, expected] of rows) assert.equal(await problemOf(asked), expected, name)
})

test('a secret that is none is the fault of the program, not of the sender', async () => {
  for (const secrets of [[], ['whsec_'], ['whsec_***'], ['']]) await assert.rejects(verifyWebhook(ask({ secrets })), TypeError)
})
