export type Role = 'owner' | 'operator' | 'reviewer' | 'compliance'
export const ROLES: readonly Role[] = ['owner', 'operator', 'reviewer', 'compliance']

/** A person who runs the main site. */
export type Operator = { name: string; roles: readonly Role[]; addedBy: string; addedAt: Date; endedAt: Date | null }

/** The person of the first key. */
export const OWNER = 'owner'
