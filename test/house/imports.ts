import { isSource, type HouseFile, type Rule } from './files.ts'
import { cut, importsOf } from './source.ts'

/** The floors of domain, lower first. Calls go down; what a lower room tells a higher one is a fact. */
export const FLOORS: readonly (readonly string[])[] = [
  ['rulebook'],
  ['terms', 'ledger', 'decisions', 'operators'],
  ['appeals', 'partners', 'members', 'catalogue', 'fulfilment', 'takenover', 'settlement', 'docking'],
  ['orders', 'pricing', 'compliance', 'sandbox'],
  ['risk', 'migration', 'conformance', 'drills'],
  ['letters'],
  ['notices', 'logbook', 'figures'],
]

const ALL = 'everything'

/** Zone by zone what may be imported; a zone may always import itself, but for one room another. */
const MAY: Readonly<Record<string, readonly string[] | typeof ALL>> = {
  protocol: [],
  dialects: ['protocol'],
  kernel: ['protocol'],
  platform: ['kernel', 'protocol'],
  domain: ['kernel', 'platform', 'protocol'],
  inbound: ['kernel', 'platform', 'protocol', 'dialects', 'domain'],
  outbound: ['kernel', 'platform', 'protocol', 'dialects', 'domain'],
  main: ALL,
  // What stands beside main.ts: the supervisor starts the hub and must not pull its rooms into its own process.
  entrance: ['kernel', 'platform', 'protocol'],
  sdk: ['protocol'], cli: ['protocol', 'sdk'], consoles: ['protocol', 'sdk'], shop: ['protocol', 'sdk'],
  test: ALL, bench: ALL,
}

/** The folders of hub. */
const INSIDE: readonly string[] = ['kernel', 'platform', 'domain', 'inbound', 'outbound']

export function zoneOf(path: string): string | null {
  const [first = '', second = '', third] = path.split('/')
  if (first !== 'hub') return Object.hasOwn(MAY, first) && second !== '' ? first : null
  if (path === 'hub/main.ts') return 'main'
  if (third === undefined) return 'entrance'
  return INSIDE.includes(second) ? second : null
}

function roomOf(path: string): string | null {
  return /^hub\/domain\/([^/]+)\//.exec(path)?.[1] ?? null
}

function floorOf(room: string): number {
  return FLOORS.findIndex((floor) => floor.includes(room))
}

function isOurs(target: string): boolean {
  return zoneOf(target) !== null
}

export const placesAreKnown: Rule = (files) => sources(files).flatMap(({ path }) => {
  const room = roomOf(path)
  if (zoneOf(path) === null) return [`${path} stands in no part of the house`]
  return room !== null && floorOf(room) < 0 ? [`${path} stands in a room without a floor`] : []
})

export const importsGoDown: Rule = (files) => eachImport(files, ({ path }, { target }) => {
  const from = zoneOf(path)
  const to = zoneOf(target)
  if (from === null || to === null || from === to) return null
  const may = MAY[from]!
  return may === ALL || may.includes(to) ? null : `${from} may not import ${to} (${target})`
})

export const roomsHaveOneDoor: Rule = (files) => eachImport(files, ({ path }, { target }) => {
  const room = roomOf(target)
  const own = roomOf(path)
  if (room === null || room === own || ['test', 'bench'].includes(zoneOf(path) ?? '')) return null
  const door = target.slice(`hub/domain/${room}/`.length)
  if (own !== null && floorOf(own) <= floorOf(room)) return `${own} may call lower floors only, not ${room}`
  return door === 'index.ts' || (own === null && door === 'ports.ts') ? null : `${room} is entered by ${door} instead of index.ts`
})

export const noCircles: Rule = (files) => {
  const graph = new Map(sources(files).map(({ path, text }) => [path, importsOf(path, text).map(({ target }) => target)]))
  const state = new Map<string, 'open' | 'done'>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]) => {
    if (state.get(path) === 'open') found.push(`${path} is part of a circle: ${[...trail.slice(trail.indexOf(path)), path].join(' -> ')}`)
    if (state.has(path)) return
    state.set(path, 'open')
    for (const target of graph.get(path) ?? []) if (graph.has(target)) visit(target, [...trail, path])
    state.set(path, 'done')
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}

export function isPure(path: string): boolean {
  return /^(protocol|dialects|hub\/kernel)\//.test(path) || /^hub\/domain\/[^/]+\/(model|rules)\.ts$/.test(path)
}

/** A type leaves nothing behind when it runs, so its import is allowed to a pure file; a value is not. */
export const pureFilesTouchNothing: Rule = (files) => eachImport(files.filter(({ path }) => isPure(path)), (_file, { target, typeOnly }) => {
  if (typeOnly) return null
  if (zoneOf(target) === 'platform') return `a pure file imports ${target}`
  if (isOurs(target) || target.startsWith('.')) return null
  return `a pure file imports ${target}`
})

/** The one place that reads the machine's clock; everybody else is handed a clock or a time. */
const THE_CLOCK = 'hub/kernel/clock.ts'

const DEEDS: readonly [RegExp, string][] = [
  [/\bDate\.now\b/, 'reads the clock'], [/\bnew Date\s*(\(\s*\)|(?![\w\s(]))/, 'reads the clock'], [/(?<!new )(?<![.\w])Date\s*\(\s*\)/, 'reads the clock'],
  [/\bperformance\.now\b/, 'reads the clock'], [/\bMath\.random\b/, 'rolls dice'], [/\bgetRandomValues\b|\brandomUUID\b/, 'rolls dice'],
  [/\bset(Timeout|Interval|Immediate)\b/, 'waits'], [/(?<![.\w])fetch\s*\(/, 'speaks to the network'],
  [/(?<![.\w])process\./, 'asks the process'], [/\bconsole\./, 'prints'],
]

/** Browsers run it too. */
const NOT_IN_BROWSERS = /(?<![.\w])Buffer\b/

export const pureFilesDecideAlone: Rule = (files) => sources(files).filter(({ path }) => isPure(path)).flatMap(({ path, text }) => {
  const shared = /^(protocol|dialects)\//.test(path)
  return cut(text).code.split('\n').flatMap((line, i) => {
    const deeds = DEEDS.filter(([pattern, deed]) => pattern.test(line) && !(path === THE_CLOCK && deed === 'reads the clock'))
    const named = deeds.map(([, deed]) => `${path}:${i + 1} a pure file ${deed}`)
    return shared && NOT_IN_BROWSERS.test(line) ? [...named, `${path}:${i + 1} uses Buffer, which browsers have not`] : named
  })
})

/** The client is published alone, for Node and for browsers: a package that it named would be missing there, its types too. */
const NOT_EVERYWHERE: readonly [RegExp, string][] = [
  [/(?<![.\w])Buffer\b/, 'uses Buffer'], [/(?<![.\w])process\b/, 'asks the process'], [/(?<![.\w])(__dirname|__filename|setImmediate)\b|\brequire\s*\(/, 'uses what only Node has'],
  [/(?<![.\w])(window|document|localStorage|sessionStorage|XMLHttpRequest)\b/, 'uses what only browsers have'],
]

export const clientRunsAnywhere: Rule = (files) => {
  const client = files.filter(({ path }) => path.startsWith('sdk/'))
  return [
    ...eachImport(client, (_, { target }) => (/^(sdk|protocol)\//.test(target) ? null : `the client imports ${target}, which is not shipped with it`)),
    ...sources(client).flatMap(({ path, text }) => cut(text).code.split('\n').flatMap((line, i) =>
      NOT_EVERYWHERE.filter(([pattern]) => pattern.test(line)).map(([, deed]) => `${path}:${i + 1} the client ${deed}`))),
  ]
}

function sources(files: readonly HouseFile[]): readonly HouseFile[] {
  return files.filter(({ path }) => isSource(path))
}

function eachImport(files: readonly HouseFile[], ask: (file: HouseFile, found: { target: string; typeOnly: boolean }) => string | null): string[] {
  return sources(files).flatMap((file) => importsOf(file.path, file.text).flatMap((found) => {
    const offence = ask(file, found)
    return offence === null ? [] : [`${file.path}:${found.line} ${offence}`]
  }))
}
