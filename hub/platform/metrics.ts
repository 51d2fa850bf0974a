import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'

/** What the operator's monitoring reads at /metrics. Labels are codes and routes only, never partners or keys. */
export class Metrics {
  readonly registry = new Registry()
  readonly requests: Counter<'route' | 'status'>
  readonly refusals: Counter<'code' | 'class'>

  constructor(load: () => { queued: number; batches: number; unanswered: number }) {
    collectDefaultMetrics({ register: this.registry })
    const registers = [this.registry]
    this.requests = new Counter({ name: 'berth_requests_total', help: 'Requests by route and status', labelNames: ['route', 'status'], registers })
    this.refusals = new Counter({ name: 'berth_refusals_total', help: 'Refusals by code and class', labelNames: ['code', 'class'], registers })
    const gauge = (name: string, help: string, read: () => number) =>
      new Gauge({ name, help, registers, collect() { this.set(read()) } })
    gauge('berth_orders_queued', 'Orders waiting for the next batch', () => load().queued)
    gauge('berth_order_batches', 'Batches since the start', () => load().batches)
    gauge('berth_orders_unanswered', 'Accepted orders whose answer is not yet written', () => load().unanswered)
  }
}
