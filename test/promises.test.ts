/**
 * The guard of what pages and guides tell a reader to type: a command, an option or an address that does not exist would
 * send somebody who was refused into a second refusal.
 */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { commands } from '../cli/program.ts'

const ROOT = new URL('../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8')
const pages = () => globSync('docs/{reasons,guides}/*.md', { cwd: ROOT.pathname }).toSorted()

/** What the pages name ahead of the rooms that bring it: first words of commands, then addresses. Empty once all stand. */
const AWAITED_COMMANDS = ['check', 'conform', 'decide', 'decision', 'figures', 'log', 'rule', 'supersede', 'verify', 'witness']
const AWAITED_ADDRESSES = [
  'GET /api/decisions', 'GET /api/decisions/:', 'GET /api/log/checkpoint', 'GET /api/log/proof', 'GET /api/log/consistency',
  'GET /api/log/leaves', 'GET /api/log/mine', 'POST /api/log/witness', 'GET /api/rules', 'GET /api/figures', 'GET /api/conformance', 'GET /figures', 'GET /log', 'GET /rules',
]

/** Options that every command has. */
const EVERYWHERE = ['json', 'lang', 'help']
/** Other programs and dialects own these addresses, not the routes of the JSON API. */
const ELSEWHERE = /^\/(d\/acg|shared)\//

/** The code spans and code blocks of a page, each line by itself. */
function codeOf(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^```[^\n]*\n([^]*?)^```/gm)].flatMap(([, block]) => block!.replaceAll('\\\n', ' ').split('\n'))
  const spans = [...markdown.replace(/^```[^]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!)
  return [...blocks, ...spans]
}

function faultsOfCommand(line: string): string[] {
  const typed = /(?:^|[\s;(])(?:npx )?berth ((?:[a-z]+ )*[a-z]+)([^|;#]*)/.exec(line)
  if (!typed) return []
  const words = typed[1]!.split(' ')
  const fits = commands.filter(({ name }) => words.slice(0, name.split(' ').length).join(' ') === name)
  const command = fits.toSorted((a, b) => b.name.length - a.name.length)[0]
  if (!command) return AWAITED_COMMANDS.includes(words[0]!) || words[0] === 'help' ? [] : [`berth ${typed[1]}: is no command`]
  const known = [...EVERYWHERE, ...command.options.map(({ name }) => name)]
  return [...typed[2]!.matchAll(/(?<=\s)--([a-z][a-z-]*)/g)].filter(([, name]) => !known.includes(name!)).map(([option]) => `berth ${command.name}: has no option ${option}`)
}

/** METHOD path, with a colon for every part that stands for something: the form in which pages and routes are compared. */
function plain(method: string, path: string): string {
  return `${method} ${path.split('/').map((part) => (/^[:{$<…]/.test(part) ? ':' : part)).join('/')}`
}

/** Whatever a source writes as a route, with its method; other texts that begin like an address may have any. */
function routesOf(sources: readonly string[]): Set<string> {
  const routes = new Set(AWAITED_ADDRESSES)
  const paths = new Set([...routes].map((route) => route.slice(route.indexOf(' ') + 1)))
  const add = (method: string, path: string) => {
    const route = plain(method, path)
    routes.add(route)
    paths.add(route.slice(route.indexOf(' ') + 1))
  }
  for (const source of sources) {
    for (const [, method, path] of source.matchAll(/method: '([A-Z]+)', path: '([^']+)'/g)) add(method!, path!)
    for (const [, method, path] of source.matchAll(/app\.(get|post|put|delete)\('([^']+)'/g)) add(method!.toUpperCase(), path!)
  }
  for (const path of sources.flatMap((source) => [...source.matchAll(/['`](\/[^'`\s]+)['`]/g)].map(([, path]) => path!))) {
    if (!paths.has(plain('', path).trim())) routes.add(plain('ANY', path))
  }
  return routes
}

function faultsOfAddress(line: string, routes: ReadonlySet<string>): string[] {
  const named = [...line.matchAll(/\b(GET|POST|PUT|DELETE) (\/[^\s?"'`#]*)/g)].map(([, method, path]) => plain(method!, path!))
  const called = [...line.matchAll(/\$HUB(\/[^\s?"'`)]*)/g)].map(([, path]) => plain('ANY', path!))
  const pathOf = (route: string) => route.slice(route.indexOf(' ') + 1)
  const isThere = (address: string) => routes.has(address) || routes.has(`ANY ${pathOf(address)}`) || (address.startsWith('ANY ') && [...routes].some((route) => pathOf(route) === pathOf(address)))
  return [...named, ...called].filter((address) => !ELSEWHERE.test(pathOf(address)) && !isThere(address)).map((address) => `${address}: is no address of the hub`)
}

const faultsOf = (markdown: string, routes: ReadonlySet<string>) => codeOf(markdown).flatMap((line) => [...faultsOfCommand(line), ...faultsOfAddress(line, routes)])

const routes = routesOf(globSync('hub/inbound/**/*.ts', { cwd: ROOT.pathname }).map(read))

test('every command, option and address that a page or guide names exists', () => {
  assert.ok(routes.has('POST /api/orders') && routes.has('GET /api/orders/:') && routes.has('GET /readyz'))
  assert.ok(pages().length > 100)
  assert.deepEqual(pages().flatMap((path) => faultsOf(read(path), routes).map((fault) => `${path}: ${fault}`)), [])
})

test('the guard finds a command, an option and an address that do not exist, in spans and in blocks', () => {
  const found = (markdown: string) => faultsOf(markdown, routes)
  assert.deepEqual(found('Run `npx berth docking list` and `berth keys create --kind bearer`, read `GET /api/orders/{id}` and `POST /api/keys`.'), [])
  assert.deepEqual(found('Run `npx berth unlock` now.'), ['berth unlock: is no command'])
  assert.deepEqual(found('```sh\nnpx berth keys create --kind bearer --forever\n```\n'), ['berth keys create: has no option --forever'])
  assert.deepEqual(found('Ask `DELETE /api/orders/{id}`.'), ['DELETE /api/orders/:: is no address of the hub'])
  assert.deepEqual(found('```sh\ncurl -s "$HUB/api/secrets?x=1" -H "Authorization: Bearer $KEY"\n```\n'), ['ANY /api/secrets: is no address of the hub'])
  assert.deepEqual(found('```sh\ncurl -s "$HUB/api/goods/$GOOD" \\\n  -H "Authorization: Bearer $KEY"\n```\n'), [])
})
