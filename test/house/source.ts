import { posix } from 'node:path'

/** One import statement: what it names, and whether nothing of it is left when types are erased. */
export type Import = { readonly target: string; readonly typeOnly: boolean; readonly line: number }

/** A source cut into its code and its strings, so that a word in a comment or a message is never taken for a deed. */
export type Cut = {
  /** The code with comments and the insides of strings blanked; every line keeps its number. */
  readonly code: string
  /** The strings and templates, each with the line in which it begins. */
  readonly strings: readonly { readonly text: string; readonly line: number }[]
}

const BEFORE_REGEX = /(^|[([{=,:;!&|?+<>~^%*-]|\breturn|\btypeof|\bcase|=>)\s*$/

/** Reads TypeScript character by character; good enough for code that the compiler has accepted. */
export function cut(text: string): Cut {
  let code = ''
  const strings: { text: string; line: number }[] = []
  const blank = (part: string) => part.replace(/[^\n]/g, ' ')
  /** Depth of braces at which each open template goes on. */
  const templates: number[] = []
  let depth = 0
  let i = 0
  const lineAt = () => code.split('\n').length
  const takeString = (from: number, quote: string): number => {
    const line = lineAt()
    let j = from
    for (; j < text.length && text[j] !== quote; j++) {
      if (text[j] === '\\') j++
      else if (quote === '`' && text[j] === '$' && text[j + 1] === '{') {
        strings.push({ text: text.slice(from, j), line })
        code += `${blank(text.slice(from, j))}\${`
        templates.push(depth)
        depth++
        return j + 2
      }
    }
    strings.push({ text: text.slice(from, j), line })
    code += blank(text.slice(from, j)) + quote
    return j + 1
  }
  while (i < text.length) {
    const char = text[i]!
    const next = text[i + 1]
    const rest = char === '/' && next === '/' ? /^[^\n]*/ : char === '/' && next === '*' ? /^[^]*?(\*\/|$)/ : null
    if (rest) {
      const comment = rest.exec(text.slice(i))![0]
      code += blank(comment)
      i += comment.length
    } else if (char === '/' && BEFORE_REGEX.test(code.slice(-40))) {
      const regex = /^\/(\\.|\[(\\.|[^\]\\\n])*\]|[^/\\\n[])+\/\w*/.exec(text.slice(i))?.[0] ?? '/'
      code += regex.length > 1 ? `/${blank(regex.slice(2))}/` : '/'
      i += regex.length
    } else if (char === "'" || char === '"' || char === '`') {
      code += char
      i = takeString(i + 1, char)
    } else if (char === '}' && templates.at(-1) === depth - 1) {
      templates.pop()
      depth--
      code += char
      i = takeString(i + 1, '`')
    } else {
      if (char === '{') depth++
      if (char === '}') depth--
      code += char
      i++
    }
  }
  return { code, strings }
}

/** The imports and re-exports of a source, those inside functions too. A relative target becomes a path from the root. */
export function importsOf(path: string, text: string): Import[] {
  const { code, strings } = cut(text)
  const imports: Import[] = []
  const lineOf = (index: number) => code.slice(0, index).split('\n').length
  const add = (index: number, typeOnly: boolean) => {
    // The quote that opens the target stands in the code; its inside is the first string from there on.
    const quoteAt = code.slice(index).search(/['"`]/) + index
    const line = lineOf(quoteAt)
    const column = code.slice(0, quoteAt).split('\n').at(-1)!.length
    const target = strings.find((string) => string.line === line && (text.split('\n')[line - 1] ?? '').startsWith(string.text, column + 1))
    if (target) imports.push({ target: resolveTarget(path, target.text), typeOnly, line })
  }
  for (const match of code.matchAll(/(?:^|[;\n])\s*(?:import|export)\b(\s+type\b(?!\s*(?:from\b|,)))?(?:[^'"`;=()]*?\bfrom)?\s*['"]/g)) add(match.index, match[1] !== undefined)
  for (const match of code.matchAll(/\b(?:import|require)\s*\(\s*['"`]/g)) add(match.index, false)
  return imports
}

function resolveTarget(path: string, target: string): string {
  return target.startsWith('.') ? posix.join(posix.dirname(path), target) : target
}
