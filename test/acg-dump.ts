/** A small acg-faka site, as its database would hold it. Amounts are yuan with two decimals. */
export type DumpSite = {
  users: { id: number; username: string; appKey: string; balance: string; recharge?: string; coin?: string; status?: 0 | 1 }[]
  groups: { id: number; discount: string; recharge: string }[]
  categories: { id: number; name: string }[]
  commodities: { id: number; category: number; name: string; code: string; userPrice: string; description?: string; config?: string; levelPrice?: string; owner?: number; deliveryWay?: number; widget?: string; contactType?: number; stock?: number; deliveryMessage?: string; factoryPrice?: string; minimum?: number; maximum?: number }[]
  cards: { id: number; commodity: number; secret: string; status?: 0 | 1 | 2; race?: string; sku?: string }[]
  orders: { id: number; owner: number; tradeNo: string; amount: string; commodity: number; quantity: number; secret: string; requestNo: string | null; status?: 0 | 1; delivered?: 0 | 1 }[]
}

/** The columns in the order in which the software makes them, as far as they are needed; `x` stands for those that are not. */
const TABLES: Record<string, readonly string[]> = {
  acg_card: ['id', 'owner', 'commodity_id', 'draft', 'secret', 'create_time', 'purchase_time', 'order_id', 'status', 'note', 'race', 'sku'],
  acg_category: ['id', 'name', 'sort', 'create_time', 'owner', 'icon', 'status', 'hide', 'user_level_config'],
  acg_commodity: [
    'id', 'category_id', 'name', 'description', 'cover', 'factory_price', 'price', 'user_price', 'status', 'owner', 'create_time', 'api_status', 'code', 'delivery_way',
    'shared_id', 'shared_code', 'seckill_status', 'draft_status', 'widget', 'level_price', 'level_disable', 'minimum', 'maximum', 'config', 'hide', 'contact_type', 'delivery_message', 'stock',
  ],
  acg_config: ['id', 'key', 'value'],
  acg_order: ['id', 'owner', 'user_id', 'trade_no', 'amount', 'commodity_id', 'card_id', 'card_num', 'pay_id', 'create_time', 'create_ip', 'status', 'secret', 'delivery_status', 'race', 'request_no'],
  acg_user: ['id', 'username', 'email', 'password', 'salt', 'app_key', 'balance', 'coin', 'create_time', 'recharge', 'status', 'business_level'],
  acg_user_group: ['id', 'name', 'icon', 'discount', 'cost', 'recharge'],
}

type Value = string | number | null

function rowsOf(site: DumpSite): Record<string, Value[][]> {
  const at = '2026-11-01 12:00:00'
  return {
    acg_card: site.cards.map((c) => [c.id, 0, c.commodity, null, c.secret, at, null, null, c.status ?? 0, null, c.race ?? null, c.sku ?? null]),
    acg_category: site.categories.map((c) => [c.id, c.name, 1, at, 0, '/favicon.ico', 1, 0, null]),
    acg_commodity: site.commodities.map((c) => [
      c.id, c.category, c.name, c.description ?? '<p>说明</p>', '/favicon.ico', c.factoryPrice ?? '0.00', c.userPrice, c.userPrice, 1, c.owner ?? 0, at, 1, c.code, c.deliveryWay ?? 0,
      null, '', 0, 0, c.widget ?? null, c.levelPrice ?? null, 0, c.minimum ?? 0, c.maximum ?? 0, c.config ?? null, 0, c.contactType ?? 0, c.deliveryMessage ?? null, c.stock ?? 0,
    ]),
    acg_config: [[1, 'shop_name', "O'Hara; DROP TABLE `x`; -- 店铺"]],
    acg_order: site.orders.map((o) => [o.id, o.owner, 0, o.tradeNo, o.amount, o.commodity, null, o.quantity, 1, at, '127.0.0.1', o.status ?? 1, o.secret, o.delivered ?? 1, null, o.requestNo]),
    acg_user: site.users.map((u) => [u.id, u.username, null, 'hash', 'salt', u.appKey, u.balance, u.coin ?? '0.00', at, u.recharge ?? '0.00', u.status ?? 1, null]),
    acg_user_group: site.groups.map((g) => [g.id, `组${g.id}`, null, g.discount, '0.00', g.recharge]),
  }
}

/** The site as mysqldump writes it: structure, then rows of many tables in INSERTs of up to a megabyte. */
export function* writeDump(site: DumpSite): Generator<string> {
  yield '-- MySQL dump 10.13  Distrib 8.0.36, for Linux (x86_64)\n/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;\n/*!50503 SET NAMES utf8mb4 */;\n/*!40014 SET FOREIGN_KEY_CHECKS=0 */;\n\n'
  const rows = rowsOf(site)
  for (const [table, columns] of Object.entries(TABLES)) {
    yield `--\n-- Table structure for table \`${table}\`\n--\n\nDROP TABLE IF EXISTS \`${table}\`;\n/*!50503 SET character_set_client = utf8mb4 */;\nCREATE TABLE \`${table}\` (\n`
    yield columns.map((column) => `  \`${column}\` varchar(255) CHARACTER SET utf8mb4 DEFAULT NULL COMMENT '列 (${column}), 1;2',\n`).join('')
    yield `  PRIMARY KEY (\`id\`) USING BTREE,\n  KEY \`${columns[1]}\` (\`${columns[1]}\`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n\nLOCK TABLES \`${table}\` WRITE;\n/*!40000 ALTER TABLE \`${table}\` DISABLE KEYS */;\n`
    for (let i = 0, batch = rows[table]!; i < batch.length; i += 5_000) {
      yield `INSERT INTO \`${table}\` VALUES ${batch.slice(i, i + 5_000).map((row) => `(${row.map(writeValue).join(',')})`).join(',')};\n`
    }
    yield `/*!40000 ALTER TABLE \`${table}\` ENABLE KEYS */;\nUNLOCK TABLES;\n\n`
  }
  yield '-- Dump completed on 2026-11-22  3:00:00\n'
}

const ESCAPED: Record<string, string> = { '\0': '\\0', '\n': '\\n', '\r': '\\r', '\\': '\\\\', "'": "\\'", '"': '\\"', '\u001a': '\\Z' }

/** A value as the C library of MySQL quotes it. */
export function writeValue(value: Value): string {
  if (value === null) return 'NULL'
  if (typeof value === 'number') return String(value)
  return `'${value.replace(/[\0\n\r\\'"\u001a]/g, (character) => ESCAPED[character]!)}'`
}

/** What the last two goods of the site are: one in races and options, one that a person delivers to an account. */
export const RACED_CONFIG = '[category]\n月卡=10.00\n年卡=100.00\n[sku]\n区服.一区=0\n区服.二区=1.50\n[category_wholesale]\n年卡.10=90.00'
const HAND = { deliveryWay: 1, stock: 30, deliveryMessage: '请稍候', contactType: 3, widget: '[{"type":"text","name":"account","cn":"充值账号","placeholder":"","regex":"^\\\\d{5,12}$","error":"请填写账号","dict":""}]' }

/** A shop of the size that the trade speaks of: 50 partners, 2,000 goods, 100,000 unsold cards, and a past. */
export function makeSite(): DumpSite {
  const partners = Array.from({ length: 50 }, (_, i) => ({
    id: 1001 + i, username: `卡盟${i + 1}号`, appKey: `KEY${String(i).padStart(13, '0')}`, balance: `${(i * 7919) % 10_000}.${String((i * 37) % 100).padStart(2, '0')}`, recharge: i % 10 === 0 ? '500.00' : '0.00',
  }))
  const idle = Array.from({ length: 20 }, (_, i) => ({ id: 5001 + i, username: `buyer${i}`, appKey: `IDLE${String(i).padStart(12, '0')}`, balance: '0.00' }))
  const commodities = Array.from({ length: 2_000 }, (_, i) => ({
    id: 1 + i, category: 1 + (i % 20), name: `商品 ${i} 'O"`, code: `CODE${String(i).padStart(12, '0')}`, userPrice: `${1 + (i % 90)}.${String((i * 13) % 100).padStart(2, '0')}`,
    ...(i % 40 === 0 ? { levelPrice: `{"2":{"amount":"${1 + (i % 90)}.00","config":"","show":1}}` } : {}), ...(i === 1_998 ? { config: RACED_CONFIG } : i === 1_999 ? HAND : {}),
  }))
  const cards = Array.from({ length: 101_000 }, (_, i) => ({ id: i + 1, commodity: i < 100_000 ? 1 + Math.floor(i / 50) : 1 + (i % 2_000), secret: i % 3 === 0 ? `NO${i}----PW'${i}\\x` : `S-${i}-密`, status: (i >= 100_000 ? 1 : 0) as 0 | 1, ...kindOf(i) }))
  const orders = Array.from({ length: 5_000 }, (_, i) => ({
    id: i + 1, owner: 1001 + (i % 50), tradeNo: `8${String(i).padStart(17, '0')}`, amount: `${1 + (i % 9)}.${String(i % 100).padStart(2, '0')}`, commodity: 1 + (i % 2_000), quantity: 1 + (i % 3),
    secret: `OLD-${i}\nLINE2 'q' "d" \\ ${i}`, requestNo: i % 10 === 9 ? null : `7${String(i).padStart(17, '0')}`,
  }))
  return {
    users: [...partners, ...idle], groups: [{ id: 1, discount: '0.00', recharge: '0.00' }, { id: 2, discount: '0.00', recharge: '400.00' }],
    categories: Array.from({ length: 20 }, (_, i) => ({ id: i + 1, name: `分类${i + 1}` })), commodities, cards, orders,
  }
}

/** The cards of the good in races: 20 of its month in the first zone, 30 of its year in the second. */
function kindOf(card: number): { race?: string; sku?: string } {
  const at = card - 1_998 * 50
  return at < 0 || at >= 50 ? {} : at < 20 ? { race: '月卡', sku: '{"区服":"一区"}' } : { race: '年卡', sku: '{"区服":"二区"}' }
}
