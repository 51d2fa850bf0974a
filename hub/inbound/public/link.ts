import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { reasonOf } from '../../../protocol/reasons.ts'
import { accept, refuse, type Outcome, type Refusal } from '../../../protocol/outcome.ts'
import { fileAppeal, FILE_BYTES_MAX, EVIDENCE_AT_ONCE, giveEvidence, withdrawAppeal, type Appeal, type Appellant } from '../../domain/appeals/index.ts'
import type { Language } from '../../domain/letters/index.ts'
import type { LinkPage } from '../../domain/notices/index.ts'
import { escapeHtml } from '../../kernel/html.ts'
import { limits } from '../../kernel/limits.ts'
import { visitorOf } from '../address.ts'
import type { Hub } from '../hub.ts'
import { refusalOfError } from '../pipeline.ts'
import { formOf, readForm, type Deed, type Filled } from './appeal-form.ts'
import { askedLanguage, preferred, refuseTo, sentenceOf, show, simple } from './letter-page.ts'
import { isOwnForm } from './own-form.ts'

const NOT_FOUND: Readonly<Record<Language, readonly [title: string, text: string]>> = {
  'zh-CN': ['链接无效或已过期', '没有与此链接对应的通知。链接在处理决定终止 90 天后失效，联系人被移除后也会失效。如需查看，请联系主站运营人员。'],
  en: ['The link is not valid, or has run out', 'No notice belongs to this link. A link ends 90 days after its decision has ended, and when its contact is removed. To read on, ask the operator of the main site.'],
}

/** What a person reads who was sent a link, and the form by which he or she may appeal: no docking, no key, no cookie, no script. */
export function linkRoutes(app: FastifyInstance, hub: Hub): void {
  app.get('/n/:token', { schema: { hide: true } as never }, async (request, reply) => {
    const opened = await openFor(hub, request, reply)
    if (!('page' in opened)) return opened
    const { done } = request.query as { done?: unknown }
    return showPage(hub, request, reply, opened.page, 200, { done: done === '1' })
  })

  app.post('/n/:token/appeal', {
    schema: { hide: true } as never, bodyLimit: EVIDENCE_AT_ONCE * FILE_BYTES_MAX + limits.requestBytes,
    // Asked before a byte of the body is read: nobody without a link makes the hub hold a megabyte.
    onRequest: async (request, reply) => {
      const sender = `f ${visitorOf(request)}`
      hub.limiter.failed(sender, hub.clock.nowMs())
      const admitted = hub.limiter.admits(sender, hub.clock.nowMs())
      const language = askedLanguage(request) ?? preferred(request)
      if (!admitted.ok) {
        const { retryAfterS = 60 } = admitted.refusal
        return refuseTo(hub, request, reply.header('connection', 'close'), language, refuse('platform.rate_limited', { allowed: `${hub.limiter.options.failuresPerMinute} forms a minute`, retryAfterS }, { retryAfterS }).refusal)
      }
      if (!isOwnForm(request, hub.publicUrl)) return refuseTo(hub, request, reply.header('connection', 'close'), language, refuse('protocol.invalid_field', { path: '/origin', expected: 'a form that is sent from this page' }).refusal)
      const opened = await openFor(hub, request, reply.header('connection', 'close'))
      if (!('page' in opened)) return opened
      reply.removeHeader('connection')
      return undefined
    },
    errorHandler: (error, request, reply) => {
      const refusal = refusalOfError(error, request.routeOptions.bodyLimit)
      if (refusal.code === 'platform.internal_error') hub.log.error({ err: error, requestId: request.id }, 'a bug')
      return refuseTo(hub, request, reply, askedLanguage(request) ?? preferred(request), refusal)
    },
  }, async (request, reply) => {
    const opened = await openFor(hub, request, reply)
    if (!('page' in opened)) return opened
    const { page } = opened
    const read = await readForm(request.headers['content-type'] ?? '', (request.body as Buffer | undefined) ?? Buffer.alloc(0))
    const done = read.ok ? await act(hub, page, read.value) : read
    if (!done.ok) return showPage(hub, request, reply, page, reasonOf(done.refusal.code).status, { refusal: done.refusal, ...(read.ok ? { filled: read.value } : {}) })
    const { token } = request.params as { token: string }
    return reply.code(303).header('cache-control', 'no-store').header('location', `/n/${encodeURIComponent(token)}?done=1&lang=${page.letter.language}`).send()
  })
}

/** What the form asks for, done in the name of the docking that the link is about. */
async function act(hub: Hub, { matter }: LinkPage, { deed, text, evidence }: Filled): Promise<Outcome<Appeal>> {
  if (!matter) return refuse('protocol.invalid_field', { path: '/deed', expected: 'a form of this page' })
  const who: Appellant = { lane: matter.lane, docking: matter.docking, via: 'link', by: matter.contact, isOwnHand: matter.isOwnHand, isSandbox: matter.isSandbox }
  const open = matter.open
  const deeds: Record<Deed, () => Promise<Outcome<Appeal>>> = {
    file: () => fileAppeal(hub, who, { id: hub.ids.make('apl', hub.clock.nowMs()), decision: matter.decision, text, evidence }),
    give: async () => (open ? giveEvidence(hub, who, open, text, evidence) : nothingOpen()),
    withdraw: async () => (open ? withdrawAppeal(hub, who, open) : nothingOpen()),
  }
  return deeds[deed]()
}

function nothingOpen(): Outcome<never> {
  return refuse('protocol.invalid_field', { path: '/deed', expected: 'a form of this page' })
}

type Shown = { done?: boolean; refusal?: Refusal; filled?: Filled }

function showPage(hub: Hub, request: FastifyRequest, reply: FastifyReply, page: LinkPage, status: number, { done, refusal, filled }: Shown): FastifyReply {
  const { language, title } = page.letter
  if (refusal) hub.metrics.refusals.inc({ code: refusal.code, class: reasonOf(refusal.code).class })
  if (refusal?.retryAfterS !== undefined) reply.header('retry-after', String(refusal.retryAfterS))
  const { token } = request.params as { token: string }
  const form = page.matter ? formOf({ action: `/n/${token}/appeal?lang=${language}`, language, matter: page.matter, filled: filled ?? null }) : ''
  const said = refusal ? `<p class="wrong" role="alert">${escapeHtml(sentenceOf(request, refusal, language))}</p>`
    : done && page.matter ? `<p class="done" role="status">${language === 'zh-CN' ? '已收到。最新状态见下方“申诉”。' : 'It was received. How the appeal stands is shown below.'}</p>` : ''
  // What is under way stands in front, and what may be begun at the end, with a way to it from the top.
  const jump = form === '' ? '' : `<p class="jump"><a href="#appeal">${language === 'zh-CN' ? '不服此决定？在此申诉' : 'Is it wrong? Appeal here'}</a></p>`
  const parts = page.matter?.open ? [page.head, said, page.appeals, form, page.body] : [page.head, said, jump, page.body, page.appeals, form]
  return show(reply, status, language, title, parts.filter(Boolean).join('\n'), form !== '')
}

/** The page behind a link, or the answer to whoever has none. */
async function openFor(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<{ page: LinkPage } | FastifyReply> {
  const { token } = request.params as { token: string }
  const asked = askedLanguage(request)
  const language = asked ?? preferred(request)
  try {
    const page = await hub.notices.open(token, asked)
    if (page) return { page }
  } catch (error) {
    const refusal = refusalOfError(error)
    if (refusal.code === 'platform.internal_error') hub.log.error({ err: error, requestId: request.id }, 'a bug')
    return refuseTo(hub, request, reply, language, refusal)
  }
  // A right link always opens, however often others have guessed from behind the same address; guesses are counted apart from sign-ins.
  const admitted = guess(hub, request)
  if (!admitted.ok) return refuseTo(hub, request, reply, language, admitted.refusal)
  const [title, text] = NOT_FOUND[language]
  return show(reply, 404, language, title, simple(title, text))
}

function guess(hub: Hub, request: FastifyRequest): Outcome<null> {
  const guesser = `n ${visitorOf(request)}`
  hub.limiter.failed(guesser, hub.clock.nowMs())
  const admitted = hub.limiter.admits(guesser, hub.clock.nowMs())
  if (admitted.ok) return accept(null)
  const { retryAfterS = 60 } = admitted.refusal
  return refuse('platform.rate_limited', { allowed: `${hub.limiter.options.failuresPerMinute} wrong links a minute`, retryAfterS }, { retryAfterS })
}
