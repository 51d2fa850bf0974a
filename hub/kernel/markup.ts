/**
 * Descriptions may be HTML. What comes out holds these elements without attributes and links to http and https, properly
 * nested; everything else is dropped, with its content where that is a program. Text without any tag stays as it is.
 */
const KEPT = new Set(['p', 'br', 'hr', 'b', 'strong', 'i', 'em', 'u', 's', 'ul', 'ol', 'li', 'h1', 'h2', 'h3', 'h4', 'blockquote', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'div', 'span', 'pre', 'code', 'a'])
const EMPTY = new Set(['br', 'hr'])
/** A browser reads what stands in these as something else than text. */
const SWALLOWED = new Set(['script', 'style', 'template', 'iframe', 'noscript', 'textarea', 'title', 'svg', 'math', 'xmp', 'object'])
const DEEPEST = 50

const TOKEN = /<!--[^]*?(?:-->|$)|<[!?][^>]*(?:>|$)|<(\/?)([a-zA-Z][a-zA-Z0-9-]*)([^>]*)(?:>|$)|[^<]+|</g
const LINK = /(?:^|\s)href\s*=\s*(?:"(https?:\/\/[^\s"'<>\\]{1,500})"|'(https?:\/\/[^\s"'<>\\]{1,500})')/i

/** Whether a browser would find elements in the text. */
export function isMarkup(text: string): boolean {
  return /<[a-zA-Z/!?]/.test(text)
}

/** The text with allowed elements only; text that is no markup is handed back as it came. Cleaning twice changes nothing. */
export function cleanMarkup(text: string): string {
  if (!isMarkup(text)) return text
  const open: string[] = []
  let html = ''
  let swallowing: string | null = null
  for (const [token, slash, tag, attributes] of text.matchAll(TOKEN)) {
    const name = tag?.toLowerCase()
    if (swallowing !== null) {
      if (slash === '/' && name === swallowing) swallowing = null
    } else if (name === undefined) {
      if (!/^<[!?]/.test(token)) html += escapeText(token)
    } else if (SWALLOWED.has(name)) {
      if (slash === '') swallowing = name
    } else if (!KEPT.has(name)) continue
    else if (EMPTY.has(name)) html += slash === '' ? `<${name}>` : ''
    else if (slash === '/') {
      // Whatever stands open inside it ends with it; an end without a beginning is nothing.
      const depth = open.lastIndexOf(name)
      if (depth >= 0) html += endsOf(open.splice(depth))
    } else if (open.length < DEEPEST) {
      open.push(name)
      html += name === 'a' ? openLink(attributes ?? '') : `<${name}>`
    }
  }
  return html + endsOf(open)
}

function endsOf(names: readonly string[]): string {
  return names.map((name) => `</${name}>`).toReversed().join('')
}

function openLink(attributes: string): string {
  const [, quoted, single] = LINK.exec(attributes) ?? []
  const address = quoted ?? single
  return address === undefined ? '<a>' : `<a href="${escapeText(address)}" rel="nofollow noopener">`
}

/** Entities that are whole stay as they are. */
function escapeText(text: string): string {
  return text.replace(/&(?!(?:[a-zA-Z][a-zA-Z0-9]{1,31}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});)/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}
