import type { Language } from './model.ts'

export type Pair = readonly [zh: string, en: string]

export const pick = (language: Language) => (zh: string, en: string): string => (language === 'zh-CN' ? zh : en)

export const word = (pair: Pair | undefined, language: Language, otherwise: string): string => (pair ? pair[language === 'zh-CN' ? 0 : 1] : otherwise)

/** A time as the trade reads it: the clock of China, with its name. */
export function writeTime(time: Date | string, language: Language): string {
  const ms = typeof time === 'string' ? Date.parse(time) : time.getTime()
  if (Number.isNaN(ms)) return String(time)
  const text = new Date(ms + 8 * 3_600_000).toISOString().slice(0, 16).replace('T', ' ')
  return language === 'zh-CN' ? `${text}（北京时间）` : `${text} (UTC+8)`
}

export const CLASSES: Readonly<Record<'technical' | 'commercial' | 'compliance', Pair>> = { technical: ['技术', 'technical'], commercial: ['商业', 'commercial'], compliance: ['合规', 'compliance'] }
