import type { Form } from '../../protocol/wire/form.ts'
import { writeForm } from '../../protocol/wire/form.ts'
import { isOwnField } from './asks.ts'
import type { AcgRequest } from './request.ts'
import { base, type Digests } from './server.ts'

type Words = { readonly en: string; readonly zh: string }

/** Which mistake made a wrong signature. `isOwnKey` tells whether it was made with one of the keys that were handed in. */
export type SignMistake = { readonly name: string; readonly isOwnKey: boolean; readonly says: Words }

type Variant = { readonly name: string; readonly says: Words; readonly text: (request: AcgRequest, key: string) => string }

/**
 * The mistakes that programs of this family make, each as the string that they then hash. A signature that equals one of
 * them names its own mistake, which is worth more than any list of what to look at.
 */
const VARIANTS: readonly Variant[] = [
  { name: 'not_decoded', says: { en: 'the values were hashed as they travel, percent-encoded; they must be decoded first', zh: '对百分号编码后的值做了签名；应先解码再签名' }, text: (request, key) => `${writeForm(sorted(request))}&key=${key}` },
  { name: 'not_sorted', says: { en: 'the fields were hashed in the order in which they travel; they must be sorted by name', zh: '按发送顺序签名；应先按字段名排序' }, text: ({ form }, key) => `${join(pairsOf(form, (name, value) => name !== 'sign' && value !== ''))}&key=${key}` },
  { name: 'empty_kept', says: { en: 'empty fields were hashed; they must be left out', zh: '空值字段也参与了签名；应当剔除' }, text: (request, key) => `${join(pairsOf(sorted(request, true), () => true))}&key=${key}` },
  { name: 'key_bare', says: { en: 'the key stands at the end without "&key="', zh: '末尾直接接密钥，缺少“&key=”' }, text: (request, key) => base(request, key).slice(0, -`&key=${key}`.length) + key },
  { name: 'key_missing', says: { en: 'the key is missing from the end of the string', zh: '末尾没有接密钥' }, text: (request, key) => base(request, key).slice(0, -`&key=${key}`.length) },
  { name: 'without_app_key', says: { en: 'the field app_key was sent and not hashed; what is sent is hashed', zh: '发送了 app_key 字段却没有参与签名；发送的字段都要参与签名' }, text: (request, key) => `${join(pairsOf(sorted(request), (name) => name !== 'app_key'))}&key=${key}` },
  { name: 'without_credentials', says: { en: 'app_id and app_key were sent and not hashed; what is sent is hashed', zh: '发送了 app_id、app_key 字段却没有参与签名；发送的字段都要参与签名' }, text: (request, key) => `${join(pairsOf(sorted(request), (name) => name !== 'app_key' && name !== 'app_id'))}&key=${key}` },
  { name: 'key_with_blank', says: { en: 'a blank stands behind the key', zh: '密钥后面带了空格' }, text: (request, key) => base(request, `${key} `) },
  { name: 'key_with_line_end', says: { en: 'a line end stands behind the key', zh: '密钥后面带了换行' }, text: (request, key) => base(request, `${key}\n`) },
  { name: 'lower_case', says: { en: 'the string was turned to lower case before it was hashed', zh: '签名前把字符串转成了小写' }, text: (request, key) => base(request, key).toLowerCase() },
]

/**
 * Names the mistake behind a signature that does not fit.
 * @param keys the keys of the docking, which may be none; the key that the form itself carries is tried as well
 */
export function findSignMistake(request: AcgRequest, keys: readonly string[], digests: Pick<Digests, 'md5Hex' | 'equal'>): SignMistake | null {
  const { sign, form } = request
  if (typeof sign !== 'string' || !/^[0-9a-fA-F]{32}$/.test(sign)) return null
  const carried = form.get('app_key')
  const candidates = [...keys.map((key) => ({ key, isOwnKey: true })), ...(typeof carried === 'string' && carried !== '' ? [{ key: carried, isOwnKey: keys.includes(carried) }] : [])]
  const fits = (text: string) => digests.equal(digests.md5Hex(text), sign.toLowerCase())
  for (const { key, isOwnKey } of candidates) {
    if (fits(base(request, key))) {
      if (sign !== sign.toLowerCase()) return { name: 'upper_case', isOwnKey, says: { en: 'sign is in upper case; it must be in lower case', zh: 'sign 用了大写；应为小写' } }
      if (!isOwnKey) return { name: 'other_key', isOwnKey, says: { en: 'the string is right and was signed with the key that stands in app_key, so that key is not the one of this docking', zh: '待签名串正确，签名所用的就是 app_key 里的密钥，因此是密钥不对：它不是本对接的密钥' } }
    }
    const variant = VARIANTS.find(({ text }) => fits(text(request, key)))
    if (variant) return { name: variant.name, isOwnKey, says: variant.says }
  }
  return null
}

/**
 * The first place in which a shop's own string differs from the hub's, as `name=value` on both sides; null when they are
 * equal up to the key. Values of fields that a buyer fills in, and keys, are hidden on both sides.
 */
export function firstDifference(request: AcgRequest, yours: string): { at: number; hub: string; yours: string } | null {
  const ours = [...pairsOf(sorted(request), () => true), ['key', '']] as [string, string][]
  const theirs = splitPairs(yours)
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    const [mine, his] = [ours[i], theirs[i]]
    if (mine && his && mine[0] === his[0] && (mine[0] === 'key' || mine[1] === his[1])) continue
    return { at: i + 1, hub: shown(request, mine), yours: shown(request, his) }
  }
  return null
}

function splitPairs(text: string): [string, string][] {
  return text.slice(0, 8_192).split('&').map((pair) => {
    const mark = pair.indexOf('=')
    return mark < 0 ? [pair, ''] : [pair.slice(0, mark), pair.slice(mark + 1)]
  })
}

const LONGEST_SHOWN = 120

function shown(request: AcgRequest, pair: [string, string] | undefined): string {
  if (!pair) return '(nothing)'
  const [name, value] = pair
  const plain = isOwnField(request, name.replace(/\[.*$/, ''))
  return `${name.slice(0, 40)}=${plain ? value.slice(0, LONGEST_SHOWN) : '***'}`.toWellFormed()
}

function sorted({ form, flavor }: AcgRequest, keepsEmpty = false): Form {
  const names = [...form.keys()].sort().filter((name) => (name !== 'sign' || flavor === 'open') && (keepsEmpty || form.get(name) !== ''))
  return new Map(names.map((name) => [name, form.get(name)!]))
}

function pairsOf(form: Form, isWanted: (name: string, value: string) => boolean): [string, string][] {
  return [...form].flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' ? (isWanted(name, value) ? [[name, value]] : []) : isWanted(name, '-') ? [...value].map(([inner, text]) => [`${name}[${inner}]`, text]) : [])
}

function join(pairs: readonly [string, string][]): string {
  return pairs.map(([name, value]) => `${name}=${value}`).join('&')
}
