const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/

/** Reads RFC 3339 with a time zone as milliseconds since 1970; null for any other writing and for days that no month has. */
export function parseTime(text: string): number | null {
  const parts = RFC_3339.exec(text)
  if (!parts) return null
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  // Day 0 of the next month is the last of this one; the calendar of the date alone does not depend on a zone.
  if (month < 1 || month > 12 || day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return null
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? null : ms
}
