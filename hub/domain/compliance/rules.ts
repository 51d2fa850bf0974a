import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { Case, CaseState, CaseStep, Dossier, Ending } from './model.ts'

/** Who does something, when, and what he or she says to it. */
export type Deed = { by: string; at: string; note: string }

/** From where a case may be moved by hand; `dossier` is reached by writing one, the ends by two persons. */
const MOVES: Readonly<Record<'triage' | 'investigate', readonly CaseState[]>> = { triage: ['alert'], investigate: ['triage', 'dossier'] }
const ENDABLE: Readonly<Record<Ending, readonly CaseState[]>> = { filed: ['dossier'], closed: ['triage', 'investigate', 'dossier'] }
const MOST_STEPS = 1_000

export function openCase(id: string, ask: { title: string; dockings: readonly string[] }, deed: Deed): Case {
  return step({
    id, state: 'alert', title: ask.title, dockings: [...ask.dockings], openedBy: deed.by, openedAt: deed.at, decisions: [], dossier: null, authors: [], proposal: null, ended: null, steps: [],
  }, 'opened', 'alert', deed)
}

/** Moves a case on, or back to the work: what was proposed is then off the table. */
export function move(one: Case, to: 'triage' | 'investigate', deed: Deed): Outcome<Case> {
  if (!MOVES[to].includes(one.state)) return outOfOrder(one, to)
  return alive(one, to, () => step({ ...one, state: to, proposal: null }, 'moved', to, deed))
}

/** Adds a note and, if there are, decisions that the case knows of. */
export function note(one: Case, decisions: readonly string[], deed: Deed): Outcome<Case> {
  return alive(one, one.state, () => step({ ...one, decisions: [...new Set([...one.decisions, ...decisions])] }, 'noted', one.state, deed))
}

/** Writes the dossier, or writes it anew; a proposal was about the one before. */
export function write(one: Case, dossier: Dossier, deed: Deed): Outcome<Case> {
  if (one.state !== 'investigate' && one.state !== 'dossier') return outOfOrder(one, 'dossier')
  return alive(one, 'dossier', () => step({ ...one, state: 'dossier', dossier, authors: [...new Set([...one.authors, deed.by])], proposal: null }, 'written', 'dossier', deed))
}

export function propose(one: Case, as: Ending, deed: Deed): Outcome<Case> {
  if (!ENDABLE[as].includes(one.state)) return outOfOrder(one, as)
  return alive(one, as, () => step({ ...one, proposal: { as, by: deed.by, at: deed.at, note: deed.note } }, 'proposed', one.state, deed))
}

/** Ends a case as it was proposed. Whoever proposed it, or wrote at its dossier, is not the second pair of eyes. */
export function confirm(one: Case, receipt: string, deed: Deed): Outcome<Case> {
  const { proposal } = one
  if (!proposal || one.ended) return outOfOrder(one, 'confirmation')
  if (proposal.by === deed.by || one.authors.includes(deed.by)) return refuse('cases.same_person', { person: deed.by })
  const ended = { as: proposal.as, maker: proposal.by, checker: deed.by, at: deed.at, receipt }
  return accept(step({ ...one, state: proposal.as, ended }, 'ended', proposal.as, deed))
}

function alive(one: Case, to: string, next: () => Case): Outcome<Case> {
  return one.ended || one.steps.length >= MOST_STEPS ? outOfOrder(one, to) : accept(next())
}

function outOfOrder(one: Case, to: string): Outcome<never> {
  return refuse('cases.step_out_of_order', { state: one.state, asked: to })
}

function step(one: Case, what: CaseStep['what'], to: CaseState, { by, at, note: said }: Deed): Case {
  return { ...one, steps: [...one.steps, { at, by, what, to, note: said }] }
}
