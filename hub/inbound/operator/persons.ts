import type { FastifyInstance } from 'fastify'
import { accept } from '../../../protocol/outcome.ts'
import { Type } from '../../../protocol/schema.ts'
import { ROLES, type Operator, type Role } from '../../domain/operators/index.ts'
import type { Hub } from '../hub.ts'
import { addOperatorRoute } from './route.ts'

const Person = Type.Object({
  name: Type.String({ maxLength: 40 }),
  roles: Type.Array(Type.Union(ROLES.map((role) => Type.Literal(role))), { minItems: 1, maxItems: ROLES.length }),
}, { additionalProperties: false })

/** The persons who run the main site. Only the owner names them. */
export function personRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/operators', summary: 'The persons who run the main site', role: 'owner',
    handler: async () => accept({ status: 200, body: { items: (await hub.operators.list()).map(present), next: null } }),
  })
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/operators', summary: 'Name a person; the answer has the key, once', role: 'owner', body: Person,
    handler: async ({ body, by }) => {
      const added = await hub.operators.add({ name: body.name, roles: body.roles as Role[] }, by)
      return added.ok ? accept({ status: 201, body: { ...present(added.value.operator), key: added.value.key } }) : added
    },
  })
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/operators/:name/end', summary: 'End the key of a person', role: 'owner',
    handler: async ({ params, by }) => {
      const ended = await hub.operators.end(params.name!, by)
      return ended.ok ? accept({ status: 200, body: present(ended.value) }) : ended
    },
  })
}

function present({ name, roles, addedBy, addedAt, endedAt }: Operator) {
  return { name, roles, addedBy, addedAt: addedAt.toISOString(), endedAt: endedAt?.toISOString() ?? null }
}
