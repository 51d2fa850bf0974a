import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RulePage, RuleView } from '../../../protocol/messages.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { explain, reasonOf } from '../../../protocol/reasons.ts'
import { Type } from '../../../protocol/schema.ts'
import { readForm } from '../../../protocol/wire/form.ts'
import { comment, findTexts, inForce, newestCommentsOn, shelf, TEXT_KINDS, versionsOf, type RuleText, type TextKind } from '../../domain/rulebook/index.ts'
import { escapeHtml } from '../../kernel/html.ts'
import { visitorOf } from '../address.ts'
import type { Hub } from '../hub.ts'
import { answer, problems } from '../pipeline.ts'
import { langOf, type Lang } from '../problem.ts'

const PAGE = 200
const COMMENTS_SHOWN = 200
const MOST_COMMENT = 2_000

const SHELF_QUERY = Type.Object({ kind: Type.Optional(Type.String({ maxLength: 40 })), cursor: Type.Optional(Type.String({ maxLength: 64 })) }, { additionalProperties: false })

const STYLE = `:root{color-scheme:light}body{font:16px/1.65 system-ui,-apple-system,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:46rem;margin:0 auto;padding:1.5rem 1.2rem 3rem;color:#1c2733;background:#fff;overflow-wrap:anywhere}
header{display:flex;justify-content:space-between;border-bottom:1px solid #dfe7ec;padding-bottom:.6rem;margin-bottom:1.4rem;color:#5b6b7a;font-size:.9rem}h1{font-size:1.4rem;line-height:1.4}h2{font-size:1.05rem;margin-top:2rem;color:#0b6e8f}a{color:#0b6e8f}
.standing{display:inline-block;padding:.1rem .7rem;border-radius:1rem;font-size:.9rem;font-weight:600}.now{background:#e6f4ea;color:#1c6b35}.soon{background:#fdf0e3;color:#8a4b08}.past{background:#eef3f6;color:#5b6b7a}
.text{white-space:pre-wrap;background:#f7fafb;border:1px solid #dfe7ec;border-radius:6px;padding:1rem 1.1rem}dl{border-top:1px solid #eef3f6}dl div{display:grid;grid-template-columns:9rem 1fr;gap:0 1rem;padding:.4rem 0;border-bottom:1px solid #eef3f6}dt{color:#5b6b7a}dd{margin:0}
ul{padding-left:1.2rem}li{margin:.4rem 0}small,code{color:#5b6b7a}code{font:.85em ui-monospace,Menlo,Consolas,monospace}textarea{width:100%;box-sizing:border-box;font:inherit;padding:.6rem;border:1px solid #b9c7d1;border-radius:6px}button{font:inherit;padding:.45rem 1.2rem;border:0;border-radius:6px;background:#0b6e8f;color:#fff}
@media(max-width:34rem){dl div{grid-template-columns:1fr}}`

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
  'referrer-policy': 'same-origin', 'x-content-type-options': 'nosniff', 'content-type': 'text/html; charset=utf-8',
}

type Pair = readonly [zh: string, en: string]
const KINDS: Readonly<Record<TextKind, Pair>> = { rule: ['规则', 'Rule'], contract_template: ['合同模板', 'Contract template'], price_rule: ['价格规则', 'Price rule'], guide: ['指南', 'Guide'] }

/** What everybody may read without a key: the texts that partners are held to, as pages and as JSON. */
export function ruleRoutes(app: FastifyInstance, hub: Hub): void {
  const json = (schema: object) => ({ 200: { description: 'The answer', content: { 'application/json': { schema } } }, ...problems })
  app.get('/api/rules', { schema: { summary: 'Published rules, contract templates, price rules and guides: the newest version of each', tags: ['public'], querystring: SHELF_QUERY, response: json(RulePage) } }, async (request, reply) => {
    const { kind, cursor = '' } = request.query as { kind?: string; cursor?: string }
    const bad = kind !== undefined && !(TEXT_KINDS as readonly string[]).includes(kind) ? refuse('protocol.invalid_field', { path: '?/kind', expected: `one of ${TEXT_KINDS.join(', ')}` }) : null
    if (bad) return answer(hub, request, reply, bad)
    const texts = await shelf(hub.db, (kind as TextKind | undefined) ?? null, String(cursor).slice(0, 64), PAGE)
    return answer(hub, request, reply, accept({ status: 200, body: { items: texts.map((text) => presentRule(text, hub)), next: texts.length === PAGE ? texts.at(-1)!.slug : null } }))
  })
  app.get('/api/rules/:rule', { schema: { summary: 'One version of a published text, or the version of a name that counts now', tags: ['public'], response: json(RuleView) } }, async (request, reply) => {
    const found = await find(hub, (request.params as { rule: string }).rule)
    return answer(hub, request, reply, found ? accept({ status: 200, body: presentRule(found, hub) }) : refuse('rulebook.text_not_found', { rule: (request.params as { rule: string }).rule.slice(0, 64) }))
  })

  const hidden = { schema: { hide: true } as never }
  app.get('/rules', hidden, async (request, reply) => {
    const lang = languageOf(request)
    return show(reply, 200, lang, lang === 'zh' ? '公示规则' : 'Published rules', await shelfBody(hub, lang))
  })
  app.get('/rules/:slug', hidden, async (request, reply) => {
    const { slug } = request.params as { slug: string }
    const versions = await versionsOf(hub.db, slug.slice(0, 64))
    const wanted = Number((request.query as { version?: string }).version ?? Number.NaN)
    const shown = versions.find((one) => one.version === wanted) ?? inForce(versions, new Date(hub.clock.nowMs())) ?? versions[0]
    const lang = languageOf(request)
    if (!shown) return refuseTo(reply, lang, refuse('rulebook.text_not_found', { rule: slug.slice(0, 64) }))
    return show(reply, 200, lang, shown.title[lang], await textBody(hub, shown, versions, lang))
  })
  app.post('/rules/:slug/comments', { ...hidden, bodyLimit: 16 * 1024 }, async (request, reply) => {
    const lang = languageOf(request)
    const heard = await hear(hub, request)
    if (!heard.ok) return refuseTo(reply, lang, heard)
    return reply.redirect(`/rules/${encodeURIComponent(heard.value.slug)}?version=${heard.value.version}${lang === 'zh' ? '' : '&lang=en'}#comments`, 303)
  })
}

/** A version by its id, or by its name the one that counts now, else the newest. */
async function find(hub: Hub, named: string): Promise<RuleText | undefined> {
  const [exact] = await findTexts(hub.db, [named.slice(0, 64)])
  if (exact) return exact
  const versions = await versionsOf(hub.db, named.slice(0, 64))
  return inForce(versions, new Date(hub.clock.nowMs())) ?? versions[0]
}

/** A comment from the form of the page. It is taken from our own page only, and few an address and minute. */
async function hear(hub: Hub, request: FastifyRequest): Promise<Outcome<RuleText>> {
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return refuse('protocol.invalid_field', { path: 'sec-fetch-site', expected: 'a form of this site itself' })
  const commenter = `rule ${visitorOf(request)}`
  const nowMs = hub.clock.nowMs()
  const admitted = hub.limiter.admits(commenter, nowMs)
  if (!admitted.ok) return refuse('platform.rate_limited', { allowed: `${hub.limiter.options.failuresPerMinute} comments a minute`, retryAfterS: admitted.refusal.retryAfterS ?? 60 }, { retryAfterS: admitted.refusal.retryAfterS ?? 60 })
  hub.limiter.failed(commenter, nowMs)
  const form = readForm((request.body as Buffer | undefined) ?? Buffer.alloc(0))
  if (!form.ok) return form
  const [body, version] = [form.value.get('comment'), form.value.get('version')]
  if (typeof body !== 'string' || body.trim() === '' || body.length > MOST_COMMENT) return refuse('protocol.invalid_field', { path: '/comment', expected: `1 to ${MOST_COMMENT} characters` })
  const versions = await versionsOf(hub.db, (request.params as { slug: string }).slug.slice(0, 64))
  const text = versions.find((one) => String(one.version) === version)
  if (!text) return refuse('rulebook.text_not_found', { rule: (request.params as { slug: string }).slug.slice(0, 64) })
  const kept = await comment(hub.db, { id: hub.ids.make('cmt', nowMs), text: text.id, docking: null, body: body.trim() })
  return kept.ok ? accept(text) : kept
}

export function presentRule(text: RuleText, hub: Pick<Hub, 'publicUrl' | 'clock'>) {
  const { id, kind, slug, version, title, sha256, resalePrice, legalBasis, relief, supersedes, publishedAt, effectiveAt } = text
  return {
    id, kind, slug, version, title, text: text.text, sha256, resalePrice, legalBasis, relief, supersedes, publishedAt: publishedAt.toISOString(), effectiveAt: effectiveAt.toISOString(),
    commentsOpen: hub.clock.nowMs() < effectiveAt.getTime(), page: `${hub.publicUrl}/rules/${slug}?version=${version}`,
  }
}

async function shelfBody(hub: Hub, lang: Lang): Promise<string> {
  const texts = await shelf(hub.db, null, '', PAGE)
  const say = (zh: string, en: string) => (lang === 'zh' ? zh : en)
  const items = texts.map((text) => `<li><a href="/rules/${text.slug}?version=${text.version}${lang === 'zh' ? '' : '&amp;lang=en'}">${escapeHtml(text.title[lang])}</a> ${standing(text, hub, lang)}<br><small>${KINDS[text.kind][lang === 'zh' ? 0 : 1]} · ${say(`第 ${text.version} 版`, `version ${text.version}`)}</small></li>`)
  return `<h1>${say('公示规则', 'Published rules')}</h1><p>${say('约束对接方的规则、合同模板与价格规则都在这里；变更提前七天公示，公示期内任何人都可以提意见。', 'All that dockings are held to stands here. A change is published seven days before it counts, and until then anybody may comment on it.')}</p>${
    items.length === 0 ? `<p>${say('尚未公示任何文本。', 'Nothing has been published yet.')}</p>` : `<ul>${items.join('')}</ul>`}`
}

function standing(text: RuleText, hub: Hub, lang: Lang): string {
  const soon = hub.clock.nowMs() < text.effectiveAt.getTime()
  return `<span class="standing ${soon ? 'soon' : 'now'}">${soon ? (lang === 'zh' ? `公示中，${day(text.effectiveAt)} 起施行` : `counts from ${day(text.effectiveAt)}`) : lang === 'zh' ? '施行中' : 'in force'}</span>`
}

async function textBody(hub: Hub, text: RuleText, versions: readonly RuleText[], lang: Lang): Promise<string> {
  const say = (zh: string, en: string) => (lang === 'zh' ? zh : en)
  const comments = await newestCommentsOn(hub.db, text.id, COMMENTS_SHOWN)
  const open = hub.clock.nowMs() < text.effectiveAt.getTime()
  const counting = inForce(versions, new Date(hub.clock.nowMs()))
  const over = !open && counting !== null && counting.version > text.version
  const tail = lang === 'zh' ? '' : '&amp;lang=en'
  const rows: [string, string][] = [
    [say('类别', 'Kind'), KINDS[text.kind][lang === 'zh' ? 0 : 1]], [say('编号', 'Id'), `<code>${text.id}</code>`], [say('公布', 'Published'), day(text.publishedAt)], [say('施行', 'Counts from'), day(text.effectiveAt)],
    ...(text.relief === null ? [] : [[say('免公示期的理由', 'Why without notice'), escapeHtml(text.relief)] as [string, string]]),
    ...(text.resalePrice ? [[say('最低转售价的法律依据', 'Law behind the least resale price'), text.legalBasis === null ? say('无：仅可据此提醒', 'none: it grounds a warning only') : escapeHtml(text.legalBasis)] as [string, string]] : []),
    ['SHA-256', `<code>${text.sha256}</code>`],
    [say('各版本', 'Versions'), versions.map((one) => `<a href="?version=${one.version}${tail}">${one.version}</a>`).join(' · ')],
  ]
  return `<h1>${escapeHtml(text.title[lang])}</h1>${over ? `<span class="standing past">${say('已被新版本取代', 'superseded')}</span>` : standing(text, hub, lang)}
<dl>${rows.map(([term, value]) => `<div><dt>${term}</dt><dd>${value}</dd></div>`).join('')}</dl><div class="text">${escapeHtml(text.text[lang])}</div>
<h2 id="comments">${say('意见', 'Comments')}</h2>${comments.length === 0 ? `<p>${say('还没有意见。', 'None yet.')}</p>` : `<ul>${comments.map((one) => `<li>${escapeHtml(one.body)}<br><small>${one.docking === null ? say('公众', 'the public') : say('对接方', 'a docking')} · ${day(one.at)}</small></li>`).join('')}</ul>`}
${open ? `<form method="post" action="/rules/${text.slug}/comments${lang === 'zh' ? '' : '?lang=en'}"><input type="hidden" name="version" value="${text.version}"><p><label>${say('公示期内任何人都可以提意见（最多 2000 字）', 'Anybody may comment until the text counts (up to 2,000 characters)')}<textarea name="comment" rows="5" maxlength="${MOST_COMMENT}" required></textarea></label></p><button>${say('提交意见', 'Send')}</button></form>` : ''}`
}

function day(time: Date): string {
  return new Date(time.getTime() + 8 * 3_600_000).toISOString().slice(0, 16).replace('T', ' ')
}

function refuseTo(reply: FastifyReply, lang: Lang, { refusal }: Extract<Outcome<never>, { ok: false }>): FastifyReply {
  const reason = reasonOf(refusal.code)
  if (refusal.retryAfterS !== undefined) reply.header('retry-after', String(refusal.retryAfterS))
  return show(reply, reason.status, lang, reason.title[lang], `<h1>${escapeHtml(reason.title[lang])}</h1><p>${escapeHtml(explain(refusal, lang))}</p>`)
}

function show(reply: FastifyReply, status: number, lang: Lang, title: string, inside: string): FastifyReply {
  for (const name in HEADERS) reply.header(name, HEADERS[name])
  const other = lang === 'zh' ? '<a href="?lang=en" hreflang="en" lang="en">English</a>' : '<a href="?lang=zh" hreflang="zh" lang="zh-CN">中文</a>'
  return reply.code(status).header('content-language', lang).send(`<!doctype html>
<html lang="${lang === 'zh' ? 'zh-CN' : 'en'}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>
<header><a href="/rules${lang === 'zh' ? '' : '?lang=en'}">${lang === 'zh' ? '泊位 · 公示规则' : 'Berth · published rules'}</a>${other}</header><main>
${inside}
</main></body></html>
`)
}

function languageOf(request: FastifyRequest): Lang {
  const { lang } = request.query as { lang?: unknown }
  return lang === 'zh' || lang === 'zh-CN' ? 'zh' : lang === 'en' ? 'en' : langOf(request.headers['accept-language'])
}
