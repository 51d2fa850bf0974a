import type { FastifyInstance } from 'fastify'
import { AppealPage, AppealSummary, AppealView, FileAppeal, GiveEvidence, WithdrawAppeal } from '../../../protocol/messages.ts'
import { accept, refuse } from '../../../protocol/outcome.ts'
import { Type } from '../../../protocol/schema.ts'
import { fileAppeal, findAppeal, giveEvidence, listAppealsOf, withdrawAppeal, type Appellant, type EvidenceAsk } from '../../domain/appeals/index.ts'
import { loadMadeItself } from '../../domain/partners/index.ts'
import { isId } from '../../kernel/ids.ts'
import { limits } from '../../kernel/limits.ts'
import type { Hub } from '../hub.ts'
import { addRoute, type Asked } from '../pipeline.ts'
import { presentAppeal, presentWholeAppeal } from '../present.ts'
import { closed, Cursor, Limit, pageLimit } from './query.ts'

/** Appeals move no money and take nothing from anybody, so a key that can only look may file them. */
export function appealRoutes(app: FastifyInstance, hub: Hub): void {
  addRoute(app, hub, {
    method: 'POST', path: '/api/decisions/:decision/appeals', summary: 'Appeal against a decision; another person than the one who decided decides it, and it is free', scope: 'docking:read',
    body: FileAppeal, bodyLimit: limits.appealBytes, answers: { 201: AppealSummary },
    handler: async (asked) => {
      const filed = await fileAppeal(hub, await appellantOf(hub, asked), { id: hub.ids.make('apl', asked.nowMs), decision: asked.params.decision!, text: asked.body.text, evidence: evidenceOf(asked.body.evidence) })
      return filed.ok ? accept({ status: 201, body: presentAppeal(filed.value) }) : filed
    },
  })

  addRoute(app, hub, {
    method: 'GET', path: '/api/appeals', summary: 'Your appeals, newest first', scope: 'docking:read', query: Type.Object({ cursor: Cursor, limit: Limit }, closed), answers: { 200: AppealPage },
    handler: async ({ docking, query }) => {
      const before = query.cursor ?? null
      if (before !== null && !isId('apl', before)) return refuse('protocol.invalid_field', { path: '?/cursor', expected: 'a cursor that the list before answered' })
      const limit = pageLimit(query.limit)
      const appeals = await listAppealsOf(hub.db, docking.lane, docking.id, before, limit)
      return accept({ status: 200, body: { items: appeals.map(presentAppeal), next: appeals.length === limit ? appeals.at(-1)!.id : null } })
    },
  })

  addRoute(app, hub, {
    method: 'GET', path: '/api/appeals/:appeal', summary: 'One appeal with all that was said, its clock and its outcome', scope: 'docking:read', answers: { 200: AppealView },
    handler: async ({ docking, params }) => {
      const found = await findAppeal(hub, params.appeal!, docking.id)
      return found ? accept({ status: 200, body: presentWholeAppeal(found) }) : refuse('appeals.not_found', { appeal: params.appeal!.slice(0, 64) })
    },
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/appeals/:appeal/evidence', summary: 'Add words and documents to an open appeal; where they were asked for, its clock goes on', scope: 'docking:read',
    body: GiveEvidence, bodyLimit: limits.appealBytes, answers: { 200: AppealSummary },
    handler: async (asked) => {
      const given = await giveEvidence(hub, await appellantOf(hub, asked), asked.params.appeal!, asked.body.text, evidenceOf(asked.body.evidence))
      return given.ok ? accept({ status: 200, body: presentAppeal(given.value) }) : given
    },
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/appeals/:appeal/withdraw', summary: 'Take an open appeal back; it may be filed again', scope: 'docking:read', body: WithdrawAppeal, answers: { 200: AppealSummary },
    handler: async (asked) => {
      const gone = await withdrawAppeal(hub, await appellantOf(hub, asked), asked.params.appeal!)
      return gone.ok ? accept({ status: 200, body: presentAppeal(gone.value) }) : gone
    },
  })
}

async function appellantOf(hub: Hub, { docking, key }: Pick<Asked, 'docking' | 'key'>): Promise<Appellant> {
  const isOwnHand = (await hub.db.run(loadMadeItself(docking.lane, docking.id, key.id))).length > 0
  return { lane: docking.lane, docking: docking.id, via: 'api', by: key.id, isOwnHand, isSandbox: docking.mode === 'sandbox' }
}

function evidenceOf(items: { name: string; note?: string; sha256?: string; content?: string }[] = []): EvidenceAsk[] {
  return items.map(({ name, note = '', sha256 = null, content }) => ({ name, note, sha256, content: content === undefined ? null : Buffer.from(content, 'base64') }))
}
