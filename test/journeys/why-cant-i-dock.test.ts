import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import { verifyDocument, type PublishedKey } from '../../protocol/documents.ts'
import { openShop } from '../acg-shop.ts'
import { startHub, type TestHub } from '../hub.ts'
import { readMails } from '../mails.ts'

const OWNER = { channel: 'email', address: 'owner@shop.example', language: 'zh-CN', kinds: ['decisions'] }
const HELD = {
  code: 'compliance.licence_expired', scope: ['orders'], facts: ['营业执照已于 2026-09-30 到期。'], ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }],
  remedy: { en: 'Send the renewed licence.', zh: '请提交换发后的营业执照。' },
}

async function letters(hub: TestHub) {
  await hub.hub.notices.follow()
  await hub.hub.notices.send()
  return readMails(hub.dataDir)
}

function isEd25519(raw: Uint8Array, signature: Uint8Array, bytes: Uint8Array): boolean {
  return verify(null, bytes, createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]), format: 'der', type: 'spki' }), signature)
}

test('an acg-faka shop is refused and its owner learns why without a screen that shows messages', async (t) => {
  const hub = await startHub(t)
  const docking = await hub.openDocking({ name: '小卡铺', mode: 'live', dialect: 'acg0', deposit: '100.00', appId: '1001', appKey: 'KEY-OF-DOWNSTREAM-0001' })
  await hub.stockGood({ code: 'Q10', cards: 5, mode: 'live' })
  const shop = openShop(docking)
  await hub.operator('POST', `/operator/dockings/${docking.id}/contacts`, OWNER)
  const held = await hub.operator('POST', `/operator/dockings/${docking.id}/holds`, HELD)
  assert.equal(held.status, 201, held.text)

  // All that the shop's own program has is one line of text, which its owner never sees.
  const refused = await shop.trade('Q10', 1, 'A-1')
  assert.deepEqual([refused.status, refused.code], [200, 0])
  assert.match(refused.msg, new RegExp(`许可.*${held.body.id}`))

  // The letter, and the page behind it, open without a docking, a key or a password.
  const [letter] = await letters(hub)
  assert.equal(letter!.to, 'owner@shop.example')
  assert.match(letter!.text, /合规/)
  const page = await (await fetch(letter!.link)).text()
  for (const words of ['合规', '营业执照已于 2026-09-30 到期。', '电子商务法', '第二十七条', '请提交换发后的营业执照。', 'compliance.licence_expired']) assert.ok(page.includes(words), words)
  assert.match(page, /<form[^>]*appeal/, 'and one can appeal there')

  // A key that can do nothing but look answers the same, in a report that can be shown to others.
  const { secret } = (await hub.operator('POST', `/operator/dockings/${docking.id}/keys`, { kind: 'bearer', scopes: ['docking:read'] })).body
  const report = (await hub.bearer({ ...docking, apiKey: secret }, 'GET', '/api/docking/report')).body
  assert.deepEqual([report.verdict.class, report.verdict.code, report.causes[0].evidence], ['compliance', 'compliance.licence_expired', held.body.id])
  const keys = ((await (await fetch(`${hub.url}/.well-known/berth`)).json()) as { keys: PublishedKey[] }).keys
  assert.equal(await verifyDocument(report, keys, isEd25519), true, 'the report is signed by the hub')
  assert.equal(await verifyDocument({ ...report, verdict: { ...report.verdict, class: 'technical' } }, keys, isEd25519), false)

  await hub.operator('POST', `/operator/decisions/${held.body.id}/lift`, { note: 'The renewed licence was seen.' })
  assert.equal((await shop.trade('Q10', 1, 'A-1')).code, 200, 'the very same order passes')
  const [, lifted] = await letters(hub)
  assert.match(lifted!.subject, /解除/)
  assert.equal((await hub.bearer({ ...docking, apiKey: secret }, 'GET', '/api/docking/report')).body.verdict.class, 'healthy')
})

test('told technical, shows green, lifted by itself', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10', cards: 5, mode: 'live' })
  const shop = await hub.openDocking({ name: 'Leaky', mode: 'live', deposit: '100.00' })
  const checks = `/operator/dockings/${shop.id}/checks`
  const statement = (run: { id: string; sha256: string; inputHash: string }) => ({
    measure: { kind: 'suspend', scope: ['orders'], liftsWhen: { check: 'partners.key_leaked', inputHash: run.inputHash } }, code: 'partners.key_leaked', ground: [],
    facts: ['The signing secret stood in a public repository.'], evidence: [{ id: run.id, kind: 'check_run', sha256: run.sha256 }], remedy: [{ action: { en: 'Roll the key.', zh: '请轮换密钥。' }, selfTest: 'berth keys list' }],
  })

  // Nobody is told "technical" over a secret that is not his.
  const [other] = (await hub.operator('POST', checks, { check: 'partners.key_leaked', secret: 'somebody-elses-secret' })).body.items
  assert.equal(other.verdict, 'pass')
  const unfounded = await hub.operator('POST', `/operator/dockings/${shop.id}/decisions`, statement(other))
  assert.deepEqual([unfounded.status, unfounded.body.code], [422, 'decisions.statement_incomplete'])

  const [red] = (await hub.operator('POST', checks, { check: 'partners.key_leaked', secret: shop.keySecret })).body.items
  assert.deepEqual([red.verdict, red.code, red.reproducible, red.inputHash], ['fail', 'partners.key_leaked', true, createHash('sha256').update(shop.keySecret!).digest('hex')])
  const told = await hub.operator('POST', `/operator/dockings/${shop.id}/decisions`, statement(red))
  assert.equal(told.status, 201, told.text)
  const refused = await hub.order(shop, { reference: 'A-1', good })
  assert.deepEqual([refused.status, refused.body.code, refused.body.class], [403, 'partners.key_leaked', 'technical'])

  await hub.hub.decisions.askConditions()
  assert.equal((await hub.order(shop, { reference: 'A-1', good })).status, 403, 'while the check is red nothing lifts it')
  const made = await hub.signed(shop, 'POST', '/api/keys', { kind: 'hmac-sha256' })
  assert.ok(made.status < 300, made.text)
  const fresh = { ...shop, keyId: made.body.key.id, keySecret: made.body.secret }
  assert.ok((await hub.signed(fresh, 'POST', `/api/keys/${shop.keyId}/revoke`, {})).status < 300)
  assert.equal(await hub.hub.decisions.askConditions(), 1, 'the check has turned green')
  assert.equal((await hub.order(fresh, { reference: 'A-1', good })).status, 201)
  const [ended] = (await hub.signed(fresh, 'GET', '/api/decisions?state=all')).body.items
  assert.deepEqual([ended.id, ended.standing.state, ended.standing.how], [told.body.id, 'lifted', 'condition'])
})

test('sealed by law, told so', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10', cards: 5, mode: 'live' })
  const shop = await hub.openDocking({ name: 'Quiet', mode: 'live', deposit: '100.00' })
  await hub.operator('POST', `/operator/dockings/${shop.id}/contacts`, OWNER)
  const drafted = await hub.operator('POST', `/operator/dockings/${shop.id}/decisions`, {
    measure: { kind: 'suspend', scope: ['orders'] }, code: 'compliance.withheld_by_law', ground: [{ type: 'law', ref: '反洗钱法', article: '第五十四条' }], facts: ['CANARY: what nobody may be told.'],
    remedy: [{ action: { en: 'Wait for the review.', zh: '请等待复核。' }, who: 'hub' }],
  })
  assert.equal(drafted.status, 202, drafted.text)
  assert.equal((await hub.order(shop, { reference: 'A-0', good })).status, 201, 'what one person drafts holds nobody')
  const { body: decision } = await hub.approve(drafted.body.draft)

  const refused = await hub.order(shop, { reference: 'A-1', good })
  assert.deepEqual([refused.status, refused.body.code, refused.body.class, refused.body.decision], [403, 'compliance.withheld_by_law', 'compliance', decision.id])
  await hub.hub.logbook.seal()
  const report = await hub.signed(shop, 'GET', '/api/docking/report')
  const standing = report.body.checks.find(({ code }: { code: string }) => code === 'compliance.withheld_by_law')
  assert.deepEqual([standing.verdict, standing.class, report.body.verdict.class], ['withheld', 'compliance', 'compliance'])
  assert.match(standing.seen.zh, /反洗钱法.*第五十四条/s)

  // The statement is sealed as the partner may read it: the article, the clocks and the appeal, and nothing of the facts.
  const own = await hub.signed(shop, 'GET', `/api/decisions/${decision.id}`)
  assert.deepEqual([own.body.statement.ground[0].article, own.body.statement.facts, own.body.sealed !== null], ['第五十四条', [], true])
  const [letter] = await letters(hub)
  const page = await (await fetch(letter!.link)).text()
  assert.ok(page.includes('第五十四条'))
  for (const text of [refused.text, report.text, own.text, page, letter!.raw, (await hub.signed(shop, 'GET', '/api/log/mine')).text]) assert.doesNotMatch(text, /CANARY/)
})
