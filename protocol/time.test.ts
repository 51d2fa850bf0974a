import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTime } from './time.ts'

test('a time is read when it is RFC 3339 with a zone and a day that exists', () => {
  assert.equal(parseTime('2026-12-01T00:00:00Z'), Date.UTC(2026, 11, 1))
  assert.equal(parseTime('2024-02-29T08:00:00.5+08:00'), Date.UTC(2024, 1, 29, 0, 0, 0, 500))
})

test('what is not such a time is not guessed at', () => {
  for (const text of ['2027', '2027-01-01', '2027-01-01T00:00:00', 'Jan 1 2030', '2027-02-30T00:00:00Z', '2026-02-29T00:00:00Z', '2026-13-01T00:00:00Z', '2026-00-01T00:00:00Z', '+012345-01-01T00:00:00Z', '2026-01-01T25:00:00Z', '']) {
    assert.equal(parseTime(text), null, text)
  }
})
