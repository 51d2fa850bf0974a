import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Client } from 'pg'
import { must, openRooms } from '../../../test/house/rooms.ts'
import { freshDatabase } from '../../../test/postgres.ts'
import { Database } from '../postgres/database.ts'
import { StartRefused } from '../refusal-to-start.ts'
import { openOperatorKey, openVault } from './keys.ts'

async function fresh(t: TestContext): Promise<{ db: Database; dataDir: string; kek: string; operatorKey: string }> {
  const { appUrl } = await freshDatabase(t)
  const dataDir = mkdtempSync(join(tmpdir(), 'berth-keys-'))
  const db = new Database({ url: appUrl, size: 2, applicationName: 'test' })
  t.after(async () => {
    await db.end()
    rmSync(dataDir, { recursive: true, force: true })
  })
  return { db, dataDir, kek: join(dataDir, 'kek'), operatorKey: join(dataDir, 'operator.key') }
}

const refused = (pattern: RegExp) => (error: unknown) => error instanceof StartRefused && pattern.test(error.message) && !error.message.includes('undefined')

test('the key-encryption key is made once, for its owner alone, and the database remembers only its fingerprint', async (t) => {
  const { db, dataDir, kek } = await fresh(t)
  const vault = await openVault(db, dataDir, {})
  assert.match(readFileSync(kek, 'utf8'), /^[0-9a-f]{64}\n$/)
  assert.equal(statSync(kek).mode & 0o777, 0o600)
  const sealed = vault.seal(Buffer.from('secret'), 'x')
  const again = await openVault(db, dataDir, {})
  assert.equal(again.open(sealed, 'x').toString(), 'secret')
  assert.equal(again.fingerprint, vault.fingerprint)
  const meta = await db.run({ text: 'select key, value from platform.meta', values: [] })
  assert.deepEqual(meta, [['kek_fingerprint', vault.fingerprint]])
  assert.ok(!readFileSync(kek, 'utf8').includes(vault.fingerprint))
})

test('with a wrong, a missing or a damaged key the hub does not start, and says what to do', async (t) => {
  const { db, dataDir, kek } = await fresh(t)
  const { fingerprint } = await openVault(db, dataDir, {})
  const right = readFileSync(kek, 'utf8').trim()
  const other = randomBytes(32).toString('hex')
  assert.equal((await openVault(db, dataDir, { BERTH_KEK: ` ${right.toUpperCase()} ` })).fingerprint, fingerprint, 'the environment may carry it')
  await assert.rejects(openVault(db, dataDir, { BERTH_KEK: other }), refused(new RegExp(`another one.*${fingerprint}.*BERTH_KEK`)))
  await assert.rejects(openVault(db, dataDir, { BERTH_KEK: 'short' }), refused(/BERTH_KEK is damaged/))
  writeFileSync(kek, other)
  await assert.rejects(openVault(db, dataDir, {}), refused(/another one/))
  for (const damaged of [right.slice(1), `${right}0`, right.replace(/.$/, 'g'), 'x']) {
    writeFileSync(kek, damaged)
    await assert.rejects(openVault(db, dataDir, {}), refused(/is damaged: 64 hexadecimal digits.*backup/), damaged)
  }
  for (const missing of [() => writeFileSync(kek, '\n'), () => rmSync(kek)]) {
    missing()
    await assert.rejects(openVault(db, dataDir, {}), refused(new RegExp(`missing.*${fingerprint}.*Put the file back`)))
  }
  assert.throws(() => statSync(kek), /ENOENT/, 'no new key was made over the lost one')
  writeFileSync(kek, right)
  assert.equal((await openVault(db, dataDir, {})).fingerprint, fingerprint)
})

test('a damaged key on an empty database is refused too, and a folder that cannot be written is named', async (t) => {
  const { db, dataDir, kek } = await fresh(t)
  writeFileSync(kek, 'not a key')
  await assert.rejects(openVault(db, dataDir, {}), refused(/damaged/))
  writeFileSync(join(dataDir, 'file'), '')
  await assert.rejects(openVault(db, join(dataDir, 'file', 'sub'), {}), refused(/cannot be (read|written) \(ENOTDIR\)/))
  if (process.getuid?.() !== 0) {
    chmodSync(dataDir, 0o500)
    rmSync(kek, { force: true })
    await assert.rejects(openVault(db, dataDir, {}), refused(/cannot be/))
    chmodSync(dataDir, 0o700)
  }
})

test('two hubs that start at once on an empty database end with one key', async (t) => {
  const { db, dataDir } = await fresh(t)
  const other = mkdtempSync(join(tmpdir(), 'berth-keys-'))
  t.after(() => rmSync(other, { recursive: true, force: true }))
  // Both look before either writes, as two machines may.
  let looking = 2
  let bothLooked = () => {}
  const looked = new Promise<void>((resolve) => (bothLooked = resolve))
  const slow = {
    run: async (statement: Parameters<Database['run']>[0]) => {
      const rows = await db.run(statement)
      if (statement.text.startsWith('select') && --looking === 0) bothLooked()
      if (looking >= 0 && statement.text.startsWith('select')) await looked
      return rows
    },
  } as Database
  const opened = await Promise.allSettled([openVault(slow, dataDir, {}), openVault(slow, other, {})])
  const fingerprint = (await db.run({ text: `select value from platform.meta where key = 'kek_fingerprint'`, values: [] }))[0]![0]
  for (const one of opened) {
    if (one.status === 'fulfilled') assert.equal(one.value.fingerprint, fingerprint, 'a vault of another key would seal what nobody can open')
    else assert.ok(one.reason instanceof StartRefused)
  }
})

test('the operator\'s key is made once, kept as a hash, and another file is refused', async (t) => {
  const { db, dataDir, operatorKey } = await fresh(t)
  const hash = await openOperatorKey(db, dataDir)
  const key = readFileSync(operatorKey, 'utf8').trim()
  assert.ok(key.startsWith('bth_op_'))
  assert.equal(statSync(operatorKey).mode & 0o777, 0o600)
  assert.deepEqual(hash, createHash('sha256').update(key).digest())
  assert.deepEqual(await openOperatorKey(db, dataDir), hash)
  writeFileSync(operatorKey, 'bth_op_another')
  await assert.rejects(openOperatorKey(db, dataDir), refused(/not the one of this database/))
  rmSync(operatorKey)
  assert.deepEqual(await openOperatorKey(db, dataDir), hash, 'a node without the file runs, and makes no other')
  assert.throws(() => statSync(operatorKey), /ENOENT/)
})

test('a whole hub refuses to start with another key or on a schema that it does not know, and its cards stay safe', async (t) => {
  const own = await openRooms(t)
  const docking = await own.openDocking({ deposit: '10.00' })
  const good = await own.addGood('SAFE')
  await own.addCards(good, ['SAFE-1'])
  process.env.BERTH_KEK = randomBytes(32).toString('hex')
  try {
    await assert.rejects(own.nextLife(), refused(/another one/))
  } finally {
    delete process.env.BERTH_KEK
  }
  await own.owner.query(`insert into platform.migrations (version, name, sha256) values (9999, 'of_tomorrow', 'x')`)
  await assert.rejects(own.nextLife(), refused(/schema is at version 9999.*start the newer Berth/))
  await own.owner.query('delete from platform.migrations where version = 9999')
  await own.owner.query(`update platform.migrations set sha256 = 'x' where version = 1`)
  await assert.rejects(own.nextLife(), refused(/was changed after it was applied/))
  assert.deepEqual(must(await own.place(docking, 'A', good)).cards, [{ number: null, secret: 'SAFE-1' }], 'none of the refused lives took the lanes over')
})

test('a database that is not there, or not migrated, is a sentence and not a stack', async (t) => {
  const { appUrl, ownerUrl } = await freshDatabase(t)
  const owner = new Client({ connectionString: ownerUrl })
  await owner.connect()
  await owner.query('delete from platform.migrations where version > 3')
  await owner.end()
  const { buildHub } = await import('../../main.ts')
  const { readConfig } = await import('../config.ts')
  const { makeLog } = await import('../log.ts')
  const start = (url: string) => buildHub(readConfig({ DATABASE_URL: url, DATA_DIR: tmpdir() }), makeLog('silent'), () => {})
  await assert.rejects(start(appUrl), refused(/is at version 3, this Berth needs \d+: run "npm run migrate" first/))
  await assert.rejects(start('postgres://nobody@127.0.0.1:1/none'), refused(/does not answer .*check DATABASE_URL/))
})
