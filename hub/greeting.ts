import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

export type Greeting = { readonly url: string; readonly dataDir: string; readonly tookMs: number }

/** The table that a start ends with: where things are and what to try next, in Chinese and English. */
export function greet({ url, dataDir, tookMs }: Greeting): string {
  const file = join(dataDir, 'demo.json')
  const demo = readDemo(file)
  const rows: [string, string][] = [
    ['API 接口', `${url}/api`],
    ['Docs 文档', `${url}/docs`],
  ]
  if (demo !== undefined) rows.push(['Demo keys 演示凭据', shorten(file)])
  const next = demo?.next ?? ['npx berth --help']
  next.forEach((command, index) => rows.push([index === 0 ? 'Try next 下一步' : '', command]))
  rows.push(['Stop 停止', 'Ctrl-C'])
  const width = Math.max(...rows.map(([name]) => columnsOf(name)))
  const lines = rows.map(([name, value]) => `  ${name}${' '.repeat(width - columnsOf(name))}   ${value}`)
  return [`\nBerth 泊位 is ready, 已就绪 (${(tookMs / 1000).toFixed(1)} s)\n`, ...lines, ''].join('\n')
}

/** `next` in demo.json are the commands that its author wants tried first: three fit. */
function readDemo(file: string): { next: readonly string[] } | undefined {
  if (!existsSync(file)) return undefined
  try {
    const { next } = JSON.parse(readFileSync(file, 'utf8')) as { next?: unknown }
    const commands = Array.isArray(next) ? next.filter((command) => typeof command === 'string').slice(0, 3) : []
    return { next: commands.length > 0 ? commands : ['npx berth --help'] }
  } catch {
    return undefined
  }
}

function shorten(file: string): string {
  const near = relative(process.cwd(), file)
  return near.startsWith('..') ? file : near
}

/** A Chinese character takes two columns of a terminal. */
function columnsOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (/\p{Script=Han}/u.test(character) ? 2 : 1), 0)
}
