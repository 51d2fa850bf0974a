import { Time } from './messages.ts'
import { Type, type Static } from './schema.ts'

/** Messages of conformance runs. */
const closed = { additionalProperties: false }
const Id = Type.String({ minLength: 1, maxLength: 64, description: 'Opaque.' })
const Both = Type.Object({ en: Type.String(), zh: Type.String() }, closed)
const Verdict = Type.Union([Type.Literal('pass'), Type.Literal('fail'), Type.Null()])

export const BeginTask = Type.Object({ task: Type.String({ minLength: 1, maxLength: 40 }) }, closed)
export const RunText = Type.Object({ text: Type.String({ minLength: 1, maxLength: 64 }) }, closed)

export const RunView = Type.Object({
  id: Id, dialect: Type.Union([Type.Literal('json'), Type.Literal('acg')]), kit: Type.String({ description: 'The version of the kit.' }), state: Type.Union([Type.Literal('open'), Type.Literal('green'), Type.Literal('red')]),
  task: Type.Union([Type.String(), Type.Null()], { description: 'The task that is under way.' }), startedAt: Time, finishedAt: Type.Union([Time, Type.Null()]), page: Type.String({ description: 'What anybody may see of it.' }),
  validDays: Type.Integer({ description: 'How long a green run counts.' }), tasks: Type.Array(Type.Object({ id: Type.String(), what: Both, verdict: Verdict }, closed)),
  report: Type.Optional(Type.Object({}, { additionalProperties: true, description: 'What was seen and how it was judged, signed by the hub; there once the run is over.' })),
}, closed)
export type RunView = Static<typeof RunView>

export const ConformancePage = Type.Object({
  items: Type.Array(RunView), next: Type.Null(),
  badge: Type.Union([Type.Null(), Type.Object({ run: Id, page: Type.String(), validUntil: Time }, closed)]),
  admission: Type.Union([Type.Null(), Type.Object({ run: Type.Union([Id, Type.Null()]), waiver: Type.Union([Type.String(), Type.Null()]), by: Type.String(), at: Time }, closed)], { description: 'How this live docking was admitted.' }),
}, closed)
