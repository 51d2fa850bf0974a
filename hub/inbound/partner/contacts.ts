import type { FastifyInstance } from 'fastify'
import { ContactList, PutContacts } from '../../../protocol/messages.ts'
import { accept } from '../../../protocol/outcome.ts'
import { contactsOf, replaceContacts, type ContactAsk } from '../../domain/notices/index.ts'
import type { Hub } from '../hub.ts'
import { addRoute } from '../pipeline.ts'
import { presentContact } from '../present.ts'

export function contactRoutes(app: FastifyInstance, hub: Hub): void {
  addRoute(app, hub, {
    method: 'GET', path: '/api/contacts', summary: 'Who is told as a person; addresses are masked', scope: 'docking:read', answers: { 200: ContactList },
    handler: async ({ docking }) => accept({ status: 200, body: { items: (await contactsOf(hub.db, ownerOf(docking))).map(presentContact), next: null } }),
  })

  addRoute(app, hub, {
    // Who may place orders may say who is told: a key that can only look must not silence anybody.
    method: 'PUT', path: '/api/contacts', summary: 'Put your own list of people in place of the one before; those that the operator named stay', scope: 'orders:write', signed: true,
    body: PutContacts, answers: { 200: ContactList },
    handler: async ({ docking, body, onlyReplay }) => {
      // An old list sent again would bring back who was taken out.
      if (onlyReplay) return { ok: false, refusal: onlyReplay }
      const replaced = await replaceContacts(hub.notices.desk, ownerOf(docking), body.items as ContactAsk[])
      return replaced.ok ? accept({ status: 200, body: { items: replaced.value.map(presentContact), next: null } }) : replaced
    },
  })
}

function ownerOf(docking: { id: string; lane: number }) {
  return { lane: docking.lane, docking: docking.id }
}
