/** The words of refusals about decisions and published texts, from English to Chinese; phrases.ts reads them with its own. */
export const DECISION_PHRASES: Readonly<Record<string, string>> = {
  // Published texts.
  'the kind that the versions before it have': '与此前各版本相同的类别',
  'none for a first version: a relief changes what stood before': '首版不可使用：让利是对原有内容的变更',
  'none for a rule without a least resale price': '不含最低转售价的规则不填写',
  'a version of a contract template': '合同模板的某一版本',
  'a time between the publication of the text and now': '文本公布之后、当前时间之前的时间',
  'lower-case letters, digits and hyphens': '小写字母、数字或连字符',
  'why it favours partners and nobody else': '仅对对接方有利的理由',
  'the law that allows it': '允许它的法律依据',
  'text that is not blank': '非空文字',
  '1 to {n} characters': '1 至 {n} 个字符',
  'a form of this site itself': '须由本站页面提交',
  'sec-fetch-site': '请求头 sec-fetch-site',
  '{n} comments a day': '每天 {n} 条意见',
  '{n} comments a minute': '每分钟 {n} 条意见',
}
