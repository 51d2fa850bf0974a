import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { after, before, describe, it, test } from 'node:test'
import { rehearse } from '../../cli/drills/rehearse.ts'
import { verifyDocument, type PublishedKey } from '../../protocol/documents.ts'
import type { Drill, DrillResult } from '../../protocol/drills.ts'
import { PLANS } from '../../hub/domain/drills/index.ts'
import { startHub, type TestDocking, type TestHub } from '../hub.ts'

const TEMPO = 5

let hub: TestHub
const atEnd: (() => unknown)[] = []
before(async () => {
  hub = await startHub({ after: (work: () => unknown) => void atEnd.push(work) } as never, { DRILL_TEMPO: String(TEMPO) })
  await hub.stockGood({ code: 'D1', cards: 5_000, unitPrice: '0.10' })
  hub.hub.drills.start()
})
after(async () => {
  for (const work of atEnd) await work()
})

let opening: Promise<unknown> = Promise.resolve()

async function rehearsed(kind: Drill['kind'], clumsy: readonly string[] = []): Promise<{ drill: Drill; docking: TestDocking; result: DrillResult }> {
  // One after the other: twenty at one moment are more than the pool of a busy machine gives lines to.
  const opened = opening.then(async () => {
    const docking = await hub.openDocking({ mode: 'sandbox', deposit: '10000.00' })
    return { docking, asked: await hub.signed(docking, 'POST', '/api/drills', { kind }) }
  })
  opening = opened.catch(() => {})
  const { docking, asked } = await opened
  assert.equal(asked.status, 201, asked.text)
  const drill = await rehearse({ url: hub.url, credentials: { keyId: docking.keyId!, keySecret: docking.keySecret! }, drill: asked.body, clumsy: new Set(clumsy), pollMs: 200 })
  assert.equal(drill.state, 'scored', `${kind} ${clumsy.join()}: ${drill.reason}`)
  return { drill, docking, result: drill.result! }
}

const verifyEd25519 = (key: Uint8Array, signature: Uint8Array, bytes: Uint8Array) =>
  verify(null, bytes, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key).toString('base64url') }, format: 'jwk' }), signature)

const lostOf = ({ criteria }: DrillResult) => criteria.filter(({ points, of }) => points < of).map(({ name, seen }) => `${name}: ${seen.en}`)

/** A correct platform, and one for each mistake, side by side on one hub. */
async function eachFailsAlone(kind: Drill['kind']): Promise<void> {
  const names = PLANS[kind].criteria.map(({ name }) => name)
  const [good, ...bad] = await Promise.all([rehearsed(kind), ...names.map((name) => rehearsed(kind, [name]))])
  assert.deepEqual([lostOf(good!.result), good!.result.score], [[], 100])
  for (const [i, { result }] of bad.entries()) {
    assert.deepEqual(lostOf(result).map((lost) => lost.split(':')[0]), [names[i]], `${names[i]}: ${lostOf(result).join('; ')} ${JSON.stringify(result.measured)}`)
    const lost = result.criteria.find(({ name }) => name === names[i])!
    assert.ok(lost.advice!.en.length > 20 && /\p{Script=Han}/u.test(lost.advice!.zh), `${names[i]} says how to win the points`)
    assert.ok(result.score < 100)
  }
  assert.deepEqual(await hub.findings(), [])
}

// A rush takes the machine for itself; the others mostly wait.
describe('a correct platform scores 100, and each mistake alone is named', { concurrency: 3 }, () => {
  for (const kind of ['key_roll', 'outage', 'tampered_log'] as const) it(kind, { timeout: 120_000 }, () => eachFailsAlone(kind))
})
test('rush: a correct platform scores 100, and each mistake alone is named', { timeout: 120_000 }, () => eachFailsAlone('rush'))

test('a result is signed by the hub, and its evidence lies in the requests and facts of the docking', { timeout: 60_000 }, async () => {
  const { result, docking, drill } = await rehearsed('tampered_log', ['reported_split'])
  const known = await (await fetch(`${hub.url}/.well-known/berth`)).json() as { keys: PublishedKey[] }
  assert.equal(await verifyDocument(result, known.keys, verifyEd25519), true)
  assert.equal(await verifyDocument({ ...result, score: 100 }, known.keys, verifyEd25519), false)
  assert.deepEqual([result.drill, result.docking, result.score, result.tempo], [drill.id, docking.id, 70, TEMPO])
  const facts = await hub.hub.db.run({ text: "select kind, subject from platform.facts where docking = $1 and kind like 'drill.%' order by position", values: [docking.id] })
  assert.deepEqual(facts, [['drill.planned', drill.id], ['drill.started', drill.id], ['drill.scored', drill.id]])
  // The best score is shown where people look, and counts for a level.
  const best = [{ kind: 'tampered_log', score: 70, drill: drill.id, at: drill.endedAt }]
  assert.deepEqual((await hub.bearer(docking, 'GET', '/api/docking')).body.drills, best)
  const listed = (await hub.operator('GET', '/operator/dockings?limit=500')).body.items.find(({ id }: { id: string }) => id === docking.id)
  assert.deepEqual(listed.drills, best)
  assert.deepEqual((await hub.hub.drills.levelPoints(docking.id)).points, 17)
  // The true log knows nothing of it but the facts.
  assert.equal((await fetch(`${hub.url}/drills/${drill.id}/api/log/checkpoint`)).status, 409)
})
