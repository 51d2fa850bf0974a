import { setTimeout as sleep } from 'node:timers/promises'
import { endpoints, HubUnreachable } from '../../sdk/index.ts'
import { isBusy, type Platform } from './platform.ts'

const ORDERS = 12
const EVERY_S = 3

/**
 * Twelve buyers, one order each, out of a queue: the oldest first, under one number for ever, and after silence the same order
 * again. The client of the SDK does the waiting and the repeating; the mistakes have to do without it.
 */
export async function rehearseOutage(platform: Platform): Promise<void> {
  const { clumsy } = platform
  const queue: string[] = []
  let after = clumsy.has('feed_caught_up') ? '0' : await readFeed(platform, '0')
  const buyers = (async () => {
    for (let i = 0; i < ORDERS && platform.step !== null; i++) {
      queue.push(platform.nextReference())
      await platform.seconds(EVERY_S)
    }
  })()
  const isPlain = !['backs_off', 'settles_doubt', 'repeats_refused', 'none_doubled', 'order_kept'].some((mistake) => clumsy.has(mistake))
  const dropped = { count: 0 }
  while (platform.step !== null) {
    const reference = queue[0]
    if (reference !== undefined) {
      if (isPlain) await platform.order(platform.patient, reference)
      else if ((await placeBadly(platform, reference, dropped)) === 'later') {
        queue.push(reference)
      }
      queue.shift()
    } else await platform.seconds(0.3)
    if (platform.isIn('recovery') && !clumsy.has('feed_caught_up')) after = await readFeed(platform, after)
  }
  await buyers
}

/** @returns 'later' when the order goes to the end of the queue */
async function placeBadly(platform: Platform, reference: string, dropped: { count: number }): Promise<'done' | 'later'> {
  const { clumsy, patient, credentials } = platform
  for (;;) {
    try {
      const answer = await platform.order(platform.hasty(credentials), reference)
      if (!isBusy(answer)) return 'done'
      if (clumsy.has('repeats_refused') && dropped.count++ === 0) return 'done'
      await sleep(clumsy.has('backs_off') ? 300 : (answer.refusal.retryAfterS ?? 1) * 1_000 + 50)
      if (clumsy.has('order_kept')) return 'later'
    } catch (error) {
      if (!(error instanceof HubUnreachable)) throw error
      if (clumsy.has('settles_doubt')) return 'done'
      if (clumsy.has('none_doubled')) {
        await patient.findOrder(reference)
        // The mistake: the buyer shall have it now, so it is bought once more under another number.
        await platform.order(patient, platform.nextReference())
        return 'done'
      }
    }
  }
}

/** Reads the changes from a position to the end. */
async function readFeed(platform: Platform, after: string): Promise<string> {
  for (;;) {
    const page = await platform.patient.call(endpoints.listChanges, { query: { after, limit: 500 } })
    if (!page.ok) return after
    after = page.value.after
    if (!page.value.more) return after
  }
}
