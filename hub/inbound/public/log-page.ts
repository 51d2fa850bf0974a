import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, posix } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { refuse } from '../../../protocol/outcome.ts'
import type { Hub } from '../hub.ts'
import { answerRefusal } from '../pipeline.ts'
import { langOf } from '../problem.ts'

const ROOT = join(import.meta.dirname, '../../..')
const ENTRY = 'consoles/log/page.ts'

const STYLE = `:root{color-scheme:light}body{font:16px/1.65 system-ui,-apple-system,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:50rem;margin:0 auto;padding:1.5rem 1.2rem 3rem;color:#1c2733;background:#fff;overflow-wrap:anywhere}
header{display:flex;justify-content:space-between;border-bottom:1px solid #dfe7ec;padding-bottom:.6rem;margin-bottom:1.6rem;color:#5b6b7a;font-size:.9rem}h1{font-size:1.4rem;line-height:1.4;margin:.6rem 0 .8rem}h2{font-size:1.05rem;margin:2rem 0 .4rem;color:#0b6e8f}a{color:#0b6e8f}
button,textarea{font:inherit;padding:.45rem .9rem;border:1px solid #b9c7d0;border-radius:6px;background:#fff;color:inherit}textarea{width:100%;box-sizing:border-box;font:.9em/1.5 ui-monospace,Menlo,Consolas,monospace}button{margin-top:.6rem;background:#0b6e8f;color:#fff;border-color:#0b6e8f;font-weight:600}button:disabled{opacity:.5}
dl{margin:1rem 0 0;border-top:1px solid #eef3f6}dl div{display:grid;grid-template-columns:10rem 1fr;gap:0 1rem;padding:.45rem 0;border-bottom:1px solid #eef3f6}dt{color:#5b6b7a}dd{margin:0;font:.92em ui-monospace,Menlo,Consolas,monospace}
.good,.bad,.plain{padding:.2rem .9rem;border-radius:6px;margin-top:.8rem;white-space:pre-wrap}.good{background:#e6f4ea;color:#1c6b35}.bad{background:#fdf0e3;color:#8a4b08}.plain{background:#f4f7f9}@media(max-width:34rem){dl div{grid-template-columns:1fr}}`

/** The script comes from here, speaks to here alone, and nothing in the page itself is run. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': `default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'cache-control': 'no-cache', 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff',
}

const WORDS = {
  zh: {
    head: '泊位 · 存证日志', title: '核验存证日志', lead: '主站的每项处理决定、密钥与对接变动等都封存在一棵只增不改的树中。本页在您的浏览器里核验它，不采信主站的说法：首次查看时固定公钥，此后每次都须是所记检查点的延续。',
    checking: '正在核对检查点……', whole: '重建整棵树', wholeLead: '读取全部记录，逐条重算并与签名的根比对；被改、被删、被移动的记录会指明编号。', wholeButton: '读取并重建',
    proof: '核验一份证明', proofLead: '填入记录编号，或粘贴一份处理决定（GET /api/docking 中 decisions 的一项，可附上 GET /api/log/mine 中的 salt 与 payload）。', proofLabel: '编号或证明', proofButton: '核验',
    script: '本页需要脚本才能在您的浏览器中核验；也可使用命令行：', more: '本页代码与命令行相同，也由主站提供；若不信任主站，请用您自己安装的 berth verify。',
  },
  en: {
    head: 'Berth · sealed log', title: 'Verify the sealed log', lead: 'Every decision of the main site, every change of keys and dockings and more is sealed in a tree that only grows. This page verifies it in your browser and believes nothing: the key is pinned at the first look, and every later checkpoint must go on from the one remembered.',
    checking: 'Checking the checkpoint …', whole: 'Rebuild the whole tree', wholeLead: 'Reads all leaves, hashes each anew and compares with the root that was signed; a leaf that was changed, removed or moved is named by its number.', wholeButton: 'Read and rebuild',
    proof: 'Verify one proof', proofLead: 'Type the number of a leaf, or paste a decision (an item of decisions in GET /api/docking, with salt and payload of GET /api/log/mine if you like).', proofLabel: 'Number or proof', proofButton: 'Verify',
    script: 'This page needs its script to verify in your browser; the command line does the same:', more: 'The code of this page is that of the command line, but it comes from the main site: whoever does not trust it runs a berth verify of his own.',
  },
} as const

/** A page that verifies in the browser, and the modules that it runs: the same files that the command line runs. */
export function logPageRoutes(app: FastifyInstance, hub: Hub): void {
  let modules: Promise<ReadonlyMap<string, string>> | null = null
  const hidden = { schema: { hide: true } as never }
  app.get('/log', hidden, (request, reply) => show(reply, languageOf(request)))
  app.get('/log/modules/*', hidden, async (request, reply) => {
    const path = (request.params as { '*': string })['*']
    modules ??= loadModules()
    const script = (await modules).get(path)
    if (script === undefined) return answerRefusal(hub, request, reply, refuse('protocol.route_not_found', { method: 'GET', path: `/log/modules/${path}`.slice(0, 200) }).refusal)
    for (const name in HEADERS) reply.header(name, HEADERS[name])
    return reply.type('text/javascript; charset=utf-8').send(script)
  })
}

/** The entry and all that it imports, with types taken out; nothing else of the house is served. */
async function loadModules(): Promise<ReadonlyMap<string, string>> {
  const modules = new Map<string, string>()
  const wanted = [ENTRY]
  for (let path = wanted.pop(); path !== undefined; path = wanted.pop()) {
    if (modules.has(path)) continue
    const script = withoutTypes(await readFile(join(ROOT, path), 'utf8'))
    modules.set(path, script)
    for (const [, target] of script.matchAll(/^(?:import|export)\b[^'"]*? from '(\.[^']+)'/gm)) wanted.push(posix.join(dirname(path), target!))
  }
  return modules
}

/** Node says at the first call that this may change; whoever runs a hub need not read that. */
function withoutTypes(source: string): string {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return stripTypeScriptTypes(source)
  } finally {
    process.emitWarning = emitWarning
  }
}

function languageOf(request: FastifyRequest): 'zh' | 'en' {
  const { lang } = request.query as { lang?: unknown }
  return lang === 'zh' || lang === 'zh-CN' ? 'zh' : lang === 'en' ? 'en' : langOf(request.headers['accept-language'])
}

function show(reply: FastifyReply, language: 'zh' | 'en'): FastifyReply {
  const words = WORDS[language]
  const other = language === 'zh' ? '<a href="/log?lang=en" hreflang="en" lang="en">English</a>' : '<a href="/log?lang=zh" hreflang="zh-CN" lang="zh-CN">中文</a>'
  for (const name in HEADERS) reply.header(name, HEADERS[name])
  return reply.header('content-language', language === 'zh' ? 'zh-CN' : 'en').type('text/html; charset=utf-8').send(`<!doctype html>
<html lang="${language === 'zh' ? 'zh-CN' : 'en'}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${words.title}</title>
<style>${STYLE}</style><script type="module" src="/log/modules/${ENTRY}"></script></head><body>
<header><span>${words.head}</span>${other}</header>
<main>
<h1>${words.title}</h1>
<p>${words.lead}</p>
<div id="verdict" class="plain" role="status" aria-live="polite"><p>${words.checking}</p></div>
<noscript><p class="bad">${words.script} <code>npx berth verify</code></p></noscript>
<dl id="rows"></dl>
<h2>${words.whole}</h2>
<p>${words.wholeLead}</p>
<button id="rebuild" type="button" disabled>${words.wholeButton}</button>
<div id="whole" role="status" aria-live="polite"></div>
<h2>${words.proof}</h2>
<p>${words.proofLead}</p>
<label for="pasted">${words.proofLabel}</label>
<textarea id="pasted" rows="6" spellcheck="false"></textarea>
<button id="prove" type="button" disabled>${words.proofButton}</button>
<div id="proof" role="status" aria-live="polite"></div>
<p><small>${words.more}</small></p>
</main>
</body></html>
`)
}
