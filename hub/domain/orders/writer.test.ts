import assert from 'node:assert/strict'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { codeOf, must, openRooms, until, type Rooms } from '../../../test/house/rooms.ts'

/** A docking with money and cards, and a database that refuses the COMMIT of every order whose number begins with "boom". */
async function withRefusedCommits(own: Rooms) {
  await own.owner.query(`
    create function public.refuse_commit() returns trigger language plpgsql as $$ begin
      if new.reference like 'boom%' then raise exception 'the disk is full' using errcode = '53100'; end if;
      return null;
    end $$;
    create constraint trigger refuse_commit after insert on orders.orders deferrable initially deferred for each row execute function public.refuse_commit()`)
  return shopOf(own)
}

async function shopOf(own: Rooms) {
  const docking = await own.openDocking({ deposit: '1000.00' })
  const good = await own.addGood('W')
  await own.addCards(good, 200)
  return { docking, good, buy: (reference: string) => own.place(docking, reference, good) }
}

test('a COMMIT that the database refuses books nothing, is told as an outage, and the lane goes on', async (t) => {
  const own = await openRooms(t)
  const { docking, buy } = await withRefusedCommits(own)
  must(await buy('A')).receipt.written()
  const refused = await Promise.all(Array.from({ length: 5 }, (_, i) => buy(`boom-${i}`)))
  assert.deepEqual([...new Set(refused.map(codeOf))], ['platform.storage_unavailable'])
  assert.equal(await own.balance(docking), 1_000_000_000n - 9_500_000n)
  assert.equal(codeOf(await buy('B')), 'accepted', 'the next order of the lane')
  assert.equal(codeOf(await buy('C')), 'accepted')
  assert.deepEqual(await own.findings(), [])
})

test('after a refused COMMIT the watermark claims no position that a later order gets', async (t) => {
  const own = await openRooms(t)
  const { buy } = await withRefusedCommits(own)
  await Promise.all(Array.from({ length: 5 }, (_, i) => buy(`boom-${i}`)))
  // As many as were refused, so that their positions are given again; nobody has answered these.
  const placed = (await Promise.all(Array.from({ length: 6 }, (_, i) => buy(`again-${i}`)))).map(must)
  await buy('A')
  const next = await own.nextLife()
  const doubtful = new Set((await next.orders.doubtful(100)).map((order) => order.id))
  for (const { order } of placed) assert.ok(doubtful.has(order.id), `${order.reference} was never answered`)
})

/** Stands between the hub and its database, and can lose the answer to the writer's next COMMIT, or the COMMIT itself. */
async function openProxy(t: TestContext, url: string): Promise<{ url: string; lose(what: 'answer' | 'commit'): void; lost(): number }> {
  const target = new URL(url)
  const { hostname, port = '5432' } = { hostname: target.hostname, ...(target.port === '' ? {} : { port: target.port }) }
  const folder = target.searchParams.get('host')
  let losing: 'answer' | 'commit' | null = null
  let lost = 0
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = folder === null ? connect(Number(port), hostname) : connect(`${folder}/.s.PGSQL.${port}`)
    let dropping = false
    let isWriter = false
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (bytes) => {
      isWriter ||= bytes.includes('insert into orders.orders')
      if (isWriter && losing !== null && bytes.includes('commit\0')) {
        const what = losing
        losing = null
        lost++
        if (what === 'commit') return void client.destroy()
        dropping = true
      }
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => (dropping ? client.destroy() : client.write(bytes)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  target.port = String((server.address() as AddressInfo).port)
  target.hostname = '127.0.0.1'
  target.searchParams.delete('host')
  return { url: target.href, lose: (what) => void (losing = what), lost: () => lost }
}

for (const what of ['answer', 'commit'] as const) {
  test(`when the ${what === 'answer' ? 'answer to a COMMIT' : 'COMMIT itself'} is lost, the orders themselves say what happened, and nobody is told anything else`, async (t) => {
    const direct = await openRooms(t)
    const proxy = await openProxy(t, direct.database.appUrl)
    const { docking, good } = await shopOf(direct)
    const own = await direct.nextLife({ DATABASE_URL: proxy.url })
    must(await own.place(docking, 'A', good)).receipt.written()
    proxy.lose(what)
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => own.place(docking, `L-${i}`, good)))
    assert.equal(proxy.lost(), 1)
    const stands = Number((await own.owner.query(`select count(*) as n from orders.orders where reference like 'L-%'`)).rows[0].n)
    assert.equal(stands, what === 'answer' ? 8 : 0)
    assert.deepEqual([...new Set(answers.map(codeOf))], [what === 'answer' ? 'accepted' : 'platform.storage_unavailable'])
    if (what === 'answer') assert.equal(new Set(answers.flatMap((one) => must(one).cards.map((card) => card.secret))).size, 8)
    const again = await Promise.all(Array.from({ length: 8 }, (_, i) => own.place(docking, `L-${i}`, good)))
    assert.deepEqual([...new Set(again.map((one) => must(one).replayed))], [what === 'answer'], 'the same numbers, asked again')
    assert.equal(await own.balance(docking), 1_000_000_000n - 9n * 9_500_000n)
    assert.deepEqual(await own.findings(), [])
  })
}

test('a line that breaks before the COMMIT books nothing, and the next batch has a new one', async (t) => {
  const own = await openRooms(t)
  const { buy } = await shopOf(own)
  must(await buy('A'))
  await own.owner.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'berth_app' and datname = current_database()`)
  await until(async () => codeOf(await buy('B')) === 'accepted')
  assert.deepEqual(await own.findings(), [])
})

test('a card that stands in another order already is never sold again: the last guard refuses the batch, and only who meets it', async (t) => {
  const own = await openRooms(t)
  const { docking, buy } = await shopOf(own)
  const other = await own.addGood('OTHER')
  await own.addCards(other, 5)
  await own.owner.query(`insert into orders.sold select id, 1, 0, 'ord_ghost' from catalogue.lots where size = 200`)
  const answers = await Promise.all([buy('A'), own.place(docking, 'B', other), own.place(docking, 'C', other)])
  assert.deepEqual(answers.map(codeOf), ['platform.storage_unavailable', 'accepted', 'accepted'])
  assert.equal(await own.balance(docking), 1_000_000_000n - 2n * 9_500_000n)
  await own.owner.query(`delete from orders.sold where order_id = 'ord_ghost'`)
  assert.equal(codeOf(await buy('A')), 'accepted')
  assert.deepEqual(await own.findings(), [])
})

test('a queue that is full says so at once, and everybody in it is answered', async (t) => {
  const own = await openRooms(t)
  const docking = await own.openDocking({ deposit: '10.00' })
  const answers = await Promise.all(Array.from({ length: 4_200 }, (_, i) => own.place(docking, `Q-${i}`, 'gds_none')))
  const overloaded = answers.filter((one) => codeOf(one) === 'platform.overloaded')
  assert.equal(overloaded.length, 104)
  assert.ok(overloaded.every((one) => !one.ok && one.refusal.retryAfterS! > 0))
  assert.equal(answers.filter((one) => codeOf(one) === 'catalogue.good_not_found').length, 4_096)
})

test('the notes of refusals given before the batch become facts, and a flood of them is bounded', async (t) => {
  const own = await openRooms(t)
  const docking = await own.openDocking()
  for (let i = 0; i < 3_000; i++) own.orders.noteRefusal(docking, 'request.refused', 'POST /api/orders', 'partners.scope_missing', { needed: 'orders:write', granted: [] })
  await own.orders.close()
  const { rows } = await own.owner.query(`select count(*)::int as n, max(position) as head from platform.facts where docking = $1 and kind = 'request.refused'`, [docking.id])
  assert.ok(rows[0].n >= 256 && rows[0].n <= 1_024, String(rows[0].n))
})
