import type { Hub } from './hub.ts'
import type { Reader } from './shape.ts'

/** What the line of a route says, for the doctor: it asks the same of a request that was pasted. */
export type KnownRoute = { method: string; path: string; scope: string; signed: boolean; checkBody: Reader | null; checkQuery: Reader | null }

const known = new WeakMap<Hub, (KnownRoute & { pattern: RegExp })[]>()

export function rememberRoute(hub: Hub, route: KnownRoute): void {
  const routes = known.get(hub) ?? []
  known.set(hub, routes)
  // An address without names in it is meant before one with them.
  routes.push({ ...route, pattern: new RegExp(`^${route.path.replace(/:\w+/g, '[^/]+')}$`) })
  routes.sort((a, b) => a.path.split(':').length - b.path.split(':').length)
}

/** The routes at an address, whatever the method. */
export function routesAt(hub: Hub, path: string): readonly KnownRoute[] {
  return (known.get(hub) ?? []).filter(({ pattern }) => pattern.test(path))
}
