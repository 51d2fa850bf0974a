import { done, refused, type Command } from '../command.ts'
import { operatorClient, partnerClient } from '../credentials.ts'
import { readAmount } from './amount.ts'
import { dockingOperand, findDocking } from './docking.ts'
import { dockingOption } from './partner.ts'

type Deposited = { id: string; amount: string; available: string; replayed: boolean }

export const bookDeposit: Command = {
  name: 'deposit',
  who: 'operator',
  summary: { en: "Book money that came in to a docking's deposit, once per reference", zh: '为对接加款，同一流水号只入账一次' },
  operands: [dockingOperand, { name: 'AMOUNT', what: { en: 'Yuan, up to 6 decimals.', zh: '金额（元），最多 6 位小数。' } }],
  options: [
    { name: 'reference', value: 'REF', isRequired: true, what: { en: 'The number of the payment, as your bank or till has it.', zh: '收款流水号。' } },
    { name: 'note', value: 'TEXT', what: { en: 'Up to 200 characters, for your own books.', zh: '备注，最多 200 字。' } },
  ],
  teaches: [{ en: 'Asked again with the same reference and amount it books nothing and says so; another amount under it is refused. So it may be repeated without fear.', zh: '相同流水号、相同金额重复执行不会再次入账；同一流水号换金额会被拒绝，因此可放心重试。' }],
  examples: [{ line: 'berth deposit dck_01jd… 1000.00 --reference BANK-20261201-17 --note "first deposit"', what: { en: 'a bank transfer came in', zh: '收到一笔转账' } }],
  run: async (asked) => {
    const amount = readAmount('AMOUNT', asked.operands[1]!)
    const client = operatorClient(asked)
    const docking = await findDocking(client, asked.operands[0]!)
    if (!docking.ok) return refused(docking.problem)
    const booked = await client.post<Deposited>(`/operator/dockings/${docking.id}/deposits`, { reference: asked.needed('reference'), amount, note: asked.option('note') })
    if (!booked.ok) return refused(booked.problem)
    const { available, replayed } = booked.body
    const zh = asked.lang === 'zh'
    const what = replayed ? (zh ? '此流水号已入账，未重复加款' : 'This reference was booked before; nothing was added') : zh ? `已加款 ${booked.body.amount} 元` : `${booked.body.amount} yuan booked`
    return done(booked.body, zh ? `${what}；可用余额 ${available} 元` : `${what}; ${available} yuan available`)
  },
}

export const showBalance: Command = {
  name: 'balance',
  who: 'partner',
  summary: { en: 'What is available for orders', zh: '查询可用余额' },
  operands: [],
  options: [dockingOption],
  teaches: [],
  examples: [{ line: 'berth balance', what: { en: 'the sandbox of the demo', zh: '演示沙箱' } }, { line: "berth balance --docking demo-live --json | jq -r .available", what: { en: 'the number alone', zh: '只取数字' } }],
  run: async (asked) => {
    const balance = await partnerClient(asked).get<{ available: string; mode: string; currency: string }>('/api/funds/balance')
    if (!balance.ok) return refused(balance.problem)
    const { available, mode } = balance.body
    return done(balance.body, asked.lang === 'zh' ? `可用余额 ${available} 元（${mode}）` : `${available} yuan available (${mode})`)
  },
}
