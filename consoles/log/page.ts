import { toBase64 } from '../../protocol/bytes.ts'
import { LogWatch, type LogLook, type LogMemory } from '../../sdk/log.ts'
import { auditLog } from '../../sdk/log-audit.ts'
import type { LogFault } from '../../sdk/log-faults.ts'
import { judge, readPasted, type Step } from './proof.ts'

/** The page /log: verifies in the browser, with the same code as the command line, and remembers in this browser alone. */
const zh = document.documentElement.lang.startsWith('zh')
const MEMORY = 'berth-log'

const SAID = {
  origin: ['log', '日志'], size: ['leaves', '记录数'], root: ['root', '根'], key: ['key', '公钥'], before: ['remembered here', '本浏览器所记'],
  first: ['nothing yet: the key is pinned from now on', '首次查看，公钥自此固定'], goesOn: ['leaves, of which this is the continuation', '条，当前检查点为其延续'],
  holds: ['The checkpoint is signed with the pinned key and goes on from what this browser remembered.', '检查点由固定的公钥签名，且是本浏览器所记检查点的延续。'],
  fails: ['The log does not hold.', '日志不成立。'], away: ['The hub cannot be reached now.', '暂时无法连接主站。'],
  noCrypto: ['This browser gives no cryptography to pages that do not come over https.', '此页面并非经 https 打开，浏览器不提供加密功能。'],
  whole: ['leaves were read: none was changed, removed or moved, and witnesses that signed this history:', '条记录已全部读取：无一被改、被删、被移动。为这份历史签名的见证方：'],
  reading: ['leaves read of', '条已读取，共'], notRead: ['This is neither the number of a leaf nor a proof.', '这既不是记录编号，也不是证明。'],
  proven: ['Proved.', '证明成立。'], disproven: ['Not proved:', '证明不成立：'], keep: ['Keep this page and what it shows; it is evidence:', '请保存本页内容，它就是证据：'],
} as const satisfies Record<string, readonly [string, string]>

const STEPS: Readonly<Record<Step, readonly [en: string, zh: string]>> = {
  readable: ['the leaf is there, and in its form', '记录存在且格式正确'], signed: ['the checkpoint of the proof is signed by this hub', '证明所附检查点由本主站签名'],
  same_leaf: ['the leaf of the log is the leaf of the proof', '日志中的记录与证明中的一致'], included: ['the leaf stands under the root', '记录位于根之下'],
  goes_on: ['that checkpoint and the one of today are one history', '该检查点与当前检查点同属一份历史'], payload: ['the payload opens the commitment', '内容与承诺值相符'], statement: ['the statement is the one that was sealed', '处理说明与封存的一致'],
}

const say = (words: readonly [string, string]) => words[zh ? 1 : 0]
const element = (id: string) => document.getElementById(id)!

function show(id: string, kind: 'good' | 'bad' | 'plain', ...lines: readonly string[]): void {
  const target = element(id)
  target.className = kind
  target.replaceChildren(...lines.map((line) => Object.assign(document.createElement('p'), { textContent: line })))
}

function showRows(rows: readonly (readonly [string, string])[]): void {
  element('rows').replaceChildren(...rows.map(([name, value]) => {
    const row = document.createElement('div')
    row.append(Object.assign(document.createElement('dt'), { textContent: name }), Object.assign(document.createElement('dd'), { textContent: value }))
    return row
  }))
}

function faultLines(faults: readonly LogFault[]): string[] {
  return [say(SAID.fails), ...faults.flatMap((one) => [one.words[zh ? 'zh' : 'en'], ...one.evidence]), say(SAID.keep)]
}

const watch = new LogWatch({
  url: location.origin, language: zh ? 'zh' : 'en',
  store: {
    async load() {
      const text = localStorage.getItem(MEMORY)
      return text === null ? null : (JSON.parse(text) as LogMemory)
    },
    async save(memory) {
      localStorage.setItem(MEMORY, JSON.stringify(memory))
    },
  },
})

async function look(): Promise<LogLook | null> {
  try {
    const seen = await watch.look()
    const { note, key, before, faults } = seen
    if (faults.length > 0 || note === null || key === null) {
      show('verdict', 'bad', ...faultLines(faults))
      return null
    }
    showRows([
      [say(SAID.origin), note.checkpoint.origin], [say(SAID.size), String(note.checkpoint.size)], [say(SAID.root), toBase64(note.checkpoint.root)], [say(SAID.key), toBase64(key.publicKey)],
      [say(SAID.before), before === null ? say(SAID.first) : `${before.checkpoint.size} ${say(SAID.goesOn)}`],
    ])
    show('verdict', 'good', say(SAID.holds))
    return seen
  } catch (error) {
    show('verdict', 'bad', say(SAID.away), String(error))
    return null
  }
}

async function rebuild(): Promise<void> {
  const seen = await look()
  if (seen === null) return
  const { leaves, witnesses, faults } = await auditLog(watch, seen, null, (read, size) => show('whole', 'plain', `${read} ${say(SAID.reading)} ${size}`))
  if (faults.length > 0) show('whole', 'bad', ...faultLines(faults))
  else show('whole', 'good', `${leaves} ${say(SAID.whole)} ${witnesses}`)
}

async function prove(): Promise<void> {
  const pasted = readPasted((element('pasted') as HTMLTextAreaElement).value)
  if (pasted === null) return show('proof', 'bad', say(SAID.notRead))
  const seen = await look()
  if (seen === null) return
  const { holds, fails, leaf } = await judge(watch.reader, seen.key!, seen.note!, pasted)
  const lines = [...holds.map((step) => `✓ ${say(STEPS[step])}`), ...(fails === null ? [] : [`✗ ${say(STEPS[fails])}`]), ...(leaf === null ? [] : [leaf])]
  show('proof', fails === null ? 'good' : 'bad', say(fails === null ? SAID.proven : SAID.disproven), ...lines)
}

/** One thing at a time: a second press waits for nothing and does nothing. */
function onPress(id: string, work: () => Promise<void>, output: string): void {
  const button = element(id) as HTMLButtonElement
  button.addEventListener('click', () => {
    button.disabled = true
    void work().catch((error: unknown) => show(output, 'bad', say(SAID.away), String(error))).finally(() => (button.disabled = false))
  })
  button.disabled = false
}

if (globalThis.crypto?.subtle === undefined) show('verdict', 'bad', say(SAID.noCrypto))
else {
  onPress('rebuild', rebuild, 'whole')
  onPress('prove', prove, 'proof')
  await look()
}
