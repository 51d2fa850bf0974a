import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isReasonCode, reasonOf } from '../../protocol/reasons.ts'
import { startHub, type Reply, type TestHub } from '../hub.ts'
import { commercial } from './causes-commercial.ts'
import { commercialMeasures, compliance, together } from './causes-measures.ts'
import { technical } from './causes-technical.ts'
import type { Cause, Expected } from './cause.ts'
import { Stage, type Shown, type Way } from './stage.ts'

const causes: readonly Cause[] = [...technical, ...commercial, ...commercialMeasures, ...compliance, ...together]

test('what is shown is what was injected, and following the remedy mends it', async (t) => {
  const hub = await startHub(t)
  const held = { told: 0, of: 0, ways: new Set<Way>() }
  t.after(() => {
    if (process.env.BERTH_TRUTH_FILE) writeFileSync(process.env.BERTH_TRUTH_FILE, JSON.stringify({ causes: causes.length, ways: held.ways.size, told: held.told, of: held.of }))
  })
  for (const cause of causes) {
    for (const way of cause.ways) {
      await t.test(`${cause.class} · ${cause.name} · ${way}`, async () => {
        held.of++
        held.ways.add(way)
        await judge(hub, cause, way)
        held.told++
      })
    }
  }
})

async function judge(hub: TestHub, cause: Cause, way: Way): Promise<void> {
  const stage = await Stage.set(hub, way, cause.set)
  await stage.importGood()
  await cause.inject?.(stage)
  const shown = await (cause.ask ?? ((on: Stage) => on.buy()))(stage)
  assert.equal(shown.ok, false, 'the order passed')
  assertAnswer(stage, cause, shown)
  await assertReport(stage, cause, shown)
  await assertRemedy(stage, cause, shown)
  const mended = await cause.mend(stage, shown)
  assert.deepEqual([mended.ok, mended.code, mended.text], [true, null, ''].map((value, i) => (i === 2 && way !== 'json' ? mended.text : value)), 'following the remedy mends it')
  if (!cause.stranger) assert.equal((await stage.asOwner('GET', '/api/docking/report')).body.verdict.class, 'healthy', 'the report is healthy again')
}

/** The answer itself. A shop of the acg family has one sentence for all of it. */
function assertAnswer(stage: Stage, cause: Cause, shown: Shown): void {
  if (stage.way !== 'json') {
    assert.match(shown.text, cause.msg ?? assert.fail('a cause of a shop needs its words'), 'the words of the shop')
    assert.doesNotMatch(shown.text, /不兼容|系统错误|incompatible/i)
    return
  }
  assert.deepEqual([shown.code, shown.class], [cause.code, cause.class], shown.text)
  assertBecause(shown.because, cause.because?.(stage) ?? {})
  assert.deepEqual(shown.also.map((other) => other.code).sort(), [...(cause.also ?? [])].sort(), 'every cause is named')
}

function assertBecause(seen: Record<string, unknown>, expected: Readonly<Record<string, Expected>>): void {
  for (const [name, value] of Object.entries(expected)) {
    const found = seen[name]
    if (value instanceof RegExp) assert.match(String(found), value, name)
    else if (typeof value === 'function') assert.ok(value(found), `${name} is ${String(found)}`)
    else assert.deepEqual(found, value, name)
  }
}

type ReportCheck = { check: string; code: string | null; class: string; verdict: string; because: Record<string, unknown>; evidence: string | null; remedy: { en: string; zh: string } | null; page: string | null }

/** What the owner reads who has nothing but a read-only key: the same cause, with its evidence. */
async function assertReport(stage: Stage, cause: Cause, shown: Shown): Promise<void> {
  // Refusals are written behind their answers, so that nobody waits for them.
  let reply = await stage.asOwner('GET', '/api/docking/report')
  if (cause.shut) return assert.deepEqual([reply.body.code, reply.body.class], [cause.code, cause.class])
  for (let i = 0; i < 60 && !cause.stranger && !isWritten(reply, cause); i++) {
    await sleep(25)
    reply = await stage.asOwner('GET', '/api/docking/report')
  }
  assert.equal(reply.status, 200, reply.text)
  const checks = reply.body.checks as ReportCheck[]
  const named = checks.filter((check) => check.code === cause.code)
  if (cause.stranger) return assert.deepEqual(named, [], 'what a stranger did stands in nobody\'s report')
  assert.ok(named.length > 0, `the report names ${cause.code}; it names ${checks.map((check) => check.code).filter(Boolean).join() || 'nothing'}`)
  const check = named.find((one) => one.verdict === 'fail' || one.verdict === 'withheld') ?? named[0]!
  assert.equal(check.class, cause.class)
  assertBecause(check.because, cause.because?.(stage) ?? {})
  assert.ok(check.evidence, 'a cause has its evidence')
  if (shown.decision) assert.equal(check.evidence, shown.decision)
  const others = checks.filter((one) => one.code !== null && one.code !== cause.code && !(cause.also ?? []).includes(one.code as never))
  assert.deepEqual(others.map((one) => one.code), [], 'nothing is named that was not injected')
  for (const code of cause.also ?? []) assert.ok(checks.some((one) => one.code === code), `the report names ${code} too`)
  const { verdict } = reply.body
  assert.deepEqual([verdict.class, verdict.code], [cause.class, cause.code], 'the verdict')
}

/** Whether the report stands on what was written down: a fact or a decision, and not yet the mere memory of a request. */
function isWritten(reply: Reply, cause: Cause): boolean {
  return (reply.body.checks as ReportCheck[]).some(({ code, evidence }) => code === cause.code && evidence !== null && !evidence.startsWith('request '))
}

/** The remedy in words: of the decision where one stands, else of the reason's page; the report says the same. */
async function assertRemedy(stage: Stage, cause: Cause, shown: Shown): Promise<void> {
  if (cause.remedy) {
    assert.ok(shown.decision, 'the answer names the decision')
    const { statement } = (await stage.asOwner('GET', `/api/decisions/${shown.decision}`)).body
    assert.deepEqual(statement.remedy.map((step: { action: object }) => step.action), [cause.remedy])
    assert.deepEqual([statement.cause.code, statement.cause.class], [cause.code, cause.class])
    return
  }
  assert.ok(isReasonCode(cause.code) && reasonOf(cause.code).class === cause.class)
  const page = await (await fetch(`${stage.hub.url}/reasons/${cause.code}`)).text()
  const [en = '', zh = ''] = [/### How to mend it\n+([\s\S]*?)\n### /, /### 如何解决\n+([\s\S]*?)\n### /].map((part) => part.exec(page)?.[1] ?? '')
  assert.match(en, cause.says.en, 'the remedy in English')
  assert.match(zh, cause.says.zh, 'the remedy in Chinese')
}
