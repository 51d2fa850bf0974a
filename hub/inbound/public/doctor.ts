import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { DiagnoseAsk } from '../../../protocol/messages.ts'
import { accept, type Outcome } from '../../../protocol/outcome.ts'
import type { Static } from '../../../protocol/schema.ts'
import { readForm } from '../../../protocol/wire/form.ts'
import { escapeHtml } from '../../kernel/html.ts'
import { visitorOf } from '../address.ts'
import { enterPaste } from '../diagnosis/budget.ts'
import { diagnose } from '../diagnosis/diagnose.ts'
import { ASK_BYTES, presentDiagnosis, readAsk } from '../diagnosis/present.ts'
import type { Hub } from '../hub.ts'
import { answerRefusal, readBody } from '../pipeline.ts'
import { langOf, type Lang } from '../problem.ts'
import { reader } from '../shape.ts'

const STYLE = `:root{color-scheme:light}body{font:16px/1.65 system-ui,-apple-system,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:52rem;margin:0 auto;padding:1.5rem 1.2rem 3rem;color:#1c2733;background:#fff;overflow-wrap:anywhere}
header{display:flex;justify-content:space-between;border-bottom:1px solid #dfe7ec;padding-bottom:.6rem;margin-bottom:1.2rem;color:#4a5a68;font-size:.9rem}h1{font-size:1.4rem;margin:.4rem 0}h2{font-size:1.1rem;color:#0b6e8f;margin:1.8rem 0 .4rem}a{color:#0b6e8f}
label{display:block;font-weight:600;margin:1rem 0 .3rem}textarea{width:100%;box-sizing:border-box;font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;padding:.7rem;border:1px solid #9fb0bd;border-radius:6px}button{margin-top:1rem;padding:.6rem 1.4rem;font:inherit;color:#fff;background:#0b6e8f;border:0;border-radius:6px}
.verdict{padding:.8rem 1rem;border-radius:6px;background:#e6f4ea}.verdict.technical,.verdict.commercial,.verdict.compliance{background:#fdf0e3}ol{padding-left:1.4rem}li{margin:.5rem 0}.mark{display:inline-block;min-width:4rem;font-weight:600}.fail .mark{color:#9a3412}.warn .mark{color:#8a4b08}.pass .mark{color:#1c6b35}.unknown .mark{color:#4a5a68}
pre{font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;background:#f4f7f9;border:1px solid #dfe7ec;padding:.7rem;white-space:pre-wrap;border-radius:6px}.remedy{margin:.2rem 0 0 4rem;color:#33424f}`

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
  'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff',
}

const ECHO_BYTES = 8 * 1024

type Shown = ReturnType<typeof presentDiagnosis>

/**
 * /doctor: what anybody may ask about bytes of their own, without a docking. It tells what the bytes show and nothing
 * about who is docked here; /doctor/echo tells what of a request arrived, so that a proxy on the way is found.
 */
export function doctorRoutes(app: FastifyInstance, hub: Hub): void {
  const hidden = { schema: { hide: true } as never }
  const check = reader(DiagnoseAsk, '')
  app.get('/doctor', hidden, (request, reply) => page(reply, languageOf(request), null))
  app.post('/doctor', { ...hidden, bodyLimit: ASK_BYTES }, (request, reply) => limited(hub, request, reply, async () => {
    const body = (request.body as Buffer | undefined) ?? Buffer.alloc(0)
    const isForm = /^application\/x-www-form-urlencoded/i.test(request.headers['content-type'] ?? '')
    const asked = isForm ? readPage(body) : readBody(request, body)
    const checked = asked.ok ? (check(asked.value) as Outcome<Static<typeof DiagnoseAsk>>) : asked
    const ask = checked.ok ? readAsk(checked.value) : checked
    if (!ask.ok) return answerRefusal(hub, request, reply, ask.refusal)
    const found = presentDiagnosis(hub.publicUrl, await diagnose(hub, null, ask.value))
    if (isForm) return page(reply, languageOf(request), found)
    return reply.header('cache-control', 'no-store').type('application/json; charset=utf-8').send(JSON.stringify(found))
  }))
  app.post('/doctor/echo', { ...hidden, bodyLimit: ECHO_BYTES }, (request, reply) => limited(hub, request, reply, async () =>
    reply.header('cache-control', 'no-store').type('application/json; charset=utf-8').send(JSON.stringify(echoOf(hub, request)))))
}

/** What arrived, by names and hashes: no value of a header but of those that say nothing about anybody. */
function echoOf(hub: Hub, request: FastifyRequest) {
  const body = (request.body as Buffer | undefined) ?? Buffer.alloc(0)
  const { rawHeaders } = request.raw
  const names = [...new Set(rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()))].sort()
  return {
    method: request.method, url: request.raw.url ?? '', host: String(request.headers.host ?? '').slice(0, 260), headers: names,
    contentType: String(request.headers['content-type'] ?? '').slice(0, 200), contentEncoding: request.headers['content-encoding'] ?? null,
    contentDigest: String(request.headers['content-digest'] ?? '').slice(0, 200) || null, bodyBytes: body.byteLength, bodySha256: createHash('sha256').update(body).digest('hex'),
    serverTime: new Date(hub.clock.nowMs()).toISOString(),
  }
}

/** Every paste counts, whatever comes of it, and apart from sign-ins, so that nobody is shut out behind the same address. */
async function limited(hub: Hub, request: FastifyRequest, reply: FastifyReply, work: () => Promise<FastifyReply>): Promise<FastifyReply> {
  const place = enterPaste(hub.limiter, visitorOf(request), hub.clock.nowMs())
  if (!place.ok) return answerRefusal(hub, request, reply, place.refusal)
  try {
    return await work()
  } finally {
    place.value.leave()
  }
}

/** The form of the page: browsers send an empty field where nothing was entered. */
function readPage(body: Buffer): Outcome<unknown> {
  const form = readForm(body)
  if (!form.ok) return form
  const entries = [...form.value].filter(([name, value]) => typeof value === 'string' && value !== '' && (name === 'request' || name === 'response'))
  return accept(Object.fromEntries(entries))
}

function languageOf(request: FastifyRequest): Lang {
  const { lang } = request.query as { lang?: unknown }
  if (lang === 'en') return 'en'
  return typeof lang === 'string' && lang.startsWith('zh') ? 'zh' : request.headers['accept-language'] === undefined ? 'zh' : langOf(request.headers['accept-language'])
}

const TEXTS = {
  zh: {
    title: '对接体检：哪一层出了问题', lead: '粘贴一份原始 HTTP 请求（请求行、请求头、空行、正文），即可知道是哪一层出错、看到了什么、应该是什么、如何解决。此页不登录、不下单、不保存内容；密钥与卡号在结果中一律隐藏。此处只说报文本身能看出的内容；要核对密钥和业务原因，请用自己的密钥调用 POST /api/docking/diagnose，或运行 npx berth doctor。',
    request: '请求', response: '看到的应答（可选）', go: '诊断', verdict: '结论', layers: '逐层检查', like: '看起来像', canonical: '本站拼出的待签名串（密钥已隐藏）', mend: '解决办法：', other: '<a href="?lang=en" lang="en">English</a>',
    marks: { pass: '通过', warn: '提醒', fail: '出错', unknown: '无法判断' },
  },
  en: {
    title: 'Docking doctor: which layer broke', lead: 'Paste one raw HTTP request (line, headers, blank line, body) and read which layer broke, what was seen, what was expected, and how to mend it. Nobody signs in here, nothing is ordered and nothing is kept; keys and card numbers are hidden in the result. It tells only what the bytes show; for keys and business reasons call POST /api/docking/diagnose with your own key, or run npx berth doctor.',
    request: 'Request', response: 'The answer that was seen (optional)', go: 'Diagnose', verdict: 'Verdict', layers: 'Layer by layer', like: 'It looks like', canonical: 'The string that the hub builds, keys hidden', mend: 'How to mend it: ', other: '<a href="?lang=zh-CN" lang="zh-CN">中文</a>',
    marks: { pass: 'passes', warn: 'note', fail: 'broken', unknown: 'not told' },
  },
} as const

function page(reply: FastifyReply, lang: Lang, found: Shown | null): FastifyReply {
  const text = TEXTS[lang]
  for (const name in HEADERS) reply.header(name, HEADERS[name])
  return reply.type('text/html; charset=utf-8').header('content-language', lang === 'zh' ? 'zh-CN' : 'en').send(`<!doctype html>
<html lang="${lang === 'zh' ? 'zh-CN' : 'en'}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${text.title}</title><style>${STYLE}</style></head><body>
<header><span>${lang === 'zh' ? '泊位' : 'Berth'}</span>${text.other}</header>
<main><h1>${text.title}</h1><p>${text.lead}</p>
${found === null ? '' : result(found, lang)}
<form method="post" action="/doctor?lang=${lang}"><label for="request">${text.request}</label><textarea id="request" name="request" rows="14" required spellcheck="false"></textarea>
<label for="response">${text.response}</label><textarea id="response" name="response" rows="5" spellcheck="false"></textarea><button>${text.go}</button></form></main></body></html>
`)
}

function result({ verdict, steps, lookalikes, canonical, notes }: Shown, lang: Lang): string {
  const text = TEXTS[lang]
  const items = steps.map((step) => `<li class="${step.verdict}"><span class="mark">${text.marks[step.verdict]}</span> <strong>${step.layer}</strong> ${escapeHtml(step.seen[lang])}${step.page === null ? '' : ` <a href="${escapeHtml(step.page)}">${escapeHtml(step.code!)}</a>`}${step.remedy === null || step.verdict === 'pass' ? '' : `<p class="remedy">${text.mend}${escapeHtml(step.remedy[lang])}</p>`}</li>`)
  return [
    `<h2>${text.verdict}</h2><p class="verdict ${verdict.class}">${escapeHtml(verdict.text[lang])}</p>`,
    lookalikes.length === 0 ? '' : `<h2>${text.like}</h2><ul>${lookalikes.map(({ name, score, signs }) => `<li>${escapeHtml(name[lang])} (${Math.round(score * 100)} %) · ${escapeHtml(signs[lang])}</li>`).join('')}</ul>`,
    `<h2>${text.layers}</h2><ol>${items.join('\n')}</ol>`,
    canonical === null ? '' : `<h2>${text.canonical}</h2><pre>${escapeHtml(canonical.hub)}</pre>`,
    ...notes.map((note) => `<p>${escapeHtml(note[lang])}</p>`),
  ].join('\n')
}
