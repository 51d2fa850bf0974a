import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** What one run of the generator saw. Times are milliseconds. */
export type LoadResult = {
  /** Answers in the measured time; `answered` also counts those that were under way at its end. */
  measured: number
  answered: number
  seconds: number
  perSecond: number
  p50: number
  p90: number
  p99: number
  max: number
  generatorCpuSeconds: number
  /** All answers of the run by status, warm-up included. */
  codes: Record<string, number>
}

export type LoadOptions = {
  file: string
  port: number
  connections: number
  /** Answers before the measuring begins. */
  warm: number
  /** At most so many answers are measured. */
  measure: number
  seconds: number
  /** Called when the measuring begins. */
  onWarm: () => void
  signal: AbortSignal
}

/** A sentence for the person at the terminal: the bench cannot run here. */
export class BenchRefused extends Error {}

const source = join(import.meta.dirname, 'load.c')
const program = join(import.meta.dirname, '.build', 'load')

/** Compiles the generator when it is missing or older than its source. Throws BenchRefused without a C compiler. */
export function buildLoad(): void {
  if (existsSync(program) && statSync(program).mtimeMs >= statSync(source).mtimeMs) return
  mkdirSync(join(import.meta.dirname, '.build'), { recursive: true })
  const compiler = process.env.CC || 'cc'
  const { error, status, stderr } = spawnSync(compiler, ['-O2', '-o', program, source], { encoding: 'utf8' })
  if (error) throw new BenchRefused(`The bench needs a C compiler for its load generator, and "${compiler}" cannot be run here: install one (Debian: apt-get install gcc libc6-dev), or name it in CC.`)
  if (status !== 0) throw new BenchRefused(`The C compiler did not take bench/load.c:\n${stderr.slice(0, 2000)}`)
}

/** Replays a file of requests. Throws when the run did not come to its end. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { file, port, connections, warm, measure, seconds, onWarm, signal } = options
  const child = spawn(program, [file, port, connections, warm, measure, seconds].map(String), { stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' })
  let complaint = ''
  let last = ''
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'WARM') onWarm()
    else last = line
  })
  const code = await new Promise<number | null>((end, fail) => {
    child.once('error', fail)
    child.once('close', end)
  })
  if (code !== 0) throw new Error(`the load generator ended with ${code}: ${complaint.trim()}`)
  return JSON.parse(last) as LoadResult
}
