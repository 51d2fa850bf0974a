import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { reasonOf, explain } from '../../../protocol/reasons.ts'
import { refuse, type Refusal } from '../../../protocol/outcome.ts'
import type { Language } from '../../domain/letters/index.ts'
import { escapeHtml } from '../../kernel/html.ts'
import { addressOf } from '../address.ts'
import type { Hub } from '../hub.ts'
import { refusalOfError } from '../pipeline.ts'
import { langOf } from '../problem.ts'

const STYLE = `:root{color-scheme:light}body{font:16px/1.65 system-ui,-apple-system,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:46rem;margin:0 auto;padding:1.5rem 1.2rem 3rem;color:#1c2733;background:#fff;overflow-wrap:anywhere}
header{display:flex;justify-content:space-between;align-items:baseline;border-bottom:1px solid #dfe7ec;padding-bottom:.6rem;margin-bottom:1.6rem;color:#5b6b7a;font-size:.9rem}
h1{font-size:1.4rem;line-height:1.4;margin:.6rem 0 .8rem}h2{font-size:1.05rem;margin:2rem 0 .4rem;color:#0b6e8f}a{color:#0b6e8f}p{margin:.4rem 0}.lead{font-size:1.05rem}
.standing{display:inline-block;margin:0;padding:.1rem .7rem;border-radius:1rem;font-size:.9rem;font-weight:600}.held,.low{background:#fdf0e3;color:#8a4b08}.over{background:#e6f4ea;color:#1c6b35}
dl{margin:0;border-top:1px solid #eef3f6}dl div{display:grid;grid-template-columns:10.5rem 1fr;gap:0 1rem;padding:.45rem 0;border-bottom:1px solid #eef3f6}dt{color:#5b6b7a}dd{margin:0}
footer{margin-top:2.4rem;color:#5b6b7a;font-size:.85rem}@media(max-width:34rem){dl div{grid-template-columns:1fr}dt{font-size:.9rem}h1{font-size:1.25rem}}`

/** The page loads nothing, sends nothing, is framed by nobody, and its one style is named by its hash. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-robots-tag': 'noindex, nofollow, noarchive', 'x-content-type-options': 'nosniff', 'content-type': 'text/html; charset=utf-8',
}

const NOT_FOUND: Readonly<Record<Language, readonly [title: string, text: string]>> = {
  'zh-CN': ['链接无效或已过期', '没有与此链接对应的通知。链接在处理决定终止 90 天后失效，联系人被移除后也会失效。如需查看，请联系主站运营人员。'],
  en: ['The link is not valid, or has run out', 'No notice belongs to this link. A link ends 90 days after its decision has ended, and when its contact is removed. To read on, ask the operator of the main site.'],
}

const FOOTER: Readonly<Record<Language, string>> = {
  'zh-CN': '持有此链接者即可查看本页，请勿转发。页面内容为打开时的最新状态。',
  en: 'Whoever has this link can read this page: do not pass it on. It shows how things stand at the moment it is opened.',
}

/** What a person reads who was sent a link: no docking, no key, no cookie, and nothing but GET. */
export function linkRoutes(app: FastifyInstance, hub: Hub): void {
  app.get('/n/:token', { schema: { hide: true } as never }, async (request, reply) => {
    const { token } = request.params as { token: string }
    const asked = askedLanguage(request)
    const language = asked ?? preferred(request)
    try {
      const page = await hub.notices.open(token, asked)
      if (page) return show(reply, 200, page.letter.language, page.letter.title, page.html)
    } catch (error) {
      const refusal = refusalOfError(error)
      if (refusal.code === 'platform.internal_error') hub.log.error({ err: error, requestId: request.id }, 'a bug')
      return refuseTo(hub, request, reply, language, refusal)
    }
    // A right link always opens, however often others have guessed from behind the same address; guesses are counted apart from sign-ins.
    const guesser = `n ${addressOf(request)}`
    hub.limiter.failed(guesser, hub.clock.nowMs())
    const admitted = hub.limiter.admits(guesser, hub.clock.nowMs())
    if (!admitted.ok) {
      const { retryAfterS = 60 } = admitted.refusal
      return refuseTo(hub, request, reply, language, refuse('platform.rate_limited', { allowed: `${hub.limiter.options.failuresPerMinute} wrong links a minute`, retryAfterS }, { retryAfterS }).refusal)
    }
    const [title, text] = NOT_FOUND[language]
    return show(reply, 404, language, title, simple(title, text))
  })
}

function refuseTo(hub: Hub, request: FastifyRequest, reply: FastifyReply, language: Language, refusal: Refusal): FastifyReply {
  const reason = reasonOf(refusal.code)
  const lang = language === 'zh-CN' ? 'zh' : 'en'
  hub.metrics.refusals.inc({ code: refusal.code, class: reason.class })
  if (refusal.retryAfterS !== undefined) reply.header('retry-after', String(refusal.retryAfterS))
  const because = reason.because.includes('requestId') ? { ...refusal.because, requestId: request.id } : refusal.because
  return show(reply, reason.status, language, reason.title[lang], simple(reason.title[lang], explain({ code: refusal.code, because }, lang)))
}

function simple(title: string, text: string): string {
  return `<h1>${escapeHtml(title)}</h1>\n<p class="lead">${escapeHtml(text)}</p>`
}

function show(reply: FastifyReply, status: number, language: Language, title: string, inside: string): FastifyReply {
  const other = language === 'zh-CN' ? '<a href="?lang=en" hreflang="en" lang="en">English</a>' : '<a href="?lang=zh-CN" hreflang="zh-CN" lang="zh-CN">中文</a>'
  for (const name in HEADERS) reply.header(name, HEADERS[name])
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

function askedLanguage(request: FastifyRequest): Language | null {
  const { lang } = request.query as { lang?: unknown }
  return lang === 'zh-CN' || lang === 'zh' ? 'zh-CN' : lang === 'en' ? 'en' : null
}

/** A page that belongs to nobody is in the reader's language. */
function preferred(request: FastifyRequest): Language {
  return langOf(request.headers['accept-language']) === 'zh' ? 'zh-CN' : 'en'
}
