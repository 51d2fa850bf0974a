import { createHash } from 'node:crypto'
import { canonicalJson } from '../protocol/canonical.ts'

/** What any reader of a published text can do alone: make its hash from what stands there. */
export function verifyText({ kind, slug, version, title, text, sha256 }: { kind: string; slug: string; version: number; title: object; text: object; sha256: string }): boolean {
  return createHash('sha256').update(canonicalJson({ kind, slug, version, title, text })).digest('hex') === sha256
}
