import type { Lang, Problem, Words } from './problem.ts'

export type { Lang, Words } from './problem.ts'

/** Chinese when it is asked for, or when the locale that counts (LC_ALL before LC_MESSAGES before LANG) is Chinese. */
export function langOf(env: NodeJS.ProcessEnv, given?: string): Lang {
  const locale = given ?? (env.LC_ALL || env.LC_MESSAGES || env.LANG || '')
  return locale.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

/** Columns side by side, as wide as their widest cell; the last one is not filled up. */
export function table(rows: readonly (readonly string[])[], indent = 2): string {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, columnsOf(cell))))
  return rows
    .map((row) => (' '.repeat(indent) + row.map((cell, i) => cell + ' '.repeat(i === row.length - 1 ? 0 : widths[i]! - columnsOf(cell))).join('  ')).trimEnd())
    .join('\n')
}

/** A Chinese character, and the punctuation that goes with it, takes two columns of a terminal. */
export function columnsOf(text: string): number {
  let columns = 0
  for (const character of text) columns += WIDE.test(character) ? 2 : 1
  return columns
}

const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uff60\uffe0-\uffe6]/u

/** What came over the network must not steer the terminal. */
export function withoutControls(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd')
}

const CLASSES: Readonly<Record<string, Words>> = {
  technical: { en: 'technical', zh: '技术' },
  commercial: { en: 'commercial', zh: '商业' },
  compliance: { en: 'compliance', zh: '合规' },
}

const SIDES: Readonly<Record<string, Words>> = {
  partner: { en: 'partner', zh: '对接方' },
  hub: { en: 'main site', zh: '主站' },
  supplier: { en: 'supplier', zh: '供货方' },
  network: { en: 'network', zh: '网络' },
}

/** What people call something, in front of its id; parts that are not there are left out. */
export function beside(id: string, ...names: readonly (string | undefined)[]): string {
  return [...names.filter(Boolean), id].join(' ')
}

/** A class or a side as a person calls it; a word that is new here is shown as it came. */
export function nameOf(word: string, lang: Lang): string {
  return (CLASSES[word] ?? SIDES[word])?.[lang] ?? word
}

/** A refusal for a person: class and title, the one sentence, what to do, and where more is written. */
export function showRefusal(problem: Problem, lang: Lang): string {
  const zh = lang === 'zh'
  const kind = problem.class === undefined ? '' : zh ? `（${nameOf(problem.class, lang)}）` : ` (${nameOf(problem.class, lang)})`
  const rows: string[][] = []
  const row = (en: string, chinese: string, value: string | undefined) => value !== undefined && rows.push([zh ? chinese : en, value])
  row('what to do', '怎么办', adviceOf(problem)[lang])
  row('page', '说明', problem.type === 'about:blank' ? undefined : problem.type)
  row('code', '代码', problem.code)
  row('side', '责任方', problem.side === undefined ? undefined : nameOf(problem.side, lang))
  row('decision', '处理决定', problem.decision)
  row('appeal', '申诉', problem.appeal)
  row('request', '请求编号', problem.requestId)
  const also = (problem.also ?? []).map((other) => `  ${zh ? '另有' : 'also'}: ${other.detail}`)
  return [`${zh ? '被拒绝' : 'Refused'}${kind}${zh ? '：' : ': '}${problem.title}`, `  ${problem.detail}`, ...also, table(rows)].join('\n')
}

function adviceOf(problem: Problem): Words {
  const afterS = problem.retryAfterS ?? problem.because?.retryAfterS
  switch (problem.retry) {
    case 'never': return { en: 'Do not send the same again: the answer will be the same. The page says what else helps.', zh: '不要原样重发，结果不会改变；其他办法见说明页。' }
    case 'same_request_after':
      return afterS === undefined
        ? { en: 'Send the same again a little later.', zh: '请稍后原样重发。' }
        : { en: `Send the same again in ${String(afterS)} s.`, zh: `请在 ${String(afterS)} 秒后原样重发。` }
    default:
      if (problem.decision !== undefined) return { en: 'Do what the statement of the decision asks for ("berth report" shows it), or appeal.', zh: '请按处理说明的要求补救（berth report 可查看），或提出申诉。' }
      if (problem.side === 'hub') return { en: 'This is on the main site\'s side: order otherwise, or again once it has changed there.', zh: '原因在主站一侧：请改换商品或数量，或待主站调整后再下单。' }
      return { en: 'Change what the sentence above names, as the page says, and send it again.', zh: '请按说明页修改上述内容后再发送。' }
  }
}
