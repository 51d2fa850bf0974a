import { offeredById } from '../../domain/catalogue/index.ts'
import { findDocking } from '../../domain/partners/index.ts'
import type { Hub } from '../hub.ts'

/** What people call dockings and goods, for lists that hold their ids; each is looked up once. */
export class Names {
  readonly #hub: Hub
  readonly #dockings = new Map<string, string | null>()
  readonly #goods = new Map<string, { code: string; name: string } | null>()

  constructor(hub: Hub) {
    this.#hub = hub
  }

  async learn(dockings: readonly string[], goods: readonly string[]): Promise<void> {
    for (const id of dockings) if (!this.#dockings.has(id)) this.#dockings.set(id, (await findDocking(this.#hub.db, id))?.name ?? null)
    const fresh = [...new Set(goods)].filter((id) => !this.#goods.has(id))
    const found = fresh.length === 0 ? [] : await offeredById(this.#hub.db, { id: '', lane: 0, mode: 'live' }, fresh)
    for (const id of fresh) this.#goods.set(id, found.find((good) => good.id === id) ?? null)
  }

  /** Beside the ids: `dockingName`, `goodCode` and `goodName`, where they were learnt. */
  of(docking: string, good: string): { dockingName?: string; goodCode?: string; goodName?: string } {
    const name = this.#dockings.get(docking)
    const sold = this.#goods.get(good)
    return { ...(name ? { dockingName: name } : {}), ...(sold ? { goodCode: sold.code, goodName: sold.name } : {}) }
  }
}
