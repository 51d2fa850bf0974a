import type { KeyEvent, Letter, LetterContext } from './model.ts'
import { pick, writeTime } from './words.ts'

const DAY_MS = 86_400_000

/** A key that will end by itself, or that was ended. The letter names the key and never holds a secret. */
export function keyLetter(kind: 'key_ending' | 'key_revoked', { key, endsAt, by }: KeyEvent, { language, docking, at }: LetterContext): Letter {
  const say = pick(language)
  const ms = Date.parse(endsAt) - at.getTime()
  const left = Math.max(1, Math.ceil(ms / DAY_MS))
  const over = ms <= 0
  const revoked = kind === 'key_revoked'
  return {
    language,
    title: revoked ? say(`对接“${docking}”的密钥已吊销：${key}`, `A key of ${docking} was revoked: ${key}`)
      : over ? say(`对接“${docking}”的密钥已到期：${key}`, `A key of ${docking} has ended: ${key}`)
      : say(`对接“${docking}”的密钥 ${left} 天内到期：${key}`, `A key of ${docking} ends within ${left} ${left === 1 ? 'day' : 'days'}: ${key}`),
    standing: over || revoked ? { text: say('已失效', 'Ended'), tone: 'over' } : { text: say('即将到期', 'Ending'), tone: 'low' },
    lead: [
      revoked
        ? say('此后用该密钥发出的请求一律被拒绝。若不是您的操作，请立即联系主站运营人员。', 'Every request with this key is refused from now on. If it was not you, tell the operator of the main site at once.')
        : say('到期后用该密钥发出的请求一律被拒绝，请提前换用新密钥（berth keys roll，或联系主站运营人员）。', 'After that every request with this key is refused: change over to a new key in time (berth keys roll, or ask the operator of the main site).'),
      say('这是技术事项，不涉及处理决定；余额与在途订单不受影响。', 'This is a technical matter and no decision about you; your deposit and orders under way are not touched.'),
    ],
    short: revoked ? say(`技术：密钥 ${key} 已吊销 partners.key_revoked`, `Technical: key ${key} revoked, partners.key_revoked`) : say(`技术：密钥 ${key} 将到期 partners.key_expired`, `Technical: key ${key} ends, partners.key_expired`),
    sections: [{
      heading: say('密钥', 'The key'),
      rows: [
        { term: say('对接', 'Docking'), text: docking }, { term: say('密钥编号', 'Key'), text: key },
        { term: revoked ? say('吊销时间', 'Revoked') : say('到期时间', 'Ends'), text: writeTime(endsAt, language) },
        ...(by === null ? [] : [{ term: say('操作密钥', 'By the key'), text: by }]),
      ],
    }],
  }
}
