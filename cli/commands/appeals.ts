import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Static } from '../../protocol/schema.ts'
import type { AppealSummary, AppealView } from '../../protocol/messages.ts'
import { done, refused, WrongUsage, type Asked, type Command, type Ending } from '../command.ts'
import { partnerClient } from '../credentials.ts'
import { nameOf, table, type Lang, type Words } from '../screen.ts'
import { dockingOption } from './partner.ts'

export type Summary = Static<typeof AppealSummary>
export type Whole = Static<typeof AppealView>

export const appealOperand = { name: 'APPEAL', what: { en: 'The id of the appeal, apl_….', zh: '申诉编号，apl_…。' } }
export const textOption = { name: 'text', value: 'TEXT', isRequired: true, what: { en: 'What you say; "@FILE" reads it from a file.', zh: '说明文字；“@文件”表示从文件读取。' } } as const
const attachOption = { name: 'attach', value: 'FILE', isMany: true, what: { en: 'A document of at most 256 KB; up to five.', zh: '材料文件，每份不超过 256 KB，最多五份。' } } as const

export const STATES: Readonly<Record<Summary['state'], Words>> = {
  filed: { en: 'filed', zh: '已受理' }, evidence_owed: { en: 'waits for documents', zh: '待补充材料' }, under_review: { en: 'under review', zh: '审理中' }, upheld: { en: 'the decision stands', zh: '维持原决定' },
  overturned: { en: 'overturned', zh: '已撤销' }, partly: { en: 'overturned in part', zh: '部分撤销' }, withdrawn: { en: 'taken back', zh: '已撤回' },
}
const FILE_BYTES_MAX = 256 * 1024

export const fileAppeal: Command = {
  name: 'appeal file',
  who: 'partner',
  summary: { en: 'Appeal against a decision, free of charge', zh: '对处理决定提出申诉（免费）' },
  operands: [{ name: 'DECISION', what: { en: 'The id of the decision, dec_….', zh: '处理决定编号，dec_…。' } }],
  options: [textOption, attachOption, dockingOption],
  teaches: [
    { en: 'Another person than the one who decided decides it within 15 days, and the measure is lifted at once if you are cleared. A key with docking:read alone is enough; without any key the form behind the link in the letter does the same.', zh: '由原决定人以外的人在 15 天内裁定，查清无误的立即解除。只读密钥（docking:read）即可申诉；没有密钥时，可打开通知里的链接填写表单。' },
    { en: 'Answer the facts of the statement one by one. Documents are kept sealed, and only reviewers of the main site open them.', zh: '请针对处理说明中的事实逐条说明。材料加密保存，只有主站的复核人员能打开。' },
  ],
  examples: [{ line: 'berth appeal file dec_01jd… --text "The licence was renewed on 2026-11-20." --attach licence.pdf', what: { en: 'with the paper that proves it', zh: '附上证明材料' } }],
  run: async (asked) => {
    const body = { text: readWords(asked.needed('text')), evidence: asked.all('attach').map(readAttachment) }
    const filed = await partnerClient(asked).post<Summary>(`/api/decisions/${encodeURIComponent(asked.operands[0]!)}/appeals`, body)
    return filed.ok ? done(filed.body, showSummary(filed.body, asked.lang)) : refused(filed.problem)
  },
}

export const giveEvidence: Command = {
  name: 'appeal give',
  who: 'partner',
  summary: { en: 'Add words and documents to an open appeal', zh: '为未结申诉补充说明或材料' },
  operands: [appealOperand],
  options: [textOption, attachOption, dockingOption],
  teaches: [{ en: 'Where the main site asked for it, the clock goes on with this; until then it stands still.', zh: '主站要求补充时，时限暂停，补充后继续计算。' }],
  examples: [{ line: 'berth appeal give apl_01jd… --text "The receipt you asked for." --attach receipt.pdf', what: { en: 'what was asked for', zh: '提交所要求的材料' } }],
  run: async (asked) => {
    const body = { text: readWords(asked.needed('text')), evidence: asked.all('attach').map(readAttachment) }
    const given = await partnerClient(asked).post<Summary>(`/api/appeals/${encodeURIComponent(asked.operands[0]!)}/evidence`, body)
    return given.ok ? done(given.body, showSummary(given.body, asked.lang)) : refused(given.problem)
  },
}

export const withdrawAppeal: Command = {
  name: 'appeal withdraw',
  who: 'partner',
  summary: { en: 'Take an open appeal back', zh: '撤回未结申诉' },
  operands: [appealOperand],
  options: [dockingOption],
  teaches: [{ en: 'The measure stays as it is. You may appeal again.', zh: '措施不变，之后仍可再次申诉。' }],
  examples: [{ line: 'berth appeal withdraw apl_01jd…', what: { en: 'it was settled otherwise', zh: '已另行解决' } }],
  run: async (asked) => {
    const gone = await partnerClient(asked).post<Summary>(`/api/appeals/${encodeURIComponent(asked.operands[0]!)}/withdraw`, {})
    return gone.ok ? done(gone.body, showSummary(gone.body, asked.lang)) : refused(gone.problem)
  },
}

export const listOwnAppeals: Command = {
  name: 'appeal mine',
  who: 'partner',
  summary: { en: 'Your appeals, or one of them with all that was said', zh: '列出自己的申诉，或查看其中一件的全部经过' },
  operands: [],
  options: [{ name: 'id', value: 'APPEAL', what: { en: 'Only this one, whole.', zh: '只看这一件的全部经过。' } }, dockingOption],
  teaches: [{ en: 'What the main site asks and how it decided stands in the words of the person who did.', zh: '可以看到主站的提问与裁定理由原文。' }],
  examples: [{ line: 'berth appeal mine', what: { en: 'as a table', zh: '表格形式' } }, { line: 'berth appeal mine --id apl_01jd…', what: { en: 'one of them', zh: '其中一件' } }],
  run: async (asked) => {
    const id = asked.option('id')
    if (id !== undefined) {
      const found = await partnerClient(asked).get<Whole>(`/api/appeals/${encodeURIComponent(id)}`)
      return found.ok ? done(found.body, showWhole(found.body, asked.lang)) : refused(found.problem)
    }
    const list = await partnerClient(asked).list<Summary>('/api/appeals', 'cursor')
    return list.ok ? done({ items: list.body }, showAppeals(list.body, asked.lang)) : refused(list.problem)
  },
}

/** Words as they were typed, or those of a file. */
export function readWords(typed: string): string {
  return typed.startsWith('@') ? readBytes(typed.slice(1)).toString('utf8').trim() : typed
}

function readAttachment(file: string): { name: string; content: string } {
  const content = readBytes(file)
  if (content.byteLength === 0 || content.byteLength > FILE_BYTES_MAX) throw new WrongUsage({ en: `${file} has ${content.byteLength} bytes; a document has 1 byte to 256 KB.`, zh: `${file} 为 ${content.byteLength} 字节；每份材料须为 1 字节至 256 KB。` })
  return { name: basename(file).slice(-120), content: content.toString('base64') }
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new WrongUsage({ en: `${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`, zh: `无法读取 ${file}（${(error as NodeJS.ErrnoException).code}）。` })
  }
}

/** Writes a document where it was asked for, and overwrites nothing. */
export function writeDocument(asked: Asked, path: string, content: Buffer): Ending {
  try {
    writeFileSync(path, content, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    throw new WrongUsage({ en: `${path} cannot be written (${(error as NodeJS.ErrnoException).code}).`, zh: `无法写入 ${path}（${(error as NodeJS.ErrnoException).code}）。` })
  }
  return done({ path, bytes: content.byteLength }, asked.lang === 'zh' ? `已写入 ${path}（${content.byteLength} 字节）` : `${path} is written (${content.byteLength} bytes)`)
}

export function showAppeals(appeals: readonly (Summary & { dockingName?: string; overdue?: boolean; decisionBy?: string })[], lang: Lang): string {
  const zh = lang === 'zh'
  if (appeals.length === 0) return zh ? '没有申诉。' : 'There are no appeals.'
  const forOperator = appeals[0]!.decisionBy !== undefined
  const head = [zh ? '编号' : 'id', ...(forOperator ? [zh ? '对接' : 'docking', zh ? '原决定人' : 'decided by'] : []), zh ? '决定' : 'decision', zh ? '原因' : 'reason', zh ? '状态' : 'state', zh ? '期限' : 'due']
  const due = (one: Summary & { overdue?: boolean }) => `${one.evidenceDue ?? one.decideBy ?? one.closedAt ?? ''}${one.overdue ? (zh ? '（逾期）' : ' (overdue)') : ''}`
  return table([head, ...appeals.map((one) => [one.id, ...(forOperator ? [one.dockingName ?? '', one.decisionBy!] : []), one.decision, `${one.code} (${nameOf(one.class, lang)})`, STATES[one.state][lang], due(one)])], 0)
}

export function showSummary(one: Summary, lang: Lang): string {
  const zh = lang === 'zh'
  return [
    zh ? `申诉 ${one.id}：${STATES[one.state].zh}` : `The appeal ${one.id}: ${STATES[one.state].en}`,
    table([
      [zh ? '处理决定' : 'decision', one.decision], [zh ? '原因' : 'reason', `${one.code} (${nameOf(one.class, lang)})`],
      ...(one.evidenceDue === null ? [] : [[zh ? '补充期限' : 'hand in by', one.evidenceDue]]), ...(one.decideBy === null ? [] : [[zh ? '最迟裁定' : 'decided by', one.decideBy]]),
      ...(one.outcomeDecision === null ? [] : [[zh ? '取代的决定' : 'in its place', one.outcomeDecision]]),
    ]),
  ].join('\n')
}

/** To the main site each entry says by whom it is. */
export function showWhole(one: Summary & { entries: (Whole['entries'][number] & { by?: string })[]; evidence: Whole['evidence'] }, lang: Lang): string {
  const zh = lang === 'zh'
  const entries = one.entries.map((entry) => [entry.at, entry.kind, entry.by ?? (entry.side === 'partner' ? (zh ? '对接方' : 'partner') : entry.side === 'clock' ? (zh ? '时限' : 'clock') : (zh ? '主站' : 'main site')), entry.text ?? ''])
  const documents = one.evidence.map((item) => [`${item.number}`, item.name, item.bytes === null ? (zh ? '另行提交' : 'handed over elsewhere') : `${item.bytes} B`, item.sha256])
  return [showSummary(one, lang), '', table([[zh ? '时间' : 'at', zh ? '事项' : 'what', zh ? '谁' : 'who', zh ? '内容' : 'words'], ...entries]), ...(documents.length === 0 ? [] : ['', table([['#', zh ? '材料' : 'document', zh ? '大小' : 'size', 'SHA-256'], ...documents])])].join('\n')
}
