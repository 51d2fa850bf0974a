import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ReasonCode } from '../../protocol/reasons.ts'

const PAGES = join(import.meta.dirname, '../../docs/reasons')

export type Remedy = { en: string; zh: string }

const HEADINGS: Remedy = { en: 'How to mend it', zh: '如何解决' }
const LONGEST = 600

const known = new Map<ReasonCode, Remedy>()

/** What helps, in the words of the page of a reason: one text, so that page and report cannot say two things. */
export function remedyOf(code: ReasonCode): Remedy {
  let remedy = known.get(code)
  if (!remedy) {
    const page = readFileSync(join(PAGES, `${code}.md`), 'utf8')
    known.set(code, (remedy = { en: sectionOf(page, HEADINGS.en), zh: sectionOf(page, HEADINGS.zh) }))
  }
  return remedy
}

/** A section of a page as plain sentences: no marks, no commands, cut at the end of a sentence. */
function sectionOf(page: string, heading: string): string {
  const section = new RegExp(`^### ${heading}\\n([^]*?)(?=^#|(?![^]))`, 'm').exec(page)?.[1] ?? ''
  const lines = section.replace(/^```[^]*?^```/gm, '').split('\n').map((line) => line.trim().replace(/^([-*]|\d+\.) /, '').replace(/\[([^\]]+)\]\([^)]*\)/g, '$1').replace(/[`*]/g, ''))
  let text = ''
  for (const sentence of sentencesOf(lines.filter(Boolean).join(' '))) {
    if (text !== '' && text.length + sentence.length > LONGEST) break
    text += sentence
  }
  return text.trim()
}

function sentencesOf(text: string): string[] {
  return text.match(/[^。！？.!?]*(?:[。！？]|[.!?](?=\s|$)|[.!?])+["”]?\s*|[^。！？.!?]+$/g) ?? [text]
}
