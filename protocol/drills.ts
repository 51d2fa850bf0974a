import { DrillBest, DrillKind, Time } from './messages.ts'
import { Type, type Static } from './schema.ts'

/** Messages of drills: what is rehearsed, how a rehearsal goes, and how it was judged. */
const closed = { additionalProperties: false }
const Id = Type.String({ minLength: 1, maxLength: 64, description: 'Opaque.' })
const Words = Type.Object({ en: Type.String(), zh: Type.String() }, closed)
const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])

export const DrillPlan = Type.Object({
  kind: DrillKind, version: Type.Integer(), title: Words, what: Words,
  steps: Type.Array(Type.Object({ name: Type.String(), limitS: Type.Integer(), what: Words, asks: Words }, closed)),
  criteria: Type.Array(Type.Object({ name: Type.String(), points: Type.Integer(), what: Words, advice: Words }, closed), { description: 'Their points are 100 in all.' }),
}, closed)
export type DrillPlan = Static<typeof DrillPlan>

/** The signed judgement. Its members beside the signature are what was signed, as canonical JSON. */
export const DrillResult = Type.Object({
  v: Type.Literal(1), type: Type.Literal('drill'), hub: Type.String(), drill: Id, kind: DrillKind, version: Type.Integer(), docking: Id, mode: Type.Literal('sandbox'), origin: Type.String(),
  tempo: Type.Integer({ description: 'How many times as fast as planned it ran; 1 by default.' }), startedAt: Time, endedAt: Time, requests: Type.Integer(), score: Type.Integer(), of: Type.Literal(100),
  criteria: Type.Array(Type.Object({
    name: Type.String(), points: Type.Integer(), of: Type.Integer(), what: Words, seen: Words, advice: OrNull(Words),
    evidence: Type.Array(Type.String(), { description: 'Ids of requests, or lane/position of facts.' }),
  }, closed)),
  measured: Type.Record(Type.String(), OrNull(Type.Number())),
  signature: Type.Object({ keyId: Type.String(), algorithm: Type.Literal('ed25519'), value: Type.String() }, closed),
}, closed)
export type DrillResult = Static<typeof DrillResult>

const summary = {
  id: Id, docking: Id, kind: DrillKind, version: Type.Integer(), state: Type.Union([Type.Literal('planned'), Type.Literal('running'), Type.Literal('scored'), Type.Literal('abandoned')]),
  origin: Type.Union([Type.Literal('partner'), Type.Literal('operator'), Type.Literal('schedule')]), plannedAt: Time, startsAt: Time, startedAt: OrNull(Time), endedAt: OrNull(Time),
  reason: OrNull(Type.String({ description: 'Why an abandoned drill ended.' })), score: OrNull(Type.Integer()),
  tempo: Type.Integer({ description: 'How many times as fast as its plan it runs.' }),
}
export const DrillSummary = Type.Object(summary, closed)
export type DrillSummary = Static<typeof DrillSummary>

export const Drill = Type.Object({
  ...summary,
  steps: Type.Array(Type.Object({ name: Type.String(), begunAt: Time, dueAt: Time, endedAt: OrNull(Time), endedBy: OrNull(Type.String()) }, closed)),
  now: OrNull(Type.Object({ step: Type.String(), dueAt: Time, what: Words, asks: Words }, closed)),
  log: OrNull(Type.String({ description: 'The address under which a tampered_log under way shows its log.' })),
  result: OrNull(DrillResult),
}, closed)
export type Drill = Static<typeof Drill>

export type DrillBest = Static<typeof DrillBest>

export const DrillSchedule = Type.Object({ docking: Id, kind: DrillKind, everyDays: Type.Integer(), nextAt: Time, setBy: Type.String() }, closed)
export type DrillSchedule = Static<typeof DrillSchedule>

export const DrillPage = Type.Object({
  plans: Type.Array(DrillPlan), best: Type.Array(DrillBest, { description: 'The best score a kind in the last 90 days.' }), points: Type.Integer({ description: 'What these are worth for a level: 25 a kind at most, 100 in all.' }),
  schedules: Type.Array(DrillSchedule), items: Type.Array(DrillSummary), next: OrNull(Type.String()),
}, closed)
export type DrillPage = Static<typeof DrillPage>

export const AskDrill = Type.Object({ kind: DrillKind, startsAt: Type.Optional(Time) }, closed)
export const ScheduleDrill = Type.Object({ kind: DrillKind, everyDays: Type.Integer({ minimum: 1, maximum: 365 }), firstAt: Type.Optional(Time) }, closed)
export const EndDrillSchedule = Type.Object({ kind: DrillKind }, closed)

const Note = Type.String({ minLength: 1, maxLength: 8192, description: 'A signed note, as the hub showed it.' })
export const DrillDispute = Type.Object({ first: Note, second: Note }, closed)
export const DrillDisputed = Type.Object({ holds: Type.Boolean({ description: 'Whether both notes are of this drill, signed by the hub, and cannot both be true.' }) }, closed)

export const DrillCosign = Type.Object({
  size: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  publicKey: Type.String({ maxLength: 44, description: 'The raw Ed25519 key of the witness, 32 bytes in base64.' }),
  line: Type.String({ maxLength: 300, description: 'The line that goes below the note, as C2SP tlog-cosignature says.' }),
}, closed)
export const DrillCosigned = Type.Object({ size: Type.Integer(), witness: Type.String() }, closed)
