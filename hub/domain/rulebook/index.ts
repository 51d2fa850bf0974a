export { TEXT_KINDS, type Comment, type Contract, type PublishAsk, type RuleText, type TextKind } from './model.ts'
export { hashedForm, inForce, mayGround } from './rules.ts'
export { comment, commentsOn, contractsOf, findTexts, newestCommentsOn, publish, recordContract, shelf, versionsOf } from './service.ts'
