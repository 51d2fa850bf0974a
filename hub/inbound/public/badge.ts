import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { refuse } from '../../../protocol/outcome.ts'
import { tasksOf } from '../../../protocol/conformance.ts'
import { validUntil, type Run } from '../../domain/conformance/index.ts'
import { escapeHtml } from '../../kernel/html.ts'
import type { Hub } from '../hub.ts'
import { answerRefusal } from '../pipeline.ts'
import { langOf } from '../problem.ts'

const COLOURS = { green: '#1c6b35', red: '#8a2b08', open: '#5b6b7a' } as const
const STATES = { green: { en: 'green', zh: '通过' }, red: { en: 'red', zh: '未通过' }, open: { en: 'under way', zh: '进行中' }, old: { en: 'expired', zh: '已过期' } } as const

/** What anybody may see of a run: its verdict, its tasks, its signed report. */
export function badgeRoutes(app: FastifyInstance, hub: Hub): void {
  const hidden = { schema: { hide: true } as never }
  const withRun = async (request: FastifyRequest, reply: FastifyReply, show: (run: Run) => FastifyReply): Promise<FastifyReply> => {
    const { run: id } = request.params as { run: string }
    const run = await hub.conformance.findRun(id)
    return run ? show(run) : answerRefusal(hub, request, reply, refuse('conformance.run_not_found', { run: id.slice(0, 64) }).refusal)
  }
  const quiet = (reply: FastifyReply) => reply.header('x-content-type-options', 'nosniff').header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")

  app.get('/conformance/:run', hidden, (request, reply) => withRun(request, reply, (run) => quiet(reply).type('text/html; charset=utf-8').send(page(run, hub.clock.nowMs(), languageOf(request)))))
  app.get('/conformance/:run/badge.svg', hidden, (request, reply) => withRun(request, reply, (run) => quiet(reply).header('cache-control', 'no-cache').type('image/svg+xml; charset=utf-8').send(badge(run, hub.clock.nowMs()))))
  app.get('/conformance/:run/report.json', hidden, (request, reply) => withRun(request, reply, (run) => (run.report === null
    ? answerRefusal(hub, request, reply, refuse('conformance.badge_missing', { run: run.id, seen: 'not finished', dialect: run.dialect }).refusal)
    : quiet(reply).type('application/json; charset=utf-8').send(JSON.stringify(run.report)))))
}

/** A green run that has become too old is no badge any more, and says so. */
function standing(run: Run, nowMs: number): keyof typeof STATES {
  return run.state === 'green' && validUntil(run.finishedAt!).getTime() <= nowMs ? 'old' : run.state
}

function badge(run: Run, nowMs: number): string {
  const state = standing(run, nowMs)
  const colour = COLOURS[state === 'old' ? 'open' : state]
  const text = `${run.dialect} · ${STATES[state].en}`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="190" height="22" role="img" aria-label="Berth ${text}"><title>Berth ${text}</title><rect width="190" height="22" rx="4" fill="#2b3a47"/><rect x="62" width="128" height="22" rx="4" fill="${colour}"/><g fill="#fff" font-family="system-ui,sans-serif" font-size="12"><text x="14" y="15">Berth</text><text x="74" y="15">${text}</text></g></svg>\n`
}

function page(run: Run, nowMs: number, lang: 'zh' | 'en'): string {
  const zh = lang === 'zh'
  const state = standing(run, nowMs)
  const rows = tasksOf(run.dialect).map(({ id, what }) => {
    const judged = run.report?.cases.find((one) => one.id === id)
    return `<tr><td>${judged ? (judged.verdict === 'pass' ? '✓' : '✗') : '·'}</td><td><code>${id}</code></td><td>${escapeHtml(what[lang])}${judged ? `<br><span>${escapeHtml(judged.seen[lang])}</span>` : ''}</td></tr>`
  })
  const facts = [
    [zh ? '协议' : 'dialect', run.dialect], [zh ? '套件版本' : 'kit', run.kit], [zh ? '开始' : 'begun', run.startedAt.toISOString()],
    ...(run.report === null ? [] : [[zh ? '完成' : 'finished', run.report.finishedAt], ...(state === 'green' ? [[zh ? '有效期至' : 'counts until', run.report.validUntil]] : []), [zh ? '输入摘要' : 'input hash', run.report.inputHash], [zh ? '签名密钥' : 'signed by', run.report.signature.keyId]]),
  ]
  return `<!doctype html><html lang="${zh ? 'zh-CN' : 'en'}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${run.id}</title>
<style>body{font:16px/1.65 system-ui,-apple-system,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:46rem;margin:2rem auto;padding:0 1.2rem;color:#1c2733;background:#fff;overflow-wrap:anywhere}h1{font-size:1.4rem}strong{color:${COLOURS[state === 'old' ? 'open' : state]}}
table{border-collapse:collapse;width:100%}td{border-top:1px solid #eef3f6;padding:.45rem .5rem;vertical-align:top}td span{color:#4a5a68}td code{white-space:nowrap}dl{display:grid;grid-template-columns:9rem 1fr}dt{color:#5b6b7a}dd{margin:0}a{color:#0b6e8f}</style>
</head><body><h1>${zh ? '对接测试' : 'Conformance run'} ${run.id}: <strong>${STATES[state][lang]}</strong></h1>
<dl>${facts.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value!)}</dd>`).join('')}</dl>
<table>${rows.join('')}</table>
<p>${run.report === null ? '' : `<a href="/conformance/${run.id}/report.json">report.json</a> · ${zh ? '用 berth conform verify report.json 自行核对' : 'check it yourself: berth conform verify report.json'} · `}<a href="/conformance/${run.id}?lang=${zh ? 'en' : 'zh'}">${zh ? 'English' : '中文'}</a></p>
</body></html>
`
}

function languageOf(request: FastifyRequest): 'zh' | 'en' {
  const { lang } = request.query as { lang?: unknown }
  return lang === 'zh' || lang === 'en' ? lang : langOf(request.headers['accept-language'])
}
