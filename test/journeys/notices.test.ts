import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Bed } from '../../bench/faults/bed.ts'
import { startHub, type TestDocking, type TestHub } from '../hub.ts'
import { readMails, type ReadMail } from '../mails.ts'

const root = join(import.meta.dirname, '../..')
const OWNER = { channel: 'email', address: 'owner@shop.example', language: 'zh-CN', kinds: ['decisions', 'funds'] }
const HOLD = {
  code: 'compliance.identity_unverified', scope: ['orders'], facts: ['The business licence that was sent has expired.'], liftsWhen: 'The licence is verified.',
  ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }], remedy: { en: 'Send a valid business licence.', zh: '请提交有效的营业执照。' },
}

async function openShop(t: TestContext, env: Record<string, string> = {}): Promise<{ hub: TestHub; shop: TestDocking; mails: () => Promise<ReadMail[]> }> {
  const hub = await startHub(t, env)
  const shop = await hub.openDocking({ mode: 'live', deposit: '50.00' })
  const mails = async () => {
    await hub.hub.notices.follow()
    await hub.hub.notices.send()
    return readMails(hub.dataDir)
  }
  return { hub, shop, mails }
}

const page = async (link: string, headers: Record<string, string> = {}) => {
  const response = await fetch(link, { headers })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

test('an owner whose software shows nothing is told of a measure and of its end, and reads the statement without a key', async (t) => {
  const { hub, shop, mails } = await openShop(t)
  const added = await hub.operator('POST', `/operator/dockings/${shop.id}/contacts`, OWNER)
  assert.deepEqual([added.status, added.body.address, added.text.includes('owner@')], [201, 'o***@shop.example', false])
  const held = await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, HOLD)
  const [told] = await mails()
  assert.equal(told!.subject, '对接“Shop”的处理决定：主体实名未核验')
  assert.ok(told!.link.startsWith(`${hub.url}/n/`))

  const chinese = await page(told!.link)
  assert.equal(chinese.status, 200)
  for (const words of ['生效中', '合规', 'compliance.identity_unverified', 'The business licence that was sent has expired.', '电子商务法 第二十七条', '请提交有效的营业执照。', '如何申诉', `${hub.url}/reasons/compliance.identity_unverified`, held.body.id]) {
    assert.ok(chinese.text.includes(words), words)
  }
  const english = await page(`${told!.link}?lang=en`)
  for (const words of ['In force', 'compliance', 'Send a valid business licence.', 'How to appeal', 'lang="zh-CN"']) assert.ok(english.text.includes(words), words)
  assert.deepEqual(['cache-control', 'referrer-policy', 'x-robots-tag', 'x-content-type-options'].map((name) => english.headers.get(name)), ['no-store', 'no-referrer', 'noindex, nofollow, noarchive', 'nosniff'])
  const policy = english.headers.get('content-security-policy')!
  assert.match(policy, /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; /)
  assert.doesNotMatch(english.text, /<script|<img|<link|style=|src=|owner@|bth_/)
  assert.deepEqual([...english.text.matchAll(/<form [^>]*action="([^"]+)"/g)].map((match) => match[1]), [`/n/${told!.token}/appeal?lang=en`], 'it sends nothing but the appeal, to its own hub')
  assert.match(policy, /form-action 'self'; frame-ancestors 'none'/)
  assert.equal((await page(`${hub.url}/reasons/compliance.identity_unverified`, { accept: 'text/html' })).status, 200)

  assert.equal((await hub.operator('POST', `/operator/decisions/${held.body.id}/lift`, { note: 'a note for ourselves' })).status, 200)
  const [, lifted] = await mails()
  assert.equal(lifted!.subject, '对接“Shop”的措施已解除：主体实名未核验')
  for (const { link } of [told!, lifted!]) {
    const now = await page(`${link}?lang=en`)
    assert.match(now.text, /class="standing over">Lifted</)
    assert.doesNotMatch(now.text, /note for ourselves/)
  }
  const list = await hub.operator('GET', '/operator/notices')
  assert.deepEqual(list.body.items.map((item: { kind: string; state: string; address: string }) => [item.kind, item.state, item.address]), [['decision_lifted', 'sent', 'o***@shop.example'], ['decision_taken', 'sent', 'o***@shop.example']])
  const pages = [await hub.operator('GET', '/operator/notices?limit=1'), await hub.operator('GET', `/operator/notices?limit=1&before=${list.body.items[0].id}&state=sent`)]
  assert.deepEqual(pages.map((one) => one.body.items[0].kind), ['decision_lifted', 'decision_taken'])
})

test('a partner cannot quieten a person whom the operator named: the same address in its own list changes nothing', async (t) => {
  const { hub, shop } = await openShop(t)
  await hub.operator('POST', `/operator/dockings/${shop.id}/contacts`, { ...OWNER, language: 'zh-CN', kinds: ['decisions', 'funds'] })
  const put = await hub.signed(shop, 'PUT', '/api/contacts', { items: [{ ...OWNER, language: 'en', kinds: ['stock'] }] })
  assert.deepEqual([put.status, put.body.items.length, put.body.items[0].setBy, put.body.items[0].language, put.body.items[0].kinds], [200, 1, 'operator', 'zh-CN', ['decisions', 'funds']])
})

test('a partner brings twenty new addresses a day and no more; those it has go on, and the operator is not bound', async (t) => {
  const { hub, shop } = await openShop(t)
  const put = (first: number, count: number) => hub.signed(shop, 'PUT', '/api/contacts', { items: Array.from({ length: count }, (_, i) => ({ ...OWNER, address: `p${first + i}@shop.example` })) })
  assert.deepEqual([(await put(0, 12)).status, (await put(4, 16)).status], [200, 200], 'twelve, then eight beside eight that stay')
  const refused = await put(30, 1)
  assert.deepEqual([refused.status, refused.body.code, refused.body.because.allowed], [429, 'platform.rate_limited', '20 new addresses a day'])
  assert.ok(Number(refused.headers.get('retry-after')) > 86_000)
  assert.equal((await put(0, 1)).status, 429, 'one that was taken out is a new one')
  const fewer = await put(5, 3)
  assert.deepEqual([fewer.status, fewer.body.items.length], [200, 3])
  const added = await hub.operator('POST', `/operator/dockings/${shop.id}/contacts`, { ...OWNER, address: 'p5@shop.example' })
  assert.equal(added.body.setBy, 'operator')
  assert.deepEqual((await hub.signed(shop, 'PUT', '/api/contacts', { items: [] })).body.items.map((item: { setBy: string }) => item.setBy), ['operator'])
})

test('a partner names its own people, signed in live mode, and an old list sent again changes nothing', async (t) => {
  const { hub, shop, mails } = await openShop(t)
  await hub.operator('POST', `/operator/dockings/${shop.id}/contacts`, { ...OWNER, address: 'named@main.example' })
  assert.equal((await hub.bearer(shop, 'PUT', '/api/contacts', { items: [OWNER] })).body.code, 'partners.signature_required')
  const put = await hub.signed(shop, 'PUT', '/api/contacts', { items: [{ ...OWNER, language: 'en' }] }, { nonce: 'once' })
  assert.deepEqual(put.body.items.map((item: { setBy: string }) => item.setBy), ['operator', 'partner'])
  await hub.signed(shop, 'PUT', '/api/contacts', { items: [] })
  assert.equal((await hub.signed(shop, 'PUT', '/api/contacts', { items: [{ ...OWNER, language: 'en' }] }, { nonce: 'once' })).body.code, 'partners.nonce_reused')
  assert.deepEqual((await hub.bearer(shop, 'GET', '/api/contacts')).body.items.map((item: { address: string }) => item.address), ['n***@main.example'])
  const { body: { keyId, secret } } = await hub.operator('POST', `/operator/dockings/${shop.id}/keys`, { kind: 'bearer', scopes: ['docking:read'] })
  assert.equal((await hub.bearer({ ...shop, apiKey: secret, keyId }, 'PUT', '/api/contacts', { items: [] })).body.code, 'partners.scope_missing')
  assert.equal((await hub.operator('POST', `/operator/contacts/ctc_00000000000000000000/remove`, {})).body.code, 'notices.contact_not_found')
  assert.equal((await hub.operator('POST', `/operator/notices/ntc_00000000000000000000/retry`, {})).body.code, 'notices.notice_not_found')
  assert.deepEqual(await mails(), [])
})

test('low funds and low stock are told once, with a page that says how it is now', async (t) => {
  const { hub, shop, mails } = await openShop(t)
  const good = await hub.stockGood({ code: 'Q10', cards: 6, mode: 'live' })
  await hub.operator('POST', `/operator/dockings/${shop.id}/contacts`, OWNER)
  assert.equal((await hub.operator('POST', '/operator/main-site/contacts', { ...OWNER, address: 'stock@main.example', language: 'en', kinds: ['stock'] })).status, 201)
  assert.equal((await hub.operator('POST', '/operator/main-site/contacts', OWNER)).body.because.path, '/kinds')
  assert.equal((await hub.operator('POST', `/operator/dockings/${shop.id}/alerts/balance`, { below: '40.00' })).status, 200)
  assert.equal((await hub.operator('POST', '/operator/main-site/alerts/stock', { good: 'Q10', below: 5 })).status, 200)
  assert.equal((await hub.operator('POST', '/operator/main-site/alerts/stock', { good: 'nothing', below: 5 })).body.code, 'catalogue.good_not_found')
  assert.equal((await hub.operator('POST', `/operator/dockings/${shop.id}/alerts/stock`, { good: 'Q10', below: 5, mode: 'sandbox' })).body.because.path, '/mode')
  for (const below of ['0', '-1', 'x', 5]) assert.equal((await hub.operator('POST', `/operator/dockings/${shop.id}/alerts/balance`, { below })).status, 422, String(below))
  assert.deepEqual(await mails(), [])
  await hub.order(shop, { reference: 'A-1', good, quantity: 2 })
  const [funds, stock] = (await mails()).toSorted((a, b) => a.to.localeCompare(b.to))
  assert.deepEqual([funds!.subject, stock!.subject], ['对接“Shop”余额不足 40.00 元', 'The stock of Good Q10 is below 5 pieces'])
  assert.match((await page(funds!.link)).text, /仍低于阈值[^]*当时[^]*31\.00 元[^]*现在[^]*31\.00 元/)
  assert.match((await page(stock!.link)).text, /Still below[^]*Good Q10 \(Q10\)[^]*Seen[^]*4 pieces/)
  await hub.order(shop, { reference: 'A-2', good, quantity: 1 })
  assert.equal((await mails()).length, 2)
  await hub.operator('POST', `/operator/dockings/${shop.id}/deposits`, { reference: 'more', amount: '100.00' })
  assert.match((await page(`${funds!.link}?lang=en`)).text, /Above again/)
  const alerts = (await hub.operator('GET', '/operator/alerts')).body.items as { what: string; below: string; low: boolean; docking: string | null }[]
  assert.deepEqual(alerts.map(({ what, below, low, docking }) => [what, below, low, docking]), [['stock', '5', true, null], ['balance', '40.00', true, shop.id]])
  assert.deepEqual(await hub.findings(), [])
})

test('a wrong link, an old one and one of nobody are one and the same page, and guessing is slowed down without closing right links', async (t) => {
  const { hub, shop, mails } = await openShop(t, { LIMIT_FAILED_SIGN_INS_PER_MINUTE: '8' })
  await hub.operator('POST', `/operator/dockings/${shop.id}/contacts`, OWNER)
  await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, HOLD)
  const [{ link, token } = { link: '', token: '' }] = await mails()
  const wrong = await Promise.all(['A'.repeat(22), token.toUpperCase(), token.slice(1), 'x', '..%2f..%2fetc', `${token}%20`].map((guess) => page(`${hub.url}/n/${guess}`)))
  for (const { status, text } of wrong) assert.deepEqual([status, text], [404, wrong[0]!.text])
  assert.match(wrong[0]!.text, /The link is not valid, or has run out/)
  assert.match((await page(`${hub.url}/n/x`, { 'accept-language': 'zh-CN' })).text, /链接无效或已过期/)
  let guess = await page(`${hub.url}/n/y`)
  for (let i = 0; i < 10 && guess.status === 404; i++) guess = await page(`${hub.url}/n/y${i}`)
  assert.deepEqual([guess.status, /8 wrong links a minute/.test(guess.text), /^\d+$/.test(guess.headers.get('retry-after')!)], [429, true, true])
  assert.equal((await page(link)).status, 200)
  assert.equal((await hub.bearer(shop, 'GET', '/api/docking')).status, 200)
  assert.equal((await hub.bearer({ ...shop, apiKey: 'x' }, 'GET', '/api/docking')).status, 401, 'guessed links are no failed sign-ins')
})

test('what people typed is shown as they typed it, and is never read as HTML or as a header', async (t) => {
  const { hub, mails } = await openShop(t)
  const name = `"&'%3Cscript%3E 泊位=?UTF-8?Q?x?=`
  const shop = await hub.openDocking({ name, mode: 'live' })
  await hub.operator('POST', `/operator/dockings/${shop.id}/contacts`, { ...OWNER, language: 'en' })
  const evil = `<script>alert(1)</script><img src=x onerror=alert(1)> "'&\r\nBcc: victim@example.com`
  const held = await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, {
    ...HOLD, facts: [evil, `${'长'.repeat(1_900)}<b>`], liftsWhen: evil.slice(0, 200), remedy: { en: evil, zh: evil }, ground: [{ type: 'law', ref: evil, article: '<i>1</i>', quote: evil }],
  })
  assert.equal(held.status, 201, held.text)
  const [mail] = await mails()
  assert.equal(mail!.subject, `Decision about ${name}: The identity of the business is not verified`)
  assert.deepEqual([...mail!.headers.keys()].filter((header) => header === 'bcc'), [])
  const { text } = await page(mail!.link)
  for (const html of [text, mail!.html]) {
    assert.doesNotMatch(html, /<script|<img|<b>|<i>/)
    assert.ok(html.includes('&lt;script&gt;alert(1)&lt;/script&gt;'))
    assert.ok(html.includes('&quot;&amp;&#39;%3Cscript%3E'))
  }
  for (const line of mail!.raw.split('\r\n')) assert.ok(Buffer.byteLength(line) <= 998, 'a line that no mail server takes')
  assert.doesNotMatch(mail!.raw, /[^\r]\n|\r[^\n]/)
})

test('kill -9 before and after a letter leaves: after the restart it lies in the outbox, once under one name', async () => {
  const bed = await Bed.open(root)
  try {
    await bed.startHub({ crashpoint: 'notice_taken:1' })
    const opened = JSON.parse((await bed.operator('POST', '/operator/dockings', { name: 'Shop', mode: 'live', dialect: 'json' })).text)
    const path = `/operator/dockings/${opened.docking.id}`
    await bed.operator('POST', `${path}/contacts`, OWNER)
    await bed.operator('POST', `${path}/holds`, HOLD)
    assert.equal((await bed.life.ended).signal, 'SIGKILL')
    assert.deepEqual(readMails(bed.dataDir), [], 'it was killed between the intent and the letter')
    await bed.startHub({ crashpoint: 'mail_sent:1' })
    assert.equal((await bed.life.ended).signal, 'SIGKILL')
    const [first] = readMails(bed.dataDir)
    const sent = () => bed.asOwner(async (client) => (await client.query<{ state: string; attempts: number }>('select state, attempts from notices.outbox')).rows)
    assert.deepEqual((await sent()).map((row) => row.state), ['waiting'])
    await bed.asOwner((client) => client.query('update notices.outbox set next_at = now()'))
    await bed.startHub()
    for (let i = 0; i < 100 && (await sent())[0]!.state !== 'sent'; i++) await new Promise((later) => setTimeout(later, 50))
    assert.deepEqual(await sent(), [{ state: 'sent', attempts: 3 }])
    const mails = readMails(bed.dataDir)
    assert.deepEqual(mails.map(({ messageId, link }) => [messageId, link]), [[first!.messageId, first!.link]])
    assert.doesNotMatch(bed.output, /owner@/)
    assert.equal((await page(mails[0]!.link.replace(/^https?:\/\/[^/]+/, bed.url))).status, 200)
  } finally {
    await bed.close()
  }
})
