import { reasonOf, type Reason, type ReasonCode } from '../../../protocol/reasons.ts'
import { escapeHtml } from '../../kernel/html.ts'
import type { Lang } from '../problem.ts'

/** The halves of a reason page as its headings name them, with the link that leads the reader of the other one there. */
const HALVES: Readonly<Record<Lang, { heading: string; tag: string; jump: string }>> = {
  en: { heading: '## English', tag: 'en', jump: 'English' },
  zh: { heading: '## 中文', tag: 'zh-CN', jump: '中文' },
}

const CLASSES: Readonly<Record<Reason['class'], string>> = { technical: '技术类', commercial: '商业类', compliance: '合规类' }
const RETRIES: Readonly<Record<Reason['retry'], string>> = { never: '原样重试无用', after_change: '改正后可再试', same_request_after: '稍后可原样重试' }

/**
 * The page of a code as HTML, the half in the reader's language in front. Reason pages are our own files in a small part
 * of markdown: headings, paragraphs, lists, code.
 */
export function renderPage(code: ReasonCode, markdown: string, lang: Lang): string {
  const other: Lang = lang === 'zh' ? 'en' : 'zh'
  const { title, class: cls, status, retry } = reasonOf(code)
  const facts = lang === 'zh' ? `${CLASSES[cls]} · HTTP ${status} · ${RETRIES[retry]}` : `${cls} · HTTP ${status} · retry: ${retry}`
  return `<!doctype html><html lang="${HALVES[lang].tag}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(`${title[lang]} · ${code}`)}</title>
<style>body{font:16px/1.65 system-ui,-apple-system,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:46rem;margin:2.5rem auto;padding:0 1.2rem;color:#1c2733;background:#fff;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.4;border-bottom:2px solid #0b6e8f;padding-bottom:.4rem}h2{font-size:1.2rem;margin-top:2.4rem;color:#0b6e8f}h3{font-size:1rem;margin:1.4rem 0 .2rem}nav{float:right;font-size:.9rem}.facts{color:#5b6b7a}
code{font:.9em ui-monospace,Menlo,Consolas,monospace;background:#eef3f6;padding:.1em .3em;border-radius:3px}pre{background:#f4f7f9;border:1px solid #dfe7ec;padding:.8rem 1rem;overflow:auto;overflow-wrap:normal;border-radius:6px}pre code{background:none;padding:0}a{color:#0b6e8f}</style>
</head><body><nav><a href="#${other}" lang="${HALVES[other].tag}">${HALVES[other].jump}</a></nav><h1>${escapeHtml(title[lang])}</h1>
<p class="facts"><code>${code}</code> · ${facts}</p>
${[lang, other].map((half) => `<section id="${half}" lang="${HALVES[half].tag}">${blocks(halfOf(markdown, half))}</section>`).join('\n')}</body></html>`
}

/** From its heading to the heading of the next half or the end. A guard holds every page to both halves. */
function halfOf(markdown: string, lang: Lang): string {
  const begins = markdown.indexOf(`\n${HALVES[lang].heading}\n`) + 1
  const ends = markdown.indexOf('\n## ', begins)
  return ends < 0 ? markdown.slice(begins) : markdown.slice(begins, ends)
}

/** A line that ends in Chinese goes on without a blank, which Chinese does not have between sentences. */
const AFTER_HAN = /([\p{Script=Han}\u3000-\u303f\uff00-\uffef])\n/gu

function blocks(markdown: string): string {
  const html: string[] = []
  const lines = markdown.split('\n')
  for (let i = 0; i < lines.length; ) {
    const line = lines[i]!
    if (line.startsWith('```')) {
      const code: string[] = []
      for (i++; i < lines.length && !lines[i]!.startsWith('```'); i++) code.push(lines[i]!)
      i++
      html.push(`<pre><code>${escapeHtml(code.join('\n'))}</code></pre>`)
      continue
    }
    const heading = /^(#{1,4}) (.+)$/.exec(line)
    if (heading) html.push(`<h${heading[1]!.length}>${inline(heading[2]!)}</h${heading[1]!.length}>`)
    else if (/^([-*]|\d+\.) /.test(line)) {
      const tag = /^\d/.test(line) ? 'ol' : 'ul'
      const items: string[] = []
      for (; i < lines.length && (/^([-*]|\d+\.) /.test(lines[i]!) || (/^\s+\S/.test(lines[i]!) && items.length > 0)); i++) {
        if (/^([-*]|\d+\.) /.test(lines[i]!)) items.push(lines[i]!.replace(/^([-*]|\d+\.) /, ''))
        else items[items.length - 1] += ` ${lines[i]!.trim()}`
      }
      html.push(`<${tag}>${items.map((item) => `<li>${inline(item)}</li>`).join('')}</${tag}>`)
      continue
    } else if (line.trim() !== '') {
      const words = [line]
      while (i + 1 < lines.length && lines[i + 1]!.trim() !== '' && !/^(#{1,4} |```|[-*] |\d+\. )/.test(lines[i + 1]!)) words.push(lines[++i]!)
      html.push(`<p>${inline(words.join('\n').replace(AFTER_HAN, '$1'))}</p>`)
    }
    i++
  }
  return html.join('\n')
}

function inline(text: string): string {
  return text.split(/(`[^`]+`)/).map((part) =>
    part.startsWith('`') && part.endsWith('`') && part.length > 1
      ? `<code>${escapeHtml(part.slice(1, -1))}</code>`
      : escapeHtml(part).replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>').replace(/\[([^\]]+)\]\((https?:\/\/[^)\s]+|[\w./#-]+)\)/g, '<a href="$2">$1</a>')).join('')
}
