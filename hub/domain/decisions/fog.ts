/**
 * Words that explain nothing. A statement that needs them has no reason. They are looked for in the text as it is read:
 * letters and digits alone, whatever stands between them, however wide they are and whose letters they borrow; the database
 * looks once more.
 */
const FOG = [
  'incompatib', 'notcompatible', 'compatibility', 'systemerror', 'systemfault', 'systemfailure', 'systembusy', 'systemissue', 'systemproblem', 'unknownerror', 'unknownfault',
  '不兼容', '不相容', '兼容性', '兼容问题', '相容性', '系统错误', '系统异常', '系统原因', '系统报错', '系统故障', '系统繁忙', '系统问题', '未知错误', '未知故障',
  '系统不匹配', '接口不匹配', '平台不匹配', '软件不匹配', '程序不匹配', '接口不支持', '系统不支持',
]
/** What may end a sentence that says which two things differ, and is fog when it is all there is. */
const ALONE = ['不匹配', '不支持', 'mismatch', 'notsupported']

/** Letters of other scripts, digits and characters that look like ours; and the long forms of the characters above. */
const TWINS: Readonly<Record<string, string>> = {
  а: 'a', с: 'c', е: 'e', і: 'i', о: 'o', р: 'p', ѕ: 's', у: 'y', х: 'x', т: 't', м: 'm', п: 'n', ь: 'b', в: 'b', к: 'k', ο: 'o', α: 'a', ι: 'i', ρ: 'p', ν: 'n', ε: 'e', τ: 't', υ: 'u', κ: 'k', ς: 'c', η: 'n',
  ı: 'i', ɩ: 'i', ɪ: 'i', ø: 'o', ɔ: 'o', օ: 'o', ո: 'n', ս: 'u', ł: 'l', đ: 'd', ɑ: 'a', æ: 'a', '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't',
  蒹: '兼', 溶: '容', 榕: '容', 蓉: '容', 統: '统', 錯: '错', 誤: '误', 異: '异', 問: '问', 題: '题', 報: '报', 軟: '软',
}
/** Letters that are drawn as nothing. */
const FILLERS = /[\u115f\u1160\u3164\uffa0]/gu

/** Whether a text hides behind such words. */
export function isFog(text: string): boolean {
  const plain = text.normalize('NFKD').replace(/[\u{1f150}-\u{1f169}\u{1f170}-\u{1f189}]/gu, boxed).toLowerCase().replace(FILLERS, '').replace(/[^\p{L}\p{N}]/gu, '')
  const read = [...plain].map((letter) => TWINS[letter] ?? letter).join('')
  return ALONE.includes(read) || FOG.some((word) => read.includes(word))
}

/** White letters in black circles and squares, which no normal form opens. */
function boxed(letter: string): string {
  const point = letter.codePointAt(0)!
  return String.fromCharCode(0x61 + point - (point < 0x1f170 ? 0x1f150 : 0x1f170))
}
