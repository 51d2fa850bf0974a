import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OutcomeUnknown } from '../platform/postgres/database.ts'
import { refusalOfError } from './pipeline.ts'

const failed = (code: string, message = '') => Object.assign(new Error(message), { code })

const cases: readonly (readonly [what: string, error: unknown, code: string])[] = [
  ['a database that is not there', failed('ECONNREFUSED'), 'platform.storage_unavailable'],
  ['a stopped database whose queue of new lines is full', failed('EAGAIN'), 'platform.storage_unavailable'],
  ['a hub that may open no more files', failed('EMFILE'), 'platform.storage_unavailable'],
  ['a disk without room', failed('53100'), 'platform.storage_unavailable'],
  ['a database that shuts down', failed('57P01'), 'platform.storage_unavailable'],
  ['a line that fell silent', new Error('Query read timeout'), 'platform.storage_unavailable'],
  ['a pool of which every line is taken', new Error('timeout exceeded when trying to connect'), 'platform.storage_unavailable'],
  ['a commit without an answer', new OutcomeUnknown(new Error()), 'platform.outcome_unknown'],
  ['a mistake of the hub', new TypeError('undefined is not a function'), 'platform.internal_error'],
  ['a statement that the hub wrote wrongly', failed('42601'), 'platform.internal_error'],
]

for (const [what, error, code] of cases) test(`${what} is answered ${code}`, () => assert.equal(refusalOfError(error).code, code))
