import { done, refused, WrongUsage, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { table } from '../screen.ts'
import { readPublicKey } from '../text-file.ts'
import { dockingOperand, findDocking } from './docking.ts'
import { readTime, timeForm } from './time.ts'

export const addKey: Command = {
  name: 'key add',
  who: 'operator',
  summary: { en: 'Add a key to a docking, beside those that live', zh: '为对接新增密钥，旧密钥继续有效' },
  operands: [dockingOperand],
  options: [
    { name: 'kind', value: 'KIND', isRequired: true, unless: 'read-only', oneOf: ['hmac-sha256', 'ed25519', 'bearer', 'acg'], what: { en: 'hmac-sha256 and ed25519 sign requests, bearer reads, acg is for acg-faka shops.', zh: 'hmac-sha256、ed25519 用于签名，bearer 用于只读，acg 用于异次元发卡。' } },
    { name: 'public-key', value: 'FILE', what: { en: "ed25519: the partner's public key in PEM.", zh: 'ed25519：对接方公钥文件（PEM）。' } },
    { name: 'scope', value: 'SCOPE', isMany: true, what: { en: 'What the key may do, such as goods:read; without any, everything a partner may.', zh: '密钥权限，如 goods:read，可多次给出；不填则为全部。' } },
    { name: 'read-only', what: { en: 'A bearer key with the scope docking:read: it looks at the docking, its report, decisions and log, and at nothing else.', zh: '只读密钥：bearer 加 docking:read 权限，只能查看对接、体检报告、处理决定与日志。' } },
  ],
  teaches: [{
    en: 'For an owner whose software shows nothing: --read-only makes a key that opens GET /api/docking, /api/docking/report, /api/decisions and /api/log, and may appeal; it sees no goods, orders or money and changes nothing else.',
    zh: '店铺软件不显示消息时，可用 --read-only 为店主签发只读密钥：能查看对接、体检报告、处理决定与日志，并可申诉；看不到商品、订单和资金，也不能作其他更改。',
  }, {
    en: 'To roll a key: add the new one, let the partner switch over, then end the old one. Both work in between, so nothing is refused.',
    zh: '轮换密钥：先新增，待对接方切换后再停用旧的；期间两把都有效，不会中断。',
  }],
  examples: [
    { line: 'berth key add dck_01jd… --kind hmac-sha256', what: { en: 'a second signing key', zh: '新增一把签名密钥' } },
    { line: 'berth key add dck_01jd… --kind ed25519 --public-key partner.pem', what: { en: 'a key whose secret never leaves the partner', zh: '私钥不离开对接方的密钥' } },
    { line: 'berth key add shop-1 --read-only', what: { en: 'for the owner of a shop whose software shows nothing', zh: '店铺软件不显示消息，给店主一把只读密钥' } },
    { line: 'berth key add dck_01jd… --kind bearer --scope goods:read --scope docking:read', what: { en: 'a key that can only look at goods too', zh: '可再查看商品的只读密钥' } },
  ],
  run: async (asked) => {
    const readOnly = asked.option('read-only') !== undefined
    if (readOnly && (asked.option('kind') ?? 'bearer') !== 'bearer') throw new WrongUsage({ en: '--read-only makes a bearer key, no other kind.', zh: '--read-only 只生成 bearer 密钥。' })
    if (readOnly && asked.all('scope').length > 0) throw new WrongUsage({ en: '--read-only is the scope docking:read alone: leave --scope out.', zh: '--read-only 即只有 docking:read，请勿再给 --scope。' })
    const kind = asked.option('kind') ?? 'bearer'
    const file = asked.option('public-key')
    if ((kind === 'ed25519') !== (file !== undefined)) {
      throw new WrongUsage({ en: '--public-key FILE goes with --kind ed25519, and only with it.', zh: '--public-key 文件 须与 --kind ed25519 一起使用。' })
    }
    const client = operatorClient(asked)
    const scopes = readOnly ? ['docking:read'] : asked.all('scope').flatMap((text) => text.split(','))
    const body = { kind, publicKey: file === undefined ? undefined : readPublicKey(file), scopes: scopes.length > 0 ? scopes : undefined }
    const docking = await findDocking(client, asked.operands[0]!)
    if (!docking.ok) return refused(docking.problem)
    const added = await client.post<{ keyId: string; secret: string | null }>(`/operator/dockings/${docking.id}/keys`, body)
    if (!added.ok) return refused(added.problem)
    const { keyId, secret } = added.body
    const zh = asked.lang === 'zh'
    return done(added.body, [
      zh ? '已新增密钥' : 'The key is added',
      table([[zh ? '编号' : 'keyId', keyId], ...(secret === null ? [] : [[zh ? '密钥' : 'secret', secret]])]),
      ...(secret === null ? [] : [zh ? '密钥仅显示这一次，请立即妥善保存。' : 'The secret is shown this once: keep it now.']),
    ].join('\n'))
  },
}

export const endKey: Command = {
  name: 'key end',
  who: 'operator',
  summary: { en: 'Revoke a key at once, or let it expire at a time', zh: '立即吊销密钥，或设定到期时间' },
  operands: [{ name: 'KEY', what: { en: 'The id of the key, key_….', zh: '密钥编号，key_…。' } }],
  options: [{ name: 'at', value: 'TIME', what: { en: `When it expires (${timeForm.en}); without it the key is revoked now and for ever.`, zh: `到期时间（${timeForm.zh}）；不填则立即永久吊销。` } }],
  teaches: [{ en: 'A leaked key is ended without --at. Other keys of the docking go on.', zh: '密钥外泄时不带 --at 立即吊销；该对接的其他密钥不受影响。' }],
  examples: [
    { line: 'berth key end key_01jd…', what: { en: 'it leaked', zh: '密钥外泄' } },
    { line: 'berth key end key_01jd… --at 2027-01-31T16:00:00Z', what: { en: 'it was replaced; the partner has until then', zh: '已换新，旧密钥用到此时' } },
  ],
  run: async (asked) => {
    const ended = await operatorClient(asked).post<{ keyId: string; endsAt: string }>(`/operator/keys/${encodeURIComponent(asked.operands[0]!)}/end`, { at: readTime('at', asked.option('at')) })
    if (!ended.ok) return refused(ended.problem)
    const { keyId, endsAt } = ended.body
    return done(ended.body, asked.lang === 'zh' ? `密钥 ${keyId} 的终止时间：${endsAt}` : `The key ${keyId} ends at ${endsAt}`)
  },
}
