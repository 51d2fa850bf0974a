import type { Static } from '../../protocol/schema.ts'
import { OVERLAPS, type KeyView, type NewKey, type RolledKey } from '../../protocol/messages.ts'
import { done, refused, WrongUsage, type Command } from '../command.ts'
import { keepRolledKey, partnerClient } from '../credentials.ts'
import { table, type Lang } from '../screen.ts'
import { readPublicKey } from '../text-file.ts'
import { dockingOption } from './partner.ts'

type Key = Static<typeof KeyView>

const keyOperand = { name: 'KEY', what: { en: 'The id of the key, key_….', zh: '密钥编号，key_…。' } }
const publicKeyOption = { name: 'public-key', value: 'FILE', what: { en: 'ed25519: your public key in PEM.', zh: 'ed25519：您的公钥文件（PEM）。' } }
const SHOWN_ONCE = {
  en: 'The secret is shown this once. If this answer is lost, revoke the new key and make another: a repeat never shows it.',
  zh: '密钥仅显示这一次。若未收到应答，请吊销新密钥后重新生成：重发不会再次显示。',
}

export const listKeys: Command = {
  name: 'keys',
  who: 'partner',
  summary: { en: 'The keys of this docking, and which one is in use', zh: '列出本对接的密钥，并标出正在使用的一把' },
  operands: [],
  options: [dockingOption],
  teaches: [{ en: 'At most two keys of a kind live at once: the one in use, and the one that takes its place. No secret is shown.', zh: '同类密钥最多两把同时有效：在用的与接替的。不显示密钥内容。' }],
  examples: [{ line: 'berth keys', what: { en: 'as a table', zh: '表格形式' } }, { line: "berth keys --json | jq -r '.items[] | select(.current).id'", what: { en: 'the id of the key in use', zh: '正在使用的密钥编号' } }],
  run: async (asked) => {
    const keys = await partnerClient(asked).list<Key>('/api/keys', 'cursor')
    if (!keys.ok) return refused(keys.problem)
    const zh = asked.lang === 'zh'
    const head = zh ? ['', '编号', '种类', '状态', '终止时间', '权限'] : ['', 'id', 'kind', 'state', 'ends', 'scopes']
    const rows = keys.body.map((key) => [key.current ? '*' : '', key.id, key.kind, stateOf(key, asked.lang), key.revokedAt ?? key.expiresAt ?? '', key.scopes.join(' ')])
    return done({ items: keys.body }, table([head, ...rows], 0))
  },
}

export const createKey: Command = {
  name: 'keys create',
  who: 'partner',
  summary: { en: 'Make a key beside those that live', zh: '新建一把密钥，现有密钥继续有效' },
  operands: [],
  options: [
    { name: 'kind', value: 'KIND', isRequired: true, oneOf: ['hmac-sha256', 'ed25519', 'bearer'], what: { en: 'hmac-sha256 and ed25519 sign requests, bearer reads.', zh: 'hmac-sha256、ed25519 用于签名，bearer 用于只读。' } },
    publicKeyOption,
    { name: 'scope', value: 'SCOPE', isMany: true, what: { en: 'Such as goods:read, out of those of the key in use; without any, all of them.', zh: '如 goods:read，须在所用密钥的权限之内；不填则与其相同。' } },
    dockingOption,
  ],
  teaches: [{ en: 'The call is signed with a key that has the scope keys:write.', zh: '须用带 keys:write 权限的密钥签名。' }, SHOWN_ONCE],
  examples: [
    { line: 'berth keys create --kind ed25519 --public-key shop.pem', what: { en: 'a key whose secret never leaves you', zh: '私钥不离开您的密钥' } },
    { line: 'berth keys create --kind bearer --scope goods:read', what: { en: 'a key that can only look', zh: '只读密钥' } },
  ],
  run: async (asked) => {
    const kind = asked.needed('kind')
    const file = asked.option('public-key')
    if ((kind === 'ed25519') !== (file !== undefined)) throw new WrongUsage({ en: '--public-key FILE goes with --kind ed25519, and only with it.', zh: '--public-key 文件 须与 --kind ed25519 一起使用。' })
    const scopes = asked.all('scope').flatMap((text) => text.split(','))
    const made = await partnerClient(asked).post<Static<typeof NewKey>>('/api/keys', { kind, publicKey: file === undefined ? undefined : readPublicKey(file), scopes: scopes.length > 0 ? scopes : undefined })
    if (!made.ok) return refused(made.problem)
    return done(made.body, showNew(made.body.key, made.body.secret, asked.lang))
  },
}

export const rollKey: Command = {
  name: 'keys roll',
  who: 'partner',
  summary: { en: 'Replace a key by a new one; the old one goes on for the overlap', zh: '轮换密钥：生成新密钥，旧密钥在过渡期内继续有效' },
  operands: [keyOperand],
  options: [{ name: 'overlap', value: 'TIME', isRequired: true, oneOf: OVERLAPS, what: { en: 'How long the old one goes on; 0 ends it at once.', zh: '旧密钥继续有效的时间；0 为立即终止。' } }, publicKeyOption, dockingOption],
  teaches: [
    { en: 'With an overlap no request is refused while your machines change over. 0 is for a key that has leaked, and needs another key that can manage keys: a lost answer would lock you out. Without one, create it first.', zh: '有过渡期时，更换期间请求不会中断。0 用于密钥外泄，且须另有一把可管理密钥的密钥，以免应答丢失后被锁在门外；没有时请先新建。' },
    SHOWN_ONCE,
  ],
  examples: [
    { line: 'berth keys roll key_01jd… --overlap 24h', what: { en: 'as a habit', zh: '例行更换' } },
    { line: 'berth keys roll key_01jd… --overlap 0', what: { en: 'it leaked', zh: '密钥外泄' } },
  ],
  run: async (asked) => {
    const file = asked.option('public-key')
    const rolled = await partnerClient(asked).post<Static<typeof RolledKey>>(`/api/keys/${encodeURIComponent(asked.operands[0]!)}/roll`, { overlap: asked.needed('overlap'), publicKey: file === undefined ? undefined : readPublicKey(file) })
    if (!rolled.ok) return refused(rolled.problem)
    const { key, secret, old } = rolled.body
    const ends = old.revokedAt ?? old.expiresAt ?? ''
    const kept = secret === null ? null : keepRolledKey(asked.env, old.id, { id: key.id, secret })
    return done(rolled.body, [
      showNew(key, secret, asked.lang), asked.lang === 'zh' ? `旧密钥 ${old.id} 终止于 ${ends}` : `The old key ${old.id} ends at ${ends}`,
      ...(kept === null ? [] : [asked.lang === 'zh' ? `${kept} 已改用新密钥` : `${kept} has the new key from now on`]),
    ].join('\n'))
  },
}

export const revokeKey: Command = {
  name: 'keys revoke',
  who: 'partner',
  summary: { en: 'End one of your keys at once', zh: '立即吊销自己的一把密钥' },
  operands: [keyOperand],
  options: [dockingOption],
  teaches: [{ en: 'The last key that could make another is not revoked: create another first, or roll it with an overlap.', zh: '最后一把可申请新密钥的密钥不能吊销，请先新建一把，或带过渡期轮换。' }],
  examples: [{ line: 'berth keys revoke key_01jd…', what: { en: 'nobody uses it any more', zh: '已无程序使用' } }],
  run: async (asked) => {
    const revoked = await partnerClient(asked).post<{ key: Key }>(`/api/keys/${encodeURIComponent(asked.operands[0]!)}/revoke`, {})
    if (!revoked.ok) return refused(revoked.problem)
    const { id, revokedAt } = revoked.body.key
    return done(revoked.body, asked.lang === 'zh' ? `密钥 ${id} 已于 ${revokedAt} 吊销` : `The key ${id} was revoked at ${revokedAt}`)
  },
}

const STATES: Readonly<Record<Key['state'], { en: string; zh: string }>> = {
  live: { en: 'live', zh: '有效' }, ending: { en: 'ending', zh: '即将终止' }, ended: { en: 'ended', zh: '已终止' },
}

function stateOf(key: Key, lang: Lang): string {
  return STATES[key.state][lang]
}

function showNew(key: Key, secret: string | null, lang: Lang): string {
  const zh = lang === 'zh'
  return [
    zh ? '新密钥' : 'The new key',
    table([[zh ? '编号' : 'keyId', key.id], [zh ? '种类' : 'kind', key.kind], [zh ? '权限' : 'scopes', key.scopes.join(' ')], ...(secret === null ? [] : [[zh ? '密钥' : 'secret', secret]])]),
    ...(secret === null ? [] : [zh ? '密钥仅显示这一次，请立即妥善保存。' : 'The secret is shown this once: keep it now.']),
  ].join('\n')
}
