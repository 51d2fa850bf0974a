import { isSource, isTest, type Rule } from './files.ts'
import { cut, importsOf } from './source.ts'

const DRAWERS = new Set(['helper', 'helpers', 'util', 'utils', 'type', 'types', 'common', 'base', 'misc', 'shared'])

export const noDrawers: Rule = (files) => files.flatMap(({ path }) => {
  const drawer = path.split('/').map((part) => part.split('.')[0]!).find((part) => DRAWERS.has(part.toLowerCase()))
  return drawer === undefined ? [] : [`${path} is called ${drawer}, which says nothing about what is in it`]
})

const MOST_LINES = 400
/** A test may need a longer table. */
const MOST_TEST_LINES = 500
/** The whole vocabulary stands in one file so that it can be read at once, and so do the words inside it. */
const WHOLE = new Set(['protocol/reasons.ts'])

export const filesAreShort: Rule = (files) => files.filter(({ path }) => isSource(path) || isTest(path)).flatMap(({ path, text }) => {
  const lines = text.split('\n').length - 1
  const most = isTest(path) ? MOST_TEST_LINES : MOST_LINES
  return lines <= most || WHOLE.has(path) ? [] : [`${path} has ${lines} lines, at most ${most}`]
})

const MOST_ROOM_LINES = 1_500

export const roomsAreSmall: Rule = (files) => {
  const rooms = new Map<string, number>()
  for (const { path, text } of files.filter(({ path }) => isSource(path))) {
    const room = /^hub\/domain\/[^/]+/.exec(path)?.[0]
    if (room) rooms.set(room, (rooms.get(room) ?? 0) + text.split('\n').length - 1)
  }
  return [...rooms].filter(([, lines]) => lines > MOST_ROOM_LINES).map(([room, lines]) => `${room} has ${lines} lines: the room wants another wall`)
}

export const noDefaultExports: Rule = (files) => files.filter(({ path }) => isSource(path) || isTest(path)).flatMap(({ path, text }) =>
  cut(text).code.split('\n').flatMap((line, i) => (/\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/.test(line) ? [`${path}:${i + 1} exports by default`] : [])))

/** A room says what it is, and has one door that only opens. */
export const roomsAreFurnished: Rule = (files) => {
  const paths = new Map(files.map(({ path, text }) => [path, text]))
  const rooms = new Set(files.flatMap(({ path }) => /^hub\/domain\/([^/]+)\//.exec(path)?.[1] ?? []))
  return [...rooms].flatMap((room) => {
    const missing = ['README.md', 'index.ts'].filter((name) => !paths.has(`hub/domain/${room}/${name}`)).map((name) => `hub/domain/${room}/${name} is missing`)
    const readme = paths.get(`hub/domain/${room}/README.md`)
    const lines = readme?.split('\n').filter((line) => line.trim() !== '').length ?? 15
    if (lines < 12 || lines > 60) missing.push(`hub/domain/${room}/README.md has ${lines} lines of text: 12 to 60 say what a room is`)
    const door = paths.get(`hub/domain/${room}/index.ts`)
    if (door !== undefined && cut(door).code.split('\n').some((line) => /^\s*(?:export\s+)?(?:const|let|function|class|async)\b/.test(line))) {
      missing.push(`hub/domain/${room}/index.ts does more than open the door`)
    }
    return missing
  })
}

/** Every code that a README gives must be known, and so must every fact kind be written by the room that claims it. */
export function readmesAreTrue(codes: ReadonlySet<string>): Rule {
  return (files) => {
    const written = new Set(files.filter(({ path }) => isSource(path)).flatMap(({ text }) => cut(text).strings.map((string) => string.text)))
    return files.filter(({ path }) => /^hub\/domain\/[^/]+\/README\.md$/.test(path)).flatMap(({ path, text }) => text.split('\n').flatMap((line, i) => {
      const named = [...line.matchAll(/`([a-z]+\.[a-z_]+)`/g)].map((match) => match[1]!)
      if (line.startsWith('- Reasons:')) return named.filter((name) => !codes.has(name)).map((name) => `${path}:${i + 1} gives ${name}, which is no reason`)
      if (line.startsWith('- Facts:')) return named.filter((name) => !written.has(name)).map((name) => `${path}:${i + 1} writes ${name}, which no source does`)
      return []
    }))
  }
}

const MACHINE = /(?<![\w./-])\/(tmp|work|root|home)\/[\w.]/
const REGISTRY = /\bregistry\.[a-z0-9-]+(\.[a-z0-9-]+)*\.(org|com|net|io|cn|dev)\b|\bnpmmirror\.com\b|\bnpm\.pkg\.github\.com\b/i

export const noMachineIsNamed: Rule = (files) => files.flatMap(({ path, text }) => text.split('\n').flatMap((line, i) => [
  ...(MACHINE.test(line) ? [`${path}:${i + 1} names a folder of one machine`] : []),
  ...(REGISTRY.test(line) ? [`${path}:${i + 1} names a registry`] : []),
]))

export const versionsAreExact: Rule = (files) => files.filter(({ path }) => /(^|\/)package\.json$/.test(path)).flatMap(({ path, text }) => {
  const sets = JSON.parse(text) as Record<string, Record<string, string> | undefined>
  return ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'].flatMap((set) =>
    Object.entries(sets[set] ?? {}).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)).map(([name, version]) => `${path} has ${name} ${version} instead of one exact version`))
})

type Lock = { packages?: Record<string, { resolved?: string; version?: string; bin?: unknown; dependencies?: unknown; devDependencies?: unknown; optionalDependencies?: unknown }> }

/** The lockfile must install anywhere, and it must be the lockfile of this package.json. */
export const lockfileFitsAnywhere: Rule = (files) => files.filter(({ path }) => /(^|\/)package-lock\.json$/.test(path)).flatMap(({ path, text }) => {
  const { packages = {} } = JSON.parse(text) as Lock
  const found = Object.entries(packages).filter(([, entry]) => /^https?:/.test(entry.resolved ?? '')).map(([name]) => `${path} fetches ${name} from one address`)
  const own = files.find((file) => file.path === path.replace(/package-lock\.json$/, 'package.json'))
  if (!own || !packages['']) return found
  const wanted = JSON.parse(own.text) as Record<string, unknown>
  return [...found, ...['bin', 'dependencies', 'devDependencies', 'optionalDependencies'].flatMap((set) => {
    const locked = (packages[''] as Record<string, unknown>)[set] ?? {}
    return JSON.stringify(sorted(wanted[set] ?? {})) === JSON.stringify(sorted(locked)) ? [] : [`${path} has other ${set} than package.json`]
  })]
})

/** Sources import what exists; a deleted file must not live on in an import. */
export const importsExist: Rule = (files) => {
  const paths = new Set(files.map(({ path }) => path))
  return files.filter(({ path }) => isSource(path) || isTest(path)).flatMap(({ path, text }) => importsOf(path, text)
    .filter(({ target }) => /^(protocol|dialects|hub|sdk|cli|consoles|shop|test|bench)\/.*\.(ts|mjs|json)$/.test(target) && !target.startsWith('test/vectors/') && !paths.has(target))
    .map(({ target, line }) => `${path}:${line} imports ${target}, which does not exist`))
}

function sorted(value: object): [string, unknown][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
}
