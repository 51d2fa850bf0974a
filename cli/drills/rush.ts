import { setTimeout as sleep } from 'node:timers/promises'
import { isBusy, type Platform } from './platform.ts'

const WORKERS = 4
/** Of one worker between two orders: some thirty a second in all. */
const PAUSE_MS = 100
const SLOW_PAUSE_MS = 700

/** As fast as a busy shop, several orders at once; what is refused as too fast waits as the hub asks. */
export async function rehearseRush(platform: Platform): Promise<void> {
  const isSlow = platform.clumsy.has('kept_pace')
  const lost = { count: 0 }
  const work = async () => {
    while (platform.step !== null && platform.step !== 'settle') {
      await place(platform, lost)
      await sleep(isSlow ? SLOW_PAUSE_MS : PAUSE_MS)
    }
  }
  await Promise.all(Array.from({ length: isSlow ? 1 : WORKERS }, work))
}

async function place(platform: Platform, lost: { count: number }): Promise<void> {
  const { clumsy, patient, credentials } = platform
  const reference = platform.nextReference()
  // The mistake: a price that was never looked up.
  if (clumsy.has('accepted_share') && reference.endsWith('5')) return void (await platform.order(patient, reference, '0.01'))
  // A patient client never hands out a 429: only a hasty one gets into the loop.
  const isHasty = clumsy.has('honours_retry_after') || clumsy.has('none_lost') || clumsy.has('quick')
  let answer = await platform.order(isHasty ? platform.hasty(credentials) : patient, reference)
  while (isBusy(answer)) {
    if (clumsy.has('none_lost') && lost.count++ === 0) return
    // The mistakes: to come again at once, or to sleep over it.
    const askedMs = (answer.refusal.retryAfterS ?? 1) * 1_000 + 50
    await sleep(clumsy.has('honours_retry_after') ? 60 : clumsy.has('quick') ? askedMs + 14 * platform.secondMs : askedMs)
    answer = await platform.order(platform.hasty(credentials), reference)
  }
  if (clumsy.has('no_reference_twice') && reference.endsWith('7')) {
    await sleep(100)
    await platform.order(patient, reference)
  }
}
