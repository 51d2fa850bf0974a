export type Language = 'zh-CN' | 'en'

export type Row = { term: string; text: string; href?: string }
export type Section = { heading: string; rows: readonly Row[] }

/** What a person is told, before it is text, HTML or markdown. Nothing in it is escaped yet. */
export type Letter = {
  language: Language
  title: string
  /** Where the matter stands, in a word or two, and how it should look. */
  standing: { text: string; tone: 'held' | 'over' | 'low' } | null
  lead: readonly string[]
  sections: readonly Section[]
  /** The whole of it for a short message: class and code, and never a fact. The link follows it. */
  short: string
}

/** What a letter is made of besides what it is about. `full` is the page: a letter that travels says less, since it passes many hands. */
export type LetterContext = { language: Language; docking: string; publicUrl: string; at: Date; full: boolean }

/** What a letter carries on its way: the link, and why the reader gets it. */
export type Envelope = { link: string; linkText: string; footer: readonly string[] }

/** What an alert keeps of the moment in which it was seen; amounts are whole numbers as text. */
export type Seen = { below: string; seen: string; mode: 'sandbox' | 'live' }

/** What became of a key, or will: it ends by itself at a time, or was ended. */
export type KeyEvent = { key: string; endsAt: string; by: string | null }

/** A condition that a docking met again and again. Times are RFC 3339. */
export type Lasting = { code: string; since: string; until: string; count: number }
