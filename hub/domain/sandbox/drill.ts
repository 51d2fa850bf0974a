import type { ReasonCode } from '../../../protocol/reasons.ts'
import { reasonOf } from '../../../protocol/reasons.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { IdMaker } from '../../kernel/ids.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { approveDraft, decisionsOf, draftDecision, hold, isWithheld, lift, runChecks, type Decision, type Statement } from '../decisions/index.ts'
import { checkKeyLeaked, liveSecretHash, type Docking } from '../partners/index.ts'
import { publish, recordContract, versionsOf } from '../rulebook/index.ts'
import { LIMITS } from './model.ts'
import { DRILL_HAND, drillStatement, SANDBOX_TERMS, type DrillProof } from './statement.ts'

export type DrillDesk = { db: Database; vault: Vault; ids: IdMaker; publicUrl: string }

/** Approves what DRILL_HAND drafted: what the law keeps back needs two, in a drill as well. */
const SECOND_HAND = 'sandbox-second'

const DAY_MS = 86_400_000

/** Whether a sandbox may have one more decision made. Whoever asks this takes care that nobody else asks meanwhile. */
export async function mayTakeDrill(db: Database, docking: Docking, nowMs: number): Promise<Outcome<null>> {
  const ownOf = async (onlyOpen: boolean) => (await decisionsOf(db, docking.lane, docking.id, onlyOpen)).filter(({ decidedBy }) => decidedBy === DRILL_HAND)
  if ((await ownOf(true)).length >= LIMITS.decisionsOpen) return refuse('protocol.invalid_field', { path: '/fault', expected: 'at most 5 decisions that stand at once: DELETE /api/sandbox/faults lifts them' })
  const first = (await ownOf(false))[LIMITS.decisionsADay - 1]
  const elapsedMs = first ? nowMs - first.decidedAt.getTime() : DAY_MS
  if (elapsedMs >= DAY_MS) return accept(null)
  const retryAfterS = Math.ceil((DAY_MS - elapsedMs) / 1000)
  return refuse('platform.rate_limited', { allowed: `${LIMITS.decisionsADay} decisions a day`, retryAfterS }, { retryAfterS })
}

/** Lifts every decision that a sandbox asked for; others stay. @returns their ids */
export async function liftDrills(db: Database, docking: { id: string; lane: number }, note: string): Promise<string[]> {
  const lifted: string[] = []
  for (const { id, decidedBy } of await decisionsOf(db, docking.lane, docking.id, true)) {
    if (decidedBy === DRILL_HAND && (await lift(db, { id, by: DRILL_HAND, note })).ok) lifted.push(id)
  }
  return lifted
}

/**
 * Takes a real decision on a sandbox, because its partner asked for one. It is proved like any other: a technical one by a
 * red run (the sandbox's own key counts as the one that was found), a commercial one by the signed terms of the sandbox.
 */
export async function takeDrillDecision(desk: DrillDesk, docking: Docking, code: ReasonCode, nowMs: number): Promise<Outcome<Decision>> {
  const { db, ids, publicUrl } = desk
  const at = new Date(nowMs)
  const proof = await proveDrill(desk, docking, code, nowMs)
  if (!proof.ok) return proof
  const statement = drillStatement(code, publicUrl, proof.value, docking, at)
  const command = { id: ids.make('dec', nowMs), lane: docking.lane, docking: docking.id, statement, by: DRILL_HAND }
  if (!isWithheld(statement as Statement)) return hold(db, command)
  const drafted = await draftDecision(db, { ...command, id: ids.make('dft', nowMs) })
  return drafted.ok ? approveDraft(db, { draft: drafted.value.draft, id: command.id, by: SECOND_HAND }) : drafted
}

async function proveDrill({ db, vault, ids }: DrillDesk, docking: Docking, code: ReasonCode, nowMs: number): Promise<Outcome<DrillProof>> {
  const at = new Date(nowMs)
  const { class: cls } = reasonOf(code)
  if (cls === 'technical') {
    const inputHash = await liveSecretHash(db, vault, docking.id, at)
    const inputs = { 'partners.key_leaked': checkKeyLeaked(db, vault) }
    const runs = inputHash === null ? [] : await runChecks(db, { checks: [], inputs }, docking, { check: 'partners.key_leaked', inputHash, by: DRILL_HAND, makeId: () => ids.make('chk', nowMs) }, at)
    return accept({ run: runs[0] ?? null, contract: null })
  }
  if (cls === 'compliance') return accept({ run: null, contract: null })
  const [known] = await versionsOf(db, SANDBOX_TERMS.slug)
  const terms = known
    ? accept(known)
    : await publish(db, { id: ids.make('rul', nowMs), by: DRILL_HAND, ask: { ...SANDBOX_TERMS, effectiveAt: null, relief: null, resalePrice: false, legalBasis: null } })
  if (!terms.ok) return terms
  const signedAt = terms.value.publishedAt > at ? terms.value.publishedAt : at
  const contract = await recordContract(db, { id: ids.make('ctr', nowMs), docking, text: terms.value.id, signedAt, signedBy: docking.name, by: DRILL_HAND })
  return contract.ok ? accept({ run: null, contract: contract.value }) : contract
}
