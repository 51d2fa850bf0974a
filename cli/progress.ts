import type { Lang } from './problem.ts'

/** Redrawing more often costs more than it tells. */
const REDRAW_MS = 100
const BAR_CELLS = 20

/** How far an import of lines is: a bar for whoever watches, its text handed to `show`. */
export class Progress {
  readonly #show: (text: string) => void
  readonly #nowMs: () => number
  readonly #lang: Lang
  readonly #startMs: number
  #drawnMs = 0
  #lines = 0

  constructor(asked: { progress: (text: string) => void; nowMs: () => number; lang: Lang }) {
    this.#show = asked.progress
    this.#nowMs = asked.nowMs
    this.#lang = asked.lang
    this.#startMs = asked.nowMs()
  }

  /** Lines that were handed on so far. */
  get lines(): number {
    return this.#lines
  }

  /** Counts the lines of a text on its way through. */
  async *count(text: AsyncIterable<string>): AsyncGenerator<string> {
    let last = '\n'
    for await (const chunk of text) {
      for (let at = chunk.indexOf('\n'); at >= 0; at = chunk.indexOf('\n', at + 1)) this.#lines++
      last = chunk.at(-1) ?? last
      yield chunk
    }
    if (last !== '\n') this.#lines++
  }

  /** @param size of the whole in the same measure as `done`; null when nobody knows it */
  draw(done: number, size: number | null): void {
    const nowMs = this.#nowMs()
    if (nowMs - this.#drawnMs < REDRAW_MS) return
    this.#drawnMs = nowMs
    const part = size === null || size === 0 ? null : Math.min(done / size, 1)
    const cells = part === null ? 0 : Math.round(part * BAR_CELLS)
    const bar = part === null ? '' : `[${'#'.repeat(cells)}${'-'.repeat(BAR_CELLS - cells)}] ${String(Math.floor(part * 100)).padStart(3)} %  `
    this.#show(`${bar}${this.pace(nowMs)}`)
  }

  /** How many lines went, and how many a second. */
  pace(nowMs = this.#nowMs()): string {
    const perSecond = Math.round(this.#lines / Math.max((nowMs - this.#startMs) / 1_000, 0.001))
    const number = (value: number) => value.toLocaleString('en-US')
    return this.#lang === 'zh' ? `${number(this.#lines)} 行，每秒 ${number(perSecond)} 行` : `${number(this.#lines)} lines, ${number(perSecond)} lines/s`
  }
}
