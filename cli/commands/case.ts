import { readFileSync } from 'node:fs'
import { done, refused, WrongUsage, type Asked, type Command, type Ending } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { table, type Lang } from '../screen.ts'

type Step = { at: string; by: string; what: string; to: string; note: string }
type CaseView = {
  id: string; state: string; title: string; dockings: string[]; openedBy: string; openedAt: string; decisions: string[]; dossier: object | null; authors: string[]
  proposal: { as: string; by: string; at: string; note: string } | null; ended: { as: string; maker: string; checker: string; at: string; receipt: string } | null; steps: Step[]
}
type Access = { number: number; at: string; by: string; what: string }
type Movement = { kind: string; subject: string; amount: string; balance: string; at: string }

const STATES = ['alert', 'triage', 'investigate', 'dossier', 'filed', 'closed']
const MOST_FILE_BYTES = 200_000
const caseOperand = { name: 'CASE', what: { en: 'The id of the case, cas_….', zh: '核查单编号，cas_…。' } }
const noteOption = { name: 'note', value: 'TEXT', what: { en: 'What is to be said to it; it stays in the case.', zh: '说明，留在核查单中。' } }
const neededNote = { ...noteOption, isRequired: true as const }
const secrecy = {
  en: 'Only persons with the role compliance reach this; for everybody else the address does not exist. Whatever is done here stands in the access log of the cases and nowhere else.',
  zh: '只有 compliance 角色的人员可用，对其他人而言此地址不存在。操作只记入核查单自身的访问记录。',
}

export const openCase: Command = {
  name: 'case open', who: 'compliance', summary: { en: 'Open a case', zh: '新建核查单' },
  operands: [{ name: 'TITLE', what: { en: 'What it is about.', zh: '事由。' } }],
  options: [{ name: 'docking', value: 'ID', isMany: true, what: { en: 'A docking that it is about; may be given several times.', zh: '所涉对接的编号，可多次给出。' } }, noteOption],
  teaches: [secrecy], examples: [{ line: 'berth case open "Many small orders, one receiver" --docking dck_01jd…', what: { en: 'begins as an alert', zh: '从线索开始' } }],
  run: async (asked) => show(asked, await operatorClient(asked).post<CaseView>('/operator/cases', { title: asked.operands[0]!, dockings: asked.all('docking'), ...noted(asked) })),
}

export const listCases: Command = {
  name: 'case list', who: 'compliance', summary: { en: 'All cases, newest first', zh: '列出核查单' }, operands: [],
  options: [{ name: 'state', value: 'STATE', oneOf: STATES, what: { en: 'Only those at this step.', zh: '只列此阶段的。' } }],
  teaches: [secrecy], examples: [{ line: 'berth case list --state dossier', what: { en: 'what waits for a second person', zh: '等待复核的' } }],
  run: async (asked) => {
    const list = await operatorClient(asked).get<{ items: CaseView[] }>('/operator/cases', { state: asked.option('state') })
    if (!list.ok) return refused(list.problem)
    const head = asked.lang === 'zh' ? ['编号', '阶段', '事由', '建立', '提议'] : ['id', 'state', 'about', 'opened', 'proposed']
    return done(list.body, list.body.items.length === 0 ? (asked.lang === 'zh' ? '没有核查单。' : 'There is no case.')
      : table([head, ...list.body.items.map((one) => [one.id, one.state, one.title, one.openedAt, one.proposal ? `${one.proposal.as} (${one.proposal.by})` : ''])], 0))
  },
}

export const showCase: Command = {
  name: 'case show', who: 'compliance', summary: { en: 'One case with its steps', zh: '查看核查单' }, operands: [caseOperand], options: [],
  teaches: [{ en: 'The dossier as a whole is in --json.', zh: '完整卷宗见 --json 输出。' }], examples: [{ line: 'berth case show cas_4k2…', what: { en: 'where it stands', zh: '查看进展' } }],
  run: async (asked) => show(asked, await operatorClient(asked).get<CaseView>(at(asked))),
}

export const moveCase: Command = {
  name: 'case move', who: 'compliance', summary: { en: 'Move a case on, or back to the work', zh: '推进或退回核查单' }, operands: [caseOperand],
  options: [{ name: 'to', value: 'STEP', isRequired: true, oneOf: ['triage', 'investigate'], what: { en: 'The next step.', zh: '下一步骤。' } }, noteOption],
  teaches: [{ en: 'The way is alert, triage, investigate, dossier. To investigate also sends a written dossier back: a proposal to end it is then off the table.', zh: '流程为 alert、triage、investigate、dossier。移至 investigate 也可把卷宗退回核查，终结提议随之作废。' }],
  examples: [{ line: 'berth case move cas_4k2… --to investigate', what: { en: 'it is worth the work', zh: '值得核查' } }],
  run: async (asked) => show(asked, await operatorClient(asked).post<CaseView>(at(asked, 'moves'), { to: asked.needed('to'), ...noted(asked) })),
}

export const noteCase: Command = {
  name: 'case note', who: 'compliance', summary: { en: 'Add a note to a case', zh: '添加备注' }, operands: [caseOperand],
  options: [neededNote, { name: 'decision', value: 'ID', isMany: true, what: { en: 'A decision that the case should know of.', zh: '核查单应知悉的处理决定。' } }],
  teaches: [{ en: 'A measure rests on a true ground of its own or is not taken. The case may know of the decision; the decision knows of no case.', zh: '措施须有独立真实的依据，否则不得采取。核查单可以记下处理决定，处理决定不涉及核查单。' }],
  examples: [{ line: 'berth case note cas_4k2… --note "Licence asked for."', what: { en: 'what was done', zh: '记录做了什么' } }],
  run: async (asked) => show(asked, await operatorClient(asked).post<CaseView>(at(asked, 'notes'), { note: asked.needed('note'), decisions: asked.all('decision') })),
}

export const writeDossier: Command = {
  name: 'case dossier', who: 'compliance', summary: { en: 'Write the dossier of a case from a file', zh: '从文件写入卷宗' }, operands: [caseOperand],
  options: [{ name: 'file', value: 'FILE', isRequired: true, what: { en: 'JSON with found, subjects, accounts, transactions, relatedParties, reasons, crimeType, measuresTaken, evidence.', zh: 'JSON 文件，含 found、subjects、accounts、transactions、relatedParties、reasons、crimeType、measuresTaken、evidence。' } }, noteOption],
  teaches: [{ en: 'subjects, relatedParties, reasons are lists of texts; evidence is a list of SHA-256; transactions has from, to, text and movements, a list of order or deposit ids. Whoever writes cannot confirm.', zh: 'subjects、relatedParties、reasons 为文本列表，evidence 为 SHA-256 列表，transactions 含 from、to、text 与 movements（订单或加款编号列表）。撰写人不能复核。' }],
  examples: [{ line: 'berth case dossier cas_4k2… --file dossier.json', what: { en: 'all parts at once', zh: '一次写入全部内容' } }],
  run: async (asked) => show(asked, await operatorClient(asked).post<CaseView>(at(asked, 'dossier'), { dossier: readDossier(asked.needed('file')), ...noted(asked) })),
}

export const endCase: Command = {
  name: 'case end', who: 'compliance', summary: { en: 'Propose how a case ends', zh: '提出终结核查单' }, operands: [caseOperand],
  options: [{ name: 'as', value: 'END', isRequired: true, oneOf: ['filed', 'closed'], what: { en: 'filed: reported. closed: nothing to report.', zh: 'filed 报送；closed 结案不报。' } }, neededNote],
  teaches: [{ en: 'Nothing ends before another person has confirmed it.', zh: '须经另一人确认后才终结。' }], examples: [{ line: 'berth case end cas_4k2… --as filed --note "See the dossier."', what: { en: 'the dossier is whole', zh: '卷宗已完备' } }],
  run: async (asked) => show(asked, await operatorClient(asked).post<CaseView>(at(asked, 'proposals'), { as: asked.needed('as'), note: asked.needed('note') })),
}

export const confirmCase: Command = {
  name: 'case confirm', who: 'compliance', summary: { en: 'Confirm, as a second person, how a case ends', zh: '由另一人确认终结' }, operands: [caseOperand],
  options: [{ name: 'receipt', value: 'TEXT', what: { en: 'The receipt of the authority, if there is one.', zh: '主管机关的回执号。' } }, noteOption],
  teaches: [{ en: 'Whoever proposed the end or wrote at the dossier is refused. The hub reports to nobody by itself: file first, then confirm with the receipt.', zh: '提议人与卷宗撰写人不能确认。主站不会自动报送：请先报送，再带回执确认。' }],
  examples: [{ line: 'berth case confirm cas_4k2… --receipt 2026-118', what: { en: 'the second pair of eyes', zh: '第二人复核' } }],
  run: async (asked) => show(asked, await operatorClient(asked).post<CaseView>(at(asked, 'confirmations'), { ...noted(asked), ...(asked.option('receipt') === undefined ? {} : { receipt: asked.option('receipt') }) })),
}

export const listAccesses: Command = {
  name: 'case accesses', who: 'compliance', summary: { en: 'Who looked at a case and who did what', zh: '查看访问记录' }, operands: [],
  options: [{ name: 'case', value: 'CASE', what: { en: 'The case; without it the looks at the list.', zh: '核查单编号；不给则为列表的访问记录。' } }],
  teaches: [{ en: 'The numbers are dense: a hole is a line that somebody took out of the database.', zh: '序号连续，缺号说明有人从数据库中删除了记录。' }], examples: [{ line: 'berth case accesses --case cas_4k2…', what: { en: 'newest first', zh: '最新的在前' } }],
  run: async (asked) => {
    const one = asked.option('case')
    const page = await operatorClient(asked).get<{ items: Access[]; next: string | null }>(`/operator/cases/${one === undefined ? '' : `${encodeURIComponent(one)}/`}accesses`)
    return page.ok ? done(page.body, table(page.body.items.map((line) => [String(line.number), line.at, line.by, line.what]), 0)) : refused(page.problem)
  },
}

export const listCaseMovements: Command = {
  name: 'case movements', who: 'compliance', summary: { en: 'Movements of a docking that a case names', zh: '查看所涉对接的资金变动' }, operands: [caseOperand],
  options: [{ name: 'docking', value: 'ID', isRequired: true, what: { en: 'One of the dockings of the case.', zh: '核查单所涉的对接之一。' } }, { name: 'before', value: 'NEXT', what: { en: 'Older ones: what the page before called next.', zh: '更早的：上一页给出的 next。' } }],
  teaches: [{ en: 'Newest first, 500 a page. It is a look and leaves no trace outside the case.', zh: '最新的在前，每页 500 条；只读，在核查单之外不留痕迹。' }], examples: [{ line: 'berth case movements cas_4k2… --docking dck_01jd…', what: { en: 'for the annex', zh: '用于附表' } }],
  run: async (asked) => {
    const page = await operatorClient(asked).get<{ items: Movement[]; next: string | null }>(at(asked, 'movements'), { docking: asked.needed('docking'), before: asked.option('before') })
    return page.ok ? done(page.body, table([...page.body.items.map((one) => [one.at, one.kind, one.subject, one.amount, one.balance]), ...(page.body.next === null ? [] : [['next', page.body.next]])], 0)) : refused(page.problem)
  },
}

function at(asked: Asked, part?: string): string {
  return `/operator/cases/${encodeURIComponent(asked.operands[0]!)}${part === undefined ? '' : `/${part}`}`
}

function noted(asked: Asked): { note?: string } {
  const note = asked.option('note')
  return note === undefined ? {} : { note }
}

function readDossier(file: string): unknown {
  try {
    const text = readFileSync(file)
    if (text.byteLength > MOST_FILE_BYTES) throw new WrongUsage({ en: `${file} is larger than ${MOST_FILE_BYTES} bytes.`, zh: `${file} 超过 ${MOST_FILE_BYTES} 字节。` })
    return JSON.parse(text.toString('utf8'))
  } catch (error) {
    if (error instanceof WrongUsage) throw error
    throw new WrongUsage({ en: `${file} cannot be read as JSON.`, zh: `${file} 无法读取或不是 JSON。` })
  }
}

function show(asked: Asked, answer: { ok: true; body: CaseView } | { ok: false; problem: Parameters<typeof refused>[0] }): Ending {
  return answer.ok ? done(answer.body, told(answer.body, asked.lang)) : refused(answer.problem)
}

function told(one: CaseView, lang: Lang): string {
  const word = (en: string, zh: string) => (lang === 'zh' ? zh : en)
  return [
    `${one.id}  ${one.title}`,
    table([
      [word('state', '阶段'), one.state], [word('dockings', '所涉对接'), one.dockings.join(', ') || '–'], [word('dossier', '卷宗'), one.dossier === null ? '–' : word(`by ${one.authors.join(', ')}`, `撰写：${one.authors.join('、')}`)],
      ...(one.proposal ? [[word('proposed', '提议'), `${one.proposal.as} (${one.proposal.by})`]] : []),
      ...(one.ended ? [[word('ended', '终结'), `${one.ended.as}, ${one.ended.maker} + ${one.ended.checker}, ${one.ended.receipt}`]] : []),
    ]),
    table(one.steps.map((step) => [step.at, step.by, step.what, step.to, step.note]), 2),
  ].join('\n')
}
