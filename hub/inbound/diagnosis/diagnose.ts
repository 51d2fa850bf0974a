import { recognise, type Glimpse, type Likeness } from '../../../dialects/families.ts'
import { refuse } from '../../../protocol/outcome.ts'
import { explain, isReasonCode, reasonOf } from '../../../protocol/reasons.ts'
import { mojibakeOfBytes } from '../../../protocol/wire/mojibake.ts'
import type { Docking } from '../../domain/partners/index.ts'
import { limits } from '../../kernel/limits.ts'
import { headRefusal, socketRefusal } from '../edge.ts'
import type { Hub } from '../hub.ts'
import { routesAt } from '../known-routes.ts'
import { partsOf, walkJson } from './json-walk.ts'
import { failed, passed, unknown, warned, type Canonical, type Diagnosis, type Dialect, type Step, type Words } from './model.ts'
import { readAsDoor, type Parsed, type Reading } from './paste.ts'
import { redact, secretsIn } from './redaction.ts'
import { mountOf, walkShop } from './shop-walk.ts'

export type DiagnoseAsk = {
  bytes: Uint8Array
  /** Whether the bytes were pasted as text, which loses line ends and lengths. */
  isText: boolean
  response: string | null
  /** The string that the partner's own program signed. */
  yours: string | null
  sentAt: Date | null
}

/**
 * Which layer of one pasted request broke. Each layer is looked at with the function of the real way, in the real order;
 * the first that fails is what the hub answers, and what fails behind it is named too. Nothing is changed, spent, noted or placed.
 * @param docking who asks; null for a stranger, who is told only what the bytes themselves show
 */
export async function diagnose(hub: Hub, docking: Docking | null, ask: DiagnoseAsk): Promise<Diagnosis> {
  const nowMs = hub.clock.nowMs()
  const notes: Words[] = []
  const bytes = ask.isText ? withLineEnds(ask.bytes, notes) : ask.bytes
  const reading = await readAsDoor(bytes)
  const made = await look(hub, docking, ask, reading, nowMs, bytes)
  const steps = [...made.steps, ...(ask.response === null ? [] : answerSteps(ask.response))]
  const secrets = [...secretsIn(reading.requests, [Buffer.from(bytes).toString('latin1'), Buffer.from(bytes).toString('utf8'), ask.yours ?? '', ask.response ?? '']), ...(docking ? await keysOf(hub, docking) : [])]
  return redact({ at: new Date(nowMs), dialect: made.dialect, steps, lookalikes: made.lookalikes, canonical: made.canonical, notes }, secrets)
}

type Looked = { dialect: Dialect; steps: Step[]; lookalikes: Likeness[]; canonical: Canonical | null }

async function look(hub: Hub, docking: Docking | null, ask: DiagnoseAsk, reading: Reading, nowMs: number, bytes: Uint8Array): Promise<Looked> {
  const [parsed] = reading.requests
  const nothing: Looked = { dialect: 'unknown', steps: [], lookalikes: [], canonical: null }
  if (!parsed) return { ...nothing, steps: failed(reading.fault === 'HPE_HEADER_OVERFLOW' ? 'head' : 'line', headFault(reading, bytes)) }
  const glimpse = glimpseOf(parsed)
  const lookalikes = recognise(glimpse)
  const line = passed('line', { en: `${parsed.method} with ${parsed.rawHeaders.length / 2} headers and a body of ${parsed.body.byteLength} bytes.`, zh: `${parsed.method}，${parsed.rawHeaders.length / 2} 个请求头，正文 ${parsed.body.byteLength} 字节。` })
  const edge = headRefusal({ rawHeaders: parsed.rawHeaders, url: parsed.url })
  if (edge) return { ...nothing, lookalikes, steps: [line, ...failed('head', edge)] }
  const before: Step[] = [line, ...hostSteps(hub, docking, parsed), ...bodySteps(parsed)]
  const behind = trailing(reading)
  const whole = (found: { dialect: Dialect; steps: Step[]; canonical: Canonical | null }): Looked => ({ ...found, lookalikes, steps: [...before, ...found.steps, ...behind] })
  const { path, query } = partsOf(parsed.url)
  const mount = mountOf(path) ?? ownPort(docking, parsed, path)
  if (mount) {
    const atMs = ask.sentAt?.getTime() ?? answeredAt(ask.response) ?? nowMs
    const { steps, canonical, flavor } = await walkShop({ hub, docking, mounted: mount.docking, path: mount.path, query, parsed, yours: ask.yours, atMs })
    return whole({ dialect: flavor === null ? 'unknown' : ACG[flavor], steps, canonical })
  }
  const routes = routesAt(hub, path)
  const route = routes.find(({ method }) => method === parsed.method)
  if (!route) {
    const allowed = routes.map(({ method }) => method).join(', ')
    const refusal = allowed === '' ? refuse('protocol.route_not_found', { method: parsed.method, path: path.slice(0, 200) }).refusal
      : refuse('protocol.method_not_allowed', { method: parsed.method, path: path.slice(0, 200), allowed }).refusal
    return whole({ dialect: 'unknown', steps: [...failed('route', refusal, adviceOf(hub, docking, lookalikes)), ...charsetStep(parsed)], canonical: null })
  }
  const sentMs = ask.sentAt?.getTime() ?? answeredAt(ask.response)
  const found = await walkJson({ hub, docking, route, parsed, yours: ask.yours, nowMs, sentMs })
  return whole({ dialect: 'json', ...found })
}

const ACG = { store: 'acg0', open: 'acg1', plugin: 'acg2' } as const

function headFault({ fault }: Reading, bytes: Uint8Array) {
  if (fault === 'HPE_INVALID_EOF_STATE') return refuse('protocol.request_timeout', { allowedS: limits.requestTimeoutS }).refusal
  return bytes.byteLength === 0 ? refuse('protocol.malformed_request', { problem: 'the bytes are not an HTTP request', at: 'line 1 column 1' }).refusal : socketRefusal(fault ?? undefined)
}

/** Pasted text has the line ends of the machine it came from, and no proxy that counted its bytes. */
function withLineEnds(pasted: Uint8Array, notes: Words[]): Uint8Array {
  const text = Buffer.from(pasted).toString('utf8').replace(/^\s+(?=[A-Z])/, '')
  const end = /\r?\n\r?\n/.exec(text)
  let head = end ? text.slice(0, end.index) : withoutLineEnds(text)
  let body: Uint8Array = Buffer.from(end ? text.slice(end.index + end[0].length) : '')
  if (/(?<!\r)\n/.test(head) || !end) notes.push({ en: 'Line ends of the head were read as CRLF.', zh: '请求头的换行按 CRLF 读取。' })
  head = head.replace(/\r?\n/g, '\r\n')
  const declared = /^content-length:[ \t]*(\d{1,9})[ \t]*$/im.exec(head)?.[1]
  if (declared === undefined && body.byteLength > 0 && !/^transfer-encoding:/im.test(head)) {
    body = withoutLastLineEnd(body)
    head += `\r\nContent-Length: ${body.byteLength}`
    notes.push({ en: `Content-Length was missing and was taken as ${body.byteLength}.`, zh: `缺少 Content-Length，按 ${body.byteLength} 处理。` })
  } else if (declared !== undefined && withoutLastLineEnd(body).byteLength === Number(declared)) body = withoutLastLineEnd(body)
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), body])
}

/** No pattern ends in `+$` here: it would look at every run of line ends from each of its places, and a paste is 64 KB of a stranger's choice. */
function withoutLineEnds(text: string): string {
  let end = text.length
  while (end > 0 && (text[end - 1] === '\n' || text[end - 1] === '\r')) end--
  return text.slice(0, end)
}

function withoutLastLineEnd(body: Uint8Array): Uint8Array {
  let end = body.byteLength
  while (end > 0 && (body[end - 1] === 0x0a || body[end - 1] === 0x0d)) end--
  return body.subarray(0, end)
}

/** The doors do not look at the host by themselves; a signature covers it, and a wrong one is why nobody answered. */
function hostSteps(hub: Hub, docking: Docking | null, { headers }: Parsed): Step[] {
  const expected = new URL(hub.publicUrl).host
  const host = (headers.host ?? '').toLowerCase()
  const isOwnPort = docking?.port != null && host.endsWith(`:${docking.port}`)
  if (host === expected || isOwnPort) return [passed('head', { en: `Host is ${host}.`, zh: `Host 为 ${host}。` })]
  return [warned('head', 'network.request_altered', { what: 'Host', sent: expected, arrived: host.slice(0, 100) }, {
    en: `Host is "${host.slice(0, 100)}"; this hub is ${expected}. Either another address was called or something on the way rewrote it.`,
    zh: `Host 为“${host.slice(0, 100)}”，而本站为 ${expected}：可能请求了别的地址，或在途中被改写。`,
  })]
}

function bodySteps({ headers, body, isWhole }: Parsed): Step[] {
  const declared = Number(headers['content-length'] ?? body.byteLength)
  if (declared > limits.requestBytes || body.byteLength > limits.requestBytes) return failed('body', refuse('protocol.request_too_large', { what: 'body', allowed: `${limits.requestBytes / 1024} KB` }).refusal)
  if (isWhole) return []
  return failed('body', refuse('protocol.request_timeout', { allowedS: limits.requestTimeoutS }).refusal, {
    en: `Content-Length says ${declared} bytes, and ${body.byteLength} are there: the rest was cut off or counted in characters instead of bytes.`,
    zh: `Content-Length 为 ${declared} 字节，实际只有 ${body.byteLength} 字节：其余被截断，或按字数而非字节数计算了长度。`,
  })
}

/** Bytes behind the first request: a second one, or a body longer than it was said to be. */
function trailing({ requests, fault }: Reading): Step[] {
  if (requests.length > 1) return [warned('line', 'protocol.malformed_request', { problem: 'the bytes are not an HTTP request', at: 'the head' }, { en: `${requests.length} requests stand in the paste; the first was looked at.`, zh: `粘贴内容中有 ${requests.length} 个请求，只看第一个。` })]
  if (fault === null || !requests[0]!.isWhole) return []
  return failed('body', socketRefusal(fault), { en: 'More bytes stand behind the body than Content-Length says: they would be taken for a second request.', zh: '正文之后还有超出 Content-Length 的字节：会被当作第二个请求。' })
}

/** A docking that is served at the root of a port of its own has no mount in its addresses. */
function ownPort(docking: Docking | null, { headers }: Parsed, path: string): { docking: string; path: string } | null {
  return docking?.port != null && (headers.host ?? '').endsWith(`:${docking.port}`) ? { docking: docking.id, path } : null
}

function glimpseOf(parsed: Parsed): Glimpse {
  const { path, query } = partsOf(parsed.url)
  const headers = Object.fromEntries(Object.entries(parsed.headers).map(([name, value]) => [name, value ?? '']))
  return { method: parsed.method, path, query, headers, contentType: headers['content-type'] ?? '', body: parsed.body.toString('utf8') }
}

/** What the sender should switch to, where the request is of a family that is known. */
function adviceOf(hub: Hub, docking: Docking | null, [first]: readonly Likeness[]): Partial<Words> {
  if (!first) return { en: 'It looks like no protocol that is known here.', zh: '不像任何已知的对接协议。' }
  const mount = `${hub.publicUrl}/d/acg/${docking?.dialect === 'acg0' ? docking.id : '<docking>'}`
  if (first.isServed && first.family !== 'json') {
    return { en: `It looks like ${first.name.en}, sent without the address of its docking: enter ${mount} as the shop's address.`, zh: `看起来是${first.name.zh}，但地址缺少对接路径：店铺地址应填 ${mount}。` }
  }
  if (first.family === 'json') return { en: 'It looks like the JSON API of this hub at an address that it does not have: /openapi.json lists them.', zh: '看起来是本站 JSON 接口，但地址不存在：接口清单见 /openapi.json。' }
  return {
    en: `It looks like ${first.name.en}, which is not spoken at this address. Switch the shop to acg-faka (types 0, 1, 2) at ${mount}, or use the JSON API at ${hub.publicUrl}/api.`,
    zh: `看起来是${first.name.zh}，此地址不支持该协议。请把店铺改为异次元协议（类型 0、1、2），地址 ${mount}；或使用 JSON 接口 ${hub.publicUrl}/api。`,
  }
}

function charsetStep({ body }: Parsed): Step[] {
  const garbled = body.byteLength === 0 ? null : mojibakeOfBytes(body)
  return garbled ? [warned('charset', 'protocol.text_garbled', { path: '/', seen: '***' }, garbled.says)] : []
}

async function keysOf(hub: Hub, docking: Docking): Promise<string[]> {
  return (await hub.keys.ofDocking(docking.id)).flatMap(({ text, key }) => [...(text === null ? [] : [text]), ...(key?.type === 'secret' ? [key.export().toString('utf8')] : [])])
}

function answeredAt(response: string | null): number | null {
  const date = /^date:[ \t]*([^\r\n]{10,60})$/im.exec(response ?? '')?.[1]
  const ms = date === undefined ? Number.NaN : Date.parse(date)
  return Number.isNaN(ms) ? null : ms
}

/** What the pasted answer says: a hub's own refusal, an acg envelope, or something that no hub writes. */
function answerSteps(response: string): Step[] {
  const status = Number(/^HTTP\/[\d.]+ (\d{3})/.exec(response.trimStart())?.[1] ?? 0)
  const text = response.slice(Math.max(0, response.search(/\r?\n\r?\n/))).trim()
  const body = readObject(text) ?? readObject(response.trim())
  if (body && typeof body.code === 'string' && isReasonCode(body.code)) {
    const because = typeof body.because === 'object' && body.because !== null ? (body.because as Record<string, string>) : {}
    const { class: cls, side } = reasonOf(body.code)
    const told = { code: body.code, because }
    return [{ layer: 'answer', verdict: 'warn', class: cls, side, code: body.code, because, seen: { en: `The hub answered: ${explain(told, 'en')}`, zh: `主站的应答：${explain(told, 'zh')}` } }]
  }
  if (body && typeof body.code === 'number' && typeof body.msg === 'string') {
    if (body.code === 200) return [passed('answer', { en: 'The answer is a success.', zh: '应答为成功。' })]
    return [unknown('answer', { en: `The shop's protocol was answered: ${body.msg.slice(0, 200)}`, zh: `店铺协议的应答：${body.msg.slice(0, 200)}` })]
  }
  if (body && status < 400) return [passed('answer', { en: 'The answer is JSON and no refusal.', zh: '应答为 JSON，未被拒绝。' })]
  const problem = status >= 300 && status < 400 ? 'a redirect' : text.startsWith('<') ? 'a page in HTML' : 'neither JSON nor a page'
  return failed('answer', refuse('network.not_a_hub', { address: 'the address that was called', status, problem }).refusal)
}

function readObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

/** The first layer that failed is what the hub answers; what it never reached stands behind it. */
export function firstFailed(steps: readonly Step[]): Step | null {
  return steps.find(({ verdict }) => verdict === 'fail') ?? null
}
