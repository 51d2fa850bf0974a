import assert from 'node:assert/strict'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { Json } from './raw-http.ts'

/** An answer of the hub, whoever asked for it. */
export type Answered = { status: number; headers: Headers; body: unknown }

export type Contract = {
  document: Json
  /** Every operation of the document as `GET /api/goods/{good}`. */
  operations: readonly string[]
  /**
   * Asserts that the answer is one that the document promises: the status and the content type are listed for this
   * operation and the body is valid. A path or method that the document does not name may only be refused.
   * `path` is the address as it was asked for, with or without its query.
   */
  check(method: string, path: string, answered: Answered): void
}

/** What a partner may call, as `METHOD /path/{name}`. */
export const PARTNER_ROUTES = [
  'GET /api/docking', 'GET /api/docking/report', 'POST /api/docking/report', 'POST /api/docking/diagnose', 'GET /api/reasons', 'GET /api/figures', 'GET /api/goods', 'GET /api/goods/{good}', 'GET /api/goods/changes',
  'POST /api/orders', 'GET /api/orders', 'GET /api/orders/{order}', 'GET /api/funds/balance', 'GET /api/funds/movements', 'GET /api/contacts', 'PUT /api/contacts',
  'POST /api/orders/batch', 'POST /api/quotes', 'GET /api/keys', 'POST /api/keys', 'POST /api/keys/{key}/roll', 'POST /api/keys/{key}/revoke', 'GET /api/requests', 'GET /api/requests/{request}',
  'GET /api/log/checkpoint', 'GET /api/log/proof', 'GET /api/log/consistency', 'GET /api/log/leaves', 'GET /api/log/witnesses', 'GET /api/log/mine', 'POST /api/log/witness',
  'POST /api/decisions/{decision}/appeals', 'GET /api/appeals', 'GET /api/appeals/{appeal}', 'POST /api/appeals/{appeal}/evidence', 'POST /api/appeals/{appeal}/withdraw',
  'GET /api/sandbox', 'POST /api/sandbox', 'POST /api/sandbox/deposits', 'PUT /api/sandbox/faults', 'DELETE /api/sandbox/faults', 'PUT /api/sandbox/clock', 'POST /api/sandbox/applications',
  'GET /api/conformance', 'POST /api/conformance', 'GET /api/conformance/{run}', 'POST /api/conformance/{run}/tasks', 'GET /api/conformance/{run}/text', 'POST /api/conformance/{run}/text', 'POST /api/conformance/{run}/finish',
  'GET /api/drills', 'POST /api/drills', 'GET /api/drills/{drill}', 'POST /api/drills/{drill}/abandon', 'POST /api/drills/{drill}/witness', 'POST /api/drills/{drill}/dispute',
  'GET /api/decisions', 'GET /api/decisions/{decision}',
  'GET /api/rules', 'GET /api/rules/{rule}', 'POST /api/rules/{rule}/comments',
]
/** Those of them that are asked for without a key. */
export const PUBLIC_ROUTES = [
  'GET /api/reasons', 'GET /api/figures', 'POST /api/sandbox/applications', 'GET /api/rules', 'GET /api/rules/{rule}', 'GET /api/log/checkpoint', 'GET /api/log/proof', 'GET /api/log/consistency', 'GET /api/log/leaves', 'GET /api/log/witnesses',
]

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const

/** Reads the document that a hub publishes and makes its answers checkable. */
export async function readContract(url: string): Promise<Contract> {
  const response = await fetch(`${url}/openapi.json`)
  assert.equal(response.status, 200)
  return contractOf(await response.json())
}

let published: Contract | null = null

/**
 * Holds every answer of a hub under test against the document that it publishes, whoever asked and however.
 * @returns what was answered and not promised, a sentence each
 */
export function watchAnswers(server: Server, documentOf: () => Json): string[] {
  const broken: string[] = []
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? ''
    if (!path.startsWith('/api/')) return
    const { end, writeHead } = response
    let type = ''
    response.writeHead = function keep(this: ServerResponse, ...rest: [number, ...unknown[]]) {
      const sent = rest.at(-1)
      const named = sent !== null && typeof sent === 'object' ? (sent as Record<string, unknown>)['content-type'] : undefined
      type = String(named ?? response.getHeader('content-type') ?? '')
      return writeHead.apply(this, rest as Parameters<typeof writeHead>)
    } as typeof writeHead
    response.end = function keep(this: ServerResponse, ...rest: Parameters<typeof end>) {
      const [body] = rest as unknown[]
      const text = typeof body === 'string' || body instanceof Uint8Array ? new TextDecoder(/charset=gbk/i.test(type) ? 'gb18030' : 'utf-8').decode(Buffer.from(body as string)) : ''
      const headers = new Headers([['content-type', type]])
      try {
        published ??= contractOf(documentOf())
        published.check(request.method ?? '', path, { status: response.statusCode, headers, body: text === '' ? null : type.includes('json') ? JSON.parse(text) : text })
      } catch (error) {
        broken.push((error as Error).message)
      }
      return end.apply(this, rest)
    } as typeof end
  })
  return broken
}

export function contractOf(document: Json): Contract {
  const ajv = schemaReader(document)
  const compiled = new Map<string, ValidateFunction>()
  const validate = (pointer: string): ValidateFunction => {
    let check = compiled.get(pointer)
    if (!check) compiled.set(pointer, (check = ajv.compile({ $ref: `contract#${pointer}` })))
    return check
  }
  const operations = operationsOf(document)
  const paths = Object.keys(document.paths)
    .map((template) => ({ template, pattern: patternOf(template), names: template.split('{').length - 1 }))
    // An address without parameters is meant before one with them.
    .sort((a, b) => a.names - b.names)
  const problem = problemPointer(document)

  return {
    document,
    operations,
    check(method, path, { status, headers, body }) {
      const address = path.split('?')[0]!
      const template = paths.find(({ template, pattern }) => pattern.test(address) && document.paths[template][method.toLowerCase()])?.template
      const where = `${method} ${address} ${status}`
      const type = (headers.get('content-type') ?? '').split(';')[0]!.trim()
      if (template === undefined) {
        assert.ok(status >= 400, `${where}: not in the document, and yet it is served`)
        assert.equal(type, 'application/problem+json', where)
        return assertValid(validate(problem), body, where)
      }
      const responses = document.paths[template][method.toLowerCase()].responses
      assert.ok(responses[status], `${where}: ${method} ${template} does not document the status ${status}`)
      assert.ok(responses[status].content?.[type], `${where}: ${method} ${template} does not document ${type || 'an answer without a type'}`)
      assertValid(validate(pointerTo('paths', template, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema')), body, where)
    },
  }
}

/** Compiles any schema of the document, addressed as `contract#/json/pointer`. */
export function schemaReader(document: Json): Ajv2020 {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true, validateFormats: true })
  addFormats.default(ajv)
  // The document as a whole is no schema; only what is pointed to is validated, but all of it is looked at.
  ajv.addVocabulary(Object.keys(document))
  ajv.addSchema(document, 'contract', undefined, false)
  return ajv
}

export function operationsOf(document: Json): string[] {
  return Object.entries<Json>(document.paths).flatMap(([template, item]) => METHODS.filter((method) => item[method]).map((method) => `${method.toUpperCase()} ${template}`))
}

export function pointerTo(...steps: string[]): string {
  return steps.map((step) => `/${encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')
}

function patternOf(template: string): RegExp {
  return new RegExp(`^${template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]+\}/g, '[^/]+')}$`)
}

/** Every partner route refuses in one shape; any of them stands for the addresses that the document does not name. */
function problemPointer(document: Json): string {
  for (const operation of operationsOf(document)) {
    const [method, template] = operation.split(' ') as [string, string]
    const at = ['paths', template, method.toLowerCase(), 'responses', '404', 'content', 'application/problem+json', 'schema']
    if (at.reduce((value, step) => value?.[step], document)) return pointerTo(...at)
  }
  throw new assert.AssertionError({ message: 'no operation documents a problem' })
}

function assertValid(check: ValidateFunction, body: unknown, where: string): void {
  if (!check(body)) assert.fail(`${where}: ${(check.errors ?? []).map(say).join('; ')}\n${JSON.stringify(body).slice(0, 600)}`)
}

function say({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath || '/'} ${message} ${JSON.stringify(params)}`
}
