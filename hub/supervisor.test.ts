import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, waitForEnd } from './platform/process-table.ts'
import { startRefusedExitCode } from './platform/refusal-to-start.ts'

const repository = join(import.meta.dirname, '..')
const supervisor = JSON.stringify(join(repository, 'hub', 'supervisor.ts'))
const embedded = JSON.stringify(join(repository, 'hub', 'platform', 'postgres', 'embedded.ts'))

/** A hub as the supervisor sees one: it reads its environment, tells when it is ready, and ends when it is told to. */
const main = `
  import { createServer } from 'node:http'
  if (process.argv[2] === 'start') {
    const { runSupervisor } = await import(${supervisor})
    await runSupervisor({ argv: process.argv.slice(3), env: process.env, root: process.env.TEST_ROOT })
  } else {
    if (process.env.TEST_REFUSES) {
      console.error('The key-encryption key is missing: put it back.')
      process.exit(${startRefusedExitCode})
    }
    const server = createServer((request, response) => {
      if (request.url === '/slow') return setTimeout(() => response.end('done'), 1_500)
      response.end(JSON.stringify({ pid: process.pid, app: process.env.DATABASE_URL, owner: process.env.DATABASE_OWNER_URL }))
    })
    const stop = () => { server.close(() => process.exit(0)); server.closeIdleConnections() }
    process.once('SIGTERM', stop)
    process.once('disconnect', stop)
    server.listen(Number(process.env.PORT), process.env.HOST)
  }`
const demo = `
  import { appendFileSync, writeFileSync } from 'node:fs'
  appendFileSync(process.env.DATA_DIR + '/demo.runs', process.env.BERTH_URL + '\\n')
  writeFileSync(process.env.DATA_DIR + '/demo.json', JSON.stringify({ next: ['npx berth order one', 'two', 'three', 'four'] }))`

type House = { root: string; dataDir: string; port: number; url: string }
type Run = { child: ChildProcess; said(): string; until(pattern: RegExp): Promise<void>; ended: Promise<number | null> }

async function makeHouse(t: TestContext): Promise<House> {
  const root = mkdtempSync(join(tmpdir(), 'berth-house-'))
  chmodSync(root, 0o711)
  mkdirSync(join(root, 'hub'))
  mkdirSync(join(root, 'cli'))
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  writeFileSync(join(root, 'hub', 'main.ts'), main)
  writeFileSync(join(root, 'cli', 'demo.ts'), demo)
  const dataDir = join(root, 'data')
  t.after(async () => {
    for (const name of ['supervisor.pid', 'hub.pid']) {
      const file = join(dataDir, name)
      if (existsSync(file)) process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL')
    }
    const script = `const { startEmbedded } = await import(${embedded})
      await (await startEmbedded({ dataDir: ${JSON.stringify(dataDir)}, log() {} })).stop()`
    // A test that failed half-way leaves a server, which is adopted and stopped.
    if (existsSync(join(dataDir, 'postgres', 'postmaster.pid'))) {
      await new Promise((end) => spawn(process.execPath, ['--input-type=module', '-e', script]).once('exit', end))
    }
    rmSync(root, { recursive: true, force: true })
  })
  const port = await freePort()
  return { root, dataDir, port, url: `http://127.0.0.1:${port}` }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  return port
}

function begin(house: House, args: readonly string[] = [], more: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(process.execPath, [join(house.root, 'hub', 'main.ts'), 'start', ...args], {
    env: { PATH: process.env.PATH, TEST_ROOT: house.root, DATA_DIR: house.dataDir, PORT: String(house.port), ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk))
  child.stderr.on('data', (chunk: Buffer) => (said += chunk))
  const ended = new Promise<number | null>((end) => child.once('close', (code) => end(code)))
  const until = async (pattern: RegExp) => {
    const deadline = performance.now() + 10_000
    while (!pattern.test(said)) {
      if (performance.now() > deadline) throw new Error(`not seen: ${pattern} in\n${said}`)
      await sleep(20)
    }
  }
  return { child, said: () => said, until, ended }
}

async function askHub({ url }: House): Promise<{ pid: number; app: string; owner: string }> {
  const deadline = performance.now() + 5_000
  for (;;) {
    const answer = await fetch(`${url}/`, { headers: { connection: 'close' } }).catch(() => undefined)
    if (answer?.ok === true) return (await answer.json()) as { pid: number; app: string; owner: string }
    if (performance.now() > deadline) throw new Error('the hub does not answer')
    await sleep(20)
  }
}

const pidIn = (house: House, file: string) => Number(readFileSync(join(house.dataDir, file), 'utf8').split('\n')[0])
const postmasterOf = (house: House) => pidIn(house, 'postgres/postmaster.pid')

test('a first start makes the demo and prints the table, a later one does neither again nor takes long', async (t) => {
  const house = await makeHouse(t)
  const first = begin(house)
  await first.until(/Ctrl-C/)
  assert.match(first.said(), /ready, 已就绪/)
  assert.match(first.said(), new RegExp(`API 接口 +${house.url}/api`))
  assert.match(first.said(), /演示凭据 .*demo\.json/)
  assert.match(first.said(), /下一步 +npx berth order one\n +two\n +three\n +Stop/)
  const { app, owner } = await askHub(house)
  assert.match(app, /^postgres:\/\/berth_app:/)
  assert.match(owner, /^postgres:\/\/berth_owner:/)
  const postmaster = postmasterOf(house)
  first.child.kill('SIGINT')
  assert.equal(await first.ended, 0)
  assert.equal(isAlive(postmaster), false)
  assert.equal(existsSync(join(house.dataDir, 'hub.pid')), false)

  const begunAt = performance.now()
  const second = begin(house)
  await second.until(/Ctrl-C/)
  assert.ok(performance.now() - begunAt < 3_000)
  assert.equal(readFileSync(join(house.dataDir, 'demo.runs'), 'utf8'), `${house.url}\n`)
  second.child.kill('SIGTERM')
  assert.equal(await second.ended, 0)
})

test('a request in flight finishes before everything stops, and the echo of a Ctrl-C by npm does not hurry it', async (t) => {
  const house = await makeHouse(t)
  const run = begin(house, ['--empty'])
  await run.until(/Ctrl-C/)
  assert.equal(existsSync(join(house.dataDir, 'demo.json')), false)
  const slow = fetch(`${house.url}/slow`, { headers: { connection: 'close' } })
  await sleep(200)
  run.child.kill('SIGINT')
  run.child.kill('SIGINT')
  assert.equal(await (await slow).text(), 'done')
  assert.equal(await run.ended, 0)
})

test('a second Ctrl-C does not wait for requests', async (t) => {
  const house = await makeHouse(t)
  const run = begin(house, ['--empty'])
  await run.until(/Ctrl-C/)
  const slow = fetch(`${house.url}/slow`).then(() => 'answered', () => 'cut off')
  await sleep(200)
  run.child.kill('SIGINT')
  await sleep(700)
  run.child.kill('SIGINT')
  assert.equal(await slow, 'cut off')
  assert.equal(await run.ended, 0)
})

test('hub and Postgres come back by themselves after a kill -9 of either', async (t) => {
  const house = await makeHouse(t)
  const run = begin(house, ['--empty'])
  await run.until(/Ctrl-C/)
  const before = await askHub(house)
  process.kill(before.pid, 'SIGKILL')
  await waitForEnd(before.pid, 2_000)
  const after = await askHub(house)
  assert.notEqual(after.pid, before.pid)
  assert.equal(after.app, before.app)

  const postmaster = postmasterOf(house)
  process.kill(postmaster, 'SIGKILL')
  await run.until(/Postgres ended and is started again/)
  const deadline = performance.now() + 5_000
  while (!existsSync(join(house.dataDir, 'postgres/postmaster.pid')) || postmasterOf(house) === postmaster) {
    assert.ok(performance.now() < deadline)
    await sleep(20)
  }
  assert.equal((await askHub(house)).pid, after.pid)
  run.child.kill('SIGINT')
  assert.equal(await run.ended, 0)
})

test('after a kill -9 of the supervisor the hub ends by itself, and the next start adopts what is healthy', async (t) => {
  const house = await makeHouse(t)
  const first = begin(house, ['--empty'])
  await first.until(/Ctrl-C/)
  const { pid } = await askHub(house)
  const postmaster = postmasterOf(house)
  first.child.kill('SIGKILL')
  assert.ok(await waitForEnd(pid, 2_000))

  const second = begin(house, ['--empty'])
  await second.until(/Ctrl-C/)
  assert.equal(postmasterOf(house), postmaster)
  second.child.kill('SIGINT')
  assert.equal(await second.ended, 0)
  assert.equal(isAlive(postmaster), false)
})

test('what an operator has to mend is one sentence and exit code 78, and nothing is left running', async (t) => {
  const house = await makeHouse(t)
  const taken = createServer()
  await new Promise<void>((listening) => taken.listen(house.port, '127.0.0.1', listening))
  const onTakenPort = begin(house)
  assert.equal(await onTakenPort.ended, startRefusedExitCode)
  assert.match(onTakenPort.said(), /^Port \d+ on 127\.0\.0\.1 is taken by another program: .*set PORT to a free one\.\n$/)
  await new Promise((closed) => taken.close(closed))

  const withoutKey = begin(house, [], { TEST_REFUSES: '1' })
  assert.equal(await withoutKey.ended, startRefusedExitCode)
  assert.equal(withoutKey.said(), 'The key-encryption key is missing: put it back.\n')
  assert.equal(existsSync(join(house.dataDir, 'postgres/postmaster.pid')), false)

  const badPort = begin(house, [], { PORT: 'http' })
  assert.equal(await badPort.ended, startRefusedExitCode)
  assert.match(badPort.said(), /^PORT is "http": .*\n$/)

  const noDatabase = begin(house, [], { DATABASE_URL: `postgres://nobody@127.0.0.1:${house.port}/none` })
  assert.equal(await noDatabase.ended, startRefusedExitCode)
  assert.match(noDatabase.said(), /^Cannot connect to the database \(ECONNREFUSED\): .*\n$/)

  const first = begin(house, ['--empty'])
  await first.until(/Ctrl-C/)
  const again = begin({ ...house, port: await freePort() }, ['--empty'])
  assert.equal(await again.ended, startRefusedExitCode)
  assert.match(again.said(), /^Berth already runs on .* \(process \d+\)/)
  first.child.kill('SIGINT')
  assert.equal(await first.ended, 0)
})
