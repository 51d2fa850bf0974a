import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cleanMarkup, isMarkup } from './markup.ts'

test('what a shop shows stays, what runs or leads astray goes', () => {
  const table: [string, string][] = [
    ['plain text & more\n1 < 2', 'plain text & more\n1 < 2'], ['<p>一 <b>二</b></p>', '<p>一 <b>二</b></p>'], ['<P CLASS="x" onclick="y()">a', '<p>a</p>'],
    ['a<script>alert(1)</script>b', 'ab'], ['<style>p{}</style>x', 'x'], ['<img src=x onerror=alert(1)>x', 'x'], ['<svg><a href="https://x">y</a></svg>z', 'z'], ['<script>never closed', ''],
    ['<a href="https://a.example/?b=1&c=2">x</a>', '<a href="https://a.example/?b=1&amp;c=2" rel="nofollow noopener">x</a>'], ['<a href="javascript:alert(1)">x</a>', '<a>x</a>'],
    ["<a href='http://a.example'>x", '<a href="http://a.example" rel="nofollow noopener">x</a>'], ['<a href=https://a.example>x</a>', '<a>x</a>'],
    ['<b><i>x</b>y</i>', '<b><i>x</i></b>y'], ['</p>x', 'x'], ['<br/>a<hr>', '<br>a<hr>'], ['<!-- c -->x<!doctype html>', 'x'], ['<!-- open', ''], ['<p', '<p></p>'], ['<p>a &lt; b &amp; c &copy', '<p>a &lt; b &amp; c &amp;copy</p>'],
    ['<iframe src="https://x"></iframe>x', 'x'], ['<scr<script>x</script>ipt>y', 'xipt&gt;y'],
  ]
  for (const [given, expected] of table) assert.equal(cleanMarkup(given), expected, given)
})

test('whatever is given, what comes out has kept elements only, is nested, and does not change when it is cleaned again', () => {
  const piece = fc.constantFrom('<p>', '</p>', '<b ', 'onload=x>', '<script>', '</script>', '<a href="https://x.example">', '</a>', '<a href="data:x">', '&', '&lt;', '"', "'", '>', '<', '<!--', '-->', 'text', '<svg/onload=x>', '<br>', '<ul><li>')
  fc.assert(fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
    const clean = cleanMarkup(`<p>${pieces.join('')}`)
    assert.match(clean, /^(?:[^<>]|<\/?(?:p|b|ul|li|a|br)>|<a href="https:\/\/x\.example" rel="nofollow noopener">)*$/)
    if (isMarkup(clean)) assert.equal(cleanMarkup(clean), clean)
  }))
})

test('a long text takes no long time', () => {
  for (const text of ['<'.repeat(20_000), '<a '.repeat(6_000), '<!--'.repeat(5_000), '<p>'.repeat(6_000), `<a href="${'&'.repeat(19_000)}">`]) assert.ok(cleanMarkup(text).length <= 120_000)
})
