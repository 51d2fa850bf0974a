import { createHash, createHmac, createPublicKey, randomBytes, verify } from 'node:crypto'
import { verifyDocument, type PublishedKey } from '../../protocol/documents.ts'
import { refuse } from '../../protocol/outcome.ts'
import { isReasonCode } from '../../protocol/reasons.ts'
import { prepareSignature } from '../../protocol/signature.ts'
import { Client, HubUnreachable, type Credentials } from '../client.ts'
import type { ReportView } from '../commands/partner.ts'
import type { Lang, Problem } from '../problem.ts'
import { ask } from './exchange.ts'
import { fails, notes, passes, type Finding } from './finding.ts'
import { unanswered, type Echo } from './way.ts'

export type Asked = { findings: Finding[]; report: ReportView | null; isSigned: boolean }

/** The hub compares these letters byte by byte. */
const PROBE = '卡密'

/** A call with the key, the string compared where it was refused, and the hub's own report with its signature checked. */
export async function askHub(url: URL, credentials: Credentials, context: { lang: Lang; nowMs: () => number; echo: Echo | null; keys: readonly PublishedKey[] }): Promise<Asked> {
  const hub = url.origin
  const findings: Finding[] = []
  if (credentials.kind === 'signature') findings.push(...(await tryToSign(url, credentials, context)))
  let report: ReportView | null = null
  try {
    const answer = await new Client({ url: hub, credentials, lang: context.lang }).post<ReportView>('/api/docking/report', { probe: PROBE })
    if (answer.ok) report = answer.body
    else if (!findings.some(({ verdict }) => verdict === 'fail')) findings.push(asFinding('hub.report', 'key', hub, answer.problem))
  } catch (error) {
    if (!(error instanceof HubUnreachable)) throw error
    findings.push(fails('hub.report', 'answer', hub, unanswered(url, error)))
  }
  if (!report) return { findings, report: null, isSigned: false }
  const isSigned = await verifyDocument(report, context.keys, verifyEd25519)
  findings.push(isSigned
    ? passes('hub.signature', 'report', { en: `The hub's report is signed by its key ${report.signature.keyId}.`, zh: `主站的报告由其密钥 ${report.signature.keyId} 签名，验证通过。` })
    : fails('hub.signature', 'report', hub, refuse('network.request_altered', { what: 'the answer', sent: String(report.signature?.keyId ?? '-').slice(0, 60), arrived: '-' }).refusal))
  findings.push(...report.checks.map((check): Finding => ({ ...check, end: 'hub' })))
  return { findings, report, isSigned }
}

function verifyEd25519(publicKey: Uint8Array, signature: Uint8Array, bytes: Uint8Array): boolean {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }, format: 'jwk' })
  return verify(null, bytes, key, signature)
}

/** One signed call, and where it is refused the very place in which the two strings differ. */
async function tryToSign(url: URL, { keyId, keySecret }: Extract<Credentials, { kind: 'signature' }>, { nowMs, echo }: { nowMs: () => number; echo: Echo | null }): Promise<Finding[]> {
  const hub = url.origin
  const target = { method: 'GET', url: `${hub}/api/docking` }
  const stamp = { keyid: keyId, created: Math.floor(nowMs() / 1_000), nonce: randomBytes(12).toString('hex') }
  const prepared = prepareSignature(target, null, stamp)
  const headers = prepared.seal(createHmac('sha256', keySecret).update(prepared.base).digest()) as Record<string, string>
  const heard = await ask(new URL(target.url), { method: 'GET', headers: { ...headers, accept: 'application/json' } }, nowMs)
  if (heard instanceof Error) return [fails('here.signature', 'signature', hub, unanswered(url, heard))]
  if (heard.status === 200) return [passes('here.signature', 'signature', { en: 'A signed call was made, and the hub verified it.', zh: '已发出签名调用，主站验签通过。' })]
  const problem = heard.json as Problem | undefined
  if (problem?.code !== 'partners.signature_invalid') return problem?.code === undefined ? [] : [asFinding('here.signature', 'signature', hub, problem)]
  return [whyInvalid(hub, prepared.base, String(problem.because?.baseSha256 ?? ''), url, echo)]
}

/** The hub tells the hash of its string: equal, and the secret differs; else the string is rebuilt with what arrived there. */
function whyInvalid(hub: string, base: string, theirs: string, url: URL, echo: Echo | null): Finding {
  const { refusal } = refuse('partners.signature_invalid', { baseSha256: theirs.slice(0, 64) })
  const told = (en: string, zh: string, because: Record<string, string> = {}): Finding => {
    const finding = fails('here.signature', 'signature', hub, refusal, { words: { en, zh } })
    return { ...finding, because: { ...finding.because, yours: base, ...because } }
  }
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  if (sha256(base) === theirs) return told('Both strings are equal, so the key id or the signing secret is not the one that was handed over.', '两端的待签名串一致，因此是密钥编号或签名密钥不对。')
  const rebuilt = echo === null ? base : base.replace(`"@authority": ${url.host}`, `"@authority": ${echo.host.toLowerCase()}`)
  if (rebuilt !== base && sha256(rebuilt) === theirs) {
    return told(`The strings differ in "@authority": yours is ${url.host}, and at the hub the Host header was ${echo!.host}.`, `待签名串在 "@authority" 处不同：本机为 ${url.host}，到达主站时 Host 为 ${echo!.host}。`, { hub: rebuilt })
  }
  return told('The two strings differ; "berth diagnose" with the raw request shows where.', '两端的待签名串不同；可用 berth diagnose 提交原始请求查看差异。')
}

/** A refusal that the hub sent, as a finding from this end. */
function asFinding(check: string, layer: string, hub: string, problem: Problem): Finding {
  if (problem.code === undefined || !isReasonCode(problem.code)) return notes(check, layer, { en: problem.detail, zh: problem.detail })
  return fails(check, layer, hub, refuse(problem.code, (problem.because ?? {}) as Record<string, string>).refusal)
}
