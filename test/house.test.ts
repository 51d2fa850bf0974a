import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Client } from 'pg'
import { dumpSchema } from '../hub/platform/postgres/schema.ts'
import { reasonCodes } from '../protocol/reasons.ts'
import { isSource, readHouse, type HouseFile, type Rule } from './house/files.ts'
import {
  clientRunsAnywhere, importsGoDown, noCircles, placesAreKnown, pureFilesDecideAlone, pureFilesTouchNothing, roomsHaveOneDoor,
} from './house/imports.ts'
import { cut, importsOf } from './house/source.ts'
import {
  constraintsAreNotNamed, countedColumns, doorToManyMachinesStaysOpen, keysHoldTheLane, readSchema, roomsKeepToTheirTables, staleExceptions, type SchemaFacts,
} from './house/sql.ts'
import {
  filesAreShort, importsExist, lockfileFitsAnywhere, noDefaultExports, noDrawers, noMachineIsNamed, readmesAreTrue, roomsAreFurnished, roomsAreSmall,
  versionsAreExact,
} from './house/tidy.ts'
import { freshDatabase } from './postgres.ts'

const root = join(import.meta.dirname, '..')
const house = readHouse(root)
const { schema, dump } = await lookAtDatabase()

async function lookAtDatabase(): Promise<{ schema: SchemaFacts; dump: string }> {
  const client = new Client({ connectionString: (await freshDatabase({ after })).ownerUrl })
  await client.connect()
  try {
    return { schema: await readSchema(client), dump: await dumpSchema(client) }
  } finally {
    await client.end()
  }
}

/** The keys without a lane, and why they may stand. Whoever shards the stock takes them out one by one. */
const KEYS_WITHOUT_LANE = {
  'orders.sold (lot, seq)': 'the last guard that a card stands in one order, in whatever lane: stock has no lane until ranges of it are leased to lanes',
  'logbook.leaves (index)': 'the tree is one over all lanes, sealed behind the orders by one process; no order reads or writes it',
  'logbook.payloads (index)': 'one row a leaf of that tree',
}
const COUNTED = {
  'catalogue.lots.id': 'stock has no lane until it is leased; lots are locked and sold in ascending order of this number',
  'catalogue.changes.id': 'only orders the changes that wait for their position in the feed; readers never see it',
}

/** Rows that another room's rows rest on, so that the database itself keeps them honest. Each is read alone, by its key. */
const CROSSINGS = {
  'decisions.decisions refers to rulebook.texts': 'a commercial measure rests on a rule that was public for seven days; the rulebook is small and could stand on every shard',
  'decisions.decisions refers to rulebook.contracts': 'or on a contract that the partner of this docking signed; lane and docking are part of the key',
  'terms.offers refers to decisions.decisions': 'a dearer own price names the decision behind it; lane and docking are part of the key',
  'terms.contracts refers to decisions.decisions': 'and so does a dearer placing',
  'logbook.erase reads platform.facts': 'the log erases only what a fact of the same transaction says; lane and position name the fact',
  'appeals.appeals refers to decisions.decisions': 'an appeal is against a decision that there is; lane and docking are part of the key',
  'appeals.file_appeal reads decisions.decisions': 'who may not judge is read off the decisions and not said by whoever files; all in one lane',
}

const TABLES = new Set(['ledger.balances', 'ledger.transfers', 'orders.orders', 'platform.lanes', 'catalogue.sweep_staged'])
const folder = (...names: string[]) => ['', ...names].join('/')

/** Each rule with the offenders that it must name, by path and text, and innocents that it must let pass. */
const rules: Record<string, { rule: Rule; offenders: Record<string, string>[]; innocents: Record<string, string>[] }> = {
  'every source has a place in the house': {
    rule: placesAreKnown,
    offenders: [{ 'server/main.ts': '' }, { 'hub/services/orders.ts': '' }, { 'hub/domain/billing/index.ts': '' }, { 'start.ts': '' }],
    innocents: [{ 'hub/domain/risk/index.ts': '', 'sdk/client.ts': '', 'hub/outbound/call.ts': '', 'shop/main.ts': '' }],
  },
  'imports go down': {
    rule: importsGoDown,
    offenders: [
      { 'protocol/money.ts': "import { read } from '../dialects/acg/server.ts'" },
      { 'dialects/acg/server.ts': "import { makeLog } from '../../hub/platform/log.ts'" },
      { 'hub/kernel/ids.ts': "import { x } from '../platform/facts.ts'" },
      { 'hub/platform/facts.ts': "import type { Order } from '../domain/orders/index.ts'" },
      { 'hub/domain/orders/service.ts': "import { answer } from '../../inbound/pipeline.ts'" },
      { 'hub/domain/orders/service.ts': "export { read } from '../../../dialects/acg/server.ts'" },
      { 'hub/inbound/server.ts': "import { call } from '../outbound/call.ts'" },
      { 'hub/outbound/call.ts': "import {\n  answer,\n} from '../inbound/pipeline.ts'" },
      { 'hub/supervisor.ts': "import { Orders } from './domain/orders/index.ts'" },
      { 'hub/inbound/server.ts': "const main = await import('../main.ts')" },
      { 'sdk/client.ts': "import { laneOf } from '../hub/kernel/lanes.ts'" },
      { 'cli/main.ts': "import { Database } from '../hub/platform/postgres/database.ts'" },
      { 'hub/main.ts': '', 'protocol/money.ts': "import { freshDatabase } from '../test/postgres.ts'" },
    ],
    innocents: [
      { 'hub/domain/orders/rules.ts': "import { formatAmount } from '../../../protocol/money.ts'", 'hub/main.ts': "import { Orders } from './domain/orders/index.ts'" },
      { 'cli/main.ts': "import { sign } from '../sdk/sign.ts'", 'hub/inbound/server.ts': "import { read } from '../../dialects/acg/server.ts'" },
      { 'protocol/money.ts': "// import { read } from '../dialects/acg/server.ts'\nconst text = \"import x from '../hub/main.ts'\"" },
    ],
  },
  'a room is entered by its door and from above': {
    rule: roomsHaveOneDoor,
    offenders: [
      { 'hub/domain/orders/service.ts': "import { loadBalances } from '../ledger/store.ts'" },
      { 'hub/domain/ledger/service.ts': "import { findDocking } from '../partners/index.ts'" },
      { 'hub/domain/ledger/service.ts': "import type { Measure } from '../decisions/index.ts'" },
      { 'hub/domain/catalogue/service.ts': "import { report } from '../docking/index.ts'" },
      { 'hub/domain/orders/service.ts': "import { screen } from '../compliance/index.ts'" },
      { 'hub/inbound/partner/orders.ts': "import { OrderWriter } from '../../domain/orders/writer.ts'" },
      { 'hub/main.ts': "import { OrderWriter } from './domain/orders/writer.ts'" },
    ],
    innocents: [
      { 'hub/domain/risk/watch.ts': "import { Orders } from '../orders/index.ts'", 'hub/outbound/call.ts': "import type { Supplier } from '../domain/orders/ports.ts'" },
      { 'hub/domain/orders/service.ts': "import { place } from './rules.ts'", 'bench/p1.ts': "import { place } from '../hub/domain/orders/rules.ts'" },
    ],
  },
  'nobody imports in a circle': {
    rule: noCircles,
    offenders: [{ 'a/one.ts': "import './two.ts'", 'a/two.ts': "import { x } from './three.ts'", 'a/three.ts': "export * from './one.ts'" }],
    innocents: [{ 'a/one.ts': "import './two.ts'\nimport './three.ts'", 'a/two.ts': "import { x } from './three.ts'", 'a/three.ts': '' }],
  },
  'a pure file imports no machine': {
    rule: pureFilesTouchNothing,
    offenders: [
      { 'protocol/signature.ts': "import { createHash } from 'node:crypto'" },
      { 'dialects/acg/server.ts': "import iconv from 'iconv-lite'" },
      { 'hub/kernel/ids.ts': "import { randomInt } from 'node:crypto'" },
      { 'hub/domain/orders/rules.ts': "import { crashpoint } from '../../platform/crashpoints.ts'" },
      { 'hub/domain/orders/model.ts': "import { type KeyObject } from 'node:crypto'" },
      { 'protocol/keys.ts': "export * from 'ajv'" },
    ],
    innocents: [{ 'hub/domain/partners/model.ts': "import type { KeyObject } from 'node:crypto'", 'hub/domain/docking/rules.ts': "import type { RefusalFact } from '../../platform/facts.ts'", 'hub/domain/docking/service.ts': "import { x } from 'node:fs'" }],
  },
  'a pure file needs no clock, no dice and no network': {
    rule: pureFilesDecideAlone,
    offenders: [
      'Date.now()', 'new Date()', 'new Date', 'Date()', 'Math.random()', 'performance.now()', 'setTimeout(go, 1)', "await fetch('x')", 'process.env.X', 'crypto.randomUUID()', 'console.log(1)',
    ].map((deed) => ({ 'hub/domain/orders/rules.ts': `/** Never Date.now(). */\nexport const x = () => { ${deed} }` })).concat([{ 'protocol/keys.ts': 'const x = Buffer.from(y)' } as never, { 'hub/kernel/clock.ts': 'Math.random()' } as never]),
    innocents: [{
      'hub/domain/orders/rules.ts': "// Date.now() is forbidden\nconst x = 'Math.random()'\nconst at = new Date(ms)\nconst y = /setTimeout/.test(`fetch(${x})`)", 'hub/kernel/clock.ts': 'Date.now()', 'hub/domain/orders/service.ts': 'Date.now()',
    }],
  },
  'the client runs in Node and in browsers, with nothing beside it': {
    rule: clientRunsAnywhere,
    offenders: [
      { 'sdk/sign.ts': "import { createHmac } from 'node:crypto'" }, { 'sdk/sign.ts': "import type { KeyObject } from 'node:crypto'" }, { 'sdk/sign.ts': "import { fetch } from 'undici'" },
      { 'sdk/client.ts': "import { x } from '../test/hub.ts'" },
      { 'sdk/sign.ts': 'const bytes = Buffer.from(text)' }, { 'sdk/client.ts': 'const url = process.env.BERTH_URL' }, { 'sdk/client.ts': "const fs = require('fs')" }, { 'sdk/client.ts': 'const lang = window.navigator.language' },
    ],
    innocents: [
      { 'sdk/client.ts': "import { sign } from './sign.ts'\nimport { accept } from '../protocol/outcome.ts'\n// Buffer\nconst x = 'process'", 'sdk/client.test.ts': "import { test } from 'node:test'" },
      { 'cli/main.ts': "import { createHmac } from 'node:crypto'\nprocess.exit(Buffer.length)" },
    ],
  },
  'a room keeps to its own tables': {
    rule: roomsKeepToTheirTables(TABLES),
    offenders: [
      { 'hub/domain/orders/store.ts': "const text = 'select available from ledger.balances'" },
      { 'hub/domain/orders/service.ts': "const text = `update platform.lanes set head = ${head}`" },
      { 'hub/inbound/partner/orders.ts': "db.run({ text: `select 1 from a, orders.orders o` })" },
      { 'hub/domain/orders/store.ts': "const text = 'select catalogue.sweep_staged($1)'" },
      { 'hub/platform/facts.ts': "const text = 'insert into ledger.transfers values (1)'" },
    ],
    innocents: [{ 'hub/domain/ledger/store.ts': "const name = 'orders.orders'\nconst text = 'select 1 from ledger.balances'\n// select from orders.orders", 'hub/platform/lanes.ts': "const text = 'update platform.lanes set head = 1'" }],
  },
  'the door to many machines stays open': {
    rule: doorToManyMachinesStaysOpen,
    offenders: [
      { 'hub/platform/facts.ts': "const text = 'select pg_advisory_xact_lock($1)'" }, { 'hub/domain/orders/store.ts': "const text = `select pg_notify('x', $1)`" },
      { 'hub/migrations/0009_x.sql': 'create trigger t before update on a for each row execute function f();' }, { 'hub/migrations/0009_x.sql': 'docking text references a on delete set null' },
      { 'hub/migrations/0009_x.sql': 'create table orders.x (id bigserial);' }, { 'hub/migrations/0009_x.sql': 'select 1;\nnotify facts;' },
      { 'hub/domain/orders/store.ts': "const text = 'insert into orders.orders values (1) on conflict on constraint orders_pkey do nothing'" },
    ],
    innocents: [{ 'hub/migrations/0009_x.sql': '-- no trigger, no serial\ncreate table orders.x (serial_number text);', 'hub/platform/postgres/migrate.ts': "const text = 'select pg_advisory_xact_lock($1)'", 'hub/domain/orders/writer.ts': 'this.#notify(note)' }],
  },
  'no code looks at the name of a constraint': {
    rule: constraintsAreNotNamed(new Set(['orders_reference', 'goods_code'])),
    offenders: [{ 'hub/domain/orders/writer.ts': "if (error.constraint === 'x') return" }, { 'hub/domain/orders/writer.ts': "if (message.includes('orders_reference')) return" }],
    innocents: [{ 'hub/domain/orders/store.ts': "const text = 'select orders_reference_count'\n// orders_reference", 'hub/migrations/0007_orders.sql': 'constraint orders_reference' }],
  },
  'no drawers': {
    rule: noDrawers,
    offenders: ['hub/utils.ts', 'hub/domain/orders/helpers.ts', 'protocol/types.ts', 'hub/common/x.ts', 'sdk/base.ts', 'hub/misc/a.ts', 'consoles/shared/b.ts', 'test/helpers.test.ts'].map((path) => ({ [path]: '' })),
    innocents: [{ 'hub/database.ts': '', 'protocol/prototypes.ts': '' }],
  },
  'files are short': {
    rule: filesAreShort,
    offenders: [{ 'hub/main.ts': '\n'.repeat(401) }, { 'hub/main.test.ts': '\n'.repeat(501) }],
    innocents: [{ 'hub/main.ts': '\n'.repeat(400), 'protocol/reasons.ts': '\n'.repeat(600), 'docs/words.md': '\n'.repeat(900), 'hub/migrations/schema.sql': '\n'.repeat(900) }],
  },
  'rooms are small': {
    rule: roomsAreSmall,
    offenders: [{ 'hub/domain/orders/a.ts': '\n'.repeat(800), 'hub/domain/orders/b.ts': '\n'.repeat(701) }],
    innocents: [{ 'hub/domain/orders/a.ts': '\n'.repeat(800), 'hub/domain/ledger/b.ts': '\n'.repeat(800), 'hub/domain/orders/a.test.ts': '\n'.repeat(900) }],
  },
  'nothing is exported by default': {
    rule: noDefaultExports,
    offenders: [{ 'hub/x.ts': 'export default function x() {}' }, { 'hub/x.ts': 'export { x as default }' }],
    innocents: [{ 'hub/x.ts': "// export default x\nconst text = 'export default x'" }],
  },
  'every room is furnished': {
    rule: roomsAreFurnished,
    offenders: [
      { 'hub/domain/risk/index.ts': '' }, { 'hub/domain/risk/README.md': 'x\n'.repeat(20) }, { 'hub/domain/risk/index.ts': '', 'hub/domain/risk/README.md': 'A stub.' },
      { 'hub/domain/risk/index.ts': 'export const limit = 3', 'hub/domain/risk/README.md': 'x\n'.repeat(20) },
    ],
    innocents: [{ 'hub/domain/risk/index.ts': "export { watch } from './watch.ts'", 'hub/domain/risk/README.md': 'x\n'.repeat(20) }],
  },
  'the page of a room names real reasons and real facts': {
    rule: readmesAreTrue(new Set(['orders.not_found'])),
    offenders: [{ 'hub/domain/orders/README.md': '- Reasons: `orders.lost`' }, { 'hub/domain/orders/README.md': '- Facts: `order.sung`', 'hub/domain/orders/service.ts': "append({ kind: 'order.voided' })" }],
    innocents: [{ 'hub/domain/orders/README.md': '- Reasons: `orders.not_found`\n- Facts: `order.voided`', 'hub/domain/orders/service.ts': "append({ kind: 'order.voided' })" }],
  },
  'no file knows the machine it was written on': {
    rule: noMachineIsNamed,
    offenders: [{ 'README.md': `see ${folder('home', 'li', 'berth')}` }, { 'hub/x.ts': `const dir = '${folder('tmp', 'x')}'` }, { '.npmrc': `registry=https://${['registry', 'npmjs', 'org'].join('.')}/` }],
    innocents: [{ 'README.md': 'see docs/home/start.md, /api/home and https://example.com/work/x', 'hub/x.ts': 'hub.metrics.registry.metrics()' }],
  },
  'versions are exact': {
    rule: versionsAreExact,
    offenders: ['^8.23.1', '~1.0.0', '*', 'latest', '8', '>=1.0.0', 'github:a/b'].map((version) => ({ 'package.json': JSON.stringify({ devDependencies: { pg: version } }) })),
    innocents: [{ 'package.json': JSON.stringify({ dependencies: { pg: '8.23.1' }, optionalDependencies: { x: '18.4.0-beta.17' } }) }],
  },
  'the lockfile fits anywhere and is this package\'s': {
    rule: lockfileFitsAnywhere,
    offenders: [
      { 'package-lock.json': JSON.stringify({ packages: { 'node_modules/pg': { resolved: 'https://example.com/pg.tgz' } } }) },
      { 'package.json': JSON.stringify({ dependencies: { pg: '8.23.1' } }), 'package-lock.json': JSON.stringify({ packages: { '': { dependencies: { pg: '8.23.0' } } } }) },
    ],
    innocents: [{ 'package.json': JSON.stringify({ dependencies: { pg: '8.23.1' } }), 'package-lock.json': JSON.stringify({ packages: { '': { dependencies: { pg: '8.23.1' } }, 'node_modules/pg': { version: '8.23.1' } } }) }],
  },
  'imports name files that exist': {
    rule: importsExist,
    offenders: [{ 'hub/main.ts': "import { x } from './gone.ts'" }, { 'hub/main.test.ts': "import { x } from '../protocol/gone.ts'" }],
    innocents: [{ 'hub/main.ts': "import { x } from './here.ts'", 'hub/here.ts': '' }],
  },
}

const asFiles = (paths: Record<string, string>): HouseFile[] => Object.entries(paths).map(([path, text]) => ({ path, text }))

for (const [name, { rule, offenders, innocents }] of Object.entries(rules)) {
  test(`${name}: a planted offender is named`, () => {
    for (const offender of offenders) {
      const found = rule(asFiles(offender))
      assert.ok(found.length > 0, `nobody saw ${JSON.stringify(offender).slice(0, 300)}`)
      const paths = [...Object.keys(offender), ...Object.keys(offender).map((path) => path.slice(0, path.lastIndexOf('/')))]
      for (const line of found) assert.ok(paths.some((path) => line.startsWith(path)), `${line} names none of ${paths.join(', ')}`)
    }
    for (const innocent of innocents) assert.deepEqual(rule(asFiles(innocent)), [])
  })
}

/** Rules whose knowledge comes from the database or the registry get the true one here. */
function trueRule(name: string): Rule {
  if (name === 'a room keeps to its own tables') return roomsKeepToTheirTables(schema.names)
  if (name === 'no code looks at the name of a constraint') return constraintsAreNotNamed(schema.constraints)
  if (name === 'the page of a room names real reasons and real facts') return readmesAreTrue(new Set(reasonCodes))
  return rules[name]!.rule
}

for (const name of Object.keys(rules)) {
  test(`the house: ${name}`, () => assert.deepEqual(trueRule(name)(house), []))
}

test('the guard reads the whole house: every source, with the imports that a plain look finds', () => {
  const sources = house.filter(({ path }) => isSource(path))
  const rooms = new Set(house.flatMap(({ path }) => /^hub\/domain\/([^/]+)\/index\.ts$/.exec(path)?.[1] ?? []))
  for (const room of ['ledger', 'terms', 'decisions', 'partners', 'catalogue', 'orders', 'docking']) assert.ok(rooms.has(room), room)
  for (const path of ['hub/main.ts', 'hub/domain/orders/rules.ts', 'protocol/reasons.ts', 'package.json', 'package-lock.json', 'hub/migrations/schema.sql']) {
    assert.ok(house.some((file) => file.path === path), path)
  }
  for (const { path, text } of sources) {
    const plain = (text.match(/^(?:import|export)\b[^;=]*? from '|^import '/gm) ?? []).length
    assert.ok(importsOf(path, text).length >= plain, `${path}: ${importsOf(path, text).length} of ${plain} imports were read`)
    assert.equal(cut(text).code.split('\n').length, text.split('\n').length, `${path} lost lines`)
  }
  assert.ok(schema.names.size > 15 && schema.keys.length > 15 && schema.constraints.size > 30)
})

test('every unique key of a table with lanes holds the lane', () => {
  const planted = [{ table: 'orders.claims', name: 'claims_pkey', columns: ['id'], tableColumns: ['lane', 'id'] }]
  assert.deepEqual(keysHoldTheLane(planted, {}), ['orders.claims has the unique key claims_pkey (id) without lane'])
  assert.deepEqual(keysHoldTheLane([{ ...planted[0]!, columns: ['docking', 'lane'] }], {}), [])
  assert.deepEqual(keysHoldTheLane(schema.keys, KEYS_WITHOUT_LANE), [])
  assert.deepEqual(staleExceptions(schema.keys.map(({ table, columns }) => `${table} (${columns.join(', ')})`), KEYS_WITHOUT_LANE), [])
})

test('the database counts nothing, wakes nobody and crosses no wall', () => {
  assert.deepEqual(countedColumns(['orders.claims.id'], {}), ['orders.claims.id is counted by the database: ids are made in the app'])
  assert.deepEqual(staleExceptions([], { 'a.b': 'gone' }), ['a.b is excused but does not exist'])
  assert.deepEqual(countedColumns(schema.counted, COUNTED), [])
  assert.deepEqual(staleExceptions(schema.counted, COUNTED), [])
  assert.deepEqual(staleExceptions(schema.crossings, CROSSINGS), [])
  assert.deepEqual({ triggers: schema.triggers, crossings: schema.crossings.filter((crossing) => !Object.hasOwn(CROSSINGS, crossing)), setNull: schema.setNull }, { triggers: [], crossings: [], setNull: [] })
})

test('the database is looked at closely: planted keys, counters, triggers and crossings are seen', async (t) => {
  const client = new Client({ connectionString: (await freshDatabase(t)).ownerUrl })
  await client.connect()
  try {
    await client.query(`
      create table orders.claims (lane int, id bigserial primary key, partner text references partners.partners (id) on delete set null, unique (lane, id));
      create unique index claims_once on orders.claims ((lower(partner)));
      create trigger watch before update on orders.claims for each row execute function suppress_redundant_updates_trigger();
      create function orders.peek() returns bigint language sql as 'select available from ledger.balances limit 1'`)
    const seen = await readSchema(client)
    assert.deepEqual(keysHoldTheLane(seen.keys, KEYS_WITHOUT_LANE).map((line) => line.split(' has the unique key ')[1]), ['claims_once () without lane', 'claims_pkey (id) without lane'])
    assert.deepEqual(countedColumns(seen.counted, COUNTED).length, 1)
    assert.deepEqual(seen.triggers, ['orders.claims watch'])
    assert.deepEqual(seen.crossings.filter((crossing) => !Object.hasOwn(CROSSINGS, crossing)).sort(), ['orders.claims refers to partners.partners', 'orders.peek reads ledger.balances'])
    assert.equal(seen.setNull.length, 1)
  } finally {
    await client.end()
  }
})

test('the committed schema.sql is what the migrations make', () => {
  const committed = readFileSync(join(root, 'hub/migrations/schema.sql'), 'utf8')
  const at = committed.split('\n').findIndex((line, i) => line !== dump.split('\n')[i])
  assert.ok(committed === dump, `hub/migrations/schema.sql differs from a migrated database at line ${at + 1}: run "npm run schema" against a migrated database and commit the file`)
})
