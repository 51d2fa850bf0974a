import { formatAmount } from '../../../protocol/money.ts'
import type { Letter, LetterContext, Seen } from './model.ts'
import { pick, writeTime } from './words.ts'

/** A deposit or a stock that fell below its threshold. `now` is what is there when the letter is read; null in the mail. */
export function alertLetter(kind: 'balance_low' | 'stock_low', seen: Seen, subject: { name: string; code: string | null }, seenAt: Date, now: bigint | null, { language, docking }: LetterContext): Letter {
  const say = pick(language)
  const write = (value: bigint) => (kind === 'balance_low' ? say(`${formatAmount(value)} 元`, `${formatAmount(value)} yuan`) : say(`${value} 件`, `${value} pieces`))
  const [below, was] = [BigInt(seen.below), BigInt(seen.seen)]
  const mode = seen.mode === 'live' ? say('正式', 'live') : say('沙箱', 'sandbox')
  const over = now !== null && now >= below
  const good = subject.code === null ? subject.name : `${subject.name} (${subject.code})`
  return {
    language,
    title: kind === 'balance_low' ? say(`对接“${docking}”余额不足 ${write(below)}`, `The deposit of ${docking} is below ${write(below)}`) : say(`商品“${subject.name}”库存不足 ${write(below)}`, `The stock of ${subject.name} is below ${write(below)}`),
    standing: now === null ? null : over ? { text: say('已恢复', 'Above again'), tone: 'over' } : { text: say('仍低于阈值', 'Still below'), tone: 'low' },
    lead: [
      kind === 'balance_low'
        ? say('余额用完前照常下单，用完后订单会因余额不足被拒绝，请及时加款。', 'Orders go on until the deposit is used up and are then refused for want of funds: top it up in time.')
        : say('售完前照常销售，售完后订单会因库存不足被拒绝，请及时补货。', 'It is sold until nothing is left, and orders are then refused for want of stock: restock in time.'),
      say('每次跌破阈值只提醒一次，回升后再次跌破才会再提醒。', 'You are told once; again only when it has been above the threshold and falls below it anew.'),
    ],
    short: kind === 'balance_low' ? say(`余额不足 ${write(below)}`, `Deposit below ${write(below)}`) : say(`库存不足 ${write(below)}`, `Stock below ${write(below)}`),
    sections: [{
      heading: say('提醒', 'The alert'),
      rows: [
        ...(kind === 'balance_low' ? [{ term: say('对接', 'Docking'), text: docking }] : [{ term: say('商品', 'Good'), text: good }]),
        { term: say('环境', 'Mode'), text: mode }, { term: say('阈值', 'Threshold'), text: write(below) }, { term: say('当时', 'Seen'), text: write(was) },
        { term: say('时间', 'At'), text: writeTime(seenAt, language) }, ...(now === null ? [] : [{ term: say('现在', 'Now'), text: write(now) }]),
      ],
    }],
  }
}
