/** alert: something was seen. triage: is it worth work. investigate: the work. dossier: it is written and waits for its end. */
export type CaseState = 'alert' | 'triage' | 'investigate' | 'dossier' | 'filed' | 'closed'
export const CASE_STATES: readonly CaseState[] = ['alert', 'triage', 'investigate', 'dossier', 'filed', 'closed']

/** filed: reported to the authority. closed: nothing to report. */
export type Ending = 'filed' | 'closed'

/** What a report of a suspicious transaction has to say, part by part. */
export type Dossier = {
  /** How it was found: rules and time. */
  found: string
  /** Persons and firms: names, numbers, addresses, owners. */
  subjects: string[]
  /** Accounts, and what was done to know the customer. */
  accounts: string
  /** Span, counts and sums in and out, where from and where to, compared with before. */
  transactions: { from: string; to: string; text: string; movements: string[] }
  relatedParties: string[]
  /** Why it is suspicious, point by point. */
  reasons: string[]
  crimeType: string
  measuresTaken: string
  /** SHA-256 of papers on file. */
  evidence: string[]
}

export type CaseStep = { at: string; by: string; what: 'opened' | 'moved' | 'noted' | 'written' | 'proposed' | 'ended'; to: CaseState; note: string }

/** The whole of a case. It lies sealed as one text, so that nothing of it can be searched, joined or counted. Times are RFC 3339. */
export type Case = {
  id: string
  state: CaseState
  title: string
  dockings: string[]
  openedBy: string
  openedAt: string
  /** Decisions that this case knows of. Each stands on a ground of its own, and none of them knows of the case. */
  decisions: string[]
  dossier: Dossier | null
  /** Everybody who has written at the dossier. */
  authors: string[]
  /** What somebody would end the case as, until another person confirms it or sends it back. */
  proposal: { as: Ending; by: string; at: string; note: string } | null
  ended: { as: Ending; maker: string; checker: string; at: string; receipt: string } | null
  steps: CaseStep[]
}

/** A line of the access log. */
export type Access = { number: number; at: string; by: string; what: string }
