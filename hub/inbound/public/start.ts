import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { accept, refuse, type Outcome, type Refusal } from '../../../protocol/outcome.ts'
import { explain, reasonOf } from '../../../protocol/reasons.ts'
import { SandboxApplication, SandboxOpened } from '../../../protocol/sandbox.ts'
import type { Static } from '../../../protocol/schema.ts'
import { readForm } from '../../../protocol/wire/form.ts'
import { escapeHtml } from '../../kernel/html.ts'
import { addressOf } from '../address.ts'
import type { Hub } from '../hub.ts'
import { presentOpened } from '../partner/sandbox.ts'
import { answer, problems, readBody, refusalOfError } from '../pipeline.ts'
import { langOf } from '../problem.ts'
import { reader } from '../shape.ts'
import { isOwnForm } from './own-form.ts'

type Application = Static<typeof SandboxApplication>
type Opened = Static<typeof SandboxOpened>
type Language = 'zh' | 'en'

const check = reader(SandboxApplication, '')

/** A sandbox for whoever asks: no key, no person in between, bounded for each network and for the whole hub. */
export function applicationRoutes(app: FastifyInstance, hub: Hub): void {
  app.post('/api/sandbox/applications', {
    schema: {
      summary: 'Open a sandbox at once; its credentials are shown this once', tags: ['public'], body: SandboxApplication,
      response: { 201: { description: 'The answer', content: { 'application/json': { schema: SandboxOpened } } }, ...problems },
    },
  }, async (request, reply) => {
    const json = readBody(request, (request.body as Buffer | undefined) ?? Buffer.alloc(0))
    const opened = json.ok ? await apply(hub, request, json.value) : json
    return answer(hub, request, reply, opened.ok ? accept({ status: 201, body: opened.value, headers: { 'cache-control': 'no-store' } }) : opened)
  })
}

async function apply(hub: Hub, request: FastifyRequest, asked: unknown): Promise<Outcome<Opened>> {
  const checked = check(asked) as Outcome<Application>
  if (!checked.ok) return checked
  const { name, dialect, contact } = checked.value
  const opened = await hub.sandboxes.apply({ name, dialect: dialect === 'acg' ? 'acg0' : 'json', contact: contact ?? null, address: addressOf(request) })
  if (!opened.ok) return opened
  hub.keys.forget(opened.value.docking.id)
  return accept((await presentOpened(hub, opened.value.docking, opened.value.credentials)) as Opened)
}

const STYLE = `:root{color-scheme:light}body{font:16px/1.65 system-ui,-apple-system,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:46rem;margin:0 auto;padding:1.5rem 1.2rem 3rem;color:#1c2733;background:#fff;overflow-wrap:anywhere}
header{display:flex;justify-content:space-between;border-bottom:1px solid #dfe7ec;padding-bottom:.6rem;margin-bottom:1.6rem;color:#5b6b7a;font-size:.9rem}h1{font-size:1.4rem;line-height:1.4;margin:.6rem 0 .8rem}h2{font-size:1.05rem;margin:2rem 0 .4rem;color:#0b6e8f}a{color:#0b6e8f}
label{display:block;margin:1rem 0 .2rem}input,select,button{font:inherit;padding:.45rem .6rem;border:1px solid #b9c7d0;border-radius:6px;width:100%;box-sizing:border-box;background:#fff;color:inherit}button{margin-top:1.4rem;background:#0b6e8f;color:#fff;border-color:#0b6e8f;font-weight:600}
pre{background:#f4f7f9;border:1px solid #dfe7ec;padding:.8rem 1rem;overflow:auto;border-radius:6px;font:.9em/1.5 ui-monospace,Menlo,Consolas,monospace}.no{background:#fdf0e3;color:#8a4b08;padding:.6rem .9rem;border-radius:6px}
dl{margin:0;border-top:1px solid #eef3f6}dl div{display:grid;grid-template-columns:10rem 1fr;gap:0 1rem;padding:.45rem 0;border-bottom:1px solid #eef3f6}dt{color:#5b6b7a}dd{margin:0;font:.92em ui-monospace,Menlo,Consolas,monospace}@media(max-width:34rem){dl div{grid-template-columns:1fr}}`

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
  'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff', 'content-type': 'text/html; charset=utf-8',
}

const WORDS = {
  zh: {
    head: '泊位 · 自助沙箱', title: '马上开一个沙箱', lead: '无需注册、无需人工：填写名称，立即得到一套沙箱凭据、测试余额与测试卡密。沙箱与正式环境的资金、卡密、密钥完全分开。',
    name: '平台名称', dialect: '对接协议', json: '开放接口（JSON）', acg: '异次元发卡（acg-faka）店铺', contact: '邮箱（选填）', button: '开通沙箱',
    opened: '沙箱已开通', once: '以下凭据只显示这一次，请立即保存。30 天无请求的沙箱会自动结束。', try: '接着试试', save: '把它存成文件（其他 berth 命令会直接使用）：', shop: '在发卡系统后台填写：店铺地址填“接口地址”，商户ID 填 appId，商户密钥填 appKey。',
    labels: { baseUrl: '接口地址', docking: '对接编号', available: '测试余额（元）' } as Record<string, string>,
  },
  en: {
    head: 'Berth · sandbox for everybody', title: 'Open a sandbox now', lead: 'No account and no person in between: say what your platform is called and get credentials, test money and test cards at once. Money, cards and keys of a sandbox have nothing to do with the live ones.',
    name: 'Name of your platform', dialect: 'Protocol', json: 'The open API (JSON)', acg: 'A shop of the acg-faka family', contact: 'E-mail (not needed)', button: 'Open the sandbox',
    opened: 'Your sandbox is open', once: 'The credentials below are shown this once: keep them now. A sandbox without a request for 30 days ends by itself.', try: 'Try next', save: 'Keep it in a file, which the other berth commands then use:', shop: 'Enter in the shop: the address as its base address, appId as merchant id, appKey as merchant key.',
    labels: { baseUrl: 'address', docking: 'docking', available: 'test money (yuan)' } as Record<string, string>,
  },
} as const

/** The same as a page: a form without a script, in both languages. */
export function startRoutes(app: FastifyInstance, hub: Hub): void {
  const hidden = { schema: { hide: true } as never }
  app.get('/start', hidden, (request, reply) => show(reply, 200, languageOf(request), form(languageOf(request), null)))
  app.post('/start', hidden, async (request, reply) => {
    const language = languageOf(request)
    try {
      const opened = await applyByForm(hub, request)
      if (opened.ok) return show(reply, 201, language, openedPage(language, opened.value))
      return refuseTo(hub, request, reply, language, opened.refusal)
    } catch (error) {
      const refusal = refusalOfError(error)
      if (refusal.code === 'platform.internal_error') hub.log.error({ err: error, requestId: request.id }, 'a bug')
      return refuseTo(hub, request, reply, language, refusal)
    }
  })
}

async function applyByForm(hub: Hub, request: FastifyRequest): Promise<Outcome<Opened>> {
  if (!isOwnForm(request, hub.publicUrl)) return refuse('protocol.invalid_field', { path: '/origin', expected: 'a form that is sent from this page' })
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '')) {
    return refuse('protocol.unsupported_media', { expected: 'application/x-www-form-urlencoded', seen: (request.headers['content-type'] ?? 'none').slice(0, 60) })
  }
  const read = readForm((request.body as Buffer | undefined) ?? Buffer.alloc(0))
  if (!read.ok) return read
  return apply(hub, request, Object.fromEntries([...read.value].filter(([, value]) => value !== '')))
}

function refuseTo(hub: Hub, request: FastifyRequest, reply: FastifyReply, language: Language, refusal: Refusal): FastifyReply {
  const reason = reasonOf(refusal.code)
  hub.metrics.refusals.inc({ code: refusal.code, class: reason.class })
  if (refusal.retryAfterS !== undefined) reply.header('retry-after', String(refusal.retryAfterS))
  const because = reason.because.includes('requestId') ? { ...refusal.because, requestId: request.id } : refusal.because
  return show(reply, reason.status, language, form(language, { title: reason.title[language], text: explain({ code: refusal.code, because }, language), code: refusal.code }))
}

function form(language: Language, no: { title: string; text: string; code: string } | null): string {
  const words = WORDS[language]
  return `<h1>${words.title}</h1>
${no === null ? `<p>${words.lead}</p>` : `<p class="no"><strong>${escapeHtml(no.title)}</strong><br>${escapeHtml(no.text)} <a href="/reasons/${no.code}">${no.code}</a></p>`}
<form method="post" action="/start?lang=${language}" accept-charset="utf-8">
<label for="name">${words.name}</label><input id="name" name="name" required maxlength="80" autocomplete="organization">
<label for="dialect">${words.dialect}</label><select id="dialect" name="dialect"><option value="json">${words.json}</option><option value="acg">${words.acg}</option></select>
<label for="contact">${words.contact}</label><input id="contact" name="contact" type="email" maxlength="254" autocomplete="email">
<button type="submit">${words.button}</button>
</form>`
}

function openedPage(language: Language, opened: Opened): string {
  const words = WORDS[language]
  const { baseUrl, docking, available, credentials, next, dialect } = opened
  const rows = Object.entries({ baseUrl, docking, ...credentials, available }).map(([name, value]) => `<div><dt>${words.labels[name] ?? name}</dt><dd>${escapeHtml(String(value))}</dd></div>`)
  return `<h1>${words.opened}</h1>
<p>${words.once}</p>
<dl>${rows.join('')}</dl>
${dialect === 'json' ? '' : `<p>${words.shop}</p>`}
<h2>${words.try}</h2>
<p>${words.save}</p>
<pre>berth sandbox keep &lt;&lt;'EOF'
${escapeHtml(JSON.stringify({ hub: opened.hub, dockings: [{ name: opened.name, id: docking, mode: 'sandbox', dialect, baseUrl, ...credentials }] }))}
EOF
${next.map((line) => escapeHtml(line)).join('\n')}</pre>`
}

function show(reply: FastifyReply, status: number, language: Language, inside: string): FastifyReply {
  const words = WORDS[language]
  const other = language === 'zh' ? '<a href="/start?lang=en" hreflang="en" lang="en">English</a>' : '<a href="/start?lang=zh" hreflang="zh-CN" lang="zh-CN">中文</a>'
  for (const name in HEADERS) reply.header(name, HEADERS[name])
  return reply.code(status).header('content-language', language === 'zh' ? 'zh-CN' : 'en').send(`<!doctype html>
<html lang="${language === 'zh' ? 'zh-CN' : 'en'}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${words.title}</title>
<style>${STYLE}</style></head><body>
<header><span>${words.head}</span>${other}</header>
<main>
${inside}
</main>
</body></html>
`)
}

function languageOf(request: FastifyRequest): Language {
  const { lang } = request.query as { lang?: unknown }
  return lang === 'zh' || lang === 'zh-CN' ? 'zh' : lang === 'en' ? 'en' : langOf(request.headers['accept-language'])
}
