import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyText } from '../rule-text.ts'
import { startHub } from '../hub.ts'

const RULE = {
  kind: 'rule', slug: 'fair-supply', title: { zh: '公平供货规则', en: 'Fair supply' }, text: { zh: '同类对接同等供货。<b>', en: 'Like dockings are supplied alike. <b>' },
}

test('a rule is published, everybody reads it and comments on it, and whoever kept it can prove what stood there', async (t) => {
  const hub = await startHub(t)
  const shop = await hub.openDocking({})
  const published = await hub.operator('POST', '/operator/rules', RULE)
  assert.equal(published.status, 201, published.text)
  const { id } = published.body
  const [listed] = (await (await fetch(`${hub.url}/api/rules`)).json() as { items: (typeof published.body)[] }).items
  assert.deepEqual([listed.id, listed.commentsOpen, verifyText(listed)], [id, true, true])
  assert.equal((await (await fetch(`${hub.url}/api/rules/fair-supply`)).json() as { id: string }).id, id)
  assert.equal((await fetch(`${hub.url}/api/rules/nothing`)).status, 404)
  assert.equal((await fetch(`${hub.url}/api/rules?kind=poem`)).status, 422)

  assert.equal((await hub.bearer(shop, 'POST', `/api/rules/${id}/comments`, { comment: 'Seven days are few.' })).status, 201)
  assert.equal((await hub.bearer(shop, 'POST', '/api/rules/rul_nobody/comments', { comment: 'x' })).body.code, 'rulebook.text_not_found')
  assert.equal((await hub.bearer(shop, 'POST', `/api/rules/${id}/comments`, { comment: '  ' })).body.code, 'protocol.invalid_field')
  const form = (body: string, headers: Record<string, string> = {}) => fetch(`${hub.url}/rules/fair-supply/comments`, { method: 'POST', redirect: 'manual', headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body })
  assert.equal((await form(`version=1&comment=${encodeURIComponent('<script>alert(1)</script> 太短')}`)).status, 303)
  assert.equal((await form('version=1&comment=x', { 'sec-fetch-site': 'cross-site' })).status, 422)
  assert.equal((await form('version=9&comment=x')).status, 404)
  assert.equal((await form(`version=1&comment=${'x'.repeat(2_001)}`)).status, 422)
  assert.deepEqual((await hub.operator('GET', `/operator/rules/${id}/comments`)).body.items.map((one: { docking: string | null }) => one.docking), [shop.id, null])

  for (const lang of ['zh', 'en'] as const) {
    const page = await fetch(`${hub.url}/rules/fair-supply?lang=${lang}`)
    const text = await page.text()
    assert.equal(page.status, 200)
    assert.ok(text.includes(RULE.title[lang]) && text.includes('&lt;b&gt;') && text.includes('&lt;script&gt;') && text.includes(listed.sha256))
    assert.doesNotMatch(text, /<script|<b>/)
    assert.match(page.headers.get('content-security-policy')!, /default-src 'none'.*form-action 'self'/)
  }
  assert.match(await (await fetch(`${hub.url}/rules`, { headers: { 'accept-language': 'zh-CN' } })).text(), /公平供货规则/)
  assert.equal((await fetch(`${hub.url}/rules/nothing`)).status, 404)
})

test('a notice shorter than seven days is refused, and a contract is recorded over the text that was signed', async (t) => {
  const hub = await startHub(t)
  const shop = await hub.openDocking({})
  const soon = await hub.operator('POST', '/operator/rules', { ...RULE, effectiveAt: new Date(Date.now() + 86_400_000).toISOString() })
  assert.deepEqual([soon.status, soon.body.code], [422, 'rulebook.notice_too_short'])
  const template = (await hub.operator('POST', '/operator/rules', { ...RULE, kind: 'contract_template', slug: 'master' })).body
  const signed = await hub.operator('POST', `/operator/dockings/${shop.id}/contracts`, { rule: template.id, signedAt: new Date().toISOString(), signedBy: '王小明' })
  assert.deepEqual([signed.status, signed.body.sha256, signed.body.recordedBy], [201, template.sha256, 'owner'])
  assert.equal((await hub.operator('GET', `/operator/dockings/${shop.id}/contracts`)).body.items.length, 1)
})
