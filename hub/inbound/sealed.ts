import type { Sealed } from '../domain/logbook/index.ts'
import type { Hub } from './hub.ts'

/** Decisions as their docking reads them, each with the proof of where it is sealed beside it; null until it is. */
export async function withSeals<View extends { id: string }>(hub: Hub, lane: number, views: readonly View[]): Promise<(View & { sealed: Sealed | null })[]> {
  const seals = await hub.logbook.decisions(lane, views.map(({ id }) => id))
  return views.map((view) => ({ ...view, sealed: seals.get(view.id) ?? null }))
}
