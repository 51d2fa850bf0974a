import { test } from 'node:test'
import assert from 'node:assert/strict'
import { renderPage } from './pages.ts'

const PAGE = '# `terms.dumping`\n\ncommercial · HTTP 403\n\n## English\n\n### What it means\n\nSold below cost.\nFor days.\n\n## 中文\n\n### 这是什么意思\n\n低于成本。\n连续多日。\n'

test('a reason page shows the half of its reader first, under a title and a class in the same language', () => {
  const zh = renderPage('terms.dumping', PAGE, 'zh')
  assert.match(zh, /^<!doctype html><html lang="zh-CN">/)
  for (const text of ['<h1>低价倾销</h1>', '<code>terms.dumping</code> · 商业类 · HTTP 403 · 改正后可再试']) assert.ok(zh.includes(text), text)
  assert.ok(zh.indexOf('低于成本。') < zh.indexOf('Sold below cost.'))
  const en = renderPage('terms.dumping', PAGE, 'en')
  assert.match(en, /^<!doctype html><html lang="en">/)
  for (const text of ['<h1>Goods were dumped below cost</h1>', '<code>terms.dumping</code> · commercial · HTTP 403 · retry: after_change']) assert.ok(en.includes(text), text)
  assert.ok(en.indexOf('Sold below cost.') < en.indexOf('低于成本。'))
})

test('each half is said once, names its language and can be reached from the top', () => {
  for (const lang of ['en', 'zh'] as const) {
    const html = renderPage('terms.dumping', PAGE, lang)
    for (const text of ['Sold below cost.', '低于成本。', '>English</h2>', '>中文</h2>']) assert.equal(html.split(text).length, 2, text)
    assert.match(html, lang === 'zh' ? /<a href="#en" lang="en">English<\/a>/ : /<a href="#zh" lang="zh-CN">中文<\/a>/)
    assert.match(html, /<section id="en" lang="en"><h2>English<\/h2>/)
    assert.match(html, /<section id="zh" lang="zh-CN"><h2>中文<\/h2>/)
  }
})

test('lines of Chinese join without a blank, lines of English with one', () => {
  const html = renderPage('terms.dumping', PAGE, 'zh')
  assert.match(html, /低于成本。连续多日。/)
  assert.match(html, /Sold below cost\.\sFor days\./)
})
