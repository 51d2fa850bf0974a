import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type, type Static } from './schema.ts'

const Order = Type.Object({
  reference: Type.String({ minLength: 1 }), quantity: Type.Integer({ minimum: 1 }), state: Type.Union([Type.Literal('delivered'), Type.Literal('unknown')]),
  member: Type.Optional(Type.Union([Type.String(), Type.Null()])), cards: Type.Array(Type.Object({ secret: Type.String() })), form: Type.Record(Type.String(), Type.Boolean()),
}, { additionalProperties: false })

test('a shape is plain JSON Schema; what may be left out is not required', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(Order)), {
    type: 'object', additionalProperties: false, required: ['reference', 'quantity', 'state', 'cards', 'form'],
    properties: {
      reference: { type: 'string', minLength: 1 }, quantity: { type: 'integer', minimum: 1 },
      state: { anyOf: [{ type: 'string', const: 'delivered' }, { type: 'string', const: 'unknown' }] },
      member: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      cards: { type: 'array', items: { type: 'object', required: ['secret'], properties: { secret: { type: 'string' } } } },
      form: { type: 'object', additionalProperties: { type: 'boolean' } },
    },
  })
})

test('a shape carries its type: what is wrong does not compile', () => {
  const right: Static<typeof Order> = { reference: 'A-1', quantity: 2, state: 'delivered', cards: [{ secret: 's' }], form: { agreed: true } }
  const withMember: Static<typeof Order> = { ...right, member: null }
  // @ts-expect-error: the state is one of two words
  const wrongState: Static<typeof Order> = { ...right, state: 'lost' }
  // @ts-expect-error: a required field is missing
  const missing: Static<typeof Order> = { reference: 'A-1', quantity: 2, state: 'delivered', cards: [] }
  // @ts-expect-error: an amount of cards is a number
  const wrongType: Static<typeof Order> = { ...right, quantity: '2' }
  assert.ok(withMember.member === null && [wrongState, missing, wrongType].length === 3)
})
