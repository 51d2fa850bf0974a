import type { Words } from './unreachable.ts'

/** What can be wrong with a log that is shown to you. A program may switch over these. */
export type LogFaultKind =
  | 'not_a_checkpoint' | 'not_signed' | 'split_view' | 'truncated' | 'leaf_missing' | 'leaf_moved' | 'leaf_edited' | 'leaf_unreadable' | 'facts_left_out' | 'root_differs' | 'proof_broken'
  | 'counter_gap' | 'name_differs' | 'leaf_withheld' | 'own_leaf_differs' | 'payload_edited' | 'statement_edited' | 'statement_not_sealed' | 'other_root_shown' | 'cosignature_broken' | 'second_history' | 'erasure_untold'

/** One fault, with the place in the log where it shows, and what proves it: notes of checkpoints, leaves, hashes. */
export type LogFault = { readonly kind: LogFaultKind; readonly leaf: number | null; readonly words: Words; readonly evidence: readonly string[] }

const SAID: Readonly<Record<LogFaultKind, readonly [en: string, zh: string]>> = {
  not_a_checkpoint: ['The hub shows something that is no checkpoint.', '主站出示的内容不是检查点。'],
  not_signed: ['The checkpoint is not signed with the key that was pinned at the first look.', '检查点不是用首次固定的主站公钥签名的。'],
  split_view: ['Two histories: the checkpoint shown now does not go on from the one seen before. Both are signed by the hub; keep both as evidence.', '出现两份历史：当前出示的检查点不是此前所见检查点的延续。两份均有主站签名，请一并留存为证据。'],
  truncated: ['The log was cut: it is shorter than it was.', '日志被截断：比此前更短。'],
  leaf_missing: ['A leaf is missing: it was deleted, or is kept back.', '缺少一条记录：已被删除或被扣留。'],
  leaf_moved: ['A leaf stands at a place that is not its own: leaves were reordered, or one before it was removed.', '记录不在自己的位置：顺序被调换，或之前的记录被移除。'],
  leaf_edited: ['A leaf is not what was sealed.', '记录内容与封存时不符。'],
  leaf_unreadable: ['A leaf is not written in the form of a leaf.', '记录格式有误。'],
  facts_left_out: ['The blocks of a lane leave facts out.', '某通道的区块遗漏了事实。'],
  root_differs: ['The leaves do not make the root that was signed.', '全部记录算出的根与签名的根不符。'],
  proof_broken: ['The hub gives a proof that proves nothing.', '主站出示的证明不成立。'],
  counter_gap: ['The leaves of a docking are not counted without a gap: one is missing.', '某对接的记录编号不连续：缺少记录。'],
  name_differs: ['The salt does not lead to the name under which you stand in the log.', '盐值推不出您在日志中的化名。'],
  leaf_withheld: ['A leaf of yours stands in the log and is not shown to you.', '日志中有您的记录，却没有出示给您。'],
  own_leaf_differs: ['You are shown another leaf than everybody else.', '出示给您的记录与公开的不一致。'],
  payload_edited: ['What you are told does not open the commitment of its leaf.', '告知您的内容与记录中的承诺值不符。'],
  statement_edited: ['A statement of reasons is not the one that was sealed.', '处理说明与封存的不是同一份。'],
  statement_not_sealed: ['A statement of reasons is in no leaf of yours.', '有处理说明未进入您的任何记录。'],
  other_root_shown: ['An answer to you carried another root than the log has at that size.', '给您的应答中所带的根与日志同一大小处的根不符。'],
  cosignature_broken: ['A witness line that the hub shows was not signed by its key.', '主站出示的见证签名并非由其公钥签署。'],
  second_history: ['You stand in the log under another name than before, or with fewer leaves: your history was taken out of it.', '您在日志中的化名与此前不同，或记录变少：您的历史已被移出。'],
  erasure_untold: ['What a leaf of yours says was erased, and no leaf of yours tells of the erasure.', '您有一条记录的内容被销毁，却没有任何记录说明此事。'],
}

export function fault(kind: LogFaultKind, leaf: number | null = null, ...evidence: readonly string[]): LogFault {
  const [en, zh] = SAID[kind]
  return { kind, leaf, words: leaf === null ? { en, zh } : { en: `Leaf ${leaf}: ${en}`, zh: `第 ${leaf} 条：${zh}` }, evidence }
}
