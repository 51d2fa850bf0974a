import { isReasonCode, reasonOf } from '../../protocol/reasons.ts'
import type { Reply, Stand } from './exchange.ts'

/** One promise of the published contract: what is sent, and what must come back. A case throws Broken where it does not. */
export type Case = { id: string; what: { en: string; zh: string }; run: (stand: Stand) => Promise<void> }

export type CaseResult = { id: string; verdict: 'pass' | 'fail'; what: { en: string; zh: string }; seen: string }

/** The hub broke its contract, in one sentence for a person. */
export class Broken extends Error {}

export function expect(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Broken(otherwise)
}

export function status(reply: Reply, ...allowed: readonly number[]): void {
  expect(allowed.includes(reply.status), `expected ${allowed.join(' or ')}, got ${reply.status}: ${reply.text.slice(0, 160)}`)
}

/** A refusal in the published shape: RFC 9457, the code with its class, status and retry, and a page. */
export function refusal(reply: Reply, code: string): void {
  expect((reply.headers.get('content-type') ?? '').startsWith('application/problem+json'), `a refusal must be application/problem+json, got ${reply.headers.get('content-type')}: ${reply.text.slice(0, 120)}`)
  const { body } = reply
  expect(body?.code === code, `expected ${code}, got ${String(body?.code ?? reply.text.slice(0, 120))}`)
  if (isReasonCode(code)) {
    const reason = reasonOf(code)
    expect(reply.status === reason.status && body.status === reason.status, `${code} has the status ${reason.status}, got ${reply.status}`)
    expect(body.class === reason.class && body.retry === reason.retry, `${code} is ${reason.class}, retry ${reason.retry}; got ${body.class}, ${body.retry}`)
  }
  for (const name of ['type', 'title', 'detail', 'requestId', 'serverTime']) expect(typeof body[name] === 'string' && body[name] !== '', `the refusal ${code} has no ${name}`)
}

/** Runs cases one after the other: what a hub did wrong in one must not hide what it does in the next. */
export async function runCases(stand: Stand, cases: readonly Case[], onCase: (result: CaseResult) => void): Promise<CaseResult[]> {
  const results: CaseResult[] = []
  for (const { id, what, run } of cases) {
    const result = await run(stand).then((): CaseResult => ({ id, verdict: 'pass', what, seen: 'as promised' }), (error: unknown): CaseResult => {
      if (error instanceof Broken) return { id, verdict: 'fail', what, seen: error.message }
      // A field that is not there is a broken promise of the hub and no bug of the kit.
      if (error instanceof TypeError) return { id, verdict: 'fail', what, seen: `the answer has not the promised shape (${error.message.slice(0, 120)})` }
      throw error
    })
    onCase(result)
    results.push(result)
  }
  return results
}
