import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BenchRefused } from './load.ts'
import { onFile, runFile, type Ground, type Run } from './rounds.ts'
import { startTypical, type Server } from './servers.ts'
import { createDatabase, FEE_PPM, UNIT_PRICE } from './world.ts'

/** One round of P3: the hub and a typical stack in turn on the same requests at 64 connections. */
export type TypicalRound = Record<'hot' | 'spread', { hub: Run; typical: Run }>

const CONNECTIONS = 64
const folder = join(import.meta.dirname, 'peers', 'express-typeorm')
/** Cards for so many orders a second, on one good and on all together; a stack with a transaction an order has not come near. */
const MOST_PER_SECOND = 1_500
const FEW_WARM = 200

/** Installs the peer with the exact versions of its lock file, once; starts it on a database of its own in the same Postgres. */
export async function openTypical(ground: Pick<Ground, 'postgres' | 'world' | 'plan'>): Promise<Server> {
  if (!existsSync(join(folder, 'node_modules', 'typeorm'))) {
    const { status, stderr } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--omit-lockfile-registry-resolved'], { cwd: folder, encoding: 'utf8' })
    if (status !== 0) throw new BenchRefused(`P3 needs its peer, and "npm install" in bench/peers/express-typeorm failed:\n${(stderr ?? '').slice(-1_000)}`)
  }
  const { postgres, world, plan } = ground
  const databaseUrl = await createDatabase(postgres, 'typical')
  const orders = (plan.rounds + 1) * plan.seconds * MOST_PER_SECOND
  const file = join(postgres.folder, 'typical.json')
  writeFileSync(file, JSON.stringify({
    askers: [...world.hot.askers, ...world.spread.askers], goods: [...world.hot.goods, ...world.spread.goods], unitPrice: UNIT_PRICE, feePpm: FEE_PPM,
    cards: { hot: orders, spread: Math.ceil((orders / world.spread.goods.length) * 1.5) + 40 },
  }), { mode: 0o600 })
  return startTypical({ script: join(folder, 'server.mjs'), worldFile: file, databaseUrl, dataDir: world.dataDir })
}

export async function typicalRound(ground: Ground, typical: Server, round: number): Promise<TypicalRound> {
  const { hub, world, plan } = ground
  const done: Partial<TypicalRound> = {}
  for (const shape of round % 2 === 0 ? [world.hot, world.spread] : [world.spread, world.hot]) {
    const on = (server: Server, warm: number) => onFile(ground, shape, plan.seconds, (file) =>
      runFile(ground, server, { shape: shape.name, file, connections: CONNECTIONS, warm, measure: 1_000_000, seconds: plan.seconds, expects: 201 }))
    const first = round % 2 === 0 ? await on(hub, plan.warmOrders) : null
    const other = await on(typical, FEW_WARM)
    done[shape.name] = { hub: first ?? await on(hub, plan.warmOrders), typical: other }
  }
  return done as TypicalRound
}
