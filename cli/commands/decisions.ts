import { reasonCodes, reasonOf } from '../../protocol/reasons.ts'
import { done, refused, WrongUsage, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { nameOf, table } from '../screen.ts'
import { dockingOperand, findDocking } from './docking.ts'
import { readTime, timeForm } from './time.ts'

const measures = reasonCodes.filter((code) => reasonOf(code).kind === 'measure')
/** What the hub can hold. */
const SCOPES = ['orders', 'goods', 'key']
const GROUNDS = ['law', 'contract', 'published_rule', 'authority_order']

type Held = { id: string; code: string; class: string; scope: string[]; effectiveAt: string; endsAt: string | null }

export const holdDocking: Command = {
  name: 'hold',
  who: 'operator',
  summary: { en: 'Hold a docking by a decision with its statement of reasons', zh: '对某个对接采取措施，并出具处理说明' },
  operands: [dockingOperand],
  options: [
    { name: 'code', value: 'CODE', isRequired: true, oneOf: measures, what: { en: 'The reason; see below.', zh: '原因代码，见下。' } },
    { name: 'scope', value: 'SCOPE', isRequired: true, isMany: true, what: { en: `What is held: ${SCOPES.join(', ')}; several by comma.`, zh: `措施范围：${SCOPES.join('、')}；多个用逗号分隔。` } },
    { name: 'fact', value: 'TEXT', isRequired: true, isMany: true, what: { en: 'What was found, in a sentence the partner can check.', zh: '查明的事实，写成对方可核实的一句话，可多次给出。' } },
    { name: 'ground', value: 'TYPE:REF:ARTICLE[:DATE]', isMany: true, what: { en: `The rule; TYPE is ${GROUNDS.join(', ')}; DATE is when a rule was published.`, zh: `依据；TYPE 为 ${GROUNDS.join('、')}；DATE 为规则公示日期。` } },
    { name: 'remedy-en', value: 'TEXT', isRequired: true, what: { en: 'What the partner can do, in English.', zh: '对方如何补救（英文）。' } },
    { name: 'remedy-zh', value: 'TEXT', isRequired: true, what: { en: 'The same in Chinese.', zh: '对方如何补救（中文）。' } },
    { name: 'evidence', value: 'ID:KIND:SHA256', isMany: true, what: { en: 'Evidence on file; KIND is check_run, finding, ledger, file, list_match or notice.', zh: '证据；KIND 为 check_run、finding、ledger、file、list_match 或 notice。' } },
    { name: 'lifts-when', value: 'CHECK|TEXT', what: { en: 'The check that lifts it when it is green, such as ledger.funds; or in words when a person will.', zh: '通过即自动解除的检测，如 ledger.funds；或用文字写明何时由人解除。' } },
    { name: 'ends', value: 'TIME', what: { en: `When it ends by itself (${timeForm.en}).`, zh: `自动终止时间（${timeForm.zh}）。` } },
  ],
  teaches: [
    {
      en: 'Once this has answered, no later order passes. The partner reads the statement as it is written here, and may appeal. This is the short form of berth decide. A measure without what proves it is not taken: commercial ones need a contract (ctr_…) or the id of a rule that was public for 7 days (rul_…), compliance ones an article, technical ones the run of berth check run.',
      zh: '命令返回后，后续订单即被拦下。对方会看到此处所写的处理说明，并可申诉。此为 berth decide 的简式。缺少依据的措施不予成立：商务类须有合同（ctr_…）或已公示满 7 天的规则编号（rul_…），合规类须有法条，技术类须有 berth check run 的记录。',
    },
    { en: `Codes: ${measures.map((code) => `${code} (${reasonOf(code).title.en})`).join('; ')}.`, zh: `原因代码：${measures.map((code) => `${code}（${reasonOf(code).title.zh}）`).join('；')}。` },
  ],
  examples: [{
    line: 'berth hold dck_01jd… --code compliance.identity_unverified --scope orders --fact "No business licence was handed in by 2026-11-30." --ground law:电子商务法:第二十七条 --remedy-en "Hand in the business licence." --remedy-zh "请提交营业执照。"',
    what: { en: 'orders are held until the business is verified', zh: '主体核验完成前暂停下单' },
  }],
  run: async (asked) => {
    const body = {
      code: asked.needed('code'),
      scope: asked.all('scope').flatMap((text) => text.split(',')).map(readScope),
      facts: asked.all('fact'),
      ground: asked.all('ground').map(readGround),
      remedy: { en: asked.needed('remedy-en'), zh: asked.needed('remedy-zh') },
      evidence: asked.all('evidence').map(readEvidence),
      liftsWhen: asked.option('lifts-when'),
      endsAt: readTime('ends', asked.option('ends')),
    }
    const client = operatorClient(asked)
    const docking = await findDocking(client, asked.operands[0]!)
    if (!docking.ok) return refused(docking.problem)
    const held = await client.post<Held>(`/operator/dockings/${docking.id}/holds`, body)
    if (!held.ok) return refused(held.problem)
    const { id, code, scope, effectiveAt, endsAt } = held.body
    const zh = asked.lang === 'zh'
    return done(held.body, [
      zh ? `措施已生效：处理决定 ${id}` : `The docking is held by the decision ${id}`,
      table([
        [zh ? '原因' : 'reason', `${code} (${nameOf(held.body.class, asked.lang)})`], [zh ? '范围' : 'scope', scope.join(', ')], [zh ? '自' : 'since', effectiveAt],
        ...(endsAt === null ? [] : [[zh ? '至' : 'until', endsAt]]), [zh ? '解除' : 'lift it', `berth lift ${id} --note TEXT`],
      ]),
    ].join('\n'))
  },
}

function readScope(text: string): string {
  if (SCOPES.includes(text)) return text
  throw new WrongUsage({ en: `--scope "${text}" is none of ${SCOPES.join(', ')}.`, zh: `--scope “${text}”不在 ${SCOPES.join('、')} 之内。` })
}

/** TYPE:REF:ARTICLE[:DATE]; whatever follows the third colon is the date. */
export function readGround(text: string): { type: string; ref: string; article: string; publishedAt?: string } {
  const [, type, ref, article, date] = /^([^:]+):([^:]+):([^:]+)(?::(.*))?$/.exec(text) ?? []
  if (!type || !ref?.trim() || !article?.trim() || !GROUNDS.includes(type)) {
    throw new WrongUsage({
      en: `--ground "${text}": write TYPE:REF:ARTICLE, with a TYPE out of ${GROUNDS.join(', ')}, such as law:电子商务法:第二十七条.`,
      zh: `--ground “${text}”：请写成 TYPE:REF:ARTICLE，TYPE 为 ${GROUNDS.join('、')} 之一，如 law:电子商务法:第二十七条。`,
    })
  }
  const publishedAt = readTime('ground', date)
  return { type, ref, article, ...(publishedAt === undefined ? {} : { publishedAt }) }
}

export function readEvidence(text: string): { id: string; kind: string; sha256: string } {
  const [, id, kind, sha256] = /^(.+):(check_run|finding|ledger|file|list_match|notice):([0-9a-f]{64})$/.exec(text) ?? []
  if (id && kind && sha256) return { id, kind, sha256 }
  throw new WrongUsage({
    en: `--evidence "${text}": write ID:KIND:SHA256, with a KIND out of check_run, finding, ledger, file, list_match, notice and the hash as 64 hex digits.`,
    zh: `--evidence “${text}”：请写成 ID:KIND:SHA256，KIND 为 check_run、finding、ledger、file、list_match、notice 之一，SHA256 为 64 位小写十六进制。`,
  })
}

export const liftDecision: Command = {
  name: 'lift',
  who: 'operator',
  summary: { en: 'Lift a measure', zh: '解除措施' },
  operands: [{ name: 'DECISION', what: { en: 'The id of the decision, dec_….', zh: '处理决定编号，dec_…。' } }],
  options: [
    { name: 'note', value: 'TEXT', isRequired: true, what: { en: 'Why it is lifted; kept with the decision.', zh: '解除理由，随处理决定留存。' } },
  ],
  teaches: [{ en: 'It counts from the next order on. The decision and its statement stay on record.', zh: '自下一单起生效；处理决定及说明继续留存。' }],
  examples: [{ line: 'berth lift dec_01jd… --note "Licence checked on 2026-12-02."', what: { en: 'the remedy was done', zh: '已完成补救' } }],
  run: async (asked) => {
    const lifted = await operatorClient(asked).post<Held & { liftedAt: string }>(`/operator/decisions/${encodeURIComponent(asked.operands[0]!)}/lift`, { note: asked.needed('note') })
    if (!lifted.ok) return refused(lifted.problem)
    const { id, liftedAt } = lifted.body
    return done(lifted.body, asked.lang === 'zh' ? `处理决定 ${id} 已于 ${liftedAt} 解除` : `The decision ${id} was lifted at ${liftedAt}`)
  },
}
