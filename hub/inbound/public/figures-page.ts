import { createHash } from 'node:crypto'
import { isReasonCode, reasonOf } from '../../../protocol/reasons.ts'
import { SMALLEST_GROUP, type Figures, type Group, type RemedyGroup } from '../../domain/figures/index.ts'
import { escapeHtml } from '../../kernel/html.ts'

export type PageLanguage = 'en' | 'zh'

const STYLE = `:root{color-scheme:light}body{font:16px/1.65 system-ui,-apple-system,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:56rem;margin:0 auto;padding:1.5rem 1.2rem 3rem;color:#1c2733;background:#fff}
header{display:flex;justify-content:space-between;align-items:baseline;border-bottom:1px solid #dfe7ec;padding-bottom:.6rem;margin-bottom:1.6rem;color:#5b6b7a;font-size:.9rem}
h1{font-size:1.6rem;line-height:1.3;margin:.4rem 0 .2rem}h2{font-size:1.1rem;margin:2.4rem 0 .2rem;color:#0b6e8f}a{color:#0b6e8f}p{margin:.4rem 0}.lead{color:#5b6b7a}.none{color:#5b6b7a}
nav{display:flex;flex-wrap:wrap;gap:.4rem;margin:1rem 0}nav a,nav b{padding:.1rem .8rem;border-radius:1rem;background:#eef3f6;text-decoration:none;font-weight:400;font-size:.9rem}nav b{background:#0b6e8f;color:#fff}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.8rem;margin:1.4rem 0 0}.facts div{border:1px solid #dfe7ec;border-radius:8px;padding:.7rem .9rem}.facts dt{color:#5b6b7a;font-size:.85rem}.facts dd{margin:0;font-size:1.5rem;font-variant-numeric:tabular-nums}
table{width:100%;table-layout:fixed;border-collapse:collapse;margin-top:.5rem}th{text-align:left;font-weight:400;font-size:.85rem;color:#5b6b7a}th,td{padding:.35rem .5rem .35rem 0;border-bottom:1px solid #eef3f6;vertical-align:baseline}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;padding-left:.8rem}
.class{display:inline-block;min-width:3.2rem;margin-right:.6rem;padding:0 .5rem;border-radius:.8rem;font-size:.8rem;text-align:center}.technical{background:#e3eefb;color:#1c4f8a}.commercial{background:#fdf0e3;color:#8a4b08}.compliance{background:#f1e8f7;color:#5d2b80}.all{background:#eef3f6;color:#5b6b7a}
.bar{width:32%}th.n{width:22%}.bar svg{display:block;width:100%;height:.6rem}.bar rect{fill:#7fb4c6}footer{margin-top:2.6rem;color:#5b6b7a;font-size:.85rem}@media(max-width:34rem){.bar{display:none}h1{font-size:1.35rem}}`

/** The page loads nothing, runs nothing and sends nothing. */
export const FIGURES_HEADERS = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff', 'content-type': 'text/html; charset=utf-8',
} as const

const WORDS = {
  en: {
    title: 'Open figures', of: 'Berth · open figures', other: '中文', running: 'runs', published: 'published',
    lead: `What this main site refused, held and took back, one quarter at a time. No line is about fewer than ${SMALLEST_GROUP} partners; numbers come in steps of 5.`,
    wait: 'This quarter still runs. Its numbers appear when it has ended: two looks at a moving number would show what one partner did between them.',
    refusals: 'Refusals', measures: 'Measures', remedies: 'Time to remedy', appeals: 'Appeals', missed: 'Appeal clocks missed', followed: 'Technical, and then another reason', conformance: 'Runs of the conformance kit', admissions: 'Gone live by a badge, or by a waiver of it', rules: 'Rule changes',
    overturned: 'technical reasons overturned', later: 'technical reasons followed by another', code: 'reason', events: 'number', median: 'median', p90: '9 of 10 within', few: 'Fewer than five partners: nothing is told.', otherOf: 'other', all: 'several',
    classes: { technical: 'technical', commercial: 'commercial', compliance: 'compliance' }, codes: { filed: 'filed', upheld: 'upheld', overturned: 'overturned', partly: 'partly overturned', withdrawn: 'withdrawn', green: 'green', red: 'red', badge: 'badge', waiver: 'waiver', '': 'in all' },
    hours: (n: number) => (n > 48 ? `${n / 24} days` : `${n} h`),
    foot: 'Live dockings only; the sandbox is not counted. The same as a signed document: ',
    rest: 'Small lines are put together as “other”, and where one line would give a small one away, the next larger goes with it.',
  },
  zh: {
    title: '公开数据', of: '泊位 · 公开数据', other: 'English', running: '进行中', published: '已公布',
    lead: `本主站每季度拒绝、暂停和撤回的情况。任何一行都不少于 ${SMALLEST_GROUP} 个对接方，数字按 5 取整。`,
    wait: '本季度尚未结束，结束后公布数字：对变动中的数字前后各看一次，就能看出某一个对接方做了什么。',
    refusals: '拒绝', measures: '措施', remedies: '恢复用时', appeals: '申诉', missed: '申诉逾期未决', followed: '先称技术原因，后换其他原因', conformance: '对接自测', admissions: '上线方式', rules: '规则变更',
    overturned: '技术原因被推翻', later: '技术原因后又换原因', code: '原因', events: '次数', median: '中位数', p90: '九成不超过', few: '不足五个对接方，不予公布。', otherOf: '其他', all: '多类',
    classes: { technical: '技术', commercial: '商业', compliance: '合规' }, codes: { filed: '已提出', upheld: '维持', overturned: '推翻', partly: '部分推翻', withdrawn: '撤回', green: '通过', red: '未通过', badge: '徽章', waiver: '豁免', '': '合计' },
    hours: (n: number) => (n > 48 ? `${n / 24} 天` : `${n} 小时`),
    foot: '仅统计正式对接，不含沙箱。同样内容的签名文件：',
    rest: '数量过少的行并入“其他”；若并入后仍可由某一行反推，则次小的一行一并并入。',
  },
} as const

type Words = (typeof WORDS)[PageLanguage]

/** The page of one quarter. `quarters` are the published ones, newest first. */
export function renderFigures(figures: Figures, quarters: readonly string[], language: PageLanguage): string {
  const words = WORDS[language]
  const other = language === 'zh' ? 'en' : 'zh-CN'
  const link = (quarter: string, lang: string) => `/figures?quarter=${quarter}&amp;lang=${lang}`
  const all = quarters.includes(figures.quarter) ? quarters : [figures.quarter, ...quarters]
  const own = language === 'zh' ? 'zh-CN' : 'en'
  return `<!doctype html>
<html lang="${own}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${words.title} ${figures.quarter}</title>
<style>${STYLE}</style></head><body>
<header><span>${words.of}</span><a href="${link(figures.quarter, other)}" hreflang="${other}" lang="${other}">${words.other}</a></header>
<main>
<h1>${words.title} ${figures.quarter}</h1>
<p class="lead">${words.lead}</p>
<nav>${all.map((quarter) => (quarter === figures.quarter ? `<b aria-current="page">${quarter} · ${words[figures.state]}</b>` : `<a href="${link(quarter, own)}">${quarter}</a>`)).join('')}${figures.state === 'running' ? '' : `<a href="/figures?lang=${own}">${words.running}</a>`}</nav>
${figures.state === 'running' ? `<p>${words.wait}</p>` : tables(figures, words, language)}
</main>
<footer><p>${words.rest}</p><p>${words.foot}<a href="/api/figures?quarter=${figures.quarter}">/api/figures?quarter=${figures.quarter}</a></p></footer>
</body></html>
`
}

function tables(figures: Figures, words: Words, language: PageLanguage): string {
  const { overturnedPercent, followedPercent } = figures.technicalLater
  const fact = (name: string, value: string) => `<div><dt>${name}</dt><dd>${value}</dd></div>`
  const percent = (value: number | null) => (value === null ? '–' : `${value} %`)
  return [
    `<dl class="facts">${fact(words.overturned, percent(overturnedPercent))}${fact(words.later, percent(followedPercent))}${fact(words.rules, String(figures.ruleChanges))}</dl>`,
    ...(['refusals', 'measures', 'appeals', 'missed', 'followed', 'conformance', 'admissions'] as const).flatMap((family) => [
      table(words[family], figures[family], words, language), ...(family === 'measures' ? [remedies(figures.remedies, words, language)] : []),
    ]),
  ].join('\n')
}

function table(title: string, lines: readonly Group[], words: Words, language: PageLanguage): string {
  if (lines.length === 0) return `<h2>${title}</h2>\n<p class="none">${words.few}</p>`
  const most = Math.max(...lines.map(({ events }) => events))
  const rows = lines.toSorted((a, b) => b.events - a.events).map((line) =>
    `<tr><td>${nameOf(line, words, language)}</td><td class="bar"><svg aria-hidden="true" preserveAspectRatio="none" viewBox="0 0 100 1"><rect width="${Math.max(1, Math.round((line.events / most) * 100))}" height="1"/></svg></td><td class="n">${line.events.toLocaleString('en-US')}</td></tr>`)
  return `<h2>${title}</h2>\n<table><thead><tr><th>${words.code}</th><th class="bar"></th><th class="n">${words.events}</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>`
}

function remedies(lines: readonly RemedyGroup[], words: Words, language: PageLanguage): string {
  if (lines.length === 0) return `<h2>${words.remedies}</h2>\n<p class="none">${words.few}</p>`
  const rows = lines.map((line) => `<tr><td>${nameOf(line, words, language)}</td><td class="n">${words.hours(line.medianHours)}</td><td class="n">${words.hours(line.p90Hours)}</td></tr>`)
  return `<h2>${words.remedies}</h2>\n<table><thead><tr><th>${words.code}</th><th class="n">${words.median}</th><th class="n">${words.p90}</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>`
}

function nameOf(line: { class: string | null; code: string | null }, words: Words, language: PageLanguage): string {
  const cls = line.class === '' ? '' : line.class === null ? `<span class="class all">${words.all}</span>` : `<span class="class ${escapeHtml(line.class)}">${escapeHtml(words.classes[line.class as 'technical'] ?? line.class)}</span>`
  if (line.code === null) return `${cls}${words.otherOf}`
  if (isReasonCode(line.code)) return `${cls}<a href="/reasons/${line.code}">${escapeHtml(reasonOf(line.code).title[language])}</a>`
  return `${cls}${escapeHtml(words.codes[line.code as 'filed'] ?? words.classes[line.code as 'technical'] ?? line.code)}`
}
