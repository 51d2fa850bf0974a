import { Amount, DecisionView, REFERENCE, SandboxSwitch, SignedAmount, Time } from './messages.ts'
import { Type, type Static } from './schema.ts'

/** Messages of sandboxes: how one is opened, filled, disturbed and moved in time. */
const closed = { additionalProperties: false }
const Id = Type.String({ minLength: 1, maxLength: 64, description: 'Opaque.' })

export const SANDBOX_NAME = { minLength: 1, maxLength: 80, pattern: '^[^\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}<>]+$', title: 'text without control, direction or zero-width characters, < or >' }
export const CONTACT = { minLength: 3, maxLength: 254, pattern: '^[^\\s@<>"\\p{Cc}\\p{Cf}]{1,64}@[A-Za-z0-9.-]{1,189}$', title: 'an e-mail address' }

export const SandboxApplication = Type.Object({
  name: Type.String({ ...SANDBOX_NAME, description: 'What people call your platform.' }),
  dialect: Type.Union([Type.Literal('json'), Type.Literal('acg')], { description: 'json: the open API. acg: a shop of the acg-faka family, types 0, 1 and 2.' }),
  contact: Type.Optional(Type.String({ ...CONTACT, description: 'An e-mail address; never needed, kept sealed, gone with the sandbox.' })),
}, closed)
export type SandboxApplication = Static<typeof SandboxApplication>

export const SandboxOpened = Type.Object({
  docking: Id, name: Type.String(), mode: Type.Literal('sandbox'), dialect: Type.String(), hub: Type.String(), baseUrl: Type.String({ description: 'What the program of the partner is told as the address.' }),
  credentials: Type.Object({
    keyId: Type.Optional(Type.String()), keySecret: Type.Optional(Type.String()), apiKey: Type.Optional(Type.String()), appId: Type.Optional(Type.String()), appKey: Type.Optional(Type.String()),
  }, { additionalProperties: false, description: 'Shown in this answer and never again.' }),
  available: Amount, next: Type.Array(Type.String({ description: 'A command to try.' })),
}, closed)
export type SandboxOpened = Static<typeof SandboxOpened>

export const Nothing = Type.Object({}, closed)

export const SandboxDeposit = Type.Object({
  amount: Amount, reference: Type.String({ minLength: 1, maxLength: 64, pattern: REFERENCE, title: 'a letter or digit, then letters, digits or . _ : @ # + = ~ / -', description: 'A repeat books nothing twice.' }),
}, closed)
export const SandboxDeposited = Type.Object({ id: Id, amount: Amount, available: SignedAmount, replayed: Type.Boolean() }, closed)

export const PutFault = Type.Object({
  fault: Type.String({ minLength: 1, maxLength: 120, description: 'name or name;param=value, as in the header Berth-Sandbox-Fault; decision:CODE for a decision.' }),
  times: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'How many of the next requests it strikes; 1 if it is left out.' })),
}, closed)
export const PutClock = Type.Object({ offsetS: Type.Integer({ minimum: 0, maximum: 34_560_000, description: 'Seconds ahead of the clock of the hub, up to 400 days; 0 brings it back.' }) }, closed)

const FaultParam = Type.Object({ name: Type.String(), least: Type.Integer(), most: Type.Integer(), otherwise: Type.Integer(), what: Type.Object({ en: Type.String(), zh: Type.String() }, closed) }, closed)

export const SandboxView = Type.Object({
  docking: Id, live: Type.Union([Id, Type.Null()]), clockOffsetS: Type.Integer(), time: Time, switches: Type.Array(SandboxSwitch), decisions: Type.Array(DecisionView),
  faults: Type.Array(Type.Object({ name: Type.String(), strikes: Type.String(), params: Type.Array(FaultParam), what: Type.Object({ en: Type.String(), zh: Type.String() }, closed) }, closed), { description: 'All faults that there are.' }),
}, closed)
export type SandboxView = Static<typeof SandboxView>
