let table: ReadonlyMap<string, number> | null = null

/** Text in GBK bytes; what that character set has not becomes a question mark. */
export function encodeGbk(text: string): Uint8Array {
  table ??= makeTable()
  const bytes: number[] = []
  for (const character of text) {
    const code = character.codePointAt(0)!
    const pair = code < 0x80 ? code : (table.get(character) ?? 0x3f)
    if (pair > 0xff) bytes.push(pair >> 8)
    bytes.push(pair & 0xff)
  }
  return Uint8Array.from(bytes)
}

/** The platform can read these bytes and cannot write them: so every pair is read once, and the table turned round. */
function makeTable(): ReadonlyMap<string, number> {
  const decoder = new TextDecoder('gbk')
  const pairs = new Map<string, number>()
  for (let lead = 0x81; lead <= 0xfe; lead++) {
    for (let trail = 0x40; trail <= 0xfe; trail++) {
      const character = trail === 0x7f ? '' : decoder.decode(Uint8Array.of(lead, trail))
      if ([...character].length === 1 && character !== '\ufffd' && !pairs.has(character)) pairs.set(character, (lead << 8) | trail)
    }
  }
  return pairs
}
