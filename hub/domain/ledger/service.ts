import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { formatAmount, MAX_AMOUNT_MICRO } from '../../../protocol/money.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Mode } from './model.ts'
import { depositLegs, isWholeFen } from './rules.ts'
import { insertDeposit, loadBalances, loadDeposit, postTransfers, readBalances, writeBalances } from './store.ts'

export type DepositCommand = {
  id: string
  lane: number
  account: string
  mode: Mode
  /** The number of the payment at the bank or channel: a repeat of it books nothing twice. */
  reference: string
  amountMicro: bigint
  note: string
}

export type Deposited = { id: string; amountMicro: bigint; availableMicro: bigint; replayed: boolean }

/** Books a deposit: bank to the partner's account, whole fen only. */
export async function deposit(db: Database, command: DepositCommand): Promise<Outcome<Deposited>> {
  if (command.amountMicro <= 0n || !isWholeFen(command.amountMicro)) {
    return refuse('protocol.invalid_field', { path: '/amount', expected: 'an amount above zero in whole fen' })
  }
  return db.transaction((connection) =>
    underLanes(connection, [command.lane], async ({ at, append }) => {
      const known = (await connection.run(loadDeposit(command.lane, command.account, command.reference)))[0]
      const available = readBalances(await connection.run(loadBalances([command.lane], [command.account]))).get(command.account)
      if (available === undefined) throw new Error(`account ${command.account} has no balance row`)
      if (known) {
        return known[1] === command.amountMicro
          ? accept({ id: known[0] as string, amountMicro: command.amountMicro, availableMicro: available, replayed: true })
          : refuse('ledger.deposit_reused', { reference: command.reference, amount: formatAmount(known[1] as bigint) })
      }
      if (available + command.amountMicro > MAX_AMOUNT_MICRO) {
        return refuse('protocol.invalid_field', { path: '/amount', expected: `a balance of at most ${formatAmount(MAX_AMOUNT_MICRO)} yuan` })
      }
      const position = append({
        lane: command.lane, docking: command.account, kind: 'deposit.booked', subject: command.id, code: null,
        body: JSON.stringify({ reference: command.reference, amount: formatAmount(command.amountMicro) }),
      })
      const legs = depositLegs({ ...command, event: command.id, position, at }, command.amountMicro, available)
      const after = available + command.amountMicro
      await connection.run(insertDeposit({ ...command, at }))
      await connection.run(postTransfers(legs))
      await connection.run(writeBalances([{ lane: command.lane, account: command.account, availableMicro: after }]))
      return accept({ id: command.id, amountMicro: command.amountMicro, availableMicro: after, replayed: false })
    }),
  )
}
