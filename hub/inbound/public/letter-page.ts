import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { reasonOf, explain } from '../../../protocol/reasons.ts'
import type { Refusal } from '../../../protocol/outcome.ts'
import type { Language } from '../../domain/letters/index.ts'
import { escapeHtml } from '../../kernel/html.ts'
import type { Hub } from '../hub.ts'
import { langOf } from '../problem.ts'

const STYLE = `:root{color-scheme:light}body{font:16px/1.65 system-ui,-apple-system,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:46rem;margin:0 auto;padding:1.5rem 1.2rem 3rem;color:#1c2733;background:#fff;overflow-wrap:anywhere}
header{display:flex;justify-content:space-between;align-items:baseline;border-bottom:1px solid #dfe7ec;padding-bottom:.6rem;margin-bottom:1.6rem;color:#5b6b7a;font-size:.9rem}
h1{font-size:1.4rem;line-height:1.4;margin:.6rem 0 .8rem}h2{font-size:1.05rem;margin:2rem 0 .4rem;color:#0b6e8f}a{color:#0b6e8f}p{margin:.4rem 0}.lead{font-size:1.05rem}
.standing{display:inline-block;margin:0;padding:.1rem .7rem;border-radius:1rem;font-size:.9rem;font-weight:600}.held,.low{background:#fdf0e3;color:#8a4b08}.over{background:#e6f4ea;color:#1c6b35}
dl{margin:0;border-top:1px solid #eef3f6}dl div{display:grid;grid-template-columns:10.5rem 1fr;gap:0 1rem;padding:.45rem 0;border-bottom:1px solid #eef3f6}dt{color:#5b6b7a}dd{margin:0}
form{margin:1rem 0 0;padding:1rem 1.2rem 1.2rem;border:1px solid #dfe7ec;border-radius:8px;background:#f8fafb}label{display:block;font-weight:600;margin:.9rem 0 .3rem}label:first-of-type{margin-top:0}
textarea,input[type=file]{box-sizing:border-box;width:100%;font:inherit;color:inherit;background:#fff;border:1px solid #8a9aa8;border-radius:6px;padding:.55rem .7rem}textarea{min-height:9rem;resize:vertical}
textarea:focus-visible,input:focus-visible,button:focus-visible,summary:focus-visible{outline:3px solid #0b6e8f;outline-offset:2px}.hint{color:#5b6b7a;font-size:.9rem;margin:.3rem 0 0}
button{font:inherit;font-weight:600;margin-top:1.1rem;padding:.6rem 1.4rem;border:0;border-radius:6px;background:#0b6e8f;color:#fff;cursor:pointer}button.plain{background:#fff;color:#8a2a1f;border:1px solid #c9a09b}
details{margin-top:1rem}details form{margin-top:.6rem}summary{color:#5b6b7a;cursor:pointer}.done,.wrong{padding:.6rem 1rem;border-radius:6px;margin:1rem 0}.jump a{display:inline-block;margin-top:.5rem;padding:.35rem .9rem;border:1px solid #0b6e8f;border-radius:6px;text-decoration:none;font-weight:600}.done{background:#e6f4ea;color:#1c6b35}.wrong{background:#fbe9e7;color:#8a2a1f}
footer{margin-top:2.4rem;color:#5b6b7a;font-size:.85rem}@media(max-width:34rem){dl div{grid-template-columns:1fr}form{padding:.8rem .9rem 1rem}button{width:100%}dt{font-size:.9rem}h1{font-size:1.25rem}}`

/** The page loads nothing, is framed by nobody, sends at most its own form to its own hub, and its one style is named by its hash. */
const POLICY = (formAction: string) => `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action ${formAction}; frame-ancestors 'none'`
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')
const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-robots-tag': 'noindex, nofollow, noarchive', 'x-content-type-options': 'nosniff', 'content-type': 'text/html; charset=utf-8',
}

const FOOTER: Readonly<Record<Language, string>> = {
  'zh-CN': '持有此链接者即可查看本页，请勿转发。页面内容为打开时的最新状态。',
  en: 'Whoever has this link can read this page: do not pass it on. It shows how things stand at the moment it is opened.',
}

/** A refusal as a page, in the words of its reason. */
export function refuseTo(hub: Hub, request: FastifyRequest, reply: FastifyReply, language: Language, refusal: Refusal): FastifyReply {
  const reason = reasonOf(refusal.code)
  const lang = language === 'zh-CN' ? 'zh' : 'en'
  hub.metrics.refusals.inc({ code: refusal.code, class: reason.class })
  if (refusal.retryAfterS !== undefined) reply.header('retry-after', String(refusal.retryAfterS))
  return show(reply, reason.status, language, reason.title[lang], simple(reason.title[lang], sentenceOf(request, refusal, language)))
}

/** The one sentence of a refusal, in the language of the page. */
export function sentenceOf(request: FastifyRequest, refusal: Refusal, language: Language): string {
  const reason = reasonOf(refusal.code)
  const because = reason.because.includes('requestId') ? { ...refusal.because, requestId: request.id } : refusal.because
  return explain({ code: refusal.code, because }, language === 'zh-CN' ? 'zh' : 'en')
}

export function simple(title: string, text: string): string {
  return `<h1>${escapeHtml(title)}</h1>\n<p class="lead">${escapeHtml(text)}</p>`
}

/** @param hasForm whether the page may send a form to its own hub */
export function show(reply: FastifyReply, status: number, language: Language, title: string, inside: string, hasForm = false): FastifyReply {
  const other = language === 'zh-CN' ? '<a href="?lang=en" hreflang="en" lang="en">English</a>' : '<a href="?lang=zh-CN" hreflang="zh-CN" lang="zh-CN">中文</a>'
  for (const name in HEADERS) reply.header(name, HEADERS[name])
  reply.header('content-security-policy', POLICY(hasForm ? "'self'" : "'none'"))
  return reply.code(status).header('content-language', language).send(`<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex,nofollow"><title>${escapeHtml(title)}</title>
<style>${STYLE}</style></head><body>
<header><span>${language === 'zh-CN' ? '泊位 · 主站通知' : 'Berth · notice of the main site'}</span>${other}</header>
<main>
${inside}
</main>
${status === 200 ? `<footer><p>${FOOTER[language]}</p></footer>` : ''}
</body></html>
`)
}

export function askedLanguage(request: FastifyRequest): Language | null {
  const { lang } = request.query as { lang?: unknown }
  return lang === 'zh-CN' || lang === 'zh' ? 'zh-CN' : lang === 'en' ? 'en' : null
}

/** A page that belongs to nobody is in the reader's language. */
export function preferred(request: FastifyRequest): Language {
  return langOf(request.headers['accept-language']) === 'zh' ? 'zh-CN' : 'en'
}
