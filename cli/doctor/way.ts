import { createHash, randomBytes } from 'node:crypto'
import type { PublishedKey } from '../../protocol/documents.ts'
import { NEWEST_VERSION } from '../../protocol/messages.ts'
import { refuse } from '../../protocol/outcome.ts'
import { FRESHNESS_WINDOW_S } from '../../protocol/signature.ts'
import { reachRefusal } from '../../protocol/reaching.ts'
import { ask, type Heard } from './exchange.ts'
import { fails, notes, passes, type Finding } from './finding.ts'

/** What a hub says of itself under /.well-known/berth. */
export type About = { versions: readonly string[]; keys: readonly PublishedKey[]; serverTime: string }

/** What of a request arrived, as /doctor/echo tells it. */
export type Echo = { method: string; url: string; host: string; headers: readonly string[]; bodyBytes: number; bodySha256: string; contentDigest: string | null }

const SKEW_WARN_S = 30

/** Whether a hub answers at the address, whether it is ready, which versions it speaks, and whether the clocks agree. */
export async function meet(url: URL, nowMs: () => number): Promise<{ findings: Finding[]; about: About | null }> {
  const hub = url.origin
  const heard = await ask(new URL(`${hub}/.well-known/berth`), { method: 'GET', headers: { accept: 'application/json' } }, nowMs)
  if (heard instanceof Error) return { findings: [fails('network.answer', 'answer', hub, unanswered(url, heard))], about: null }
  const about = heard.json as Partial<About> | undefined
  if (heard.status !== 200 || !Array.isArray(about?.versions) || typeof about.serverTime !== 'string') {
    return { findings: [fails('network.answer', 'answer', hub, refuse('network.not_a_hub', { address: hub, status: heard.status, problem: problemOf(heard) }).refusal)], about: null }
  }
  const known: About = { versions: about.versions, keys: Array.isArray(about.keys) ? about.keys : [], serverTime: about.serverTime }
  return { findings: [await readiness(hub, nowMs), clock(hub, heard, known), version(hub, known)], about: known }
}

export function unanswered(url: URL, error: Error) {
  return reachRefusal('connection', { host: url.hostname, port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)), timeoutS: 30, error: `${(error as NodeJS.ErrnoException).code ?? ''} ${error.message}` })
}

export function problemOf({ status, text }: Pick<Heard, 'status' | 'text'>): string {
  return status >= 300 && status < 400 ? 'a redirect' : text.trimStart().startsWith('<') ? 'a page in HTML' : 'no answer that a hub gives'
}

async function readiness(hub: string, nowMs: () => number): Promise<Finding> {
  const heard = await ask(new URL(`${hub}/readyz`), { method: 'GET' }, nowMs)
  if (!(heard instanceof Error) && heard.status === 200) return passes('network.answer', 'answer', { en: 'A hub answers, and is ready.', zh: '主站有应答，且已就绪。' })
  return fails('network.answer', 'answer', hub, refuse('platform.storage_unavailable', { retryAfterS: 2 }).refusal, { words: { en: 'The hub answers and says itself that it is not ready.', zh: '主站有应答，但自称尚未就绪。' } })
}

/** The hub's clock against the middle of the exchange: half of the round trip is what one cannot know. */
function clock(hub: string, { sentMs, heardMs }: Heard, { serverTime }: About): Finding {
  const skewS = Math.round((sentMs + (heardMs - sentMs) / 2 - Date.parse(serverTime)) / 100) / 10
  const halfS = Math.round((heardMs - sentMs) / 2) / 1_000
  const words = { en: `This machine's clock is ${skewS} s from the hub's (known to ${halfS} s).`, zh: `本机时钟与主站相差 ${skewS} 秒（误差 ${halfS} 秒以内）。` }
  if (Math.abs(skewS) <= SKEW_WARN_S) return passes('here.clock', 'clock', words)
  return fails('here.clock', 'clock', hub, refuse('partners.clock_skew', { skewS, allowedS: FRESHNESS_WINDOW_S }).refusal, { verdict: Math.abs(skewS) > FRESHNESS_WINDOW_S ? 'fail' : 'warn', words })
}

function version(hub: string, { versions }: About): Finding {
  if (versions.includes(NEWEST_VERSION)) return passes('here.version', 'version', { en: `Both ends speak ${NEWEST_VERSION}.`, zh: `两端均使用接口版本 ${NEWEST_VERSION}。` })
  return fails('here.version', 'version', hub, refuse('protocol.version_unknown', { seen: NEWEST_VERSION, known: versions.map(String) }).refusal)
}

/** Headers that a signed call needs to arrive. */
const NEEDED = ['content-digest', 'idempotency-key', 'signature', 'signature-input', 'berth-version'] as const
const PROBE = '{"probe":"卡密","what":"a harmless request of the docking doctor"}'

/** Sends a harmless request and compares what arrived: a proxy that rewrites is found before any signature is blamed. */
export async function walkTheWay(url: URL, nowMs: () => number): Promise<{ findings: Finding[]; echo: Echo | null }> {
  const hub = url.origin
  const body = Buffer.from(PROBE)
  const sha256 = createHash('sha256').update(body).digest()
  const nonce = randomBytes(8).toString('hex')
  const heard = await ask(new URL(`${hub}/doctor/echo`), {
    method: 'POST', body,
    headers: {
      'content-type': 'application/json', 'content-digest': `sha-256=:${sha256.toString('base64')}:`, 'idempotency-key': nonce, 'berth-version': NEWEST_VERSION,
      'signature-input': `doctor=();created=${Math.floor(nowMs() / 1_000)};nonce="${nonce}";keyid="doctor"`, signature: 'doctor=:AAAA:',
    },
  }, nowMs)
  if (heard instanceof Error) return { findings: [fails('network.proxy', 'proxy', hub, unanswered(url, heard))], echo: null }
  const echo = heard.json as Partial<Echo> | undefined
  if (heard.status !== 200 || typeof echo?.host !== 'string' || !Array.isArray(echo.headers)) {
    return { findings: [notes('network.proxy', 'proxy', { en: `The hub did not say what of a request arrives (HTTP ${heard.status}).`, zh: `主站没有说明收到了什么（HTTP ${heard.status}）。` })], echo: null }
  }
  const arrived = echo as Echo
  const altered = (what: string, sent: string, came: string) => fails('network.proxy', 'proxy', hub, refuse('network.request_altered', { what, sent, arrived: came }).refusal)
  const findings: Finding[] = []
  if (arrived.host.toLowerCase() !== url.host) findings.push(altered('Host', url.host, arrived.host.slice(0, 100)))
  if (arrived.url !== '/doctor/echo') findings.push(altered('the path', '/doctor/echo', arrived.url.slice(0, 100)))
  const lost = NEEDED.filter((name) => !arrived.headers.includes(name))
  if (lost.length > 0) findings.push(altered(`the headers ${lost.join(', ')}`, String(NEEDED.length), String(NEEDED.length - lost.length)))
  if (arrived.bodySha256 !== sha256.toString('hex')) findings.push(altered('the body', String(body.byteLength), String(arrived.bodyBytes)))
  const whole = passes('network.proxy', 'proxy', { en: 'A request arrives at the hub as it is sent: host, path, headers and body.', zh: '请求原样到达主站：主机名、路径、请求头与正文均未改动。' })
  return { findings: findings.length > 0 ? findings : [whole], echo: arrived }
}
