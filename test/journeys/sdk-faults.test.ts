import assert from 'node:assert/strict'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { Berth } from '../../sdk/index.ts'
import { startHub } from '../hub.ts'

/** What happens to one connection: `toHub` has been connected, and nothing flows yet. */
type Deed = (fromShop: Socket, toHub: Socket) => void

const works: Deed = (fromShop, toHub) => void fromShop.pipe(toHub).pipe(fromShop)

const faults: Record<string, Deed> = {
  'the request never arrives': (fromShop) => void fromShop.once('data', () => fromShop.destroy()),
  'the hub has answered and the line swallows it': (fromShop, toHub) => {
    fromShop.pipe(toHub)
    toHub.once('data', () => fromShop.destroy())
  },
  'the answer breaks off in the middle': (fromShop, toHub) => {
    fromShop.pipe(toHub)
    toHub.once('data', (answer: Buffer) => fromShop.end(answer.subarray(0, answer.length - 60), () => toHub.destroy()))
  },
  'the line is cut before the first byte of the answer': (fromShop, toHub) => void fromShop.once('data', (request) => toHub.write(request, () => {
    toHub.destroy()
    fromShop.destroy()
  })),
}

/** A line to the hub on which the first connections meet these faults and all later ones work. */
async function lineTo(t: TestContext, hubUrl: string, first: readonly Deed[]): Promise<{ url: string; connections(): number }> {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((fromShop) => {
    const deed = first[connections++] ?? works
    const toHub = connect(Number(new URL(hubUrl).port), '127.0.0.1')
    for (const socket of [fromShop, toHub]) {
      sockets.add(socket)
      socket.on('error', () => {}).once('close', () => sockets.delete(socket))
    }
    fromShop.once('close', () => toHub.end())
    deed(fromShop, toHub)
  })
  await new Promise<void>((go) => server.listen(0, '127.0.0.1', go))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => connections }
}

for (const [name, fault] of Object.entries(faults)) {
  for (const [when, firstDelayMs] of [['at once', 1], ['later, when the hub may have given it back', 800]] as const) {
    test(`${name}; asked again ${when}: one order, charged once, its cards in hand`, async (t) => {
      const hub = await startHub(t)
      const good = await hub.stockGood({ code: 'Q10', cards: 10, mode: 'live' })
      const shop = await hub.openDocking({ mode: 'live', deposit: '100.00' })
      const line = await lineTo(t, hub.url, [fault, fault])
      const berth = new Berth({ url: line.url, credentials: { keyId: shop.keyId!, keySecret: shop.keySecret! }, retry: { firstDelayMs, longestDelayMs: firstDelayMs } })
      const ask = { reference: 'F-1', good, quantity: 2, maxUnitPrice: '9.50' }
      const placed = await berth.placeOrder(ask)
      assert.ok(placed.ok)
      assert.ok(line.connections() >= 3)
      assert.equal(placed.value.cards?.length, 2)

      const again = await berth.placeOrder(ask)
      assert.deepEqual(again.ok && [again.replayed, again.value.id, again.value.cards], [true, placed.value.id, placed.value.cards])
      const balance = await berth.getBalance()
      assert.equal(balance.ok && balance.value.available, '81.00')
      const kept: string[] = []
      for await (const order of berth.listOrders()) if (order.ok && order.value.state !== 'cancelled') kept.push(order.value.id)
      assert.deepEqual(kept, [placed.value.id])
      assert.deepEqual(await hub.findings(), [])
    })
  }
}
