import type { Booked, Evidence, Seen } from './model.ts'

/** One order number, and all that was asked about it, in the order in which it came. */
export type Story = { reference: string; sends: readonly Seen[]; looks: readonly Seen[]; booked: Booked | null }

/** Every order number that the platform has sent, the earliest first. */
export function storiesOf({ seen, booked }: Pick<Evidence, 'seen' | 'booked'>): Story[] {
  const books = new Map(booked.filter((order) => !order.isCancelled).map((order) => [order.reference, order]))
  const stories = new Map<string, { reference: string; sends: Seen[]; looks: Seen[]; booked: Booked | null }>()
  for (const one of [...seen].sort((a, b) => a.atMs - b.atMs)) {
    if (one.reference === null || (one.what !== 'order' && one.what !== 'look')) continue
    let story = stories.get(one.reference)
    if (!story && one.what === 'order') stories.set(one.reference, (story = { reference: one.reference, sends: [], looks: [], booked: books.get(one.reference) ?? null }))
    story?.[one.what === 'order' ? 'sends' : 'looks'].push(one)
  }
  return [...stories.values()]
}

/** Whether an answer says nothing about the order itself: it was lost, or the same request may do better later. */
export function isPassing({ isAnswered, status }: Seen): boolean {
  return !isAnswered || status === 401 || status === 408 || status === 425 || status === 429 || status >= 500
}

export function isAccepted({ isAnswered, status }: Seen): boolean {
  return isAnswered && status < 300
}

/** Whether the platform knows what became of the order: the last word was clear, or it looked the order up after it was not. */
export function isSettled({ sends, looks }: Story): boolean {
  const lastInDoubt = sends.findLast(isPassing)
  if (!lastInDoubt) return true
  return sends.some((send) => send.atMs >= lastInDoubt.atMs && !isPassing(send)) || looks.some((look) => look.atMs >= lastInDoubt.atMs && look.isAnswered && look.holds === true)
}

/** When the platform first held a clear yes; null when it never did. */
export function acceptedMs({ sends, looks }: Story): number | null {
  const yes = [...sends.filter(isAccepted), ...looks.filter((look) => look.isAnswered && look.holds === true)].map((one) => one.endedMs)
  return yes.length === 0 ? null : Math.min(...yes)
}

/** Answers of one status that asked for a wait, and those of them after which the order came again too soon. */
export function hurried(stories: readonly Story[], status: number): { asked: Seen[]; hurried: Seen[] } {
  const asked: Seen[] = []
  const tooSoon: Seen[] = []
  for (const { sends } of stories) {
    sends.forEach((send, i) => {
      if (send.status !== status || send.retryAfterS === null || !send.isAnswered) return
      asked.push(send)
      const next = sends[i + 1]
      // Timers end a little early, and two clocks round differently.
      if (next && next.atMs < send.endedMs + send.retryAfterS * 1000 - TOLERANCE_MS) tooSoon.push(next)
    })
  }
  return { asked, hurried: tooSoon }
}

const TOLERANCE_MS = 25

/** Orders that were sent again although their answer had said yes. */
export function sentTwice(stories: readonly Story[]): Seen[] {
  return stories.flatMap(({ sends }) => {
    const yes = sends.find(isAccepted)
    return yes ? sends.filter((send) => send.atMs > yes.endedMs + TOLERANCE_MS).slice(0, 1) : []
  })
}

/** The value that so many of 100 do not pass; null of nothing. */
export function percentile(values: readonly number[], percent: number): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted.length === 0 ? null : sorted[Math.min(sorted.length - 1, Math.ceil((percent / 100) * sorted.length) - 1)]!
}
