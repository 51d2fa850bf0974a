import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { NonceWindow } from './nonces.ts'

const WINDOW_S = 600
const START_S = 1795383120

function openWindow(seed: bigint | number = 0x0123_4567_89ab_cdefn): NonceWindow {
  return new NonceWindow({ windowS: WINDOW_S, seed })
}

test('a nonce is spent once for each key', () => {
  const window = openWindow()
  assert.equal(window.spent('key_1', 'n', START_S), false)
  assert.equal(window.spend('key_1', 'n', START_S), true)
  assert.equal(window.spent('key_1', 'n', START_S), true)
  assert.equal(window.spend('key_1', 'n', START_S), false)
  assert.equal(window.spend('key_2', 'n', START_S), true)
  assert.equal(window.spend('key_1n', '', START_S), true, 'where the key ends and the nonce begins makes a difference')
  assert.equal(window.size, 3)
})

test('a nonce is held for the whole window, to its last second, and dropped with its minute', () => {
  for (const offset of [0, 1, 30, 59]) {
    const window = openWindow()
    const spentAt = Math.floor(START_S / 60) * 60 + offset
    window.spend('key', 'n', spentAt)
    assert.equal(window.spent('key', 'n', spentAt + WINDOW_S), true, `spent at second ${offset}`)
    const minuteEnds = spentAt - offset + 60
    assert.equal(window.spent('key', 'n', minuteEnds + WINDOW_S - 1), true)
    assert.equal(window.size, 1)
    assert.equal(window.spend('key', 'n', minuteEnds + WINDOW_S), true)
    assert.equal(window.size, 1)
  }
})

test('a clock that steps back forgets nothing and cannot bring an old nonce back', () => {
  const window = openWindow()
  window.spend('key', 'a', START_S)
  window.spend('key', 'b', START_S - 3600)
  assert.equal(window.spend('key', 'a', START_S - 3600), false)
  assert.equal(window.spend('key', 'b', START_S + WINDOW_S), false)
})

test('it answers as a map with an end for each entry does', () => {
  const key = fc.constantFrom('key_1', 'key_2', '')
  const nonce = fc.oneof(fc.constantFrom('a', 'b', 'ab'), fc.nat({ max: 40 }).map(String))
  const afterS = fc.oneof(fc.constant(0), fc.nat({ max: 90 }), fc.constantFrom(599, 600, 601, 700), fc.constantFrom(-30, -90, -700))
  const step = fc.record({ key, nonce, afterS, spends: fc.boolean() })
  fc.assert(fc.property(fc.array(step, { maxLength: 120 }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (steps, seed) => {
    const window = openWindow(seed)
    const heldUntil = new Map<string, number>()
    let nowS = START_S
    let latestS = -Infinity
    for (const { key, nonce, afterS, spends } of steps) {
      nowS += afterS
      latestS = Math.max(latestS, nowS)
      const entry = JSON.stringify([key, nonce])
      const held = (heldUntil.get(entry) ?? 0) > latestS
      if (spends) {
        assert.equal(window.spend(key, nonce, nowS), !held)
        if (!held) heldUntil.set(entry, (Math.floor(latestS / 60) + 1) * 60 + WINDOW_S)
      } else assert.equal(window.spent(key, nonce, nowS), held)
      assert.equal(window.size, [...heldUntil.values()].filter((end) => end > latestS).length)
    }
  }), { numRuns: 400 })
})

test('two hundred thousand nonces of one minute are all found again, none is mistaken, and all are dropped', () => {
  const window = openWindow()
  for (let i = 0; i < 200_000; i++) assert.ok(window.spend('key', `n-${i}`, START_S))
  for (let i = 0; i < 200_000; i++) assert.ok(!window.spend('key', `n-${i}`, START_S + 61))
  for (let i = 0; i < 200_000; i++) assert.ok(!window.spent('key', `m-${i}`, START_S + 61))
  assert.equal(window.size, 200_000)
  assert.equal(window.spent('key', 'n-0', START_S + 60 + WINDOW_S), false)
  assert.equal(window.size, 0)
})

test('three million nonces take about fifty megabytes', () => {
  const window = openWindow(7)
  const before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < 3_000_000; i++) window.spend('key', `${i}`, START_S + i / 5000)
  const megabytes = (process.memoryUsage().arrayBuffers - before) / 1e6
  assert.equal(window.size, 3_000_000)
  // 4 MB for each of ten or eleven minutes, and at most the smaller tables of the first minute not yet collected.
  assert.ok(megabytes < 60, `${megabytes} MB`)
})
