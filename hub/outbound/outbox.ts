import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChannelPort, Dispatch } from '../domain/notices/ports.ts'
import { makeFolder } from '../platform/folder.ts'
import { writeMessage } from './mime.ts'

export type Outbox = ChannelPort & { sweep(before: Date): Promise<void> }

/**
 * Letters as files in a folder of the main site, for a mail program, a relay or a person to take from there: mail as .eml,
 * every other channel as .json. A file is written whole before it has its name, and a second attempt at the same letter
 * writes the same name.
 */
export function openOutbox(dataDir: string, from: string): Outbox {
  const folder = join(dataDir, 'outbox')
  return {
    async send(dispatch) {
      makeFolder(folder, 0o700)
      const path = join(folder, nameOf(dispatch))
      const draft = `${path}.draft`
      const file = await open(draft, 'w', 0o600)
      try {
        await file.writeFile(dispatch.channel === 'email' ? writeMessage(dispatch, from) : writeJson(dispatch))
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(draft, path)
    },
    async sweep(before) {
      for (const name of await namesIn(folder)) {
        if (!OURS.test(name)) continue
        const path = join(folder, name)
        const seen = await stat(path).catch(() => null)
        if (seen !== null && seen.mtimeMs < before.getTime()) await rm(path, { force: true })
      }
    },
  }
}

/** Files of others in the folder are left alone. */
const OURS = /^\d{8}T\d{6}Z-[\w-]+\.(eml|sms\.json|wecom\.json|dingtalk\.json)(\.draft)?$/

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR') return []
    throw error
  }
}

/** A robot's address is a secret with which anybody may write to the group: the file shows its mask. */
function writeJson({ messageId, channel, to, masked, subject, markdown, short, language, at }: Dispatch): string {
  const content = channel === 'sms' ? { to, text: short } : { to: masked, title: subject, markdown }
  return `${JSON.stringify({ messageId, channel, ...content, language, at: at.toISOString() }, null, 2)}\n`
}

/** Sorts by the time at which the letter was written down; the Message-ID's own name keeps two of one moment apart. */
function nameOf({ at, messageId, channel }: Dispatch): string {
  const name = `${at.toISOString().replace(/[-:]/g, '').replace(/\.\d+Z$/, 'Z')}-${messageId.replace(/^<|@.*$/g, '').replace(/[^\w-]/g, '')}`
  return channel === 'email' ? `${name}.eml` : `${name}.${channel}.json`
}
