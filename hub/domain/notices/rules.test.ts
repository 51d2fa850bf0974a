import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isLinkAlive, isRobotSecret, keyNoticeDue, look, maskAddress, maskError, MOST_ATTEMPTS, readAddress, waitMs } from './rules.ts'
import { standingOf } from '../letters/index.ts'

test('an address is what a mail server takes as it stands, and nothing that could be a second header', () => {
  for (const text of ['a@b.example', 'owner+cards@shop.example', 'x_1@mail.shop-1.example', '12345@qq.com', 'a@xn--fiqs8s.xn--io0a7i']) assert.equal(readAddress('email', text, []), text)
  assert.equal(readAddress('email', 'Owner@Shop.EXAMPLE', []), 'Owner@shop.example')
  for (const text of [
    '', 'a', '@b.example', 'a@', 'a@b', 'a@b..example', '.a@b.example', 'a.@b.example', 'a..b@c.example', 'a b@c.example', 'a@b.example\r\nBcc: x@y.example', 'a@b.example,c@d.example', '<a@b.example>',
    'a@-b.example', 'a@b-.example', 'a@1.2.3.4', '店主@shop.example', 'a@店.example', `${'a'.repeat(65)}@b.example`, `a@${'b'.repeat(64)}.example`, `a@${'b.'.repeat(126)}example`, 'a@b.example ',
  ]) assert.equal(readAddress('email', text, []), null, JSON.stringify(text))
})

const KEY = '693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa'
const WECOM = `https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=${KEY}`
const DINGTALK = `https://oapi.dingtalk.com/robot/send?access_token=${'a1'.repeat(32)}`

test('a telephone is one number whoever writes it how, and a robot lives at its maker or where the operator says', () => {
  for (const text of ['13800138000', '138-0013-8000', '+86 138 0013 8000', '+8613800138000']) assert.equal(readAddress('sms', text, []), '+8613800138000', text)
  assert.equal(readAddress('sms', '+14155550100', []), '+14155550100')
  for (const text of ['', '12800138000', '1380013800', '+86138001380', '+0123456789', '00861380013800', 'tel:13800138000', '１３８００１３８０００']) assert.equal(readAddress('sms', text, []), null, text)
  assert.equal(readAddress('wecom', WECOM, []), WECOM)
  assert.equal(readAddress('wecom', `${WECOM}&debug=1#x`, []), WECOM, 'nothing but the key is kept')
  assert.equal(readAddress('dingtalk', DINGTALK, []), DINGTALK)
  const elsewhere = WECOM.replace('https://qyapi.weixin.qq.com', 'https://wecom.corp.example')
  assert.equal(readAddress('wecom', elsewhere, ['https://wecom.corp.example']), elsewhere)
  for (const text of [
    '', DINGTALK, elsewhere, WECOM.replace('https:', 'http:'), WECOM.replace('qq.com', 'qq.com.evil.example'), WECOM.replace('https://', 'https://me:pw@'), WECOM.replace('weixin.qq.com', 'weixin.qq.com:8443'),
    WECOM.replace('/send', '/send/../../x'), WECOM.replace(KEY, ''), WECOM.replace(KEY, `${KEY}%0d%0aX`), 'http://127.0.0.1/cgi-bin/webhook/send?key=12345678', 'file:///etc/passwd',
  ]) assert.equal(readAddress('wecom', text, []), null, text)
  assert.deepEqual([maskAddress('sms', '+8613800138000'), maskAddress('wecom', WECOM), maskAddress('dingtalk', DINGTALK)], ['+86138****8000', 'qyapi.weixin.qq.com ***5aaa', 'oapi.dingtalk.com ***a1a1'])
  assert.deepEqual(['SEC0123456789abcdef', 'SEC', '', 'sec0123456789abcdef', 'SEC0123456789abcdef\n'].map(isRobotSecret), [true, false, false, false, false])
})

test('a key that ends is told of 14, 3 and 1 days before, and of none of them twice', () => {
  const at = Date.parse('2026-11-22T08:00:00Z')
  const due = (days: number) => keyNoticeDue(new Date(at + days * 86_400_000), new Date(at))
  assert.deepEqual([20, 14.01, 14, 3.01, 3, 1.01, 1, 0.01, 0, -1].map(due), [null, null, 14, 14, 3, 3, 1, 1, null, null])
})

test('a mask and an error never show an address', () => {
  assert.equal(maskAddress('email', 'owner@shop.example'), 'o***@shop.example')
  assert.equal(maskAddress('email', 'a@b.example'), 'a***@b.example')
  assert.equal(maskError('550 <owner@shop.example>: no such\r\nmailbox "owner@shop.example"'), '550 <***>: no such mailbox "***"')
  assert.equal(maskError('POST https://oapi.dingtalk.com/robot/send?access_token=a1 failed for +8613800138000'), 'POST *** failed for ***')
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
