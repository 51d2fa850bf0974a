import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { isReasonCode, reasonOf, type ReasonCode } from '../protocol/reasons.ts'
import { startHub, type TestDocking, type TestHub } from './hub.ts'
import type { Json } from './raw-http.ts'

/** What the inside of a program looks like: stacks, file names, statements and messages of the database. */
const INSIDE = /\n\s+at |node_modules|\.[cm]?[jt]s:\d+|file:\/\/\/|\/hub\/(inbound|domain|platform)|SQLSTATE|syntax error|violates|invalid byte sequence|relation "|insert into|select [\w*.]+ from|FST_ERR|ERR_[A-Z]{3}/i

/** An answer that may come from fetch or from a raw socket. */
export type Seen = { status: number; headers: Headers; text: string; body: Json }

/** A hub with a live and a sandbox docking that could buy, so that whatever is refused is refused for its own fault. */
export type BadWorld = { hub: TestHub; live: TestDocking; play: TestDocking; acg: TestDocking; good: string; ask: (more?: Record<string, unknown>) => Record<string, unknown> }

export async function openBadWorld(t: Parameters<typeof startHub>[0]): Promise<BadWorld> {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10', cards: 20, mode: 'live' })
  await hub.stockGood({ code: 'Q10', cards: 20, mode: 'sandbox' })
  const live = await hub.openDocking({ name: 'Live', mode: 'live', deposit: '1000.00' })
  const play = await hub.openDocking({ name: 'Play', mode: 'sandbox', deposit: '1000.00' })
  const acg = await hub.openDocking({ name: 'Acg', mode: 'live', dialect: 'acg0', deposit: '1000.00', appId: '1000', appKey: 'KEY-OF-DOWNSTREAM-0001' })
  return { hub, live, play, acg, good, ask: (more = {}) => ({ reference: 'BAD-1', good, quantity: 1, maxUnitPrice: '9.50', ...more }) }
}

/** Asserts a refusal of the named class: one of these codes with its status, a whole problem, and nothing of the inside. */
export function refusedAs(seen: Seen | undefined, codes: ReasonCode | readonly ReasonCode[], what: string, path = ''): Json {
  assert.ok(seen, `${what}: no answer`)
  // Behind the mount of the dialect stands a shop that reads only its own envelope.
  if (path.startsWith('/d/acg/') && seen.status === 200) {
    assert.equal(seen.body.code, 0, what)
    assert.match(seen.body.msg, /[\u4e00-\u9fff]/, what)
    return seen.body
  }
  const expected = typeof codes === 'string' ? [codes] : codes
  const found = `${what}: ${seen.status} ${seen.text.slice(0, 400)}`
  assert.doesNotMatch(seen.text, INSIDE, found)
  assert.match(seen.headers.get('content-type') ?? '', /^application\/problem\+json/, found)
  assert.ok(seen.body && isReasonCode(seen.body.code) && expected.includes(seen.body.code), `expected ${expected.join(' or ')}, ${found}`)
  assert.equal(seen.status, reasonOf(seen.body.code).status, found)
  assert.equal(seen.body.status, seen.status, found)
  assert.ok(seen.text.length < 4_000, `${what}: the answer is ${seen.text.length} characters long`)
  return seen.body
}

/** Everything that a refused request may not have moved. */
async function booked(hub: TestHub): Promise<unknown> {
  const text = `select (select count(*) from orders.orders), (select count(*) from ledger.transfers), (select count(*) from ledger.deposits),
    (select sum(available) from ledger.balances), (select count(*) from partners.dockings), (select count(*) from partners.keys where revoked_at is null and expires_at is null),
    (select count(*) from terms.offers), (select count(*) from decisions.decisions), (select count(*) from catalogue.goods), (select count(*) from catalogue.lots where state = 'published')`
  return (await hub.hub.db.run({ text, values: [] }))[0]!.map(String)
}

/** Runs what must leave no trace in the books, and asserts that it left none, that they are clean and that the hub is well. */
export async function leavesNothing(hub: TestHub, work: () => Promise<void>): Promise<void> {
  const before = await booked(hub)
  await work()
  // What a request set in motion behind its answer is over as well.
  await sleep(20)
  assert.deepEqual(await booked(hub), before, 'something was booked')
  assert.equal((await fetch(`${hub.url}/healthz`)).status, 200)
  assert.equal((await fetch(`${hub.url}/readyz`)).status, 200)
  assert.deepEqual(await hub.findings(), [])
}

/** Sends exactly these bytes and headers. */
export async function send(hub: TestHub, method: string, path: string, headers: Record<string, string>, body?: string | Uint8Array): Promise<Seen> {
  const response = await fetch(hub.url + path, { method, headers, redirect: 'manual', ...(body === undefined ? {} : { body: body as string }) })
  const text = await response.text()
  const body_ = response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : null
  return { status: response.status, headers: response.headers, text, body: body_ }
}

/** Runs many checks and fails once, with the first line of every failure: a table is read as a table. */
export async function everyRow(work: (row: (check: () => unknown) => Promise<void>) => Promise<void>): Promise<void> {
  const failures: string[] = []
  await work(async (check) => {
    try {
      await check()
    } catch (error) {
      failures.push((error as Error).message.slice(0, 300))
    }
  })
  assert.deepEqual(failures, [])
}
