import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Limiter } from '../../platform/limiter.ts'
import { enterPaste } from './budget.ts'

const NOW_MS = 1_800_000_000_000

test('strangers together have a budget of pastes, however many addresses they come from', () => {
  const limiter = new Limiter({ requestsPerSecond: 1000, inFlight: 1000, failuresPerMinute: 60 })
  const told = (visitor: string | null, nowMs: number) => {
    const place = enterPaste(limiter, visitor, nowMs)
    return place.ok ? (place.value.leave(), 'entered') : String(place.refusal.because.allowed)
  }
  assert.deepEqual(Array.from({ length: 12 }, (_, i) => told(i % 2 === 0 ? `203.0.113.${i}` : null, NOW_MS)), [...Array.from({ length: 10 }, () => 'entered'), '10 pastes a second of everybody', '10 pastes a second of everybody'])
  assert.equal(told('203.0.113.1', NOW_MS + 1_000), 'entered')
  const own = Array.from({ length: 61 }, (_, i) => told('198.51.100.7', NOW_MS + 2_000 + i * 500))
  assert.equal(own.at(-1), '60 pastes a minute')
})

test('no pattern that reads a paste ends in a run up to its end: it would be tried anew from each place of the run', () => {
  const tail = /(?:[^\\]|^)[+*]\$\/[a-z]*/
  for (const name of readdirSync(import.meta.dirname).filter((one) => one.endsWith('.ts') && !one.endsWith('.test.ts'))) {
    for (const [i, line] of readFileSync(`${import.meta.dirname}/${name}`, 'utf8').split('\n').entries()) {
      const found = tail.exec(line)
      if (!found) continue
      // Tied to the beginning of the text or of a line it is tried once.
      assert.match(line.slice(0, found.index), /(?:\/|\()\^[^/]*$/, `${name}:${i + 1}: ${line.trim()}`)
    }
  }
})
