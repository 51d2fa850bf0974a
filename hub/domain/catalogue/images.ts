import { createHash } from 'node:crypto'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { HOUSE_LANE } from '../../kernel/lanes.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { insertChanges } from './store.ts'

export const MOST_IMAGE_BYTES = 512 * 1024

/** By their first bytes, whatever the name says. SVG is a program and is never taken. */
const TYPES: readonly { ending: string; type: string; magic: (bytes: Buffer) => boolean }[] = [
  { ending: 'png', type: 'image/png', magic: (bytes) => bytes.subarray(0, 8).toString('hex') === '89504e470d0a1a0a' },
  { ending: 'jpg', type: 'image/jpeg', magic: (bytes) => bytes.subarray(0, 3).toString('hex') === 'ffd8ff' },
  { ending: 'gif', type: 'image/gif', magic: (bytes) => /^GIF8[79]a$/.test(bytes.subarray(0, 6).toString('latin1')) },
  { ending: 'webp', type: 'image/webp', magic: (bytes) => bytes.subarray(0, 4).toString('latin1') === 'RIFF' && bytes.subarray(8, 12).toString('latin1') === 'WEBP' },
]

/** Gives a good its picture. Refuses `protocol.invalid_field` for anything but a PNG, JPEG, GIF or WebP of at most 512 KB. */
export async function storeImage(db: Database, good: string, bytes: Buffer): Promise<Outcome<{ name: string }>> {
  const kind = TYPES.find(({ magic }) => magic(bytes))
  if (!kind || bytes.byteLength > MOST_IMAGE_BYTES) return refuse('protocol.invalid_field', { path: 'body', expected: 'a PNG, JPEG, GIF or WebP picture of at most 512 KB' })
  const name = `${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}.${kind.ending}`
  await db.transaction((connection) =>
    underLanes(connection, [HOUSE_LANE], async ({ at, append }) => {
      await connection.run({ text: 'insert into catalogue.images (name, type, bytes, created_at) values ($1, $2, $3, $4) on conflict do nothing', values: [name, kind.type, bytes, at] })
      await connection.run({ text: 'update catalogue.goods set image = $2, changed_at = $3 where id = $1', values: [good, name, at] })
      await connection.run(insertChanges([{ good, docking: null, what: 'good', at }]))
      append({ lane: HOUSE_LANE, docking: null, kind: 'goods.pictured', subject: good, code: null, body: JSON.stringify({ image: name }) })
    }))
  return accept({ name })
}

export async function loadImage(db: Database, name: string): Promise<{ type: string; bytes: Buffer } | null> {
  if (!/^[0-9a-f]{32}\.[a-z]{3,4}$/.test(name)) return null
  const row = (await db.run({ name: 'catalogue.image', text: 'select type, bytes from catalogue.images where name = $1', values: [name] }))[0]
  return row ? { type: row[0] as string, bytes: row[1] as Buffer } : null
}
