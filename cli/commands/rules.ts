import { done, refused, WrongUsage, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { table } from '../screen.ts'
import { readSmallFile } from '../text-file.ts'
import { dockingOperand, findDocking } from './docking.ts'
import { readTime, timeForm } from './time.ts'

const KINDS = ['rule', 'contract_template', 'price_rule', 'guide'] as const

type Rule = { id: string; kind: string; slug: string; version: number; title: { zh: string; en: string }; sha256: string; effectiveAt: string; page: string }
type Comment = { id: string; docking: string | null; comment: string; at: string }

export const publishRule: Command = {
  name: 'rule publish',
  who: 'operator',
  summary: { en: 'Publish the next version of a rule, contract template, price rule or guide', zh: '公示规则、合同模板、价格规则或指南的新版本' },
  operands: [{ name: 'NAME', what: { en: 'Its name, the same for all versions: lower-case letters, digits and hyphens.', zh: '名称，各版本相同：小写字母、数字、连字符。' } }],
  options: [
    { name: 'kind', value: 'KIND', isRequired: true, oneOf: KINDS, what: { en: 'What it is.', zh: '类别。' } },
    { name: 'title-zh', value: 'TEXT', isRequired: true, what: { en: 'Its title in Chinese.', zh: '中文标题。' } },
    { name: 'title-en', value: 'TEXT', isRequired: true, what: { en: 'Its title in English.', zh: '英文标题。' } },
    { name: 'text-zh', value: 'FILE', isRequired: true, what: { en: 'A file with the Chinese text, up to 20,000 characters.', zh: '中文正文文件，最多 20000 字。' } },
    { name: 'text-en', value: 'FILE', isRequired: true, what: { en: 'A file with the English text.', zh: '英文正文文件。' } },
    { name: 'from', value: 'TIME', what: { en: `When it counts (${timeForm.en}); default seven days from now.`, zh: `施行时间（${timeForm.zh}），默认七天后。` } },
    { name: 'relief', value: 'TEXT', what: { en: 'It favours partners and nobody else, for this reason: no notice is needed.', zh: '仅对对接方有利及其理由：无需公示期。' } },
    { name: 'resale-price', what: { en: 'It sets a least resale price.', zh: '包含最低转售价要求。' } },
    { name: 'legal-basis', value: 'TEXT', what: { en: 'The law that allows a least resale price.', zh: '允许最低转售价的法律依据。' } },
  ],
  teaches: [
    { en: 'A text counts seven days after it was published at the earliest, its first version too, and anybody may comment on it until then. It is never edited: a change is the next version. Its hash is over the text, so whoever keeps a copy can prove what stood there.', zh: '文本公示满七天后方可施行，首版也不例外，期间任何人都可提意见。文本不可修改，变更即发布新版本；哈希由正文算出，任何留存副本的人都能证明原文。' },
    { en: 'A least resale price is presumed unlawful (反垄断法 article 18): without --legal-basis such a rule can ground a warning and nothing else.', zh: '最低转售价推定违法（反垄断法第十八条）：未给出 --legal-basis 的，只能据以提醒，不能据以采取其他措施。' },
  ],
  examples: [{ line: 'berth rule publish fair-supply --kind rule --title-zh 公平供货规则 --title-en "Fair supply" --text-zh fair.zh.md --text-en fair.en.md', what: { en: 'counts seven days from now', zh: '七天后施行' } }],
  run: async (asked) => {
    const published = await operatorClient(asked).post<Rule>('/operator/rules', {
      kind: asked.needed('kind'), slug: asked.operands[0]!, title: { zh: asked.needed('title-zh'), en: asked.needed('title-en') },
      text: { zh: readSmallFile(asked.needed('text-zh')), en: readSmallFile(asked.needed('text-en')) },
      effectiveAt: readTime('from', asked.option('from')), relief: asked.option('relief'), resalePrice: asked.option('resale-price') === undefined ? undefined : true, legalBasis: asked.option('legal-basis'),
    })
    if (!published.ok) return refused(published.problem)
    const { id, version, sha256, effectiveAt, page } = published.body
    const zh = asked.lang === 'zh'
    return done(published.body, [zh ? `已公示：${published.body.title.zh}（第 ${version} 版）` : `Published: ${published.body.title.en} (version ${version})`, table([
      [zh ? '编号' : 'id', id], [zh ? '施行' : 'counts from', effectiveAt], ['SHA-256', sha256], [zh ? '页面' : 'page', page], [zh ? '意见' : 'comments', `berth rule comments ${id}`],
    ])].join('\n'))
  },
}

export const listRules: Command = {
  name: 'rule list',
  who: 'operator',
  summary: { en: 'The newest version of every published text', zh: '列出各公示文本的最新版本' },
  operands: [],
  options: [{ name: 'kind', value: 'KIND', oneOf: KINDS, what: { en: 'Only this kind.', zh: '只看此类。' } }],
  teaches: [{ en: 'The id names one version: a decision on the ground of a rule takes it.', zh: '编号对应某一版本；以规则为依据的处理决定须写此编号。' }],
  examples: [{ line: 'berth rule list --kind contract_template', what: { en: 'what partners can sign', zh: '可供签署的合同模板' } }],
  run: async (asked) => {
    const list = await operatorClient(asked).get<{ items: Rule[] }>('/api/rules', { kind: asked.option('kind') })
    if (!list.ok) return refused(list.problem)
    const zh = asked.lang === 'zh'
    const rows = list.body.items.map((rule) => [rule.slug, String(rule.version), rule.kind, rule.effectiveAt, rule.id])
    return done(list.body, rows.length === 0 ? (zh ? '尚未公示任何文本。' : 'Nothing has been published yet.') : table([zh ? ['名称', '版本', '类别', '施行', '编号'] : ['name', 'version', 'kind', 'counts from', 'id'], ...rows], 0))
  },
}

export const listComments: Command = {
  name: 'rule comments',
  who: 'operator',
  summary: { en: 'What dockings and the public said about a text', zh: '查看对接方与公众对某文本的意见' },
  operands: [{ name: 'RULE', what: { en: 'The id of a version, rul_….', zh: '版本编号，rul_…。' } }],
  options: [],
  teaches: [{ en: 'Comments are taken until the text counts; they stay with it.', zh: '意见征集至施行为止，随文本留存。' }],
  examples: [{ line: 'berth rule comments rul_01jd…', what: { en: 'all of them', zh: '全部意见' } }],
  run: async (asked) => {
    const list = await operatorClient(asked).list<Comment>(`/operator/rules/${encodeURIComponent(asked.operands[0]!)}/comments`, 'after')
    if (!list.ok) return refused(list.problem)
    const zh = asked.lang === 'zh'
    const rows = list.body.map((one) => [one.at, one.docking ?? (zh ? '公众' : 'the public'), one.comment.replace(/\s+/g, ' ')])
    return done({ items: list.body }, rows.length === 0 ? (zh ? '还没有意见。' : 'No comment yet.') : table(rows, 0))
  },
}

export const signContract: Command = {
  name: 'contract sign',
  who: 'operator',
  summary: { en: 'Record that the partner of a docking has signed a contract', zh: '登记对接方已签署的合同' },
  operands: [dockingOperand],
  options: [
    { name: 'rule', value: 'RULE', isRequired: true, what: { en: 'The version that was signed: the id of a contract_template (berth rule list).', zh: '所签版本：contract_template 的编号（berth rule list）。' } },
    { name: 'at', value: 'TIME', isRequired: true, what: { en: `When it was signed (${timeForm.en}).`, zh: `签署时间（${timeForm.zh}）。` } },
    { name: 'signer', value: 'NAME', isRequired: true, what: { en: 'Who signed for the partner.', zh: '对方签署人。' } },
  ],
  teaches: [{ en: 'The record holds the hash of the text that was signed. A decision on the ground of the contract takes its id; without a record there is no such ground. The partner reads the record among its facts.', zh: '登记内容包含所签文本的哈希。以合同为依据的处理决定须写此合同编号，没有登记就没有此依据。' }],
  examples: [{ line: 'berth contract sign dck_01jd… --rule rul_01jd… --at 2026-11-30T02:00:00Z --signer 王小明', what: { en: 'a contract on paper, signed by its partner', zh: '登记一份纸质合同' } }],
  run: async (asked) => {
    const at = readTime('at', asked.needed('at'))
    if (at === undefined) throw new WrongUsage({ en: '--at is missing.', zh: '缺少 --at。' })
    const client = operatorClient(asked)
    const docking = await findDocking(client, asked.operands[0]!)
    if (!docking.ok) return refused(docking.problem)
    const signed = await client.post<{ id: string; sha256: string }>(`/operator/dockings/${docking.id}/contracts`, { rule: asked.needed('rule'), signedAt: at, signedBy: asked.needed('signer') })
    if (!signed.ok) return refused(signed.problem)
    return done(signed.body, asked.lang === 'zh' ? `合同已登记：${signed.body.id}（SHA-256 ${signed.body.sha256}）` : `The contract is recorded as ${signed.body.id} (SHA-256 ${signed.body.sha256})`)
  },
}
