import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reasons } from '../../protocol/reasons.ts'
import { operationsOf, PARTNER_ROUTES, pointerTo, PUBLIC_ROUTES, readContract, schemaReader } from '../contract.ts'
import { startHub } from '../hub.ts'
import type { Json } from '../raw-http.ts'

const operationOf = (document: Json, route: string) => {
  const [method, template] = route.split(' ') as [string, string]
  return document.paths[template]?.[method.toLowerCase()]
}

/** Every object of the document with the steps that lead to it. */
function walk(value: Json, visit: (node: Json, steps: string[]) => void, steps: string[] = []): void {
  if (value === null || typeof value !== 'object') return
  if (!Array.isArray(value)) visit(value, steps)
  for (const [name, inner] of Object.entries(value)) walk(inner, visit, [...steps, name])
}

test('the published document is OpenAPI 3.1 by its structure', async (t) => {
  const hub = await startHub(t)
  const response = await fetch(`${hub.url}/openapi.json`)
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
  const document: Json = await response.json()
  assert.match(document.openapi, /^3\.1\.\d$/)
  const TOP = ['openapi', 'info', 'jsonSchemaDialect', 'servers', 'paths', 'webhooks', 'components', 'security', 'tags', 'externalDocs']
  assert.deepEqual(Object.keys(document).filter((name) => !TOP.includes(name)), [])
  assert.ok(document.info.title && document.info.version)
  assert.ok(document.servers.every((server: Json) => URL.canParse(server.url)))
  const tags = document.tags.map((tag: Json) => tag.name)
  const schemes = Object.keys(document.components.securitySchemes)
  const ITEM = ['$ref', 'summary', 'description', 'get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace', 'servers', 'parameters']
  const OPERATION = ['tags', 'summary', 'description', 'externalDocs', 'operationId', 'parameters', 'requestBody', 'responses', 'callbacks', 'deprecated', 'security', 'servers']
  for (const [template, item] of Object.entries<Json>(document.paths)) {
    assert.match(template, /^\//)
    assert.deepEqual(Object.keys(item).filter((name) => !ITEM.includes(name)), [], template)
  }
  for (const route of operationsOf(document)) {
    const operation = operationOf(document, route)
    assert.deepEqual(Object.keys(operation).filter((name) => !OPERATION.includes(name)), [], route)
    assert.ok(operation.summary, route)
    for (const tag of operation.tags ?? []) assert.ok(tags.includes(tag), `${route} has the tag ${tag}, which nobody describes`)
    for (const need of operation.security ?? []) for (const scheme of Object.keys(need)) assert.ok(schemes.includes(scheme), `${route} names ${scheme}`)
    const named = [...route.matchAll(/\{([^}]+)\}/g)].map((match) => match[1])
    const parameters: Json[] = operation.parameters ?? []
    assert.deepEqual(parameters.filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name), named, route)
    assert.equal(new Set(parameters.map((parameter) => `${parameter.in} ${parameter.name}`)).size, parameters.length, `${route} names a parameter twice`)
    for (const { name, in: place, required, schema } of parameters) {
      assert.ok(name && schema && ['path', 'query', 'header', 'cookie'].includes(place), `${route} ${name}`)
      if (place === 'path') assert.equal(required, true, `${route} ${name}`)
    }
    assert.ok(Object.keys(operation.responses).length > 0, `${route} has no responses`)
    for (const [status, answer] of Object.entries<Json>(operation.responses)) {
      assert.match(status, /^([1-5]\d\d|[1-5]XX|default)$/)
      assert.ok(answer.$ref || answer.description, `${route} ${status} is not described`)
    }
  }
  const ids = operationsOf(document).map((route) => operationOf(document, route).operationId).filter(Boolean)
  assert.equal(new Set(ids).size, ids.length)
})

test('every reference resolves, every schema compiles strictly, and every example is valid', async (t) => {
  const hub = await startHub(t)
  const { document } = await readContract(hub.url)
  const ajv = schemaReader(document)
  const seen = new Set<string>()
  walk(document, (node, steps) => {
    if (typeof node.$ref === 'string') assert.ok(node.$ref.startsWith('#/') && resolves(document, node.$ref), `${node.$ref} at ${steps.join('/')}`)
    if (steps.at(-1) !== 'schema') return
    const text = JSON.stringify(node)
    if (seen.has(text)) return
    seen.add(text)
    const check = ajv.compile({ $ref: `contract#${pointerTo(...steps)}` })
    for (const example of node.examples ?? []) assert.ok(check(example), `the example at ${steps.join('/')}`)
  })
  assert.ok(seen.size > 20, `${seen.size} schemas`)
})

function resolves(document: Json, ref: string): boolean {
  return ref.slice(2).split('/').reduce((value, step) => value?.[decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')], document) !== undefined
}

test('the document names every partner route with its body, its answers and its refusals, and closes every object', async (t) => {
  const hub = await startHub(t)
  const { document, operations } = await readContract(hub.url)
  assert.deepEqual(operations.filter((route) => route.includes(' /api')).sort(), [...PARTNER_ROUTES].sort())
  const open: string[] = []
  for (const route of PARTNER_ROUTES) {
    const operation = operationOf(document, route)
    assert.ok(Object.keys(operation.responses).some((status) => status.startsWith('2')), route)
    if (route.startsWith('POST')) assert.ok(operation.requestBody.content['application/json'].schema, route)
    if (!PUBLIC_ROUTES.includes(route)) {
      assert.deepEqual(operation.security.flatMap(Object.keys).sort(), ['bearer', 'signature'], route)
      for (const status of [400, 401, 403, 404, 413, 415, 422, 429, 500, 503]) {
        assert.ok(operation.responses[status]?.content['application/problem+json'], `${route} ${status}`)
      }
    }
    walk(operation, (node, steps) => {
      if (node.type === 'object' && node.additionalProperties !== false) open.push(`${route} ${steps.at(-1)}`)
    })
  }
  // What a refusal proves, what a form asks, what is chosen, what a report of the kit and a logged body held differ by nature; nothing else may.
  assert.deepEqual([...new Set(open.map((place) => place.split(' ').at(-1)))].sort(), ['because', 'fields', 'form', 'measured', 'options', 'report'])
  for (const status of [402, 409]) assert.ok(operationOf(document, 'POST /api/orders').responses[status], String(status))
})

test('the vocabulary that is served is the whole registry, each code with its page', async (t) => {
  const hub = await startHub(t)
  const contract = await readContract(hub.url)
  const reply = await hub.operator('GET', '/api/reasons')
  contract.check('GET', '/api/reasons', reply)
  assert.deepEqual(reply.body.items.map((item: Json) => item.code).sort(), Object.keys(reasons).sort())
  for (const { docs } of reply.body.items) assert.equal((await fetch(docs)).status, 200, docs)
})
