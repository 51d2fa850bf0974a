import type { FastifyInstance } from 'fastify'
import { REFERENCE } from '../../../protocol/messages.ts'
import { Type } from '../../../protocol/schema.ts'
import { formatAmount } from '../../../protocol/money.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { parseTime } from '../../../protocol/time.ts'
import {
  addGroup, applyChange, cancelChange, checkPrices, countsOf, placeDocking, previewChange, readFormula, setLevel, setRule, type ChangeAsk, type ChangeResult, type Wording,
} from '../../domain/pricing/index.ts'
import {
  loadChange, loadChanges, loadGroups, loadHistory, loadLevels, loadRules, loadWholeHistory, readChanges, readHistory, readRules, showFormula, type HistoryEntry, type StoredChange,
} from '../../domain/terms/index.ts'
import { limits } from '../../kernel/limits.ts'
import type { Hub } from '../hub.ts'
import { findPriced, Note, withDocking } from './dockings.ts'
import { addOperatorRoute } from './route.ts'

const closed = { additionalProperties: false }
const GroupName = Type.String({ minLength: 1, maxLength: 64, pattern: '^[^\\u0000-\\u001f\\u007f<>]+$', title: 'text without control characters, < or >' })
const Subject = Type.String({ minLength: 1, maxLength: 128 })
const Word = Type.Optional(Type.String({ maxLength: 20 }))
const Formula = Type.Object({ factor: Word, percent: Word, add: Word, set: Word, round: Word }, closed)
const Limit = Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,2}$', title: 'a whole number from 1 to 999, in digits' }))
const MOST_DAYS_AHEAD = 366
const DAY_MS = 86_400_000

const Change = Type.Object({
  selector: Type.Optional(Type.Object({
    category: Type.Optional(Subject), codes: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: limits.priceChangeGoods })),
    group: Type.Optional(GroupName), level: Type.Optional(GroupName), docking: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  }, closed)),
  change: Type.Optional(Formula),
  rows: Type.Optional(Type.Array(Type.Object({
    code: Type.String({ maxLength: 64 }), price: Type.String({ maxLength: 20 }), line: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000 })),
  }, closed), { minItems: 1, maxItems: limits.priceChangeGoods })),
  at: Type.Optional(Type.String({ maxLength: 40 })),
  note: Type.Optional(Note),
  allowBelowCost: Type.Optional(Type.Boolean()),
  dryRun: Type.Optional(Type.Boolean()),
  reference: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: REFERENCE, title: 'a letter or digit, then letters, digits or . _ : @ # + = ~ / -' })),
}, closed)

const Rule = Type.Object({
  scope: Type.Union([Type.Literal('all'), Type.Literal('category'), Type.Literal('good')]), subject: Type.Optional(Subject),
  basis: Type.Optional(Type.Union([Type.Literal('list'), Type.Literal('cost')])), belowCost: Type.Optional(Type.Boolean()),
  formula: Type.Union([Formula, Type.Null()]), note: Type.Optional(Note), dryRun: Type.Optional(Type.Boolean()),
}, closed)

export function priceRoutes(app: FastifyInstance, hub: Hub): void {
  groupRoutes(app, hub)
  changeRoutes(app, hub)

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/prices/history', summary: 'Who changed which price, when and why, newest first: of a good, a docking, a price group, or all',
    query: Type.Object({ good: Type.Optional(Type.String({ maxLength: 64 })), docking: Type.Optional(Type.String({ maxLength: 64 })), group: Type.Optional(GroupName), before: Type.Optional(Type.String({ pattern: '^\\d{1,18}\\.\\d{1,9}$', title: 'a cursor that the list before answered' })), limit: Limit }, closed),
    handler: async ({ query }) => {
      const { docking, group, good: named } = query
      if ([docking, group, named].filter((name) => name !== undefined).length > 1) return refuse('protocol.invalid_field', { path: '?/good', expected: 'one of good, docking and group, or none' })
      const good = named === undefined ? undefined : await findPriced(hub, named)
      if (named !== undefined && !good) return refuse('catalogue.good_not_found', { good: named })
      const [position, line] = (query.before ?? '9223372036854775807.0').split('.') as [string, string]
      const before = { position: BigInt(position), line: Number(line) }
      const limit = pageLimit(query.limit)
      const about = good ? { good: good.id } : docking !== undefined ? { docking } : group !== undefined ? { group } : null
      const entries = readHistory(await hub.db.run(about ? loadHistory(about, before, limit) : loadWholeHistory(before, limit)))
      const last = entries.at(-1)
      return accept({ status: 200, body: { items: entries.map(entryView), next: entries.length === limit && last ? `${last.position}.${last.line}` : null } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/prices/check', summary: 'Rules below cost or without a cost, and own prices that are no better than what everybody gets',
    query: Type.Object({ limit: Limit }, closed),
    handler: async ({ query }) => {
      const { findings, more } = await checkPrices(hub.db, pageLimit(query.limit))
      return accept({ status: 200, body: { ok: findings.length === 0, findings, more } })
    },
  })
}

function groupRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/prices/groups', summary: 'Add a price group', body: Type.Object({ name: GroupName, note: Type.Optional(Note) }, closed),
    handler: async ({ body }) => {
      const { added } = await addGroup(hub.db, body.name, body.note ?? '')
      return accept({ status: added ? 201 : 200, body: { name: body.name, added } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/prices/groups', summary: 'All price groups by name, with the levels that lead to them', query: Type.Object({ after: Type.Optional(GroupName), limit: Limit }, closed),
    handler: async ({ query }) => {
      const limit = pageLimit(query.limit)
      const items = (await hub.db.run(loadGroups(query.after ?? '', limit))).map((row) => ({ name: row[0] as string, note: row[1], since: (row[2] as Date).toISOString(), rules: row[3], levels: row[4] }))
      return accept({ status: 200, body: { items, next: items.length === limit ? items.at(-1)!.name : null } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/prices/groups/:group/rules', summary: 'The rules of a price group: for all, by category, by good',
    query: Type.Object({ after: Type.Optional(Type.String({ maxLength: 160, pattern: '^(all|category|good) ', title: 'a cursor that the list before answered' })), limit: Limit }, closed),
    handler: async ({ query, params }) => {
      const limit = pageLimit(query.limit)
      const at = query.after?.indexOf(' ') ?? 0
      const rules = readRules(await hub.db.run(loadRules(params.group!, { scope: query.after?.slice(0, at) ?? '', subject: query.after?.slice(at + 1) ?? '' }, limit)))
      const last = rules.at(-1)
      const items = rules.map(({ scope, subject, formula }) => ({
        scope, subject, says: showFormula(formula), basis: formula.basis, factor: formatAmount(formula.factorPpm), add: formatAmount(formula.additionMicro), round: formatAmount(formula.stepMicro), belowCost: formula.belowCost,
      }))
      return accept({ status: 200, body: { items, next: rules.length === limit && last ? `${last.scope} ${last.subject}` : null } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/prices/groups/:group/rules', summary: 'Give a price group a rule, or take it away', body: Rule,
    handler: async ({ body, params, by }) => {
      if ((body.scope === 'all') !== (body.subject === undefined)) return refuse('protocol.invalid_field', { path: '/subject', expected: 'a category or the code of a good; nothing where the rule is for all' })
      const formula = body.formula === null ? null : readFormula(body.formula as Wording, { basis: body.basis === 'cost' ? 'cost' : 'list', belowCost: body.belowCost ?? false })
      if (formula && !formula.ok) return formula
      const good = body.scope === 'good' ? await findPriced(hub, body.subject!) : null
      if (good === undefined) return refuse('catalogue.good_not_found', { good: body.subject!.slice(0, 64) })
      const rule = { group: params.group!, scope: body.scope as 'all', subject: good ?? body.subject ?? '', formula: formula?.value ?? null }
      const set = await setRule(hub.db, rule, { by, note: body.note ?? '', dryRun: body.dryRun ?? false })
      return set.ok ? accept({ status: 200, body: { group: params.group, scope: body.scope, subject: body.subject ?? '', says: rule.formula && showFormula(rule.formula), ...set.value, dryRun: body.dryRun ?? false } }) : set
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/prices/levels', summary: 'Add a level, or let it lead to another price group', body: Type.Object({ name: GroupName, group: Type.Union([GroupName, Type.Null()]), note: Type.Optional(Note) }, closed),
    handler: async ({ body, by }) => {
      const set = await setLevel(hub.db, body.name, body.group, { by, note: body.note ?? '' })
      return set.ok ? accept({ status: 200, body: set.value }) : set
    },
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/prices/levels', summary: 'All levels by name', query: Type.Object({ after: Type.Optional(GroupName), limit: Limit }, closed),
    handler: async ({ query }) => {
      const limit = pageLimit(query.limit)
      const items = (await hub.db.run(loadLevels(query.after ?? '', limit))).map((row) => ({ name: row[0] as string, group: row[1] }))
      return accept({ status: 200, body: { items, next: items.length === limit ? items.at(-1)!.name : null } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings/:docking/prices', summary: 'Level and price group of a docking; null takes one away',
    body: Type.Object({ level: Type.Optional(Type.Union([GroupName, Type.Null()])), group: Type.Optional(Type.Union([GroupName, Type.Null()])), note: Type.Optional(Note) }, closed),
    handler: ({ body, params, by }) => withDocking(hub, params.docking!, async (docking) => {
      const placed = await placeDocking(hub.db, docking, { level: body.level as string | null | undefined, group: body.group as string | null | undefined }, { by, note: body.note ?? '' })
      return placed.ok ? accept({ status: 200, body: { docking: docking.id, ...placed.value } }) : placed
    }),
  })
}

function changeRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/prices/changes', summary: 'Change many prices at once: preview, apply, or keep for later', body: Change, bodyLimit: limits.importBytes,
    handler: async ({ body, by }) => {
      if ((body.change === undefined) === (body.rows === undefined)) return refuse('protocol.invalid_field', { path: '/change', expected: 'either change or rows' })
      if (body.rows !== undefined && body.selector?.codes !== undefined) return refuse('protocol.invalid_field', { path: '/selector/codes', expected: 'no codes beside rows, which name their own' })
      const due = readDue(body.at, hub.clock.nowMs())
      if (!due.ok) return due
      const ask: ChangeAsk = {
        selector: (body.selector ?? {}) as ChangeAsk['selector'], change: (body.change as Wording | undefined) ?? null, rows: body.rows ?? null,
        allowBelowCost: body.allowBelowCost ?? false, note: body.note ?? '', by,
      }
      if (body.dryRun) {
        const preview = await previewChange(hub.db, ask)
        return preview.ok ? accept({ status: 200, body: { id: null, state: 'preview', at: due.value?.toISOString() ?? null, ...resultView(preview.value) } }) : preview
      }
      const applied = await applyChange(hub.db, ask, { id: hub.ids.make('chg', hub.clock.nowMs()), reference: body.reference ?? null, dueAt: due.value })
      if (!applied.ok) return applied
      const { stored, result, replayed } = applied.value
      return accept({ status: replayed ? 200 : 201, body: { id: stored.id, state: stored.state, at: stored.dueAt.toISOString(), replayed, ...(result ? resultView(result) : { counts: stored.outcome, rows: [], errors: [] }) } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/prices/changes', summary: 'Changes of prices, newest first',
    query: Type.Object({
      state: Type.Optional(Type.Union(['scheduled', 'applied', 'cancelled', 'refused'].map((state) => Type.Literal(state)))), before: Type.Optional(Type.String({ maxLength: 40 })), limit: Limit,
    }, closed),
    handler: async ({ query }) => {
      const limit = pageLimit(query.limit)
      const changes = readChanges(await hub.db.run(loadChanges(query.state ?? null, query.before ?? '~', limit)))
      return accept({ status: 200, body: { items: changes.map(changeView), next: changes.length === limit ? changes.at(-1)!.id : null } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/prices/changes/:change', summary: 'One change of prices, with the rows that it names',
    handler: async ({ params }) => {
      const stored = readChanges(await hub.db.run(loadChange(params.change!)))[0]
      return stored ? accept({ status: 200, body: { ...changeView(stored), rows: stored.rows } }) : refuse('terms.price_change_not_found', { change: params.change!.slice(0, 64) })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/prices/changes/:change/cancel', summary: 'Take back a change that waits for its time', body: Type.Object({ note: Type.Optional(Note) }, closed),
    handler: async ({ body, params, by }) => {
      const cancelled = await cancelChange(hub.db, params.change!, by, body.note ?? '')
      return cancelled.ok ? accept({ status: 200, body: changeView(cancelled.value) }) : cancelled
    },
  })
}

function readDue(at: string | undefined, nowMs: number): Outcome<Date | null> {
  if (at === undefined) return accept(null)
  const dueMs = parseTime(at)
  const isRight = dueMs !== null && dueMs > nowMs && dueMs < nowMs + MOST_DAYS_AHEAD * DAY_MS
  return isRight ? accept(new Date(dueMs)) : refuse('protocol.invalid_field', { path: '/at', expected: 'a time to come within a year, in RFC 3339' })
}

function resultView(result: ChangeResult) {
  return {
    counts: countsOf(result), errors: result.errors,
    rows: result.lines.map(({ good, code, oldMicro, newMicro, costMicro, belowCost, worse }) => ({
      good, code, old: formatAmount(oldMicro), new: formatAmount(newMicro), cost: costMicro === null ? null : formatAmount(costMicro), belowCost, worseThanPublished: worse,
    })),
  }
}

function changeView({ id, reference, state, dueAt, ask, by, madeAt, endedAt, outcome }: StoredChange) {
  return { id, reference, state, at: dueAt.toISOString(), by, madeAt: madeAt.toISOString(), endedAt: endedAt?.toISOString() ?? null, ...(ask as object), outcome }
}

function entryView({ position, line, at, ...entry }: HistoryEntry) {
  return { entry: `${position}.${line}`, at: at.toISOString(), ...entry }
}

function pageLimit(text: string | undefined): number {
  return Math.min(Number(text ?? 100), limits.pageItems)
}
