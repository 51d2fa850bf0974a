import type { Time } from './values.ts'

type FigureClass = 'technical' | 'commercial' | 'compliance' | '' | null
/** One line of the open figures. class null: all classes; code null: the small lines together. */
export type FigureGroup = { class: FigureClass; code: string | null; events: number }

/** The open figures of one quarter; signed with a key of /.well-known/berth. */
export type Figures = {
  quarter: string
  state: 'running' | 'published'
  from: Time
  to: Time
  publishedAt: Time | null
  smallestGroup: number
  roundedTo: number
  refusals: FigureGroup[]
  measures: FigureGroup[]
  remedies: { class: FigureClass; code: string | null; medianHours: number; p90Hours: number }[]
  appeals: FigureGroup[]
  missed: FigureGroup[]
  followed: FigureGroup[]
  conformance: FigureGroup[]
  admissions: FigureGroup[]
  ruleChanges: number
  technicalLater: { overturnedPercent: number | null; followedPercent: number | null }
  signature: { keyId: string; algorithm: 'ed25519'; value: string }
}
