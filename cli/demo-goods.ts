/** One good of the demo. `cards` says how many there are to begin with, in the sandbox and in live. */
export type DemoGood = {
  code: string; name: string; category: string; unitPrice: string; description: string; minimum?: number; maximum?: number; onSale?: boolean
  /** pair: number and secret, as on a printed card; code: one code to redeem. */
  form: 'pair' | 'code'
  cards: { sandbox: number; live: number }
  /** What makes it more than a plain card, in the words of the goods file. */
  kind?: Readonly<Record<string, unknown>>
  /** Each of these gets the cards. */
  variants?: readonly { race?: string; options?: readonly string[] }[]
}

type Family = {
  code: string; name: string; category: string; description: string; form: DemoGood['form']; maximum?: number
  cards: DemoGood['cards']
  /** Denomination as it stands in the code, as it stands in the name, and what a partner pays for it in yuan. */
  sizes: readonly (readonly [string, string, string])[]
}

const some = { sandbox: 200, live: 250 }
const few = { sandbox: 120, live: 150 }

const families: readonly Family[] = [
  {
    code: 'junnet', name: '骏网一卡通', category: '游戏点卡', form: 'pair', cards: { sandbox: 600, live: 600 }, description: '骏卡官方卡，卡号与卡密，可充值多款游戏。',
    sizes: [['10', '10元', '9.62'], ['30', '30元', '28.86'], ['50', '50元', '48.10'], ['100', '100元', '96.20']],
  },
  {
    code: 'qcoin', name: 'Q币卡', category: '游戏点卡', form: 'pair', cards: some, description: '在 QQ 充值中心以卡号、卡密充值 Q币。',
    sizes: [['10', '10元', '9.70'], ['30', '30元', '29.10'], ['50', '50元', '48.50'], ['100', '100元', '97.00'], ['200', '200元', '194.00']],
  },
  {
    code: 'steam', name: 'Steam 钱包充值码', category: '游戏点卡', form: 'code', cards: few, maximum: 50, description: 'Steam 国区钱包充值码，在账户明细中兑换。',
    sizes: [['50', '50元', '48.75'], ['100', '100元', '97.50'], ['200', '200元', '195.00'], ['500', '500元', '487.50']],
  },
  {
    code: 'netease', name: '网易一卡通', category: '游戏点卡', form: 'pair', cards: few, description: '网易游戏通用点卡。',
    sizes: [['15', '15元', '14.40'], ['30', '30元', '28.80'], ['100', '100元', '96.00']],
  },
  {
    code: 'iqiyi', name: '爱奇艺黄金会员', category: '影音会员', form: 'code', cards: some, description: '爱奇艺黄金会员兑换码，手机、电脑、平板可用。',
    sizes: [['month', '月卡', '16.80'], ['quarter', '季卡', '46.50'], ['year', '年卡', '168.00']],
  },
  {
    code: 'tencent-video', name: '腾讯视频会员', category: '影音会员', form: 'code', cards: some, description: '腾讯视频 VIP 兑换码，手机、电脑、平板可用。',
    sizes: [['month', '月卡', '17.20'], ['quarter', '季卡', '47.80'], ['year', '年卡', '172.00']],
  },
  {
    code: 'youku', name: '优酷会员', category: '影音会员', form: 'code', cards: few, description: '优酷 VIP 兑换码。',
    sizes: [['month', '月卡', '15.50'], ['quarter', '季卡', '43.00'], ['year', '年卡', '149.00']],
  },
  {
    code: 'netease-music', name: '网易云音乐黑胶会员', category: '影音会员', form: 'code', cards: few, description: '网易云音乐黑胶 VIP 兑换码。',
    sizes: [['month', '月卡', '11.80'], ['year', '年卡', '118.00']],
  },
  {
    code: 'cmcc', name: '中国移动充值卡', category: '话费流量', form: 'pair', cards: some, description: '全国通用，拨打充值热线或在 App 以卡密充值话费。',
    sizes: [['30', '30元', '29.70'], ['50', '50元', '49.40'], ['100', '100元', '98.70']],
  },
  {
    code: 'unicom', name: '中国联通充值卡', category: '话费流量', form: 'pair', cards: few, description: '全国通用，以卡密充值话费。',
    sizes: [['50', '50元', '49.45'], ['100', '100元', '98.80']],
  },
  {
    code: 'telecom', name: '中国电信充值卡', category: '话费流量', form: 'pair', cards: few, description: '全国通用，以卡密充值话费。',
    sizes: [['50', '50元', '49.50'], ['100', '100元', '98.90']],
  },
  {
    code: 'data', name: '全国通用流量券', category: '话费流量', form: 'code', cards: few, description: '三网通用流量兑换码，兑换后 30 天内有效。',
    sizes: [['1g', '1GB', '4.60'], ['10g', '10GB', '27.50']],
  },
  {
    code: 'jd', name: '京东E卡', category: '礼品卡', form: 'pair', cards: some, maximum: 100, description: '京东自营商品可用，绑定后不可退换。',
    sizes: [['100', '100元', '98.20'], ['200', '200元', '196.40'], ['500', '500元', '491.00'], ['1000', '1000元', '982.00']],
  },
  {
    code: 'tmall', name: '天猫超市卡', category: '礼品卡', form: 'pair', cards: few, maximum: 100, description: '天猫超市购物可用，以卡密绑定至账户。',
    sizes: [['100', '100元', '97.80'], ['200', '200元', '195.60'], ['500', '500元', '489.00']],
  },
  {
    code: 'coffee', name: '咖啡兑换券', category: '礼品卡', form: 'code', cards: few, description: '全国门店任选一杯中杯，自购买起 90 天内使用。',
    sizes: [['1', '单杯', '19.90'], ['5', '五杯', '94.50']],
  },
  {
    code: 'wps', name: 'WPS 超级会员', category: '办公软件', form: 'code', cards: few, description: 'WPS 超级会员激活码，登录后兑换。',
    sizes: [['month', '月卡', '21.60'], ['year', '年卡', '139.00']],
  },
  {
    code: 'm365', name: 'Microsoft 365 激活码', category: '办公软件', form: 'code', cards: few, maximum: 20, description: '12 个月订阅，在官网兑换，含 1TB 云存储。',
    sizes: [['personal', '个人版', '268.00'], ['family', '家庭版', '338.00']],
  },
  {
    code: 'antivirus', name: '杀毒软件授权', category: '办公软件', form: 'code', cards: few, maximum: 50, description: '正版授权密钥，自激活起计时。',
    sizes: [['1pc', '1 台 1 年', '48.00'], ['3pc', '3 台 1 年', '96.00']],
  },
]

/** What is unlike the rest, so that every answer of the hub can be met by hand. */
const singles: readonly DemoGood[] = [
  {
    code: 'sms-1', name: '短信条数（1 条）', category: '企业服务', unitPrice: '0.0015', form: 'code', cards: { sandbox: 1_500, live: 1_500 },
    description: '行业短信额度兑换码，一码一条；价格细于一分，用于检验精度。',
  },
  { code: 'sms-1000', name: '短信套餐（1000 条）', category: '企业服务', unitPrice: '32.00', form: 'code', cards: few, description: '国内行业短信套餐兑换码，有效期 12 个月。' },
  { code: 'storage-100g', name: '对象存储包（100GB 月）', category: '企业服务', unitPrice: '9.20', form: 'code', cards: few, minimum: 2, maximum: 60, description: '对象存储资源包兑换码，每单至少两个月。' },
  { code: 'invoice-100', name: '电子发票份数（100 份）', category: '企业服务', unitPrice: '18.00', form: 'code', cards: { sandbox: 0, live: 0 }, description: '电子发票开具额度；暂无库存，用于体验缺货。' },
  {
    code: 'bilibili', name: '哔哩哔哩大会员', category: '影音会员', unitPrice: '15.80', form: 'code', cards: few, description: '<p>大会员兑换码，<b>按种类选择时长</b>。</p><ul><li>月卡 31 天</li><li>季卡 93 天</li><li>年卡 366 天</li></ul>',
    kind: { cost: '14.00', races: [{ name: '月卡', unitPrice: '15.80', cost: '14.00' }, { name: '季卡', unitPrice: '43.50', cost: '39.90' }, { name: '年卡', unitPrice: '138.00', cost: '128.00', wholesale: [{ from: 10, unitPrice: '135.00' }] }] },
    variants: [{ race: '月卡' }, { race: '季卡' }, { race: '年卡' }],
  },
  {
    code: 'diamond', name: '手游钻石礼包', category: '游戏点卡', unitPrice: '9.00', form: 'code', cards: few, description: '礼包兑换码，须与所在区服一致。',
    kind: {
      races: [{ name: '60钻', unitPrice: '5.60' }, { name: '300钻', unitPrice: '27.50' }],
      options: [{ name: '区服', choices: [{ name: '安卓区', surcharge: '0' }, { name: '苹果区', surcharge: '0.50' }] }],
    },
    variants: [{ race: '60钻', options: ['区服=安卓区'] }, { race: '60钻', options: ['区服=苹果区'] }, { race: '300钻', options: ['区服=安卓区'] }, { race: '300钻', options: ['区服=苹果区'] }],
  },
  {
    code: 'express-coupon', name: '快递优惠券', category: '礼品卡', unitPrice: '3.20', form: 'code', cards: { sandbox: 1_000, live: 1_000 }, description: '全国通用寄件券；买得多更便宜。',
    kind: { wholesale: [{ from: 10, unitPrice: '3.00' }, { from: 100, unitPrice: '2.75' }] },
  },
  {
    code: 'topup-game', name: '游戏账号代充 100 元', category: '代充直充', unitPrice: '96.50', form: 'code', cards: { sandbox: 0, live: 0 }, maximum: 10, description: '填写账号，由人工充值；完成后在取货页查看结果。',
    kind: {
      delivery: 'manual', stock: 200, contact: 'qq', message: '已收到订单，通常 30 分钟内充值到账。',
      form: [
        { name: 'account', label: '游戏账号', placeholder: '登录用的账号', pattern: '^[A-Za-z0-9_@.]{4,64}$', error: '账号为 4 至 64 位字母、数字或 _ @ .' },
        { name: 'zone', label: '区服', type: 'select', choices: [{ label: '一区', value: '1' }, { label: '二区', value: '2' }] },
      ],
    },
  },
  { code: 'wanmei-15', name: '完美一卡通 15元', category: '游戏点卡', unitPrice: '14.55', form: 'pair', cards: few, onSale: false, description: '完美世界点卡；已下架，用于体验停售。' },
]

export const demoGoods: readonly DemoGood[] = [
  ...families.flatMap(({ sizes, code, name, ...family }) =>
    sizes.map(([size, label, unitPrice]): DemoGood => ({ ...family, code: `${code}-${size}`, name: `${name} ${label}`, unitPrice }))),
  ...singles,
]
