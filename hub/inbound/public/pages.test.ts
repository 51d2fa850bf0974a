import { test } from 'node:test'
import assert from 'node:assert/strict'
import { renderPage } from './pages.ts'

const PAGE = '# `terms.dumping`\n\ncommercial · HTTP 403\n\n## English\n\n### What it means\n\nSold below cost.\n\n## 中文\n\n### 这是什么意思\n\n低于成本。\n'

test('a reason page shows the half of its reader first and keeps the other one', () => {
  const zh = renderPage('低价倾销', PAGE, 'zh')
  assert.match(zh, /^<!doctype html><html lang="zh-CN">/)
  assert.ok(zh.indexOf('低于成本。') < zh.indexOf('Sold below cost.'))
  const en = renderPage('Goods were dumped', PAGE, 'en')
  assert.match(en, /^<!doctype html><html lang="en">/)
  assert.ok(en.indexOf('Sold below cost.') < en.indexOf('低于成本。'))
})

test('each half is said once, names its language and can be reached from the top', () => {
  for (const lang of ['en', 'zh'] as const) {
    const html = renderPage('x', PAGE, lang)
    for (const text of ['Sold below cost.', '低于成本。', 'HTTP 403', '>English</h2>', '>中文</h2>']) assert.equal(html.split(text).length, 2, text)
    assert.match(html, lang === 'zh' ? /<a href="#en" lang="en">English<\/a>/ : /<a href="#zh" lang="zh-CN">中文<\/a>/)
    assert.match(html, /<section id="en" lang="en"><h2>English<\/h2>/)
    assert.match(html, /<section id="zh" lang="zh-CN"><h2>中文<\/h2>/)
  }
})
