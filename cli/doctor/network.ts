import { lookup } from 'node:dns/promises'
import { connect as connectTcp, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { certificateRefusal, reachRefusal, type Certificate } from '../../protocol/reaching.ts'
import { fails, passes, type Finding } from './finding.ts'

const TIMEOUT_S = 10
const DAY_MS = 86_400_000

/** How far one gets, step by step; `isOpen` says whether a request can be sent, `isTrusted` whether a key may be. */
export type Reached = { findings: Finding[]; isOpen: boolean; isTrusted: boolean }

/** Name, connection, TLS and certificate of an address, as they are seen from this machine. Nothing is sent. */
export async function reach(url: URL, nowMs: number): Promise<Reached> {
  const hub = url.origin
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  const context = { host, port, timeoutS: TIMEOUT_S }
  const findings: Finding[] = []
  const stop = (): Reached => ({ findings, isOpen: false, isTrusted: false })
  const named = await addressesOf(host).catch((error: unknown) => error as Error)
  if (named instanceof Error) {
    findings.push(fails('network.name', 'name', hub, reachRefusal('name', { ...context, error: codeOf(named) })))
    return stop()
  }
  findings.push(passes('network.name', 'name', { en: `${host} is ${named.join(', ')}, seen from here.`, zh: `从本机看，${host} 解析为 ${named.join('、')}。` }))
  const begun = performance.now()
  const refused = await connection(host, port)
  if (refused) {
    findings.push(fails('network.connection', 'connection', hub, reachRefusal('connection', { ...context, error: codeOf(refused) })))
    return stop()
  }
  findings.push(passes('network.connection', 'connection', { en: `A connection to ${host}:${port} took ${Math.round(performance.now() - begun)} ms.`, zh: `连接 ${host}:${port} 用时 ${Math.round(performance.now() - begun)} 毫秒。` }))
  if (url.protocol !== 'https:') {
    findings.push(passes('network.tls', 'tls', { en: 'The address begins with http: nothing is encrypted.', zh: '地址以 http 开头：传输不加密。' }))
    return { findings, isOpen: true, isTrusted: true }
  }
  const shaken = await handshake(host, port)
  if (shaken instanceof Error) {
    findings.push(fails('network.tls', 'tls', hub, reachRefusal('tls', { ...context, error: codeOf(shaken) })))
    return stop()
  }
  const wrong = certificateRefusal(host, shaken.certificate, shaken.trust, nowMs)
  if (wrong) findings.push(fails('network.tls', 'tls', hub, wrong.refusal, { verdict: wrong.isSoon ? 'warn' : 'fail', side: 'hub' }))
  else {
    const days = Math.floor((shaken.certificate.until - nowMs) / DAY_MS)
    findings.push(passes('network.tls', 'tls', { en: `${shaken.protocol}; the certificate is trusted here and holds for ${days} more days.`, zh: `${shaken.protocol}；证书受本机信任，还有 ${days} 天到期。` }))
  }
  return { findings, isOpen: true, isTrusted: wrong === null || wrong.isSoon }
}

async function addressesOf(host: string): Promise<string[]> {
  if (isIP(host)) return [host]
  const late = new Promise<never>((_, reject) => void setTimeout(() => reject(new Error('ETIMEOUT')), TIMEOUT_S * 1_000).unref())
  return (await Promise.race([lookup(host, { all: true }), late])).map(({ address }) => address)
}

function connection(host: string, port: number): Promise<Error | null> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port, timeout: TIMEOUT_S * 1_000 })
    const end = (error: Error | null) => {
      socket.destroy()
      resolve(error)
    }
    socket.once('connect', () => end(null)).once('timeout', () => end(new Error('ETIMEDOUT'))).once('error', end)
  })
}

type Shaken = { certificate: Certificate; trust: string | null; protocol: string }

function handshake(host: string, port: number): Promise<Shaken | Error> {
  return new Promise((resolve) => {
    // The certificate is looked at whatever it is worth; no key is ever sent over this line.
    const socket = connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), rejectUnauthorized: false, timeout: TIMEOUT_S * 1_000 })
    const end = (found: Shaken | Error) => {
      socket.destroy()
      resolve(found)
    }
    socket.once('secureConnect', () => {
      const { valid_from: from, valid_to: until, subjectaltname = '', fingerprint256 = '' } = socket.getPeerCertificate()
      if (!from || !until) return end(new Error('no certificate'))
      const names = subjectaltname.split(', ').map((name) => name.replace(/^(DNS|IP Address):/, '')).filter(Boolean)
      end({ certificate: { from: Date.parse(from), until: Date.parse(until), names, fingerprint: fingerprint256 }, trust: socket.authorized ? null : String(socket.authorizationError ?? 'UNTRUSTED'), protocol: socket.getProtocol() ?? 'TLS' })
    })
    socket.once('timeout', () => end(new Error('ETIMEDOUT'))).once('error', end)
  })
}

function codeOf(error: Error): string {
  return `${(error as NodeJS.ErrnoException).code ?? ''} ${error.message}`
}
