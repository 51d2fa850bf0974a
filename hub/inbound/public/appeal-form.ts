import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { EVIDENCE_AT_ONCE, TEXT_MAX, type EvidenceAsk } from '../../domain/appeals/index.ts'
import type { Language } from '../../domain/letters/index.ts'
import type { Matter } from '../../domain/notices/index.ts'
import { escapeHtml } from '../../kernel/html.ts'

const DEEDS = ['file', 'give', 'withdraw'] as const
export type Deed = (typeof DEEDS)[number]

/** What was filled in. */
export type Filled = { deed: Deed; text: string; evidence: EvidenceAsk[] }

/** The forms that a page may offer now: to appeal, or to add to the appeal that is open and to take it back. '' where there is nothing to do. */
export function formOf({ action, language, matter, filled }: { action: string; language: Language; matter: Matter; filled: Filled | null }): string {
  const say = (zh: string, en: string) => (language === 'zh-CN' ? zh : en)
  const wrap = (deed: Deed, inside: string) => `<form method="post" action="${escapeHtml(action)}" enctype="multipart/form-data" accept-charset="utf-8"><input type="hidden" name="deed" value="${deed}">${inside}</form>`
  const typed = filled !== null && filled.deed !== 'withdraw' ? escapeHtml(filled.text) : ''
  const text = (label: string, required: boolean) => `<label for="text">${label}</label><textarea id="text" name="text" maxlength="${TEXT_MAX}"${required ? ' required' : ''}>\n${typed}</textarea>`
  const files = `<label for="files">${say('材料（可不传）', 'Documents (may be left out)')}</label><input id="files" type="file" name="files" multiple>` +
    `<p class="hint">${say('最多 5 份，每份不超过 256 KB，加密保存，只有主站的复核人员能打开。可传照片、PDF 等。', 'At most 5, of 256 KB each: pictures, PDF and the like. They are kept sealed, and only reviewers of the main site open them.')}</p>`
  if (matter.open !== null) {
    const heading = matter.isOwed ? say('请在此提交所要求的材料', 'Hand in here what was asked for') : say('补充说明或材料', 'Add to the appeal')
    return `<section><h2>${heading}</h2>${wrap('give', `${text(say('说明', 'In your words'), false)}${files}<button>${say('提交', 'Send')}</button>`)}` +
      `<details><summary>${say('撤回申诉', 'Take the appeal back')}</summary>${wrap('withdraw', `<p>${say('撤回后措施不变，之后仍可再次申诉。', 'The measure stays as it is; you may appeal again.')}</p><button class="plain">${say('确认撤回', 'Take it back')}</button>`)}</details></section>`
  }
  if (!matter.mayFile) return ''
  return `<section id="appeal"><h2>${say('在此申诉', 'Appeal here')}</h2><p>${say('免费，由作出决定者以外的人在 15 天内裁定；查清无误的立即解除。', 'It is free. Another person than the one who decided decides it within 15 days, and the measure is lifted at once if you are cleared.')}</p>` +
    wrap('file', `${text(say('为什么这个决定不对？', 'Why is the decision wrong?'), true)}<p class="hint">${say('请针对上面的事实逐条说明，最多 4000 字。', 'Answer the facts above one by one; at most 4,000 characters.')}</p>${files}<button>${say('提交申诉', 'Send the appeal')}</button>`) + '</section>'
}

/** Reads the form as browsers send it. The parser is the runtime's own; the body is bounded before it comes here. */
export async function readForm(type: string, body: Buffer): Promise<Outcome<Filled>> {
  if (!/^(multipart\/form-data|application\/x-www-form-urlencoded)\s*(;|$)/i.test(type)) return refuse('protocol.unsupported_media', { expected: 'a form of this page', seen: type.slice(0, 60) || 'none' })
  let form: FormData
  try {
    form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
  } catch {
    return refuse('protocol.malformed_request', { problem: 'the document cannot be read', at: 'line 1' })
  }
  const deed = DEEDS.find((one) => one === form.get('deed'))
  if (deed === undefined) return refuse('protocol.invalid_field', { path: '/deed', expected: 'a form of this page' })
  const files = form.getAll('files').filter((file) => typeof file !== 'string' && (file.size > 0 || file.name !== ''))
  if (files.length > EVIDENCE_AT_ONCE) return refuse('protocol.invalid_field', { path: '/evidence', expected: 'at most 5 documents at once' })
  const evidence = await Promise.all(files.map(async (file): Promise<EvidenceAsk> => {
    const { name } = file as File
    return { name: plainName(name), note: '', sha256: null, content: Buffer.from(await (file as File).arrayBuffer()) }
  }))
  const typed = form.get('text')
  const said = typeof typed === 'string' ? typed.replaceAll('\r\n', '\n').replaceAll('\0', '').toWellFormed().trim() : ''
  // A browser asks the page for its character set; whoever sent other bytes would appeal with words that nobody can read.
  const garbled = said.indexOf('\uFFFD')
  if (garbled >= 0) return refuse('protocol.charset_mismatch', { declared: 'UTF-8', at: garbled })
  const isNeeded = deed === 'file' || (deed === 'give' && evidence.length === 0)
  if ((isNeeded && said === '') || said.length > TEXT_MAX) return refuse('protocol.invalid_field', { path: '/text', expected: 'what you want to say, 1 to 4000 characters' })
  return accept({ deed, text: said, evidence })
}

/** A file's name as it may stand in a list: no path, nothing invisible, not endless. */
function plainName(name: string): string {
  return name.toWellFormed().replace(/^.*[/\\]/, '').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '').slice(-120).toWellFormed() || 'file'
}
