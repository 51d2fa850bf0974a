/**
 * Words that explain nothing. A statement that needs them has no reason. They are looked for in the text as it is read,
 * whatever stands between the letters and however wide they are; the database looks once more.
 */
const FOG = [
  'incompatib', 'notcompatible', 'compatibility', 'systemerror', 'unknownerror', '不兼容', '不相容', '兼容性', '兼容问题', '兼容問題', '相容性', '系统错误', '系統錯誤',
  '系统异常', '系統異常', '系统原因', '系統原因', '未知错误', '未知錯誤',
]

/** Letters of other scripts that look like ours. */
const TWINS: Readonly<Record<string, string>> = { а: 'a', с: 'c', е: 'e', і: 'i', о: 'o', р: 'p', ѕ: 's', у: 'y', х: 'x', т: 't', м: 'm', ο: 'o', α: 'a', ι: 'i', ρ: 'p', ν: 'n' }

/** Whether a text hides behind such words. */
export function isFog(text: string): boolean {
  const plain = text.normalize('NFKD').toLowerCase().replace(/\p{M}|[\s\p{Cf}\p{Cc}._·*|~-]/gu, '').replace(/[аесіорѕухтмοαιρν]/g, (letter) => TWINS[letter] ?? letter)
  return FOG.some((word) => plain.includes(word))
}
