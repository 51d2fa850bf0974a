import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isLinkAlive, look, maskAddress, maskError, MOST_ATTEMPTS, readAddress, standingOf, waitMs } from './rules.ts'

test('an address is what a mail server takes as it stands, and nothing that could be a second header', () => {
  for (const text of ['a@b.example', 'owner+cards@shop.example', 'x_1@mail.shop-1.example', '12345@qq.com', 'a@xn--fiqs8s.xn--io0a7i']) assert.equal(readAddress(text), text)
  assert.equal(readAddress('Owner@Shop.EXAMPLE'), 'Owner@shop.example')
  for (const text of [
    '', 'a', '@b.example', 'a@', 'a@b', 'a@b..example', '.a@b.example', 'a.@b.example', 'a..b@c.example', 'a b@c.example', 'a@b.example\r\nBcc: x@y.example', 'a@b.example,c@d.example', '<a@b.example>',
    'a@-b.example', 'a@b-.example', 'a@1.2.3.4', '店主@shop.example', 'a@店.example', `${'a'.repeat(65)}@b.example`, `a@${'b'.repeat(64)}.example`, `a@${'b.'.repeat(126)}example`, 'a@b.example ',
  ]) assert.equal(readAddress(text), null, JSON.stringify(text))
})

test('a mask and an error never show an address', () => {
  assert.equal(maskAddress('owner@shop.example'), 'o***@shop.example')
  assert.equal(maskAddress('a@b.example'), 'a***@b.example')
  assert.equal(maskError('550 <owner@shop.example>: no such\r\nmailbox "owner@shop.example"'), '550 <***>: no such mailbox "***"')
  assert.ok(maskError('x'.repeat(9_000)).length <= 200)
})

test('attempts go on for at least three days whatever the dice, each pause longer than the one before', () => {
  for (const [dice, least, most] of [[0, 72, 84], [0.5, 95, 104], [0.999_999, 110, 122]] as const) {
    const waits = Array.from({ length: MOST_ATTEMPTS - 1 }, (_, i) => waitMs(i + 1, dice))
    const hours = waits.reduce((sum, wait) => sum + wait, 0) / 3_600_000
    assert.ok(hours >= least && hours <= most, `${hours} h`)
    assert.deepEqual(waits.slice(0, -1).toSorted((a, b) => a - b), waits.slice(0, -1))
  }
  assert.deepEqual([waitMs(1, 0), waitMs(1, 0.5), waitMs(2, 0.5), waitMs(99, 0.5)], [4_000, 5_000, 300_000, 86_400_000])
})

const AT = new Date('2026-11-22T08:00:00Z')
const later = (days: number) => new Date(AT.getTime() + days * 86_400_000)
const decision = (endsAt: string | null, liftedAt: Date | null, effectiveAt = AT.toISOString()) => ({ liftedAt, statement: { measure: { effectiveAt, endsAt } } as never })

test('a link lives as long as its decision and 90 days on; that of an alert 90 days', () => {
  const table: [string, ReturnType<typeof decision> | null, number, boolean][] = [
    ['in force without an end', decision(null, null), 5_000, true],
    ['lifted 89 days ago', decision(null, AT), 89.9, true], ['lifted 90 days ago', decision(null, AT), 90, false],
    ['ended by itself 89 days ago', decision(later(1).toISOString(), null), 90.9, true], ['ended by itself 90 days ago', decision(later(1).toISOString(), null), 91, false],
    ['lifted after it had ended', decision(later(1).toISOString(), later(50)), 91, false], ['lifted before it would have ended', decision(later(200).toISOString(), later(1)), 91, false],
    ['an alert of 89 days ago', null, 89.9, true], ['an alert of 90 days ago', null, 90, false],
  ]
  for (const [name, one, days, alive] of table) assert.equal(isLinkAlive(AT, one, later(days)), alive, name)
})

test('a decision is to come, in force, lifted or ended, and what ended by itself was not lifted by anybody', () => {
  const table: [ReturnType<typeof decision>, number, string][] = [
    [decision(null, null), 0, 'in_force'], [decision(null, null, later(2).toISOString()), 1, 'to_come'], [decision(null, later(1)), 2, 'lifted'],
    [decision(later(1).toISOString(), null), 1, 'ended'], [decision(later(1).toISOString(), later(3)), 4, 'ended'], [decision(later(9).toISOString(), later(3)), 4, 'lifted'], [decision(later(9).toISOString(), later(3)), 10, 'lifted'],
  ]
  for (const [one, days, standing] of table) assert.equal(standingOf(one, later(days)), standing)
})

test('a watch is told once a fall, whatever the value does, and never more often than the quiet allows', () => {
  const QUIET_MS = 10
  fc.assert(fc.property(fc.array(fc.bigInt(0n, 8n), { maxLength: 60 }), (values) => {
    let watch = { below: 4n, isLow: false, toldAt: null as Date | null }
    let lastToldMs = -Infinity
    let wasAbove = true
    values.forEach((value, ms) => {
      const step = look(watch, value, new Date(ms), QUIET_MS)
      if (value > watch.below) wasAbove = true
      if (step === 'tell') {
        assert.ok(value < watch.below && wasAbove && ms - lastToldMs >= QUIET_MS)
        lastToldMs = ms
        wasAbove = false
        watch = { ...watch, isLow: true, toldAt: new Date(ms) }
      } else if (step === 'rearm') watch = { ...watch, isLow: false }
    })
    // A fall that lasts is told in the end.
    const end = new Date(values.length + QUIET_MS)
    if (values.length > 0 && values.at(-1)! < watch.below) assert.ok(watch.isLow || look(watch, values.at(-1)!, end, QUIET_MS) === 'tell')
  }))
})
