import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { mendingOf } from './reason-page.ts'
import { reasonCodes } from './reasons.ts'

const page = (code: string) => readFileSync(new URL(`../docs/reasons/${code}.md`, import.meta.url), 'utf8')

test('every page of a reason tells what helps in whole sentences of both languages, without marks', () => {
  for (const code of reasonCodes) {
    const { en, zh } = mendingOf(page(code))
    assert.ok(en.length >= 40 && en.length <= 1_000, `${code}: ${en.length} ${en}`)
    assert.ok((zh.match(/\p{Script=Han}/gu) ?? []).length >= 15 && zh.length <= 900, `${code}: ${zh}`)
    assert.doesNotMatch(en + zh, /[`*#]|\]\(/, code)
    assert.match(zh, /[。！？）”]$|[.!?]$/, `${code} ends in the middle: ${zh.slice(-30)}`)
  }
})

test('a section is taken from its own heading to the next, and commands are left out', () => {
  const text = '## English\n\n### How to mend it\n\n- Do **this**, see [there](x.md).\n\n```\nrm -rf\n```\n2. Then `that`.\n\n### How to appeal\n\nno\n\n## 中文\n\n### 如何解决\n\n先做这个。\n\n### 如何申诉\n\n无\n'
  assert.deepEqual(mendingOf(text), { en: 'Do this, see there. Then that.', zh: '先做这个。' })
})
