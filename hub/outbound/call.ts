import { lookup as resolve, type LookupAddress } from 'node:dns'
import { request as requestHttp, type IncomingMessage } from 'node:http'
import { request as requestHttps, type RequestOptions } from 'node:https'
import { BlockList, isIP } from 'node:net'
import type { Log } from '../platform/log.ts'

export type CallOptions = {
  log: Log
  /** Whether private networks and plain HTTP are allowed: for tests, and for a gateway in the same rack. */
  allowPrivate: boolean
  timeoutMs?: number
  /** The longest answer that is read. */
  mostBytes?: number
}

export type CallAsk = { method: 'GET' | 'POST'; url: string; headers?: Readonly<Record<string, string>>; body?: string }
export type CallAnswer = { status: number; text: string }

/** One request to somebody else. It throws CallFailed when no whole answer came; what the answer means is the caller's. */
export type Call = (ask: CallAsk) => Promise<CallAnswer>

/** Why no answer came, without any address in it: addresses of robots are secrets. */
export class CallFailed extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

const TIMEOUT_MS = 5_000
const MOST_BYTES = 64 * 1024

/**
 * The one way out. The name is resolved here and every address of it is looked at, and the connection goes to one of those
 * that were looked at: a name that points into our own network, now or a moment later, is not followed. Redirects are
 * not followed either. Of the address nothing but its origin is written to the log.
 */
export function openCall({ log, allowPrivate, timeoutMs = TIMEOUT_MS, mostBytes = MOST_BYTES }: CallOptions): Call {
  return async (ask) => {
    const url = checkUrl(ask.url, allowPrivate)
    const began = performance.now()
    try {
      const answer = await exchange(url, ask, { allowPrivate, timeoutMs, mostBytes })
      log.debug({ to: url.origin, status: answer.status, durationMs: Math.round(performance.now() - began) }, 'called')
      return answer
    } catch (error) {
      const failed = error instanceof CallFailed ? error : new CallFailed((error as NodeJS.ErrnoException).code ?? 'failed', 'the line broke or could not be opened')
      log.warn({ to: url.origin, said: failed.code, durationMs: Math.round(performance.now() - began) }, 'a call got no answer')
      throw failed
    }
  }
}

function checkUrl(text: string, allowPrivate: boolean): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:'))) throw new CallFailed('address_refused', 'the address is not an https address')
  if (url.username !== '' || url.password !== '') throw new CallFailed('address_refused', 'the address carries a name or a password')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (!allowPrivate && isIP(host) !== 0 && isInside(host)) throw new CallFailed('address_refused', 'the address lies in a private network')
  return url
}

function exchange(url: URL, { method, headers, body }: CallAsk, { allowPrivate, timeoutMs, mostBytes }: { allowPrivate: boolean; timeoutMs: number; mostBytes: number }): Promise<CallAnswer> {
  return new Promise((done, fail) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    const bytes = body === undefined ? undefined : Buffer.from(body)
    const request = send(url, {
      method, agent: false, lookup: checkedLookup(allowPrivate),
      headers: { 'user-agent': 'berth', accept: 'application/json', connection: 'close', ...(bytes === undefined ? {} : { 'content-length': bytes.byteLength }), ...headers },
    })
    const timer = setTimeout(() => request.destroy(new CallFailed('timed_out', `no whole answer within ${timeoutMs} ms`)), timeoutMs)
    const settle = (work: () => void) => {
      clearTimeout(timer)
      work()
    }
    request.once('response', (response) => {
      readText(response, mostBytes).then((text) => settle(() => done({ status: response.statusCode!, text })), (error: unknown) => {
        request.destroy()
        settle(() => fail(error))
      })
    })
    request.on('error', (error) => settle(() => fail(error)))
    request.end(bytes)
  })
}

async function readText(response: IncomingMessage, mostBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response) {
    length += (chunk as Buffer).byteLength
    if (length > mostBytes) throw new CallFailed('answer_too_long', `the answer is longer than ${mostBytes} bytes`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Resolves as ever, and hands out no address that lies inside. */
function checkedLookup(allowPrivate: boolean): NonNullable<RequestOptions['lookup']> {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const refused = error ?? (!allowPrivate && addresses.some(({ address }) => isInside(address)) ? new CallFailed('address_refused', 'the name points into a private network') : null)
      if (refused) return callback(refused as NodeJS.ErrnoException, '', 4)
      if (options.all) return (callback as unknown as (error: null, addresses: LookupAddress[]) => void)(null, addresses)
      callback(null, addresses[0]!.address, addresses[0]!.family)
    })
  }
}

/** What is no public address of IPv4 (RFC 6890); of IPv6 everything but global unicast, without what tunnels IPv4. */
const INSIDE = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24], ['192.88.99.0', 24],
  ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 3],
] as const) INSIDE.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [['2001:db8::', 32], ['2001::', 23], ['2002::', 16], ['3fff::', 20]] as const) INSIDE.addSubnet(net, bits, 'ipv6')
const GLOBAL = new BlockList()
GLOBAL.addSubnet('2000::', 3, 'ipv6')

/** Whether an address is none of the public Internet. */
export function isInside(address: string): boolean {
  if (isIP(address) === 4) return INSIDE.check(address, 'ipv4')
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return INSIDE.check(mapped, 'ipv4')
  return !GLOBAL.check(address, 'ipv6') || INSIDE.check(address, 'ipv6')
}
