import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** A file as the rules of the house see it: its path from the root with slashes, and its text. */
export type HouseFile = { readonly path: string; readonly text: string }

/** A rule names every offence in one line that begins with the path; an empty list means the house keeps it. */
export type Rule = (files: readonly HouseFile[]) => string[]

const OUTSIDE = new Set(['node_modules', '.git', '.data', '.build', 'dist'])
const TEXT = /(\.(ts|mjs|js|tsx|sql|json|md|yml|yaml|html|css|txt)|\/(run|LICENSE|\.git\w+)|^\.\w[\w.]*)$/

/** All text files of the repository, but for recorded bytes under test/vectors, which are other people's words. */
export function readHouse(root: string): HouseFile[] {
  const files: HouseFile[] = []
  const walk = (folder: string) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (OUTSIDE.has(entry.name) || path === 'test/vectors') continue
      if (entry.isDirectory()) walk(path)
      else if (TEXT.test(path)) files.push({ path, text: readFileSync(join(root, path), 'utf8') })
    }
  }
  walk('')
  return files
}

export function isTest(path: string): boolean {
  return path.endsWith('.test.ts')
}

/** TypeScript that runs, tests left out. */
export function isSource(path: string): boolean {
  return /\.(ts|tsx|mjs)$/.test(path) && !isTest(path)
}
