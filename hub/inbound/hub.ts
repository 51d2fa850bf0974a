import type { KeyObject } from 'node:crypto'
import type { Outcome } from '../../protocol/outcome.ts'
import type { Check } from '../kernel/checks.ts'
import type { Clock } from '../kernel/clock.ts'
import type { IdMaker } from '../kernel/ids.ts'
import type { NonceWindow } from '../kernel/nonces.ts'
import type { Limiter } from '../platform/limiter.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Database } from '../platform/postgres/database.ts'
import type { Signer } from '../platform/sealing/signer.ts'
import type { Vault } from '../platform/sealing/vault.ts'
import type { AppealClock } from '../domain/appeals/index.ts'
import type { Cases } from '../domain/compliance/index.ts'
import type { DecisionClock, InputCheck } from '../domain/decisions/index.ts'
import type { KeyRing } from '../domain/partners/index.ts'
import type { FigureBook } from '../domain/figures/index.ts'
import type { Logbook } from '../domain/logbook/index.ts'
import type { Notices } from '../domain/notices/index.ts'
import type { Operators } from '../domain/operators/index.ts'
import type { Orders } from '../domain/orders/index.ts'
import type { PriceClock } from '../domain/pricing/index.ts'
import type { Watch } from '../domain/risk/index.ts'
import type { Conformance } from '../domain/conformance/index.ts'
import type { Drills } from '../domain/drills/index.ts'
import type { Sandboxes } from '../domain/sandbox/index.ts'
import type { RequestLog } from './request-log.ts'

/** All that the doors need of the house; built once in main.ts, in floor order. */
export type Hub = {
  db: Database
  vault: Vault
  clock: Clock
  ids: IdMaker
  log: Log
  metrics: Metrics
  limiter: Limiter
  keys: KeyRing
  operators: Operators
  cases: Cases
  signer: Signer
  nonces: NonceWindow
  requests: RequestLog
  orders: Orders
  prices: PriceClock
  notices: Notices
  appeals: AppealClock
  figures: FigureBook
  risk: Watch
  sandboxes: Sandboxes
  logbook: Logbook
  conformance: Conformance
  drills: Drills
  /** Every room's own, for the docking report. */
  checks: readonly Check[]
  /** Checks that look for something that was found, by name. */
  inputChecks: Readonly<Record<string, InputCheck>>
  decisions: DecisionClock
  publicUrl: string
  /** The address on which the hub listens. */
  host: string
  /** Ports of single dockings; there when the doors are built. */
  mounts: Mounts | null
  /** Addresses of proxies whose word about the caller's address is believed. */
  trustedProxies: readonly string[]
  /** When this life took over: signatures made before it cannot be checked for replay. Seconds since 1970. */
  startedAtS: number
  /** A key that nobody has: an unknown name is checked against it, in the time of a known one. */
  nobody: KeyObject
  state: { ready: boolean; stopping: boolean }
}

/** Ports of single dockings. `open` refuses when the port is taken. */
export type Mounts = { open(docking: string, port: number): Promise<Outcome<null>>; close(docking: string): Promise<void> }

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body may take longer than a request may. */
    longBody?: boolean
  }
}
