import { EntitySchema } from 'typeorm'

const uuid = { type: 'uuid', primary: true, generated: 'uuid' }
const micro = { type: 'bigint' }
const createdAt = { type: 'timestamptz', createDate: true }

export const ApiKey = new EntitySchema({
  name: 'ApiKey', tableName: 'api_keys',
  columns: { id: { type: 'varchar', primary: true }, partnerId: { type: 'varchar' }, secret: { type: 'varchar' }, active: { type: 'boolean', default: true } },
})

/** A partner with his money. */
export const Account = new EntitySchema({
  name: 'Account', tableName: 'accounts',
  columns: { partnerId: { type: 'varchar', primary: true }, balance: micro, feePpm: { type: 'int' }, version: { type: 'int', version: true } },
})

export const Good = new EntitySchema({
  name: 'Good', tableName: 'goods',
  columns: { id: { type: 'varchar', primary: true }, name: { type: 'varchar' }, unitPrice: micro, onSale: { type: 'boolean', default: true } },
})

export const Card = new EntitySchema({
  name: 'Card', tableName: 'cards',
  columns: { id: { type: 'bigint', primary: true, generated: 'increment' }, goodId: { type: 'varchar' }, sealed: { type: 'bytea' }, orderId: { type: 'uuid', nullable: true } },
  // The free cards of a good: what every order looks for.
  indices: [{ name: 'cards_free', columns: ['goodId', 'id'], where: '"orderId" is null' }, { name: 'cards_of_order', columns: ['orderId'] }],
})

export const Order = new EntitySchema({
  name: 'Order', tableName: 'orders',
  columns: {
    id: uuid, partnerId: { type: 'varchar' }, reference: { type: 'varchar' }, goodId: { type: 'varchar' }, quantity: { type: 'int' }, unitPrice: micro, total: micro, fee: micro,
    state: { type: 'varchar' }, fingerprint: { type: 'varchar' }, createdAt,
  },
  uniques: [{ name: 'orders_reference', columns: ['partnerId', 'reference'] }],
})

export const LedgerEntry = new EntitySchema({
  name: 'LedgerEntry', tableName: 'ledger_entries',
  columns: { id: { type: 'bigint', primary: true, generated: 'increment' }, account: { type: 'varchar' }, orderId: { type: 'uuid' }, kind: { type: 'varchar' }, amount: micro, after: { ...micro, nullable: true }, createdAt },
  indices: [{ name: 'entries_of_account', columns: ['account', 'id'] }],
})

export const AuditLine = new EntitySchema({
  name: 'AuditLine', tableName: 'audit_lines',
  columns: { id: { type: 'bigint', primary: true, generated: 'increment' }, partnerId: { type: 'varchar' }, kind: { type: 'varchar' }, subject: { type: 'varchar' }, body: { type: 'jsonb' }, createdAt },
  indices: [{ name: 'audit_of_partner', columns: ['partnerId', 'id'] }],
})

export const entities = [ApiKey, Account, Good, Card, Order, LedgerEntry, AuditLine]
