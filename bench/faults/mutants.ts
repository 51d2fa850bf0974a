import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A hub with a mistake built in, which the fault runs must find: each edit has to match exactly once. */
export type Mutant = {
  readonly fault: 'F1' | 'F15'
  /** The rules of which a contradiction proves that it was this mistake that was found. */
  readonly caughtBy: readonly string[]
  /** Crash points at which it shows. */
  readonly points?: readonly string[]
  readonly edits: readonly { readonly file: string; readonly from: string; readonly to: string }[]
}

const WRITER = 'hub/domain/orders/writer.ts'

export const MUTANTS: Readonly<Record<string, Mutant>> = {
  // The answers go out while the COMMIT still waits to be sent.
  answer_before_commit: {
    fault: 'F1', caughtBy: ['I1'], points: ['answered'],
    edits: [
      { file: WRITER, from: 'export const BATCH_CAP = 256', to: 'export const BATCH_CAP = 256\nlet uncommitted: Promise<unknown> = Promise.resolve()' },
      { file: WRITER, from: '      const client = await this.#connect()\n      let answers =', to: '      await uncommitted\n      const client = await this.#connect()\n      let answers =' },
      {
        file: WRITER, from: "const ended = await client.query('commit')",
        to: "const ended = { command: 'COMMIT' }\n      uncommitted = new Promise((later) => setTimeout(later, 2)).then(() => client.query('commit')).catch(() => {})",
      },
    ],
  },
  // Now and then the cursor stays where it was, and the last guard is not looked at.
  card_twice: {
    fault: 'F1', caughtBy: ['I3'], points: ['answered'],
    edits: [
      { file: 'hub/domain/catalogue/rules.ts', from: 'lot.nextSeq += count', to: 'lot.nextSeq += lot.nextSeq % 7 === 0 ? 0 : count' },
      { file: WRITER, from: 'written[i]!.length !== step.rows', to: "step.statement.name !== 'orders.sold' && written[i]!.length !== step.rows" },
    ],
  },
  // A batch leaves out its last fact.
  fact_lost: {
    fault: 'F1', caughtBy: ['facts'], points: ['answered'],
    edits: [{ file: 'hub/domain/orders/batch.ts', from: '{ statement: appendFacts(facts), rows: facts.length }', to: '{ statement: appendFacts(facts.slice(0, -1)), rows: facts.length - 1 }' }],
  },
  // A bound reference is not looked up, so a repeat is a second order.
  double_charge_on_retry: {
    fault: 'F1', caughtBy: ['I2'], points: ['committed'],
    edits: [{ file: 'hub/domain/orders/rules.ts', from: "if (known && known.state !== 'cancelled')", to: "if (known && known.state === 'cancelled')" }],
  },
  // A void gives the price back twice.
  double_refund: {
    fault: 'F1', caughtBy: ['I4', 'I5'], points: ['answered'],
    edits: [{
      file: 'hub/domain/ledger/rules.ts', from: 'export function refundLegs(',
      to: `export function refundLegs(event: Event, totalMicro: bigint, feeMicro: bigint, availableMicro: bigint): Transfer[] {
  const again = leg(event, 3, 'refund', house('sales', event.mode), event.account, totalMicro, availableMicro + totalMicro + feeMicro + totalMicro)
  return [...refundOnce(event, totalMicro, feeMicro, availableMicro), again]
}

function refundOnce(`,
    }],
  },
  // The last guard is gone: the look-up misses a bound reference now and then, which the unique key would have met.
  unique_key_dropped: {
    fault: 'F15', caughtBy: ['I2'],
    edits: [
      { file: 'hub/migrations/0007_orders.sql', from: 'constraint orders_reference unique (lane, docking, reference, attempt),', to: '' },
      { file: 'hub/domain/orders/rules.ts', from: 'const known = tally.orders.get(', to: 'const known = Math.random() < 0.2 ? undefined : tally.orders.get(' },
    ],
  },
  // A start forgets to look for the orders whose answers may be lost.
  doubt_forgotten: {
    fault: 'F1', caughtBy: ['I6'], points: ['committed', 'before_answer'],
    edits: [{ file: 'hub/main.ts', from: 'const doubtful = await orders.recover()', to: 'const doubtful = 0' }],
  },
}

/** Copies what the hub needs to run into a folder of its own and makes the edits. Throws a sentence when one does not fit. */
export function plant(root: string, name: string, { edits }: Mutant): string {
  const copy = mkdtempSync(join(tmpdir(), 'berth-mutant-'))
  mkdirSync(join(copy, 'docs'))
  for (const part of ['hub', 'protocol', 'dialects', 'docs/reasons', 'package.json']) cpSync(join(root, part), join(copy, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  for (const { file, from, to } of edits) {
    const text = readFileSync(join(copy, file), 'utf8')
    const found = text.split(from).length - 1
    if (found !== 1) throw new Error(`The mutant ${name} does not fit any more: "${from.trim()}" stands ${found} times in ${file}, not once. Write the mutant anew in bench/faults/mutants.ts.`)
    writeFileSync(join(copy, file), text.replace(from, () => to))
  }
  return copy
}
