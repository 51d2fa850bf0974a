import type { Cause } from './cause.ts'
import { WAYS, type Stage } from './stage.ts'

const again = (stage: Stage) => stage.buy()

export const commercial: readonly Cause[] = [
  {
    name: 'the deposit is spent', class: 'commercial', code: 'ledger.insufficient_funds', ways: WAYS, set: { deposit: '5.00' }, msg: /余额不足/,
    because: () => ({ needed: '9.50', available: '5.00' }), says: { en: /deposit|top up/i, zh: /加款|充值/ },
    mend: async (stage, shown) => {
      // The shortfall, and something for the next order: an empty deposit is told as one.
      const missing = (Number(shown.because.needed ?? 9.5) - Number(shown.because.available ?? 5) + 100).toFixed(2)
      await stage.operator('POST', `/operator/dockings/${stage.docking.id}/deposits`, { reference: stage.reference(), amount: missing })
      return stage.buy()
    },
  },
  {
    name: 'the good was taken off the shelf', class: 'commercial', code: 'catalogue.good_not_on_sale', ways: WAYS, msg: /停售/,
    inject: async (stage) => void await stage.operator('POST', '/operator/goods', { items: [{ code: stage.code, name: `Good ${stage.code}`, category: 'Test', unitPrice: '9.50', minimum: 1, maximum: 10, onSale: false }] }),
    says: { en: /shelf|another good|on sale/i, zh: /停售|上架|其他商品/ },
    mend: async (stage) => {
      await stage.operator('POST', '/operator/goods', { items: [{ code: stage.code, name: `Good ${stage.code}`, category: 'Test', unitPrice: '9.50', minimum: 1, maximum: 10, onSale: true }] })
      return again(stage)
    },
  },
  {
    name: 'the stock is gone', class: 'commercial', code: 'catalogue.out_of_stock', ways: WAYS, set: { cards: 1 }, msg: /库存不足/, because: () => ({ asked: 2, available: 1 }),
    ask: (stage) => stage.buy({ quantity: 2 }), says: { en: /quantity|stock|fewer/i, zh: /数量|库存/ }, mend: (stage) => stage.buy({ quantity: 1 }),
  },
  {
    name: 'the price is above the guard', class: 'commercial', code: 'catalogue.price_above_guard', ways: ['json'], because: () => ({ price: '9.50', allowed: '9.49' }),
    ask: (stage) => stage.buy({ max: '9.49' }), says: { en: /maxUnitPrice/, zh: /maxUnitPrice/ }, mend: (stage, shown) => stage.buy({ max: String(shown.because.price) }),
  },
  {
    name: 'fewer than the offer takes', class: 'commercial', code: 'catalogue.quantity_outside_offer', ways: WAYS, set: { good: { minimum: 2, maximum: 5 } }, msg: /购买数量/, because: () => ({ asked: 1, minimum: 2, maximum: 5 }),
    says: { en: /quantity/i, zh: /数量/ }, mend: (stage) => stage.buy({ quantity: 2 }),
  },
  {
    name: 'more than the offer takes', class: 'commercial', code: 'catalogue.quantity_outside_offer', ways: WAYS, set: { good: { minimum: 1, maximum: 3 } }, msg: /购买数量/, because: () => ({ asked: 4, minimum: 1, maximum: 3 }),
    ask: (stage) => stage.buy({ quantity: 4 }), says: { en: /quantity/i, zh: /数量/ }, mend: (stage) => stage.buy({ quantity: 3 }),
  },
]
