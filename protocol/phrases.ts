import { DECISION_PHRASES } from './decision-phrases.ts'
import { NETWORK_PHRASES } from './network-phrases.ts'
import { PERSON_PHRASES } from './person-phrases.ts'

/**
 * The words that stand inside a refusal, from English to Chinese: what `because` names as problem, expectation or place.
 * A source writes the English phrase; whoever adds one adds its line here, and a test reads the sources for what is missing.
 *
 * {n} and {m} are numbers, {list} is joined by commas, {phrase} is translated in its turn, any other name stays as it is.
 * A name that the Chinese leaves out is not shown.
 */
const CHINESE: Readonly<Record<string, string>> = {
  // Where something is.
  'line {n}': '第 {n} 行',
  'line {n} column {m}': '第 {n} 行第 {m} 列',
  'byte {n}': '字节偏移 {n}',
  'the head': '请求头部',
  'the address': '请求地址',
  'a percent sign is not followed by UTF-8 in hexadecimal': '百分号编码不是有效的 UTF-8 十六进制',
  'idempotency-key': '请求头 idempotency-key',
  '1 to 255 visible ASCII characters': '1 至 255 个可见 ASCII 字符',
  scope: '适用范围',
  'orders, goods or key: nothing else can be held yet': '目前只能暂停 orders、goods 或 key',
  'a day such as 2018-08-31, or a time in RFC 3339': '日期（如 2018-08-31）或 RFC 3339 时间',
  'a review within 90 days': '90 天内的复核日期',
  'a docking that the case names': '核查单所涉的对接',
  'a whole number': '整数',
  'the id of a finding, fnd_…': '疑点编号，fnd_…',
  'a quarter such as 2026Q4': '季度，如 2026Q4',
  'a quarter that this hub has published, or the one that runs': '本主站已公布的季度，或进行中的季度',
  'what the page before called next': '上一页给出的 next',
  'text without the NUL character': '不含 NUL 字符的文本',

  // The head of a request, and what it says about its body.
  'the request line or length is wrong': '请求行或长度有误',
  'the bytes are not an HTTP request': '收到的不是 HTTP 请求',
  '{n} Host headers': '{n} 个 Host 头',
  'an address with a host of its own': '自带主机名的请求地址',
  'a path with dots or double slashes': '含有点段或双斜杠的路径',
  'application/json in UTF-8': 'UTF-8 编码的 application/json',
  'application/json without content-encoding': '不带 content-encoding 的 application/json',
  none: '未声明的类型',
  'another type': '其他类型',
  body: '请求正文',
  headers: '条数',
  bytes: '总字节数',
  'array items': '数组元素个数',
  '{n}/s': '每秒 {n} 次',
  '{n} failed sign-ins a minute': '每分钟 {n} 次登录失败',
  '{n} new addresses a day': '每天 {n} 个新地址',
  '{n} pastes a minute': '每分钟 {n} 次粘贴诊断',
  '{n} wrong links a minute': '每分钟 {n} 个无效链接',
  '{n} forms a minute': '每分钟 {n} 次表单提交',
  '{n} requests a day': '每天 {n} 个请求',
  '{n} decisions a day': '每天 {n} 份处理决定',
  '{n} pastes a second of everybody': '所有访客合计每秒 {n} 次粘贴',
  '{n} sandboxes an hour': '每小时 {n} 个沙箱',
  '{n} drills a day': '每天 {n} 场演练',

  // Conformance.
  'a badge or a waiver, and not both': '徽章与豁免只能二选一',
  'a live docking: nothing is asked of a sandbox': '仅用于正式对接：沙箱无需徽章或豁免',
  red: '未通过',
  green: '已通过',
  'not finished': '未完成',
  'green for {name}': '已通过（协议为 {name}）',
  'older than {n} days': '超过 {n} 天',

  // Drills.
  'a time to come within 30 days, in RFC 3339': '30 天内的将来时间，RFC 3339 格式',
  'sizes that this log has reached': '该日志已达到的大小',

  // Sandboxes.
  'an e-mail address': '电子邮箱地址',
  'Berth-Sandbox-Fault': '请求头 Berth-Sandbox-Fault',
  'a fault of answers or orders: callbacks are not sent yet': '须为应答类或订单类故障：回调暂未提供',
  'at most 5 decisions that stand at once: DELETE /api/sandbox/faults lifts them': '同时生效的处理决定最多 5 份：用 DELETE /api/sandbox/faults 解除',
  'a fault without parameters': '此故障没有参数',
  'parameters out of {list}': '参数须为 {list}',
  'another fault: requests of this dialect carry no time': '请改用其他故障：此协议的请求不带时间',
  'no fault on what steers the sandbox itself': '沙箱控制接口不注入故障',
  'a decision is asked for by PUT /api/sandbox/faults': '处理决定请用 PUT /api/sandbox/faults 申请',
  'a signed request: a bearer key carries no time': '须为带签名时间的请求：接口密钥不带时间',
  'an order: this fault strikes nothing else': '此故障仅作用于下单',
  'an order or a quote: this fault strikes nothing else': '此故障仅作用于下单与试算',
  'at most 100000 yuan of test money at once': '单次测试加款最多 100000 元',
  'a balance of at most 1000000 yuan of test money': '测试余额最多 1000000 元',

  // The log that partners verify.
  '32 bytes in base64: a raw Ed25519 public key': '32 字节的 Ed25519 公钥原文（base64）',
  'the line is not written as a note asks': '签名行格式不合要求',
  'this key did not sign this checkpoint': '该公钥没有签署此检查点',
  'the time of it is more than {n} seconds away': '签名时间与本站相差超过 {n} 秒',
  'one of the {n} witness keys that this docking has named': '本对接已登记的 {n} 个见证公钥之一',
  'the leaf of a fact; neither a block nor an erasure': '某个事实的记录，不能是区块或销毁记录',
  'either docking or leaf': 'docking 与 leaf 二者选一',
  'a whole number from 0, in digits': '从 0 起的整数（数字）',
  '32 bytes in base64': '32 字节（base64）',

  // What lies between the two sides.
  ...NETWORK_PHRASES,
  ...PERSON_PHRASES,

  // JSON.
  'the body is empty': '正文为空',
  'the document cannot be read': '内容无法读取',
  'the document ends too early': '内容不完整，提前结束',
  'something follows the end of the document': '结尾之后还有多余内容',
  'a byte order mark stands in front': '开头有字节顺序标记（BOM）',
  'half of a surrogate pair stands alone': '代理对只有一半',
  'the NUL character is not allowed': '不允许 NUL 字符',
  'it is nested deeper than {n} levels': '嵌套超过 {n} 层',
  'a key in double quotes should stand here': '此处应为双引号括起的键',
  'a key occurs twice in one object': '同一对象中键重复',
  'a colon should follow the key': '键之后应为冒号',
  'a comma or } should follow the value': '值之后应为逗号或 }',
  'a comma or ] should follow the item': '元素之后应为逗号或 ]',
  'a string is not closed': '字符串没有结束引号',
  'a control character in a string is not escaped': '字符串中的控制字符未转义',
  'a backslash is followed by a letter that means nothing': '反斜杠后的字符不是有效转义',
  'an escape \\u is not followed by four hexadecimal digits': '\\u 之后不是四位十六进制数字',
  'a value should stand here': '此处应有一个值',
  '{name} is not a JSON value': '{name} 不是 JSON 值',
  'a digit should follow the minus sign': '负号之后应为数字',
  'a digit should follow the decimal point': '小数点之后应为数字',
  'a digit should follow the exponent sign': '指数符号之后应为数字',
  'a number starts with a needless zero': '数字开头有多余的零',
  'a number no further from zero than {n}': '绝对值不超过 {n} 的数字',
  'a number other than minus zero': '不能是负零',
  'a number that a double can carry': '双精度浮点数能表示的数字',
  'this key is not allowed': '不允许这个键名',

  // Forms.
  'it has more than {n} fields': '字段超过 {n} 个',
  'a field is not written as name=value': '有字段不是 name=value 的写法',
  'a field occurs twice': '字段重复',
  'a field has no name': '有字段没有名称',
  'a field name has a control character': '字段名含有控制字符',
  'a field name ends in [], which makes a list': '字段名以 [] 结尾，不支持列表',
  'a field name is nested deeper than one level': '字段名嵌套超过一层',
  'the brackets of a field name do not match': '字段名的方括号不成对',
  'a percent sign is not followed by two hexadecimal digits': '百分号之后不是两位十六进制数字',
  'text without control characters': '不含控制字符的文本',

  // Signatures.
  'the header {name} is missing': '缺少请求头 {name}',
  'Signature-Input is empty': 'Signature-Input 为空',
  'Signature has no member {name}, which Signature-Input names': 'Signature 中没有 Signature-Input 所列的 {name}',
  'Content-Digest: {name} is not {n} bytes long': 'Content-Digest：{name} 应为 {n} 字节',
  'Content-Digest has neither sha-256 nor sha-512': 'Content-Digest 中既没有 sha-256 也没有 sha-512',
  'keyid is not a quoted string of 1 to {n} characters': 'keyid 须为双引号括起的 1 至 {n} 个字符',
  'alg is neither "hmac-sha256" nor "ed25519"': 'alg 既不是 "hmac-sha256" 也不是 "ed25519"',
  '{n} bytes in base64; hmac-sha256 makes 32 and ed25519 makes 64': 'base64 解码后为 {n} 字节，hmac-sha256 应为 32，ed25519 应为 64',
  'the value of "{name}" is not plain ASCII': '"{name}" 的值不是纯 ASCII 文本',
  '"{name}" is not a component that is read here': '本站不支持签名组件 "{name}"',
  '"{name}" is covered but was not sent': '签名覆盖了 "{name}"，请求中却没有',
  '"{name}" is not a lower-case header name': '"{name}" 不是小写的请求头名称',
  '"{name}" is covered twice': '"{name}" 被重复覆盖',
  '"{name}" carries a parameter, which is not read here': '"{name}" 带有参数，本站不支持',
  'whole seconds since 1970 as an integer, not milliseconds and not text': '自 1970 年起的整秒数，须为整数，不能是毫秒或文本',
  'whole seconds since 1970 as an integer, not before created': '自 1970 年起的整秒数，须为整数，不得早于 created',
  '{n} to {m} printable ASCII characters between double quotes': '双引号括起的 {n} 至 {m} 个可打印 ASCII 字符',
  'the field sign is missing or empty': '缺少 sign 字段或其值为空',
  'sign must be {n} lower-case hexadecimal digits': 'sign 须为 {n} 位小写十六进制数字',
  'a value contains & and =, so the signed text has two readings': '有字段值同时含有 & 和 =，待签名文本会有两种读法',
  '{name}, character {n}: {phrase}': '{name} 第 {n} 个字符：{phrase}',
  'a lower-case label is needed': '此处应为小写标签',
  'this label stands twice': '标签重复',
  'the label needs a value': '标签缺少值',
  'at most {n} members are read': '最多 {n} 个成员',
  'at most {n} components are read': '最多 {n} 个组件',
  'a comma or the end is needed': '此处应为逗号或结尾',
  'padded base64 between two colons is needed': '此处应为两个冒号之间带填充的 base64',
  'a list in parentheses is needed': '此处应为圆括号括起的列表',
  'a space or a closing parenthesis is needed': '此处应为空格或右括号',
  'a component name in double quotes is needed': '此处应为双引号括起的组件名',
  'a parameter name is needed': '此处应为参数名',
  'this parameter stands twice': '参数重复',
  'the value of {name} cannot be read': '{name} 的值无法解析',

  // What a field should hold.
  'no such field here': '没有这个字段',
  'no such field in this call': '此调用没有这个字段',
  'this field is required': '此字段必填',
  'no query string, since only the body is signed': '不得带查询串，签名只覆盖正文',
  'a name of letters, digits and underscores': '字段名只能由字母、数字和下划线组成',
  '{n} to {m} letters, digits or . _ : @ -': '{n} 至 {m} 个字母、数字或 . _ : @ -',
  // Codes of goods may be written in any script.
  '{n} to {m} letters, digits or . _ : @ + -': '{n} 至 {m} 个字母、汉字、数字或 . _ : @ + -',
  'the code of a good: {n} to {m} letters, digits or . _ : @ + -': '商品编码，{n} 至 {m} 个字母、汉字、数字或 . _ : @ + -',
  '{n} to {m} letters, digits, _ or -': '{n} 至 {m} 个字母、数字、_ 或 -',
  '{n} to {m} characters': '{n} 至 {m} 个字符',
  'at most {n} characters': '最多 {n} 个字符',
  'at most {n} visible characters': '最多 {n} 个可见字符',
  'a whole number from {n} to {m}': '{n} 至 {m} 的整数',
  'a whole number from {n} to {m}, in digits': '{n} 至 {m} 的整数，用数字书写',
  'a whole number from minimum to {n}': '不小于 minimum、不大于 {n} 的整数',
  'true or false': 'true 或 false',
  'one of {list}': '可选值为 {list}',
  'lower-case letters, digits or _': '小写字母、数字或 _',
  '{n} lower-case hexadecimal digits': '{n} 位小写十六进制数字',
  'a letter or digit, then letters, digits or . _ : @ # + = ~ / -': '以字母或数字开头，其后为字母、数字或 . _ : @ # + = ~ / -',
  'text without control, direction or zero-width characters': '不含控制字符、方向控制符和零宽字符的文本',
  'text without control, direction or zero-width characters, < or >': '不含控制、方向或零宽字符，也不含尖括号的文本',
  'text without control characters, < or >': '不含控制字符和尖括号的文本',
  'written as /openapi.json says': '写法见 /openapi.json',
  'an IP address': 'IP 地址',
  'a time in RFC 3339': 'RFC 3339 格式的时间',
  'a time to come, in RFC 3339': '将来的时间，RFC 3339 格式',
  'a cursor that the list before answered': '上一页列表返回的游标',
  'a position that the list of changes answered': '变更列表返回的位置',
  'at most {n} cards in all': '卡密总数不超过 {n} 张',
  'an amount above zero': '大于零的金额',
  'an amount above zero in whole fen': '大于零的金额，精确到分',
  'an amount of at most a thousand million yuan': '不超过十亿元的金额',
  'visible ASCII characters without blanks, quotes or backslashes': '可见的 ASCII 字符，不含空格、引号和反斜杠',
  'an amount in whole fen': '精确到分的金额',
  'a card without tabs or control characters, at most {n} characters': '卡密，不含制表符和控制字符，最多 {n} 个字符',
  '{n} to {m} lower-case letters, digits or -': '{n} 至 {m} 个小写字母、数字或 -',
  'a balance of at most {amount} yuan': '加款后余额不得超过 {amount} 元',
  'yuan above zero with at most 6 decimals, such as "9.50"': '大于零的金额（元），最多 6 位小数，如 "9.50"',
  'yuan as a decimal string with up to {n} decimals, such as "9.50"': '金额字符串，单位为元，最多 {n} 位小数，如 "9.50"',
  'acg or bearer': 'acg 或 bearer',
  'bearer, hmac-sha256 or ed25519': 'bearer、hmac-sha256 或 ed25519',
  '1 to 40 of a-z, 0-9, dot, hyphen and underline, such as li.wei': '1 至 40 个字符，仅限 a-z、0-9、点、连字符与下划线，如 li.wei',
  'an Ed25519 public key in PEM': 'PEM 格式的 Ed25519 公钥',
  'scopes out of {list}': '权限只能取自 {list}',
  'a secret, or number and secret, without control characters, at most {n} characters': '卡密，或卡号加卡密；不含控制字符，最多 {n} 个字符',

  // Prices.
  applied: '已生效',
  cancelled: '已取消',
  refused: '已被拒绝',
  'factor or percent, add, or set': 'factor 或 percent、add、set 中至少一项',
  'set alone, without factor, percent or add': 'set 只能单独使用，不得与 factor、percent、add 同用',
  'factor or percent, not both': 'factor 与 percent 只能用其一',
  'a step from {n} to {m} yuan': '进位单位，{n} 至 {m} 元',
  'a factor from 0 to 1000 with up to 6 decimals, or a percentage above -100 with up to 4': '系数 0 至 1000，最多 6 位小数；或大于 -100 的百分数，最多 4 位小数',
  'yuan with up to 6 decimals, with a minus if less': '金额（元），最多 6 位小数，减价用负号',
  'a new price above zero, at most a thousand million yuan': '新价须大于零且不超过十亿元',
  'a good without races: theirs are set by a rule, or in the file of goods': '无种类的商品：有种类的商品请用规则，或在商品文件中调价',
  'a code that no row before it has': '前面各行未出现过的编码',
  'one of group, level and docking, or none for the list prices': 'group、level、docking 三者择一；改目录价时都不填',
  'a price group that exists': '已有的价格组',
  'a level that exists': '已有的等级',
  'a level that has a price group': '已绑定价格组的等级',
  'at most {n} goods at once: select a category, or name codes': '一次最多 {n} 个商品：请选定分类或列出编码',
  'at most {n} changes that wait for their time': '最多 {n} 个待生效的调价',
  'a category or the code of a good; nothing where the rule is for all': '分类名或商品编码；规则适用全部商品时不填',
  'either change or rows': 'change 与 rows 二者择一',
  'no codes beside rows, which name their own': '给出 rows 时不得再给 codes，编码以各行为准',
  'one of good, docking and group, or none': 'good、docking、group 三者择一，或都不填',
  'a time to come within a year, in RFC 3339': '一年之内的将来时间，RFC 3339 格式',

  // What differs in an order under a known reference.
  good: '商品',
  variant: '种类或选项',
  quantity: '数量',
  member: '终端用户',
  form: '下单表单',

  // Choices, forms and deliveries.
  race: '种类',
  'order it through the JSON API': '请改用 JSON 接口下单',
  'order it by the thousand as {code}': '请按千个下单，编码 {code}',
  'no such field in the form of this good': '此商品的下单表单没有这个字段',
  'a number in digits': '用数字书写的数',
  'a value that fits the pattern of the form': '符合表单格式要求的内容',
  delivering: '待发货',
  delivered: '已发货',
  unknown: '存疑',
  refunded: '已退款',

  'at most {n} fields of at most {m} characters': '最多 {n} 个字段，每个最多 {m} 个字符',
  'at most {n} groups of at most {m} characters': '最多 {n} 组，名称最多 {m} 个字符',
  'a number that the list of goods answered': '商品列表返回的编号',
  'sku[group]=choice': 'sku[规格组]=选项',
  'a PNG, JPEG, GIF or WebP picture of at most {n} KB': '不超过 {n} KB 的 PNG、JPEG、GIF 或 WebP 图片',
  'an amount above zero with the guard max, and none with any other': '价格保护为 max 时须填大于零的金额，其他方式不填',
  'a good that is sold by cards; this one is delivered by a person': '以卡密出售的商品；该商品由人工发货，导入的卡密不会售出',
  'a docking of an acg-faka shop': '异次元店铺的对接',
  'a port that no other docking has': '未被其他对接使用的端口',
  'a port that this machine has free': '本机空闲的端口',

  // Kinds of goods, as an operator writes them.
  'a list of at most {n} objects': '最多 {n} 个对象的列表',
  'names that differ': '名称不得重复',
  'quantities that differ': '数量不得重复',
  'at least one choice': '至少一个选项',
  'the wholesale prices of a good with races stand in its races': '分种类的商品，批发价应写在各种类中',
  'no stock of its own: cards count themselves': '卡密商品的库存由卡密计数，不得填写',
  'a letter and up to {n} letters, digits or _, and no name of the protocol itself': '字母开头，其后最多 {n} 个字母、数字或 _，且不得与协议字段同名',
  'a pattern of at most {n} characters without look-around, back references or word boundaries, and at most {m} repeats in all': '最多 {n} 个字符的正则，不得使用环视、反向引用或单词边界，重复次数合计最多 {m} 次',
  'label and value of {n} to {m} characters without = and commas': '选项的名称与取值为 {n} 至 {m} 个字符，不含 = 和逗号',
  '{n} to {m} characters without marks such as = . | , [ ] or quotes': '{n} 至 {m} 个字符，不含 = . | , [ ] 引号等符号',
  'yuan with at most {n} decimals, such as "9.50"': '金额（元），最多 {n} 位小数，如 "9.50"',

  // Measures and their statement of reasons.
  suspend: '暂停',
  refuse: '拒绝',
  'a code that a decision may give': '处理决定可用的代码',
  'the code of a measure; GET /api/reasons lists them': '措施类代码，清单见 GET /api/reasons',
  'class {phrase} for {name}': '{name} 所属的类别（{phrase}）',
  technical: '技术原因',
  commercial: '商业原因',
  compliance: '合规原因',
  facts: '事实说明',
  'facts of at least 5 characters each': '每条不少于 5 个字的事实说明',
  remedy: '解决办法',
  'plain words instead of "incompatible" or "system error"': '具体原因，不能只写“不兼容”或“系统错误”',
  'evidence of a red check': '未通过检查的证据',
  'ground: a contract, or a rule published at least {n} days ago': '依据：合同，或公示满 {n} 天的规则',
  'ground: an article': '依据：具体条款',
  'funds.releaseAt': '资金释放时间（funds.releaseAt）',

  // The words of the schema library.
  'must be string': '须为字符串',
  'must be integer': '须为整数',
  'must be number': '须为数字',
  'must be boolean': '须为布尔值',
  'must be object': '须为对象',
  'must be array': '须为数组',
  'must be null': '须为空值',
  'must be >= {n}': '不得小于 {n}',
  'must be <= {n}': '不得大于 {n}',
  'must match format "date-time"': '须为带时区的日期时间',
  'must not have fewer than {n} characters': '至少 {n} 个字符',
  'must not have more than {n} characters': '最多 {n} 个字符',
  'must not have fewer than {n} items': '至少 {n} 项',
  'must not have more than {n} items': '最多 {n} 项',
  'must not have more than {n} properties': '最多 {n} 个字段',
  'must not have duplicate items (items ## {n} and {n} are identical)': '各项不得重复',
}

/** The names of `because` whose values are words of the table. All others are the asker's own: ids, amounts, times. */
export const WORDED: ReadonlySet<string> = new Set(['problem', 'at', 'path', 'state', 'instead', 'expected', 'missing', 'what', 'seen', 'allowed', 'differs', 'measure'])

/** Longer than any phrase with its names filled in; what is longer came from the asker. */
const LENGTH_MAX = 300
const HOLE = /\{([a-z]+)\}/

/** A phrase with names: the fixed texts around them, one more than there are names. */
type Pattern = { readonly fixed: readonly string[]; readonly names: readonly string[]; readonly chinese: readonly string[] }

const exact = new Map<string, string>()
const patterns: Pattern[] = []
for (const [english, chinese] of Object.entries({ ...CHINESE, ...DECISION_PHRASES })) {
  const parts = english.split(HOLE)
  if (parts.length === 1) exact.set(english, chinese)
  else patterns.push({ fixed: parts.filter((_, i) => i % 2 === 0), names: parts.filter((_, i) => i % 2 === 1), chinese: chinese.split(HOLE) })
}

/** The Chinese of a phrase that a refusal carries; the phrase itself when the table does not hold it. Takes linear time. */
export function inChinese(phrase: string): string {
  return phrase.length > LENGTH_MAX ? phrase : translate(phrase, true)
}

/** Names nest once: a name that came from the asker cannot make it go deeper. */
function translate(phrase: string, nests: boolean): string {
  const whole = exact.get(phrase)
  if (whole !== undefined) return whole
  for (const pattern of patterns) {
    if (!nests && pattern.names.includes('phrase')) continue
    const values = match(pattern, phrase)
    if (values === null) continue
    return pattern.chinese.map((part, i) => (i % 2 === 0 ? part : fill(part, values[pattern.names.indexOf(part)] ?? ''))).join('')
  }
  return phrase
}

function fill(name: string, value: string): string {
  if (name === 'phrase') return translate(value, false)
  return name === 'list' ? value.replaceAll(', ', '、') : value
}

/** The values of the names in their order, each up to the first place of the fixed text behind it; null if they do not fit. */
function match({ fixed, names }: Pattern, phrase: string): string[] | null {
  if (!phrase.startsWith(fixed[0]!)) return null
  const values: string[] = []
  let at = fixed[0]!.length
  for (let i = 0; i < names.length; i++) {
    const text = fixed[i + 1]!
    const last = i === names.length - 1
    const end = last ? phrase.length - text.length : phrase.indexOf(text, at)
    if (end <= at || (last && !phrase.endsWith(text))) return null
    const value = phrase.slice(at, end)
    if ((names[i] === 'n' || names[i] === 'm') && !isNumber(value)) return null
    values.push(value)
    at = end + text.length
  }
  return values
}

function isNumber(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if ((code < 48 || code > 57) && code !== 46 && code !== 45) return false
  }
  return true
}
