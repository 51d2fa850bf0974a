import type { FastifyInstance } from 'fastify'
import { CommentAsk, CommentView } from '../../../protocol/messages.ts'
import { accept } from '../../../protocol/outcome.ts'
import { comment } from '../../domain/rulebook/index.ts'
import type { Hub } from '../hub.ts'
import { addRoute } from '../pipeline.ts'

/** What a docking says about a text that is not yet in force. */
export function commentRoutes(app: FastifyInstance, hub: Hub): void {
  addRoute(app, hub, {
    // It moves no money and holds nobody: a key that can only look may speak.
    method: 'POST', path: '/api/rules/:rule/comments', summary: 'Comment on a published text before it counts; at most 20 a text and day', scope: 'docking:read',
    body: CommentAsk, answers: { 201: CommentView },
    handler: async ({ docking, body, params, nowMs }) => {
      const kept = await comment(hub.db, { id: hub.ids.make('cmt', nowMs), text: params.rule!.slice(0, 64), docking, body: body.comment })
      return kept.ok ? accept({ status: 201, body: { id: kept.value.id, rule: kept.value.text, comment: kept.value.body, at: kept.value.at.toISOString() } }) : kept
    },
  })
}
