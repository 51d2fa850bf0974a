import { everywhere, type Command, type Option } from './command.ts'
import { table, type Lang } from './screen.ts'

/** The one line that shows how a command is typed. */
export function usageOf(command: Command, lang: Lang): string {
  const operands = command.operands.map((operand) => operand.name)
  const options = command.options.map((option) => (option.isRequired ? typed(option) : `[${typed(option)}]`))
  return `${lang === 'zh' ? '用法' : 'Usage'}: ${['berth', command.name, ...operands, ...options].join(' ')}`
}

export function explainCommand(command: Command, lang: Lang): string {
  const zh = lang === 'zh'
  const rows = [
    ...command.operands.map((operand) => [operand.name, operand.what[lang]]),
    ...[...command.options, ...everywhere].map((option) => [typed(option), option.what[lang]]),
  ]
  return [
    `berth ${command.name}${zh ? '：' : ': '}${command.summary[lang]}`,
    '',
    usageOf(command, lang),
    '',
    ...command.teaches.flatMap((words) => [words[lang], '']),
    table(rows),
    '',
    zh ? '示例' : 'Examples',
    ...command.examples.flatMap(({ line, what }) => [`  # ${what[lang]}`, `  ${line}`]),
  ].join('\n')
}

export function explainAll(commands: readonly Command[], lang: Lang): string {
  const zh = lang === 'zh'
  const rows = (who: Command['who']) => commands.filter((command) => command.who === who).map((command) => [command.name, command.summary[lang]])
  const part = (title: string, who: Command['who']) => (rows(who).length === 0 ? [] : [title, table(rows(who)), ''])
  return [
    zh ? 'berth：运营一个卡券对接主站，或对接到一个主站' : 'berth: run the docking hub of a main site, or dock to one',
    '',
    zh ? '用法: berth <命令> [选项]；每条命令都有 --help' : 'Usage: berth <command> [options]; every command has its own --help',
    '',
    ...part(zh ? '主站运营' : 'For the operator of a main site', 'operator'),
    ...part(zh ? '对接方' : 'For a partner who docks to one', 'partner'),
    ...part(zh ? '合规人员' : 'For compliance persons', 'compliance'),
    zh ? '通用选项' : 'Everywhere',
    table(everywhere.map((option) => [typed(option), option.what[lang]])),
    '',
    zh ? '密钥与地址（不接受命令行传密钥）' : 'Where addresses and keys come from (never from the command line)',
    table(zh ? SOURCES.zh : SOURCES.en),
    '',
    zh ? '退出码' : 'Exit codes',
    table(zh ? EXITS.zh : EXITS.en),
    '',
    zh ? '先试试' : 'Try first',
    ...['berth goods list', 'berth order --good junnet-10 --quantity 2', 'berth doctor', 'berth ledger check'].map((line) => `  ${line}`),
  ].join('\n')
}

/** The help as a value, for programs. */
export function describe(command: Command, lang: Lang) {
  return {
    name: command.name, who: command.who, summary: command.summary[lang], usage: usageOf(command, lang).replace(/^[^:]*: /, ''),
    operands: command.operands.map(({ name, what }) => ({ name, what: what[lang] })),
    options: [...command.options, ...everywhere].map((option) => ({
      name: `--${option.name}`, value: option.value ?? null, required: option.isRequired ?? false, repeatable: option.isMany ?? false, what: option.what[lang],
    })),
    examples: command.examples.map(({ line }) => line),
  }
}

/** More values than these are told in the text and not in the usage line. */
const MOST_SPELLED = 4

function typed(option: Option): string {
  if (!option.value) return `--${option.name}`
  return `--${option.name} ${option.oneOf && option.oneOf.length <= MOST_SPELLED ? option.oneOf.join('|') : option.value}${option.isMany ? ' …' : ''}`
}

const SOURCES: Record<Lang, string[][]> = {
  en: [
    ['BERTH_URL', 'the hub; else "hub" in DATA_DIR/demo.json, else http://127.0.0.1:8080'],
    ['DATA_DIR', "the hub's data folder, default .data"],
    ['BERTH_OPERATOR_KEY', "operator's commands; else the file DATA_DIR/operator.key"],
    ['BERTH_KEY_ID, BERTH_KEY_SECRET', "partner's commands, signed by RFC 9421"],
    ['BERTH_API_KEY', "partner's commands by bearer key; else the newest sandbox of DATA_DIR/sandbox.json, else of demo.json (--docking)"],
  ],
  zh: [
    ['BERTH_URL', '主站地址；否则取 DATA_DIR/demo.json 的 hub，再否则 http://127.0.0.1:8080'],
    ['DATA_DIR', '主站数据目录，默认 .data'],
    ['BERTH_OPERATOR_KEY', '运营命令的密钥；否则读文件 DATA_DIR/operator.key'],
    ['BERTH_KEY_ID, BERTH_KEY_SECRET', '对接方命令的签名密钥（RFC 9421）'],
    ['BERTH_API_KEY', '对接方命令的接口密钥；否则取 DATA_DIR/sandbox.json 中最新的沙箱，再否则取 demo.json 中的对接（--docking）'],
  ],
}

const EXITS: Record<Lang, string[][]> = {
  en: [
    ['0', 'done'], ['1', 'the hub refused, and said why'], ['2', 'wrong usage: nothing was sent, or the file cannot be read'],
    ['3', 'the check of ledger or log found something wrong, lines of a file were left out, or a price change or rule selected nothing'], ['4', 'the hub cannot be reached, or failed itself'], ['10, 11, 12', 'the doctor found a technical, a commercial, a compliance reason'], ['130', 'Ctrl-C'],
  ],
  zh: [
    ['0', '完成'], ['1', '主站拒绝，并说明原因'], ['2', '用法有误：未发送请求，或文件无法读取'],
    ['3', '核账或日志核验发现问题，文件中有错误行，或调价、价格规则没有选中商品'], ['4', '无法连接主站，或主站自身故障'], ['10、11、12', '体检结论：技术、商业、合规原因'], ['130', 'Ctrl-C 中断'],
  ],
}
