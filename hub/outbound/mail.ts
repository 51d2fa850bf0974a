import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mail, MailPort } from '../domain/notices/ports.ts'
import { makeFolder } from '../platform/folder.ts'
import { writeMessage } from './mime.ts'

/**
 * Letters as files in a folder of the main site, for a mail program, a relay or a person to take from there. A file is
 * written whole before it has its name, and a second attempt at the same letter writes the same name.
 */
export function openOutbox(dataDir: string, from: string): MailPort {
  const folder = join(dataDir, 'outbox')
  return {
    async send(mail) {
      makeFolder(folder, 0o700)
      const path = join(folder, nameOf(mail))
      const draft = `${path}.draft`
      const file = await open(draft, 'w', 0o600)
      try {
        await file.writeFile(writeMessage(mail, from))
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(draft, path)
    },
  }
}

/** Sorts by the time at which the letter was written down; the Message-ID's own name keeps two of one moment apart. */
function nameOf({ at, messageId }: Mail): string {
  return `${at.toISOString().replace(/[-:]/g, '').replace(/\.\d+Z$/, 'Z')}-${messageId.replace(/^<|@.*$/g, '').replace(/[^\w-]/g, '')}.eml`
}
