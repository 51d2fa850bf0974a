import { lookup } from 'node:dns/promises'
import { connect as connectTcp, isIP } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { refuse, type Refusal } from '../../protocol/outcome.ts'
import { certificateRefusal, reachRefusal, type Certificate } from '../../protocol/reaching.ts'
import { explain } from '../../protocol/reasons.ts'
import type { Check, CheckLayer, CheckResult } from '../kernel/checks.ts'

const TIMEOUT_S = 3
/** Every report shows it, and looking costs a connection: so often and no oftener. */
const FRESH_MS = 600_000

type Seen = { name: Refusal | null; addresses: readonly string[]; tls: Refusal | null; certificate: Certificate | null }

/** A report does not wait longer for it than this; the next one has what was found meanwhile. */
const PATIENCE_MS = 1_000

/**
 * The public address of the hub as it sees it itself: does the name resolve, and does the certificate hold. It never is
 * more than a warning: whoever reads the report has come to the hub, and what the partner's side sees is the partner's
 * own doctor's to say.
 */
export function checkPublicAddress(publicUrl: () => string, nowMs: () => number): Check {
  let known: { url: string; until: number; seen: Promise<Seen> } | null = null
  return async () => {
    const url = new URL(publicUrl())
    if (known === null || known.url !== url.href || known.until <= nowMs()) known = { url: url.href, until: nowMs() + FRESH_MS, seen: look(url, nowMs()) }
    const waited = new Promise<null>((resolve) => void setTimeout(resolve, PATIENCE_MS, null).unref())
    const seen = await Promise.race([known.seen, waited])
    return seen === null ? STILL_LOOKING : resultsOf(url, seen, nowMs())
  }
}

const STILL_LOOKING: CheckResult[] = [{
  check: 'network.name', layer: 'name', class: 'technical', side: 'hub', verdict: 'pass', code: null, because: {}, evidence: null,
  seen: { en: 'The hub is still looking at its own public address; ask again in a few seconds.', zh: '主站正在检查自己的公开地址，请几秒后再查。' },
}]

function resultsOf(url: URL, { name, addresses, tls, certificate }: Seen, nowMs: number): CheckResult[] {
  const host = hostOf(url)
  const line = (layer: CheckLayer, check: string, words: { en: string; zh: string }, refusal: Refusal | null, verdict: CheckResult['verdict']): CheckResult => ({
    check, layer, class: 'technical', side: 'hub', verdict, code: refusal?.code ?? null, because: refusal?.because ?? {}, evidence: null,
    seen: refusal ? { en: explain(refusal, 'en'), zh: explain(refusal, 'zh') } : words,
  })
  const named = line('name', 'network.name', { en: `The hub sees its own name ${host} at ${addresses.join(', ')}.`, zh: `主站域名 ${host} 解析为 ${addresses.join('、')}。` }, name, name ? 'warn' : 'pass')
  if (url.protocol !== 'https:') {
    const isLocal = addresses.every((address) => /^(127\.|::1$)/.test(address))
    return [named, line('tls', 'network.tls', { en: 'The hub is reached without encryption (http).', zh: '主站以明文 http 提供服务。' }, null, isLocal || name ? 'pass' : 'warn')]
  }
  if (name) return [named]
  const days = certificate === null ? 0 : Math.floor((certificate.until - nowMs) / 86_400_000)
  return [named, line('tls', 'network.tls', { en: `The certificate of ${host} holds for ${days} more days.`, zh: `${host} 的证书有效，还有 ${days} 天到期。` }, tls, tls === null ? 'pass' : 'warn')]
}

async function look(url: URL, nowMs: number): Promise<Seen> {
  const host = hostOf(url)
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  const nothing: Seen = { name: null, addresses: [], tls: null, certificate: null }
  let addresses: string[]
  try {
    addresses = isIP(host) ? [host] : (await Promise.race([lookup(host, { all: true }), tooLate()])).map(({ address }) => address)
  } catch (error) {
    return { ...nothing, name: reachRefusal('name', { host, port, timeoutS: TIMEOUT_S, error: codeOf(error) }) }
  }
  if (url.protocol !== 'https:') return { ...nothing, addresses }
  // A hub behind a proxy often cannot reach its own public address: that is not the partner's trouble and is told as it is.
  try {
    await reach(host, port)
  } catch (error) {
    return { ...nothing, addresses, tls: reachRefusal('connection', { host, port, timeoutS: TIMEOUT_S, error: codeOf(error) }) }
  }
  return { ...nothing, addresses, ...(await shake(host, port, nowMs)) }
}

function reach(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port, timeout: TIMEOUT_S * 1_000 })
    socket.once('connect', () => {
      socket.destroy()
      resolve()
    })
    socket.once('timeout', () => socket.destroy(new Error('ETIMEDOUT')))
    socket.once('error', reject)
  })
}

function shake(host: string, port: number, nowMs: number): Promise<Pick<Seen, 'tls' | 'certificate'>> {
  return new Promise((resolve) => {
    // Nothing is sent over it: the certificate is looked at, whatever it is worth.
    const socket = connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), rejectUnauthorized: false, timeout: TIMEOUT_S * 1_000 })
    const end = (found: Pick<Seen, 'tls' | 'certificate'>) => {
      socket.destroy()
      resolve(found)
    }
    socket.once('secureConnect', () => {
      const certificate = certificateOf(socket)
      const trust = socket.authorized ? null : String(socket.authorizationError ?? 'UNTRUSTED')
      end({ certificate, tls: certificate ? (certificateRefusal(host, certificate, trust, nowMs)?.refusal ?? null) : refuse('network.tls_failed', { host, problem: 'the handshake was cut' }).refusal })
    })
    socket.once('timeout', () => socket.destroy(new Error('ETIMEDOUT')))
    socket.once('error', (error) => end({ certificate: null, tls: reachRefusal('tls', { host, port, timeoutS: TIMEOUT_S, error: codeOf(error) }) }))
  })
}

function certificateOf(socket: TLSSocket): Certificate | null {
  const { valid_from: from, valid_to: until, subjectaltname = '', fingerprint256 = '' } = socket.getPeerCertificate()
  if (!from || !until) return null
  return { from: Date.parse(from), until: Date.parse(until), names: subjectaltname.split(', ').map((name) => name.replace(/^(DNS|IP Address):/, '')).filter(Boolean), fingerprint: fingerprint256 }
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

function codeOf(error: unknown): string {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  return `${code} ${message}`
}

function tooLate(): Promise<never> {
  return new Promise((_, reject) => void setTimeout(() => reject(new Error('ETIMEOUT')), TIMEOUT_S * 1_000).unref())
}
