import { WrongUsage } from '../command.ts'

/** How a time is typed. */
export const timeForm = { en: '2027-01-31 or 2027-01-31T16:00:00Z', zh: '2027-01-31 或 2027-01-31T16:00:00Z' }

const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/

/** A time as RFC 3339 in UTC. One without its offset is not guessed at: it throws WrongUsage, as every other form does. */
export function readTime(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const time = new Date(text)
  if (!TIME.test(text) || Number.isNaN(time.getTime())) {
    throw new WrongUsage({ en: `--${option} "${text}" is not a time: write ${timeForm.en}.`, zh: `--${option} “${text}”不是时间，请写成 ${timeForm.zh}。` })
  }
  return time.toISOString()
}
