import type { Bands, Features, Profile, Tally } from './model.ts'

/** The middle of the range in which each hub draws its own. */
const MIDDLE: Profile = { leastOrders: 200, bias: -4, beat: 6.5, night: 3, volume: 1.5, reviewAt: 0.8 }
const RANGE = 0.15

/** @param random numbers in [0, 1), one for each value */
export function drawProfile(random: () => number): Profile {
  const draw = (middle: number) => middle * (1 - RANGE + 2 * RANGE * random())
  // A score lies between 0 and 1: its threshold is drawn on the side of the logistic curve where it still parts anything.
  const odds = MIDDLE.reviewAt / (1 - MIDDLE.reviewAt)
  const drawn = draw(odds)
  return { leastOrders: Math.round(draw(MIDDLE.leastOrders)), bias: draw(MIDDLE.bias), beat: draw(MIDDLE.beat), night: draw(MIDDLE.night), volume: draw(MIDDLE.volume), reviewAt: drawn / (1 + drawn) }
}

/** The share of orders that come between one and six at night where people buy. */
const NIGHT_USUAL = 0.12

/** People come at random, and the gaps between them scatter as much as they are long; a machine keeps its beat. */
export function featuresOf(tally: Pick<Tally, 'orders' | 'night' | 'gaps' | 'gapSquares'>): Features {
  const gapCount = tally.orders - 1
  const mean = gapCount > 0 ? tally.gaps / gapCount : 0
  const spread = gapCount > 0 ? Math.sqrt(Math.max(0, tally.gapSquares / gapCount - mean * mean)) : 0
  return {
    // Orders of one moment are one person's batch and no beat.
    beat: mean > 0 ? Math.max(0, 1 - spread / mean) : 0,
    night: Math.max(0, tally.night / Math.max(1, tally.orders) - NIGHT_USUAL),
    // A great number alone is a good day.
    volume: Math.min(1, Math.max(0, Math.log10(Math.max(1, tally.orders) / 100))),
  }
}

export function scoreOf(features: Features, profile: Profile): number {
  return 1 / (1 + Math.exp(-(profile.bias + profile.beat * features.beat + profile.night * features.night + profile.volume * features.volume)))
}

/** Whether a person should look. The same is computed for every tally, near the threshold or far from it. */
export function isFound(tally: Tally, profile: Profile): { features: Features; score: number; found: boolean } {
  const features = featuresOf(tally)
  const score = scoreOf(features, profile)
  return { features, score, found: tally.orders >= profile.leastOrders && score >= profile.reviewAt }
}

const ORDER_BANDS: readonly [least: number, name: string][] = [[10_000, '10000+'], [5_000, '5000-9999'], [1_000, '1000-4999'], [500, '500-999'], [100, '100-499'], [0, '0-99']]

/** Payer, redeemer and device stand in no order of today's dialects. */
const NOT_EVALUATED = ['payer', 'redeemer', 'device', 'refund_loop'] as const

export function bandsOf(tally: Tally, features: Features): Bands {
  return {
    orders: ORDER_BANDS.find(([least]) => tally.orders >= least)![1], beat: features.beat >= 0.5 ? 'even' : 'uneven', night: features.night > 0 ? 'more than usual' : 'usual', notEvaluated: NOT_EVALUATED,
  }
}

const OFFSET_MS = 8 * 3_600_000
const NIGHT_FROM = 1
const NIGHT_TO = 6

/** The day of an order in China, and whether it came at night there. */
export function dayOf(at: Date): { day: string; isNight: boolean } {
  const there = new Date(at.getTime() + OFFSET_MS)
  const hour = there.getUTCHours()
  return { day: there.toISOString().slice(0, 10), isNight: hour >= NIGHT_FROM && hour < NIGHT_TO }
}

/** Adds one order to what is known of its day; `known` null for the first. */
export function addOrder(known: Tally | null, order: { lane: number; docking: string; good: string; at: Date }): Tally {
  const { day, isNight } = dayOf(order.at)
  const gapMs = known ? Math.max(0, order.at.getTime() - known.lastAt.getTime()) : 0
  return {
    lane: order.lane, docking: order.docking, good: order.good, day, orders: (known?.orders ?? 0) + 1, night: (known?.night ?? 0) + (isNight ? 1 : 0),
    gaps: (known?.gaps ?? 0) + gapMs, gapSquares: (known?.gapSquares ?? 0) + gapMs * gapMs, lastAt: order.at,
  }
}
