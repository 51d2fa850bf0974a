import type { Statement } from './model.ts'

/**
 * The statement as its docking gets it; its hash is sealed, so an old statement must come out the same for ever. Pieces that
 * may not be told keep their hash, so that it can be shown later that they were there.
 */
export function tellable(statement: Statement): Statement {
  return {
    ...statement, facts: statement.cause.code === 'compliance.withheld_by_law' ? [] : statement.facts,
    evidence: statement.evidence.map((one) => (one.disclosure === 'full' || one.disclosure === 'redacted' ? one : { ...one, id: '', reproduce: null })),
  }
}
