import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HandoverLog } from './handover.ts'

test('up to the watermark every order was answered, whatever the order of the answers', () => {
  const log = new HandoverLog()
  assert.equal(log.watermark(1), 0n)
  for (const position of [5n, 6n, 8n]) log.accepted(1, position)
  log.reached(1, 9n)
  assert.equal(log.watermark(1), 4n)
  log.settled(1, 6n)
  assert.equal(log.watermark(1), 4n)
  log.settled(1, 5n)
  assert.equal(log.watermark(1), 7n)
  assert.deepEqual([log.waits(1, 8n), log.waits(1, 5n), log.waits(2, 8n), log.waiting], [true, false, false, 1])
  log.settled(1, 8n)
  log.settled(1, 8n)
  assert.equal(log.watermark(1), 9n)
  assert.deepEqual(log.watermarks(), [{ lane: 1, answered: 9n }])
})

test('no watermark ever passes an order that waits, and all of them are passed at the end', () => {
  fc.assert(fc.property(fc.array(fc.record({ lane: fc.constantFrom(1, 2), orders: fc.integer({ min: 0, max: 4 }), answers: fc.array(fc.nat(), { maxLength: 4 }) }), { maxLength: 20 }), (batches) => {
    const log = new HandoverLog()
    const heads = new Map([[1, 0n], [2, 0n]])
    const waiting = new Map<number, bigint[]>([[1, []], [2, []]])
    for (const { lane, orders, answers } of batches) {
      for (let i = 0; i < orders; i++) {
        heads.set(lane, heads.get(lane)! + 1n)
        log.accepted(lane, heads.get(lane)!)
        waiting.get(lane)!.push(heads.get(lane)!)
      }
      log.reached(lane, heads.get(lane)!)
      for (const answer of answers) {
        const [position] = waiting.get(lane)!.splice(answer % (waiting.get(lane)!.length || 1), 1)
        if (position !== undefined) log.settled(lane, position)
      }
      const oldest = waiting.get(lane)!.reduce<bigint | null>((least, position) => (least === null || position < least ? position : least), null)
      assert.equal(log.watermark(lane), oldest === null ? heads.get(lane) : oldest - 1n)
    }
  }))
})
