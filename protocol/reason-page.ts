/** The headings under which a page of docs/reasons says what helps, a language each. */
const MENDING = { en: 'How to mend it', zh: '如何解决' } as const
const LONGEST = 600

/** What helps, out of the page of a reason, as plain sentences: no marks, no commands, cut at the end of a sentence. */
export function mendingOf(page: string): { en: string; zh: string } {
  return { en: sectionOf(page, MENDING.en), zh: sectionOf(page, MENDING.zh) }
}

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
