import assert from 'node:assert/strict'
import { isAbsolute } from 'node:path'
import { test } from 'node:test'
import { readConfig } from './config.ts'
import { StartRefused } from './refusal-to-start.ts'

const DATABASE_URL = 'postgres://localhost/berth'

test('only the database has to be named; everything else has a default', () => {
  const config = readConfig({ DATABASE_URL })
  assert.deepEqual([config.host, config.port, config.publicUrl, config.logLevel], ['127.0.0.1', 8080, 'http://127.0.0.1:8080', 'info'])
  assert.ok(isAbsolute(config.dataDir))
  assert.equal(readConfig({ DATABASE_URL, PORT: '', HOST: '', PUBLIC_URL: '' }).port, 8080, 'an empty setting is none')
})

test('the public address is what the hub is called outside', () => {
  assert.equal(readConfig({ DATABASE_URL, HOST: '::1', PORT: '9000' }).publicUrl, 'http://[::1]:9000')
  assert.equal(readConfig({ DATABASE_URL, PUBLIC_URL: 'https://hub.example//' }).publicUrl, 'https://hub.example')
})

test('a wrong setting is named, with what is allowed and what was seen', () => {
  const table: [Record<string, string>, RegExp][] = [
    [{ PORT: 'http' }, /^PORT must be a whole number from 0 to 65535, not "http"\.$/], [{ PORT: '65536' }, /^PORT/], [{ PORT: '-1' }, /^PORT/], [{ PORT: '80.5' }, /^PORT/], [{ PORT: 'Infinity' }, /^PORT/],
    [{ LIMIT_REQUESTS_PER_SECOND: '0' }, /^LIMIT_REQUESTS_PER_SECOND/], [{ LIMIT_IN_FLIGHT: '0' }, /^LIMIT_IN_FLIGHT/], [{ LIMIT_FAILED_SIGN_INS_PER_MINUTE: 'many' }, /^LIMIT_FAILED_SIGN_INS_PER_MINUTE/], [{ VOID_AFTER_MS: '600001' }, /^VOID_AFTER_MS/],
  ]
  for (const [env, pattern] of table) assert.throws(() => readConfig({ DATABASE_URL, ...env }), (error) => error instanceof StartRefused && pattern.test(error.message), JSON.stringify(env))
  assert.throws(() => readConfig({}), (error) => error instanceof StartRefused && /DATABASE_URL is not set.*npm start/.test(error.message))
})
