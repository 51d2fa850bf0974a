import type { NodeId, TreeNode } from '../../../protocol/merkle.ts'
import { array, type Rows, type Statement } from '../../platform/postgres/database.ts'
import type { OwnLeaf, SealedCheckpoint, Witness } from './model.ts'

/** Takes the right to seal for one process: whoever had it before finds another epoch and stops. */
export function takeOverSealer(): Statement {
  return { text: 'update logbook.sealer set epoch = epoch + 1 returning epoch', values: [] }
}

export type SealerRow = { epoch: bigint; origin: string | null; size: number; peaks: Buffer }

/** Holds the one row of the sealer: nobody else seals until this transaction has ended. */
export function lockSealer(): Statement {
  return { name: 'logbook.lock', text: 'select epoch, origin, size, peaks from logbook.sealer for update', values: [] }
}

/** The same without holding it. */
export function lookAtSealer(): Statement {
  return { text: 'select epoch, origin, size, peaks from logbook.sealer', values: [] }
}

export function readSealer(rows: Rows): SealerRow {
  const [epoch, origin, size, peaks] = rows[0] as [bigint, string | null, bigint, Buffer]
  return { epoch, origin, size: Number(size), peaks }
}

export function moveSealer(epoch: bigint, origin: string, size: number, peaks: Uint8Array): Statement {
  return {
    name: 'logbook.move_sealer', text: 'update logbook.sealer set origin = $2, size = $3, peaks = $4 where epoch = $1 returning epoch', values: [epoch, origin, size, peaks],
  }
}

export function loadCursors(): Statement {
  return { name: 'logbook.cursors', text: 'select lane, position from logbook.cursors', values: [] }
}

export function moveCursors(spans: readonly { lane: number; after: bigint; upTo: bigint }[]): Statement {
  return {
    name: 'logbook.move_cursors',
    text: `update logbook.cursors c set position = s.up_to from unnest($1::int[], $2::bigint[], $3::bigint[]) s(lane, after, up_to)
      where c.lane = s.lane and c.position = s.after returning c.lane`,
    values: [array.bare(spans.map((s) => s.lane)), array.bare(spans.map((s) => s.after)), array.bare(spans.map((s) => s.upTo))],
  }
}

/** Counts leaves of dockings; a docking that is new here gets the salt that is handed in. Answers lane, docking, salt and the count so far. */
export function countLeaves(dockings: readonly { lane: number; docking: string; salt: Uint8Array; more: number }[]): Statement {
  return {
    name: 'logbook.count',
    text: `insert into logbook.dockings as d (lane, docking, salt, counter)
      select * from unnest($1::int[], $2::text[], $3::bytea[], $4::bigint[])
      on conflict (lane, docking) do update set counter = d.counter + excluded.counter returning lane, docking, salt, counter`,
    values: [array.bare(dockings.map((d) => d.lane)), array.text(dockings.map((d) => d.docking)), array.bytes(dockings.map((d) => d.salt)), array.bare(dockings.map((d) => d.more))],
  }
}

export type NewLeaf = {
  index: number; lane: number; position: bigint; isBlock: boolean; bytes: string
  docking: string | null; counter: number | null; kind: string; subject: string | null; salt: Uint8Array; payload: string
}

export function insertLeaves(leaves: readonly NewLeaf[]): Statement {
  return {
    name: 'logbook.insert_leaves',
    text: 'insert into logbook.leaves (index, lane, position, is_block, bytes) select * from unnest($1::bigint[], $2::int[], $3::bigint[], $4::boolean[], $5::text[]) returning index',
    values: [
      array.bare(leaves.map((l) => l.index)), array.bare(leaves.map((l) => l.lane)), array.bare(leaves.map((l) => l.position)), leaves.map((l) => l.isBlock), array.text(leaves.map((l) => l.bytes)),
    ],
  }
}

export function insertPayloads(leaves: readonly NewLeaf[]): Statement {
  return {
    name: 'logbook.insert_payloads',
    text: `insert into logbook.payloads (index, lane, docking, counter, kind, subject, salt, payload)
      select * from unnest($1::bigint[], $2::int[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bytea[], $8::text[]) returning index`,
    values: [
      array.bare(leaves.map((l) => l.index)), array.bare(leaves.map((l) => l.lane)), array.text(leaves.map((l) => l.docking)), leaves.map((l) => l.counter),
      array.text(leaves.map((l) => l.kind)), array.text(leaves.map((l) => l.subject)), array.bytes(leaves.map((l) => l.salt)), array.text(leaves.map((l) => l.payload)),
    ],
  }
}

export function insertNodes(nodes: readonly TreeNode[]): Statement {
  return {
    name: 'logbook.insert_nodes',
    text: 'insert into logbook.nodes (level, index, hash) select * from unnest($1::int[], $2::bigint[], $3::bytea[]) returning level',
    values: [array.bare(nodes.map((n) => n.level)), array.bare(nodes.map((n) => n.index)), array.bytes(nodes.map((n) => n.hash))],
  }
}

export function insertCheckpoint(c: SealedCheckpoint, epoch: bigint): Statement {
  return {
    name: 'logbook.insert_checkpoint', text: 'insert into logbook.checkpoints (size, root, epoch, note, sealed_at) values ($1, $2, $3, $4, $5)', values: [c.size, c.root, epoch, c.note, c.sealedAt],
  }
}

const CHECKPOINT = 'size, root, note, sealed_at'

export function loadNewest(): Statement {
  return { name: 'logbook.newest', text: `select ${CHECKPOINT} from logbook.checkpoints order by size desc limit 1`, values: [] }
}

export function loadCheckpoint(size: number): Statement {
  return { name: 'logbook.checkpoint', text: `select ${CHECKPOINT} from logbook.checkpoints where size = $1`, values: [size] }
}

export function readCheckpoints(rows: Rows): SealedCheckpoint[] {
  return rows.map((row) => ({ size: Number(row[0]), root: row[1] as Buffer, note: row[2] as string, sealedAt: row[3] as Date }))
}

export function loadNodes(nodes: readonly NodeId[]): Statement {
  return {
    name: 'logbook.nodes',
    text: 'select n.level, n.index, n.hash from unnest($1::int[], $2::bigint[]) k(level, index) join logbook.nodes n on n.level = k.level and n.index = k.index',
    values: [array.bare(nodes.map((n) => n.level)), array.bare(nodes.map((n) => n.index))],
  }
}

export function countNodes(): Statement {
  return { text: 'select count(*) from logbook.nodes', values: [] }
}

export function loadLeaves(from: number, limit: number): Statement {
  return { name: 'logbook.leaves', text: 'select index, bytes from logbook.leaves where index >= $1 order by index limit $2', values: [from, limit] }
}

export function loadOwnName(lane: number, docking: string): Statement {
  return { name: 'logbook.own_name', text: 'select salt, counter from logbook.dockings where lane = $1 and docking = $2', values: [lane, docking] }
}

export function loadOwnLeaves(lane: number, docking: string, after: number, limit: number): Statement {
  return {
    name: 'logbook.own_leaves',
    text: `select p.index, l.bytes, p.counter, p.salt, p.payload from logbook.payloads p join logbook.leaves l on l.index = p.index
      where p.lane = $1 and p.docking = $2 and p.counter > $3 order by p.counter limit $4`,
    values: [lane, docking, after, limit],
  }
}

export function readOwnLeaves(rows: Rows): OwnLeaf[] {
  return rows.map((row) => ({ index: Number(row[0]), leaf: row[1] as string, counter: Number(row[2]), salt: row[3] as Buffer | null, payload: row[4] as string | null }))
}

/** The leaves of one kind of fact about some subjects, such as the taking of decisions. */
export function loadPlaces(lane: number, kind: string, subjects: readonly string[]): Statement {
  return {
    name: 'logbook.places', text: 'select subject, min(index) from logbook.payloads where lane = $1 and subject = any($3::text[]) and kind = $2 group by subject',
    values: [lane, kind, array.text(subjects)],
  }
}

/** Whose leaf it is, and of what kind of fact. No row for a leaf that is not there. */
export function loadPayloadPlace(index: number): Statement {
  return { text: 'select lane, docking, kind from logbook.payloads where index = $1', values: [index] }
}

/** Destroys what a fact `erasure.done` of this very transaction names: the rows may be written in no other way. Answers how many leaves. */
export function eraseAsSaid(lane: number, position: bigint): Statement {
  return { text: 'select logbook.erase($1, $2)', values: [lane, position] }
}

export function loadWitnessesOf(lane: number, docking: string): Statement {
  return { text: 'select name, public_key, size, signed_at, signature from logbook.witnesses where lane = $1 and docking = $2', values: [lane, docking] }
}

/** Puts the signature of a witness in place of an older one; no row when a newer one stands. */
export function putWitness(lane: number, docking: string, witness: Witness, at: Date): Statement {
  return {
    text: `insert into logbook.witnesses as w (lane, docking, public_key, name, added_at, size, signed_at, signature) values ($1, $2, $3, $4, $5, $6, $7, $8)
      on conflict (lane, docking, public_key) do update set size = excluded.size, signed_at = excluded.signed_at, signature = excluded.signature
      where w.size < excluded.size or (w.size = excluded.size and w.signed_at < excluded.signed_at) returning name`,
    values: [lane, docking, witness.publicKey, witness.name, at, witness.size, witness.signedAt, witness.signature],
  }
}

/** The newest signature of each docking, whichever of its keys made it: a docking is one witness. */
export function loadWitnesses(limit: number): Statement {
  return {
    name: 'logbook.witnesses',
    text: `select name, public_key, size, signed_at, signature from logbook.witnesses w where not exists (select from logbook.witnesses o
        where o.lane = w.lane and o.docking = w.docking and (o.size, o.signed_at, o.public_key) > (w.size, w.signed_at, w.public_key))
      order by size desc, name limit $1`,
    values: [limit],
  }
}

export function readWitnesses(rows: Rows): Witness[] {
  return rows.map((row) => ({ name: row[0] as string, publicKey: row[1] as Buffer, size: Number(row[2]), signedAt: row[3] as Date, signature: row[4] as Buffer }))
}
