import { accept, type Outcome } from '../../../protocol/outcome.ts'
import type { Database, Rows } from '../../platform/postgres/database.ts'
import { NO_CHOICE, saleKey, stockOf, variantOf } from '../catalogue/index.ts'
import { loadBook, readBook } from '../terms/index.ts'
import { loadForQuote, readLoaded } from './batch.ts'
import type { PlaceCommand } from './model.ts'
import { place, timeOf } from './rules.ts'
import type { Asker, PlaceAsk } from './service.ts'

export type QuoteAsk = Omit<PlaceAsk, 'reference' | 'onlyReplay'>

/** What an order would cost, and what is in stock before it is taken. */
export type Quote = { good: string; quantity: number; unitPriceMicro: bigint; totalMicro: bigint; feeMicro: bigint; stock: number; at: Date }

/** No order can have this reference: the doors ask for at least one character. */
const NO_REFERENCE = ''

/**
 * What an order would be answered now: the batch's own load, in one snapshot, and the batch's own rule. Nothing is locked
 * and nothing written, so it holds no price and no card. Refuses what the order would be refused with.
 */
export async function quote(db: Database, asker: Asker, ask: QuoteAsk): Promise<Outcome<Quote>> {
  const choice = ask.choice ?? NO_CHOICE
  const command: PlaceCommand = {
    ...ask, choice, values: ask.values ?? {}, variant: variantOf(choice), sealedForm: null, id: 'quote', lane: asker.lane, docking: asker.id, mode: asker.mode, clockOffsetS: asker.clockOffsetS ?? 0, reference: NO_REFERENCE,
    fingerprint: Buffer.alloc(16), firstFingerprint: () => null, onlyReplay: null,
  }
  const answers = await db.transaction(async (connection) => {
    await connection.run({ text: 'set transaction isolation level repeatable read, read only', values: [] })
    const loaded: Rows[] = []
    for (const statement of [...loadForQuote(command), loadBook()]) loaded.push(await connection.run(statement))
    return loaded
  })
  const { tally } = readLoaded({ places: [command], notes: [] }, [[[asker.lane, 0n, 0n]], ...answers.slice(0, -1)], readBook(answers.at(-1)!))
  const options = tally.goods.get(command.good)?.options
  const stock = options?.delivery === 'manual' ? options.manualStock : stockOf(tally.lots.get(saleKey(command.good, command.mode, command.variant)) ?? [], timeOf(tally, command))
  const verdict = place(tally, command)
  if (verdict.kind === 'refused') return { ok: false, refusal: verdict.refusal }
  if (verdict.kind === 'taken_over') throw new Error('a quote has no reference that could be taken over')
  const { good, quantity, unitPriceMicro, totalMicro, feeMicro } = verdict.order
  return accept({ good, quantity, unitPriceMicro, totalMicro, feeMicro, stock, at: tally.at })
}
