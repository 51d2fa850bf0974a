import assert from 'node:assert/strict'
import type { TestHub } from '../hub.ts'
import type { ReasonClass, ReasonCode } from '../../protocol/reasons.ts'
import type { Cause } from './cause.ts'
import { WAYS, type Shown, type Stage } from './stage.ts'

/** What a person decided: the code, what was found, and the one thing that mends it. */
type Case = { name: string; code: ReasonCode; fact: string; en: string; zh: string; measure?: Record<string, unknown>; ground?: { type: string; ref: string; article: string }; isNews?: boolean }

const templates = new WeakMap<TestHub, Promise<string>>()

/** The contract that the operator's cases rest on: published once, signed by each partner. */
function templateOf(hub: TestHub): Promise<string> {
  let template = templates.get(hub)
  if (!template) {
    template = (async () => {
      const published = await hub.operator('POST', '/operator/rules', {
        kind: 'contract_template', slug: 'supply', title: { en: 'Supply contract', zh: '供货合同' }, text: { en: 'Articles 1 to 20 of the supply contract.', zh: '供货合同第一条至第二十条。' },
      })
      assert.equal(published.status, 201, published.text)
      return published.body.id as string
    })()
    templates.set(hub, template)
  }
  return template
}

async function groundOf(stage: Stage, cls: ReasonClass, given: Case['ground']): Promise<Case['ground']> {
  if (given) return given
  if (cls === 'compliance') return { type: 'law', ref: '电子商务法', article: '第二十七条' }
  const signed = await stage.operator('POST', `/operator/dockings/${stage.docking.id}/contracts`, { rule: await templateOf(stage.hub), signedAt: new Date().toISOString(), signedBy: 'Owner' })
  assert.ok(signed.status < 300, signed.text)
  return { type: 'contract', ref: signed.body.id, article: '7' }
}

/** The second person that a withheld statement needs. */
const seconds = new WeakMap<TestHub, Promise<string>>()
function secondOf(hub: TestHub): Promise<string> {
  let second = seconds.get(hub)
  if (!second) {
    second = hub.operator('POST', '/operator/operators', { name: 'second', roles: ['operator'] }).then((reply) => reply.body.key as string)
    seconds.set(hub, second)
  }
  return second
}

/** Decides as the operator would, and hands out the decision's id. */
export async function decide(stage: Stage, one: Case): Promise<string> {
  const cls: ReasonClass = one.code.startsWith('compliance.') ? 'compliance' : 'commercial'
  const goods = one.measure?.goods === 'this' ? { goods: [stage.code] } : {}
  const body = {
    measure: { kind: 'suspend', scope: ['orders'], ...one.measure, ...goods }, code: one.code, ground: [await groundOf(stage, cls, one.ground)], facts: [one.isNews ? { text: one.fact, period: { from: new Date(Date.now() - 3_600_000).toISOString(), to: new Date().toISOString() } } : one.fact], remedy: [{ action: { en: one.en, zh: one.zh } }],
  }
  const decided = await stage.operator('POST', `/operator/dockings/${stage.docking.id}/decisions`, body)
  if (decided.status !== 202) {
    assert.equal(decided.status, 201, decided.text)
    return decided.body.id
  }
  const approved = await fetch(`${stage.hub.url}/operator/drafts/${decided.body.draft}/approve`, { method: 'POST', headers: { authorization: `Bearer ${await secondOf(stage.hub)}` } })
  assert.equal(approved.status, 201)
  return ((await approved.json()) as { id: string }).id
}

/** What the remedy leads to: the partner does it, and the person who decided sees that it is done. */
async function doneAndLifted(stage: Stage): Promise<Shown> {
  for (const { id } of (await stage.asOwner('GET', '/api/decisions')).body.items) {
    const lifted = await stage.operator('POST', `/operator/decisions/${id}/lift`, { note: 'What the remedy asks for was done and looked at.' })
    assert.equal(lifted.status, 200, lifted.text)
  }
  return stage.buy()
}

export function measured(one: Case, more: Partial<Cause> = {}): Cause {
  const cls: ReasonClass = one.code.startsWith('compliance.') ? 'compliance' : 'commercial'
  return {
    name: one.name, class: cls, code: one.code, ways: WAYS, msg: /处理决定 dec_/, remedy: { en: one.en, zh: one.zh },
    inject: async (stage) => void await decide(stage, one), because: () => ({ measure: String(one.measure?.kind ?? 'suspend'), since: /^\d{4}-/ }),
    says: { en: new RegExp(one.en.split(' ')[0]!), zh: new RegExp(one.zh.slice(0, 2)) }, mend: doneAndLifted, ...more,
  }
}

export const commercialMeasures: readonly Cause[] = [
  { name: 'a term of the contract was broken', code: 'terms.contract_breach' as const, fact: 'Cards of batch 12 were shown on a public page.', en: 'Take the page down.', zh: '请下架该页面。' },
  { name: 'a published rule was broken', code: 'terms.published_rule_breach' as const, fact: 'Two shops are run under one docking.', en: 'Close the second shop.', zh: '请关闭第二家店铺。' },
  { name: 'an invoice is unpaid', code: 'terms.payment_overdue' as const, fact: 'Invoice 2026-10-7 was due on 2026-11-10.', en: 'Pay invoice 2026-10-7.', zh: '请支付账单 2026-10-7。' },
  { name: 'the service fee is unpaid', code: 'terms.fee_unpaid' as const, fact: 'The fee of October was not paid.', en: 'Pay the fee of October.', zh: '请支付十月技术服务费。' },
  { name: 'the agreed payment channel is missing', code: 'terms.payment_channel_required' as const, fact: 'The channel named in article 7 is not connected.', en: 'Connect the channel of article 7.', zh: '请接入第七条约定的支付通道。' },
  { name: 'goods are dumped', code: 'terms.dumping' as const, fact: 'Junnet cards were offered at 8.10 while they cost 9.50.', en: 'Raise the price above its cost.', zh: '请将售价调至成本以上。' },
  { name: 'orders are brushed', code: 'terms.brushing' as const, fact: 'Forty orders of one device came back within an hour.', en: 'Name the buyers of these orders.', zh: '请说明这些订单的买家。' },
  { name: 'the contract is not signed', code: 'terms.contract_unsigned' as const, fact: 'Version 2 of the contract waits for a signature.', en: 'Sign version 2.', zh: '请签署第二版合同。' },
  { name: 'the contract has expired', code: 'terms.contract_expired' as const, fact: 'The contract ended on 2026-10-31.', en: 'Renew the contract.', zh: '请续签合同。' },
  { name: 'the guarantee is too low', code: 'terms.guarantee_below_minimum' as const, fact: 'The guarantee is 2,000 yuan; 5,000 were agreed.', en: 'Pay in 3,000 yuan.', zh: '请补缴 3000 元保证金。' },
  { name: 'the turnover is too low', code: 'terms.turnover_below_minimum' as const, fact: 'October came to 900 yuan; 1,000 were agreed.', en: 'Agree on another minimum.', zh: '请重新约定最低销售额。' },
  { name: 'exclusivity was broken', code: 'terms.exclusivity_breach' as const, fact: 'The same goods are sold on another site.', en: 'End the other listing.', zh: '请停止在其他站点上架。' },
  { name: 'one good is withdrawn from this docking', code: 'terms.dumping' as const, fact: 'This good was offered below its cost.', en: 'Raise the price of this good.', zh: '请调高该商品售价。', measure: { kind: 'withdraw_offer', scope: ['goods'], goods: 'this' } },
  { name: 'one good is delisted', code: 'terms.published_rule_breach' as const, fact: 'The picture of this good shows another brand.', en: 'Change the picture.', zh: '请更换图片。', measure: { kind: 'delist', scope: ['goods'], goods: 'this' } },
].map((one) => measured(one))

export const compliance: readonly Cause[] = [
  { name: 'the identity is not verified', code: 'compliance.identity_unverified' as const, fact: 'No business licence was handed in.', en: 'Hand in the business licence.', zh: '请提交营业执照。' },
  { name: 'a licence is missing', code: 'compliance.licence_missing' as const, fact: 'No licence for value-added telecom services was shown.', en: 'Show the licence.', zh: '请提交增值电信业务许可证。' },
  { name: 'a licence has expired', code: 'compliance.licence_expired' as const, fact: 'The licence ended on 2026-09-30.', en: 'Send the renewed licence.', zh: '请提交换发后的许可证。' },
  { name: 'the tax information is missing', code: 'compliance.tax_report_missing' as const, fact: 'The taxpayer number was not told.', en: 'Tell the taxpayer number.', zh: '请补报纳税人识别号。' },
  { name: 'an invoice is missing', code: 'compliance.invoice_missing' as const, fact: 'No invoice was issued for October.', en: 'Issue the invoice of October.', zh: '请开具十月发票。' },
  { name: 'the payee is somebody else', code: 'compliance.payee_mismatch' as const, fact: 'The account belongs to a private person.', en: 'Name an account of the business.', zh: '请改用对公账户。' },
  { name: 'buyers without a real name', code: 'compliance.real_name_missing' as const, fact: 'Buyers of game cards are not identified.', en: 'Identify the buyers.', zh: '请完成买家实名。' },
  { name: 'a name stands on a list', code: 'compliance.list_match' as const, fact: 'The name equals one of list 2026-3.', en: 'Send the papers that show another person.', zh: '请提交能证明并非同一人的材料。' },
  { name: 'papers are overdue', code: 'compliance.due_diligence_overdue' as const, fact: 'The yearly papers were due on 2026-10-01.', en: 'Send the yearly papers.', zh: '请补交年度材料。' },
  { name: 'a game without approval', code: 'compliance.game_approval_missing' as const, fact: 'No approval number was shown for this game.', en: 'Show the approval number.', zh: '请提供版号。' },
  { name: 'minors are not kept out', code: 'compliance.minor_protection' as const, fact: 'No age is asked before a purchase.', en: 'Ask for the age of buyers.', zh: '请在购买前核验年龄。' },
  { name: 'consent is missing', code: 'compliance.consent_missing' as const, fact: 'Buyers are not asked before their data is handed on.', en: 'Ask for separate consent.', zh: '请取得单独同意。' },
  { name: 'prepaid cards above the limit', code: 'compliance.prepaid_limit' as const, fact: 'Anonymous cards of 2,000 yuan were sold.', en: 'Keep anonymous cards within the limit.', zh: '请将不记名卡控制在限额内。' },
  { name: 'records are missing', code: 'compliance.records_missing' as const, fact: 'The records of May were not kept.', en: 'Hand in the records of May.', zh: '请补交五月交易记录。' },
  { name: 'fraud was found', code: 'compliance.fraud_found' as const, fact: 'Stolen cards paid for eleven orders.', en: 'Give the eleven orders back.', zh: '请退回这十一笔订单。' },
  { name: 'an authority ordered it', code: 'compliance.authority_order' as const, fact: 'Order 2026-118 of the market regulator.', en: 'Ask the authority to lift order 2026-118.', zh: '请向主管机关申请解除 2026-118 号指令。', ground: { type: 'authority_order', ref: '2026-118', article: '一' } },
  { name: 'the law forbids to say more', code: 'compliance.withheld_by_law' as const, fact: 'The facts may not be told.', en: 'Wait for the review.', zh: '请等待复核。' },
  { name: 'one good needs an approval', code: 'compliance.game_approval_missing' as const, fact: 'This game has no approval number.', en: 'Show the number for this game.', zh: '请提供该游戏的版号。', measure: { kind: 'delist', scope: ['goods'], goods: 'this' } },
  { name: 'the offer of one good is withdrawn', code: 'compliance.licence_missing' as const, fact: 'No brand authorisation was shown for this good.', en: 'Show the authorisation of the brand.', zh: '请提供该商品的品牌授权。', measure: { kind: 'withdraw_offer', scope: ['goods'], goods: 'this' } },
  { name: 'buying stops at the key', code: 'compliance.identity_unverified' as const, fact: 'The person behind the key is not known.', en: 'Say who holds the key.', zh: '请说明密钥持有人。', measure: { kind: 'suspend', scope: ['key'] } },
].map((one) => measured(one))

const UNVERIFIED = { name: '', code: 'compliance.identity_unverified' as const, fact: 'No business licence was handed in.', en: 'Hand in the business licence.', zh: '请提交营业执照。' }
const UNPAID = { name: '', code: 'terms.fee_unpaid' as const, fact: 'The fee of October was not paid.', en: 'Pay the fee of October.', zh: '请支付十月技术服务费。' }
const MISSING = { name: '', code: 'compliance.licence_missing' as const, fact: 'No licence for value-added telecom services was shown.', en: 'Show the licence.', zh: '请提交增值电信业务许可证。' }

/** Several at once: each is named under its own class, the one that must be mended first in front. */
export const together: readonly Cause[] = [
  {
    ...measured({ ...UNVERIFIED, name: 'two measures of two classes' }), also: ['terms.fee_unpaid'],
    inject: async (stage) => {
      await decide(stage, UNVERIFIED)
      // A second class may be told only over what was not known before.
      await decide(stage, { ...UNPAID, isNews: true })
    },
  },
  {
    ...measured({ ...UNPAID, name: 'three measures, the oldest commercial' }), also: ['compliance.identity_unverified', 'compliance.licence_missing'],
    inject: async (stage) => {
      for (const one of [UNPAID, UNVERIFIED, MISSING]) await decide(stage, one)
    },
  },
  {
    name: 'the deposit is spent and the stock is gone', class: 'commercial', code: 'ledger.insufficient_funds', ways: WAYS, set: { deposit: '5.00', cards: 1 }, also: ['catalogue.out_of_stock'], msg: /余额不足.*库存不足/s,
    ask: (stage) => stage.buy({ quantity: 2 }), because: () => ({ needed: '19.00', available: '5.00' }), says: { en: /deposit|top up/i, zh: /加款|充值/ },
    mend: async (stage) => {
      await stage.operator('POST', `/operator/dockings/${stage.docking.id}/deposits`, { reference: stage.reference(), amount: '100.00' })
      return stage.buy({ quantity: 1 })
    },
  },
  {
    name: 'too dear and not enough of it', class: 'commercial', code: 'catalogue.price_above_guard', ways: ['json'], set: { cards: 1 }, also: ['catalogue.out_of_stock'],
    ask: (stage) => stage.buy({ quantity: 2, max: '9.00' }), because: () => ({ price: '9.50', allowed: '9.00' }), says: { en: /maxUnitPrice/, zh: /maxUnitPrice/ }, mend: (stage, shown) => stage.buy({ max: String(shown.because.price) }),
  },
  {
    ...measured({ ...UNVERIFIED, name: 'held, and the deposit is spent too' }), set: { deposit: '5.00' },
    mend: async (stage) => {
      await stage.operator('POST', `/operator/dockings/${stage.docking.id}/deposits`, { reference: stage.reference(), amount: '10.00' })
      return doneAndLifted(stage)
    },
  },
]
