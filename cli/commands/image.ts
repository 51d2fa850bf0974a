import { readFileSync } from 'node:fs'
import { done, refused, WrongUsage, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'

const MOST_BYTES = 512 * 1024

export const setImage: Command = {
  name: 'goods image',
  who: 'operator',
  summary: { en: 'Give a good its picture', zh: '为商品设置图片' },
  operands: [{ name: 'CODE', what: { en: 'The code of the good.', zh: '商品编码。' } }, { name: 'FILE', what: { en: 'A PNG, JPEG, GIF or WebP of at most 512 KB.', zh: 'PNG、JPEG、GIF 或 WebP 图片，最大 512 KB。' } }],
  options: [],
  teaches: [{ en: 'The hub keeps the picture and serves it from its own address, because shops take pictures from nowhere else. What a file is, its first bytes say; SVG is refused.', zh: '图片由主站保存并以自身地址提供（店铺只接受同一地址的图片）。以文件头判断格式，不接受 SVG。' }],
  examples: [{ line: 'berth goods image junnet-10 junnet.png', what: { en: 'a picture for one good', zh: '为一个商品设置图片' } }],
  run: async (asked) => {
    const [code, file] = asked.operands as [string, string]
    let bytes: Buffer
    try {
      bytes = readFileSync(file)
    } catch (error) {
      throw new WrongUsage({ en: `${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`, zh: `无法读取 ${file}（${(error as NodeJS.ErrnoException).code}）。` })
    }
    if (bytes.byteLength > MOST_BYTES) throw new WrongUsage({ en: `${file} has ${bytes.byteLength} bytes; 524288 are taken.`, zh: `${file} 有 ${bytes.byteLength} 字节，最多 524288。` })
    const set = await operatorClient(asked).send<{ good: string; image: string }>(`/operator/goods/${encodeURIComponent(code)}/image`, bytes)
    if (!set.ok) return refused(set.problem)
    return done(set.body, asked.lang === 'zh' ? `商品 ${set.body.good} 的图片：${set.body.image}` : `The picture of ${set.body.good}: ${set.body.image}`)
  },
}
