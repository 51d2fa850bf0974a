import assert from 'node:assert/strict'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { freshDatabase } from '../../../test/postgres.ts'
import { Database, type Statement } from './database.ts'

const question: Statement = { text: 'select 1', values: [] }

/** A line to the test's database that can fall silent without breaking, as a stopped server's or a cut network's does. */
async function lineTo(t: TestContext, url: string): Promise<{ url: string; fallSilent(): void; speak(): void }> {
  const through = new URL(url)
  const folder = through.searchParams.get('host')
  const sockets = new Set<Socket>()
  let silent = false
  const server = createServer((near) => {
    const far = folder ? connect(join(folder, '.s.PGSQL.5432')) : connect(Number(through.port || 5432), through.hostname)
    for (const [from, to] of [[near, far], [far, near]] as const) {
      sockets.add(from)
      from.on('error', () => {}).on('close', () => to.destroy())
      from.on('data', (chunk) => void (silent || to.write(chunk)))
    }
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const own = new URL(url)
  own.searchParams.delete('host')
  own.hostname = '127.0.0.1'
  own.port = String((server.address() as AddressInfo).port)
  return { url: own.href, fallSilent: () => void (silent = true), speak: () => void (silent = false) }
}

test('a line that falls silent is given up by reads and by transactions, and a new one is taken', async (t) => {
  const { appUrl } = await freshDatabase(t)
  const line = await lineTo(t, appUrl)
  const db = new Database({ url: line.url, size: 2, applicationName: 'berth test', silentMs: 100 })
  t.after(() => db.end())
  assert.deepEqual(await db.run(question), [[1]])
  const inside = db.transaction(async (connection) => {
    await connection.run(question)
    line.fallSilent()
    await connection.run(question)
  })
  await assert.rejects(inside, /Query read timeout/)
  line.speak()
  assert.deepEqual(await db.run(question), [[1]])
  line.fallSilent()
  await assert.rejects(db.run(question), /Query read timeout/)
  line.speak()
  assert.deepEqual(await db.run(question), [[1]])
})
