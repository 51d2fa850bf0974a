import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certificateRefusal, reachRefusal, type Reach } from './reaching.ts'
import { explain } from './reasons.ts'

const where = { host: 'hub.example', port: 443, timeoutS: 10 }

test('what a platform says of a failed attempt becomes the layer and the cause that a person can act on', () => {
  const rows: readonly (readonly [at: Reach, error: string, code: string, problem: string])[] = [
    ['name', 'ENOTFOUND getaddrinfo ENOTFOUND hub.example', 'network.name_unresolved', 'the name is not known'],
    ['name', 'EAI_AGAIN', 'network.name_unresolved', 'the look-up of the name was not answered'],
    ['connection', 'ECONNREFUSED connect ECONNREFUSED 127.0.0.1:1', 'network.unreachable', 'the connection was refused'],
    ['connection', ' ETIMEDOUT', 'network.unreachable', 'the connection was not answered in 10 s'],
    ['connection', 'EHOSTUNREACH', 'network.unreachable', 'the connection was not answered in 10 s'],
    ['connection', 'ECONNRESET', 'network.unreachable', 'the connection was cut'],
    ['tls', 'ERR_SSL_WRONG_VERSION_NUMBER', 'network.tls_failed', 'the port does not speak TLS'],
    ['tls', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'network.tls_failed', 'the two sides have no version of TLS in common'],
    ['tls', 'ECONNRESET', 'network.tls_failed', 'the handshake was cut'],
  ]
  for (const [at, error, code, problem] of rows) {
    const refusal = reachRefusal(at, { ...where, error })
    assert.deepEqual([refusal.code, refusal.because.problem], [code, problem], error)
    assert.doesNotMatch(explain(refusal, 'zh'), /the |was /, `${error}: said in Chinese`)
  }
})

test('a certificate is judged by its time first, then by its name, then by who signed it; near its end it is a warning', () => {
  const nowMs = Date.parse('2026-12-01T00:00:00Z')
  const day = 86_400_000
  const good = { from: nowMs - 30 * day, until: nowMs + 60 * day, names: ['hub.example'], fingerprint: '' }
  const judged = (change: object, trust: string | null = null) => {
    const found = certificateRefusal('hub.example', { ...good, ...change }, trust, nowMs)
    return found && [found.refusal.code, found.refusal.because.problem, found.isSoon]
  }
  assert.equal(judged({}), null)
  assert.deepEqual(judged({ until: nowMs - 1 }, 'ERR_TLS_CERT_ALTNAME_INVALID'), ['network.certificate_invalid', 'it has run out', false])
  assert.deepEqual(judged({ from: nowMs + day }), ['network.certificate_invalid', 'it is not valid yet', false])
  assert.deepEqual(judged({ names: ['other.example'] }, 'ERR_TLS_CERT_ALTNAME_INVALID'), ['network.certificate_invalid', 'it is made for other names: other.example', false])
  assert.deepEqual(judged({}, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'), ['network.certificate_invalid', 'its issuer is not trusted here', false])
  assert.deepEqual(judged({}, 'DEPTH_ZERO_SELF_SIGNED_CERT'), ['network.certificate_invalid', 'it was signed by itself', false])
  assert.deepEqual(judged({ until: nowMs + 5 * day }), ['network.certificate_invalid', 'it runs out in 5 days', true])
})
