import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { blockPayload, factPayload, originOf, spansOf } from './rules.ts'

test('a seal covers what is behind, no more than it may, and no lane waits for a busier one', () => {
  const reach = fc.record({ head: fc.bigInt(0n, 50_000n), back: fc.bigInt(0n, 50_000n) })
  fc.assert(fc.property(fc.array(reach, { maxLength: 70 }), fc.bigInt(1n, 20_000n), (found, most) => {
    const reaches = found.map(({ head, back }, lane) => ({ lane, head, sealed: back > head ? 0n : head - back }))
    const behind = reaches.filter(({ head, sealed }) => sealed < head)
    const spans = spansOf(reaches, most)
    assert.deepEqual(spans.map(({ lane }) => lane), behind.map(({ lane }) => lane), 'every lane that is behind gets its part')
    for (const [i, { after, upTo }] of spans.entries()) assert.ok(after === behind[i]!.sealed && after < upTo && upTo <= behind[i]!.head)
    const covered = spans.reduce((sum, { after, upTo }) => sum + upTo - after, 0n)
    assert.ok(covered <= most || covered <= BigInt(behind.length), `${covered} of ${most}`)
  }))
  assert.deepEqual(spansOf([{ lane: 0, head: 5n, sealed: 5n }], 10n), [])
})

test('payloads are canonical, and a fact without a statement has none', () => {
  const at = new Date('2026-12-01T00:00:00.123Z')
  assert.equal(factPayload({ kind: 'key.added', subject: 'key_1', at }, null), '{"at":"2026-12-01T00:00:00.123Z","kind":"key.added","subject":"key_1","v":1}')
  assert.equal(factPayload({ kind: 'decision.taken', subject: 'dec_1', at }, 'ff'), '{"at":"2026-12-01T00:00:00.123Z","kind":"decision.taken","statement":"ff","subject":"dec_1","v":1}')
  assert.equal(blockPayload({ lane: -1, from: 1n, to: 7n, digest: '00' }), '{"digest":"00","from":1,"kind":"block","lane":-1,"to":7,"v":1}')
})

test('the log is named after the host of the hub, in a form that a note can carry', () => {
  assert.equal(originOf('https://hub.example'), 'hub.example/log')
  assert.equal(originOf('http://127.0.0.1:8080'), '127.0.0.1:8080/log')
  assert.equal(originOf('https://hub.example/a+b c'), 'hub.example/a-b-c/log')
})
