import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startHub, type TestHub } from '../test/hub.ts'
import { auditLog, LogWatch, type LogFault, type LogMemory, type MyLeaves, type Own } from './index.ts'

/** All that a hub says to a verifier, taken once: from then on it is said from memory, and may be spoilt. */
type Said = { answers: Map<string, string>; own: Own; memory: LogMemory }

async function listen(hub: TestHub): Promise<Said> {
  const shop = await hub.openDocking({ mode: 'live' })
  await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, {
    code: 'compliance.identity_unverified', scope: ['orders'], facts: ['No business licence was handed in.'], ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }],
    remedy: { en: 'Hand in the licence.', zh: '请提交营业执照。' },
  })
  await hub.hub.logbook.seal()
  let memory: LogMemory | null = null
  await new LogWatch({ url: hub.url, store: { load: async () => null, save: async (kept) => void (memory = kept) } }).look()
  for (let i = 0; i < 4; i++) {
    await hub.openDocking({ mode: 'live' })
    await hub.hub.logbook.seal()
  }
  const answers = new Map<string, string>()
  const record: typeof fetch = async (input) => {
    const response = await fetch(input)
    const text = await response.text()
    answers.set(new URL(String(input)).pathname + new URL(String(input)).search, text)
    return new Response(text, { status: response.status })
  }
  const own: Own = { docking: shop.id, leaves: [(await hub.bearer(shop, 'GET', '/api/log/mine')).body as MyLeaves], decisions: (await hub.bearer(shop, 'GET', '/api/docking')).body.decisions }
  assert.deepEqual(await verify({ answers, own, memory: memory! }, record), [])
  const size = Number([...answers.get('/api/log/checkpoint')!.matchAll(/^\d+$/gm)][0]![0])
  for (let leaf = 0; leaf < size; leaf++) await record(new URL(`${hub.url}/api/log/proof?leaf=${leaf}&size=${size}`))
  return { answers, own, memory: memory! }
}

async function verify(said: Said, fetch: typeof globalThis.fetch = async (input) => {
  const text = said.answers.get(new URL(String(input)).pathname + new URL(String(input)).search)
  return new Response(text ?? '{}', { status: text === undefined ? 404 : 200 })
}): Promise<readonly LogFault[]> {
  const watch = new LogWatch({ url: 'http://hub.example', fetch: (input, init) => fetch(new URL(String(input).replace('http://hub.example', origin)), init), store: { load: async () => said.memory, save: async () => {} } })
  return (await auditLog(watch, await watch.look(), said.own)).faults
}

let origin = 'http://hub.example'
const flip = (text: string, at: number) => text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1)
const spoilt = (said: Said, path: string, text: string): Said => ({ ...said, answers: new Map([...said.answers, [path, text]]) })

test('every single byte of a leaf, a payload, a salt, a checkpoint and a proof that is changed is found, and the leaf is named', async (t) => {
  const hub = await startHub(t)
  origin = hub.url
  const said = await listen(hub)
  assert.deepEqual(await verify(said), [], 'what was recorded holds')
  const [leavesPath] = [...said.answers.keys()].filter((path) => path.startsWith('/api/log/leaves'))
  const page = JSON.parse(said.answers.get(leavesPath!)!) as { items: { index: number; leaf: string }[] }

  for (const k of [1, page.items.length - 1]) {
    const { index, leaf } = page.items[k]!
    for (let at = 0; at < leaf.length; at++) {
      const items = page.items.map((item, i) => (i === k ? { ...item, leaf: flip(leaf, at) } : item))
      const faults = await verify(spoilt(said, leavesPath!, JSON.stringify({ ...page, items })))
      assert.ok(faults.some((one) => one.leaf === index && /^(leaf_(edited|unreadable|moved)|counter_gap|facts_left_out)$/.test(one.kind)), `byte ${at} of ${leaf}: ${JSON.stringify(faults).slice(0, 300)}`)
    }
  }
  const mine = said.own.leaves[0]!
  for (const field of ['payload', 'salt', 'leaf'] as const) {
    const item = mine.items.at(-1)!
    for (let at = 0; at < item[field]!.length; at++) {
      const own: Own = { ...said.own, leaves: [{ ...mine, items: [...mine.items.slice(0, -1), { ...item, [field]: flip(item[field]!, at) }] }] }
      const faults = await verify({ ...said, own })
      assert.ok(faults.some((one) => one.leaf === item.index && /^(payload_edited|own_leaf_differs)$/.test(one.kind)), `${field} ${at}: ${JSON.stringify(faults).slice(0, 300)}`)
    }
  }
  const note = said.answers.get('/api/log/checkpoint')!
  for (let at = 0; at < note.length; at++) {
    const faults = await verify(spoilt(said, '/api/log/checkpoint', flip(note, at)))
    assert.ok(faults.some((one) => /^(not_signed|not_a_checkpoint)$/.test(one.kind)), `checkpoint ${at}: ${JSON.stringify(faults).slice(0, 300)}`)
  }
  const step = [...said.answers.keys()].find((path) => path.startsWith('/api/log/consistency'))!
  const proof = [...said.answers.keys()].find((path) => path.startsWith(`/api/log/proof?leaf=${mine.items[0]!.index}&`))!
  for (const path of [step, proof]) {
    const { hashes, ...rest } = JSON.parse(said.answers.get(path)!) as { hashes: string[] }
    for (const [k, hash] of hashes.entries()) {
      for (let at = 0; at < hash.length; at += 5) {
        const faults = await verify(spoilt(said, path, JSON.stringify({ ...rest, hashes: hashes.with(k, flip(hash, at)) })))
        assert.ok(faults.length > 0 && faults.every((one) => one.kind === 'proof_broken'), `${path} hash ${k} byte ${at}: ${JSON.stringify(faults).slice(0, 300)}`)
      }
    }
  }
})

test('a leaf that is kept back, counted twice or shown to its docking alone is found', async (t) => {
  const hub = await startHub(t)
  origin = hub.url
  const said = await listen(hub)
  const mine = said.own.leaves[0]!
  const told = (items: MyLeaves['items']) => verify({ ...said, own: { ...said.own, leaves: [{ ...mine, items }] } })
  const kinds = async (items: MyLeaves['items']) => (await told(items)).map((one) => one.kind)
  assert.ok((await kinds(mine.items.slice(0, -1))).includes('leaf_withheld'))
  assert.ok((await kinds([...mine.items, mine.items[0]!])).includes('own_leaf_differs'))
  assert.ok((await kinds(mine.items.with(0, { ...mine.items[0]!, index: mine.items[1]!.index }))).includes('own_leaf_differs'))
  assert.deepEqual((await verify({ ...said, own: { ...said.own, docking: 'dck_another' } })).filter((one) => one.kind === 'name_differs').length, 1)
  assert.ok((await verify({ ...said, own: { ...said.own, shown: [`5;${Buffer.alloc(32).toString('base64')}`] } })).some((one) => one.kind === 'other_root_shown'))
  const old = said.own.decisions.map((decision) => ({ ...decision, id: 'dec_unknown', decidedAt: '2026-01-01T00:00:00Z' }))
  assert.ok((await verify({ ...said, own: { ...said.own, decisions: old } })).some((one) => one.kind === 'statement_not_sealed'))
})
