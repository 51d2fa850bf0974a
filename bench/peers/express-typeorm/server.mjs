import 'reflect-metadata'
import { createHash, createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import express from 'express'
import { DataSource } from 'typeorm'
import { formatAmount, parseAmount } from '../../../protocol/money.ts'
import { checkContentDigest, checkFreshness, readSignature, verifyClaim } from '../../../protocol/signature.ts'
import { openWith, sealWith } from '../../../hub/platform/sealing/vault.ts'
import { cardOf } from '../../card.ts'
import { Account, ApiKey, AuditLine, Card, entities, Good, LedgerEntry, Order } from './entities.mjs'

// PEER_WORLD=world.json DATABASE_URL=… PORT=n node server.mjs: the peer of P3; see the README beside it.
const world = JSON.parse(readFileSync(process.env.PEER_WORLD, 'utf8'))
const key = createSecretKey(randomBytes(32))
const nonces = new Set()
const SEED_CHUNK = 5_000

const source = new DataSource({ type: 'postgres', url: process.env.DATABASE_URL, entities, synchronize: true, logging: false, poolSize: 10 })
await source.initialize()
await seed()

const app = express()
app.disable('x-powered-by')
app.use(express.json({ limit: '64kb', verify: (request, _response, bytes) => (request.bytes = bytes) }))
app.get('/readyz', (_request, response) => response.json({ ready: true }))
app.post('/api/orders', signedIn, async (request, response) => {
  try {
    const { status, body } = await placeOrder(request.partnerId, request.body)
    response.status(status).json(body)
  } catch (error) {
    response.status(500).json({ message: String(error.message) })
  }
})
const server = app.listen(Number(process.env.PORT), process.env.HOST)
for (const name of ['SIGTERM', 'SIGINT', 'disconnect']) {
  process.once(name, () => {
    server.close(() => void source.destroy().then(() => process.exit(0)))
    server.closeAllConnections()
  })
}

/** Who asks: the key by its name from the database, then the same signature as the hub verifies. */
async function signedIn(request, response, next) {
  const no = (message) => response.status(401).json({ message })
  const claim = readSignature({
    method: request.method, scheme: 'http', authority: request.headers.host ?? '', path: request.path, query: '', header: (name) => request.headers[name], hasBody: request.bytes !== undefined,
  })
  if (!claim.ok) return no(claim.refusal.code)
  const { keyid, nonce } = claim.value
  const apiKey = await source.getRepository(ApiKey).findOneBy({ id: keyid, active: true })
  if (!apiKey) return no('no such key')
  const isTrue = verifyClaim(claim.value, { kind: 'hmac-sha256' }, {
    hmacSha256: (base) => createHmac('sha256', apiKey.secret).update(base, 'latin1').digest(), equal: (a, b) => a.byteLength === b.byteLength && timingSafeEqual(a, b),
  })
  const digest = checkContentDigest(request.headers['content-digest'] ?? '', request.bytes, (bytes) => createHash('sha256').update(bytes).digest(), (bytes) => createHash('sha512').update(bytes).digest())
  if (!isTrue || !digest.ok || !checkFreshness(claim.value, Math.floor(Date.now() / 1000)).ok || nonces.has(nonce)) return no('not signed')
  nonces.add(nonce)
  request.partnerId = apiKey.partnerId
  next()
}

/** One transaction an order. */
function placeOrder(partnerId, { reference, good: goodId, quantity, maxUnitPrice }) {
  return source.transaction(async (manager) => {
    const known = await manager.findOneBy(Order, { partnerId, reference })
    if (known) return { status: 200, body: shown(known, await manager.findBy(Card, { orderId: known.id })) }
    const account = await manager.findOne(Account, { where: { partnerId }, lock: { mode: 'pessimistic_write' } })
    const good = await manager.findOneBy(Good, { id: goodId, onSale: true })
    if (!account || !good) return { status: 404, body: { message: 'no such account or good' } }
    const unitPrice = BigInt(good.unitPrice)
    if (unitPrice > parseAmount(maxUnitPrice)) return { status: 409, body: { message: 'the price is above the guard' } }
    const total = unitPrice * BigInt(quantity)
    const fee = (total * BigInt(account.feePpm)) / 1_000_000n
    const after = BigInt(account.balance) - total - fee
    if (after < 0n) return { status: 402, body: { message: 'not enough money' } }
    const cards = await manager.createQueryBuilder(Card, 'card').where('card.goodId = :goodId and card.orderId is null', { goodId })
      .orderBy('card.id').limit(quantity).setLock('pessimistic_write').setOnLocked('skip_locked').getMany()
    if (cards.length < quantity) return { status: 409, body: { message: 'out of stock' } }
    const order = await manager.save(Order, {
      partnerId, reference, goodId, quantity, unitPrice: String(unitPrice), total: String(total), fee: String(fee), state: 'delivered',
      fingerprint: createHash('sha256').update(`${goodId} ${quantity}`).digest('hex'),
    })
    for (const card of cards) card.orderId = order.id
    await manager.save(Card, cards)
    await manager.insert(LedgerEntry, [
      { account: partnerId, orderId: order.id, kind: 'order', amount: String(-total), after: String(after + fee) }, { account: 'house:sales', orderId: order.id, kind: 'order', amount: String(total) },
      { account: partnerId, orderId: order.id, kind: 'fee', amount: String(-fee), after: String(after) }, { account: 'house:fees', orderId: order.id, kind: 'fee', amount: String(fee) },
    ])
    account.balance = String(after)
    await manager.save(Account, account)
    await manager.insert(AuditLine, { partnerId, kind: 'order.accepted', subject: order.id, body: { reference, good: goodId, quantity } })
    return { status: 201, body: shown(order, cards) }
  })
}

function shown(order, cards) {
  return {
    id: order.id, reference: order.reference, good: order.goodId, quantity: order.quantity, unitPrice: formatAmount(BigInt(order.unitPrice)), total: formatAmount(BigInt(order.total)),
    charged: formatAmount(BigInt(order.total) + BigInt(order.fee)), state: order.state, createdAt: order.createdAt,
    cards: cards.map((card) => {
      const [number, secret] = openWith(key, card.sealed, `card|${card.goodId}`).toString('utf8').split('\t')
      return { number, secret }
    }),
  }
}

async function seed() {
  const { askers, goods, unitPrice, feePpm, cards } = world
  await source.getRepository(ApiKey).insert(askers.map((asker) => ({ id: asker.keyId, partnerId: asker.docking, secret: asker.keySecret })))
  await source.getRepository(Account).insert(askers.map((asker) => ({ partnerId: asker.docking, balance: '100000000000000', feePpm })))
  await source.getRepository(Good).insert(goods.map((id, i) => ({ id, name: `Good ${i}`, unitPrice: String(parseAmount(unitPrice)) })))
  const rows = goods.flatMap((id, i) => Array.from({ length: i === 0 ? cards.hot : cards.spread }, (_, n) => [id, i * 1_000_000 + n]))
  for (let first = 0; first < rows.length; first += SEED_CHUNK) {
    const chunk = rows.slice(first, first + SEED_CHUNK)
    await source.query('insert into cards ("goodId", sealed) select * from unnest($1::varchar[], $2::bytea[])', [chunk.map(([id]) => id), chunk.map(([id, n]) => sealWith(key, Buffer.from(cardOf(n)), `card|${id}`))])
  }
  await source.query('vacuum analyze')
}
