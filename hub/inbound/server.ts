import type { Readable } from 'node:stream'
import swagger from '@fastify/swagger'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { refuse, type Refusal } from '../../protocol/outcome.ts'
import { limits } from '../kernel/limits.ts'
import { connectionsWithin, openFileLimit } from '../platform/open-files.ts'
import { finishAnswers } from './closing.ts'
import { acgRoutes, answerAcg, isAcg } from './dialects.ts'
import { answerSocketError, boundBody, edgeRefusal, guardSockets } from './edge.ts'
import type { Hub } from './hub.ts'
import { RootMounts } from './mounts.ts'
import { appealRoutes as operatorAppealRoutes } from './operator/appeals.ts'
import { bookRoutes } from './operator/books.ts'
import { logRoutes as operatorLogRoutes } from './operator/log.ts'
import { answerCases, isUnseen } from './operator/cases.ts'
import { findingRoutes } from './operator/findings.ts'
import { admissionRoutes } from './operator/conformance.ts'
import { noticeRoutes } from './operator/notices.ts'
import { decisionRoutes } from './operator/decisions.ts'
import { dialectRoutes, dockingRoutes as operatorDockingRoutes } from './operator/dockings.ts'
import { operatorDrillRoutes } from './operator/drills.ts'
import { cardRoutes, goodsRoutes as operatorGoodsRoutes, imageUploadRoutes } from './operator/goods.ts'
import { migrationRoutes } from './operator/migrations.ts'
import { orderRoutes as operatorOrderRoutes } from './operator/orders.ts'
import { personRoutes } from './operator/persons.ts'
import { priceRoutes } from './operator/prices.ts'
import { appealRoutes } from './partner/appeals.ts'
import { conformanceRoutes } from './partner/conformance.ts'
import { drillRoutes } from './partner/drills.ts'
import { rulebookRoutes } from './operator/rulebook.ts'
import { decisionRoutes as ownDecisionRoutes, dockingRoutes, reasonRoutes } from './partner/docking.ts'
import { contactRoutes } from './partner/contacts.ts'
import { fundsRoutes } from './partner/funds.ts'
import { goodsRoutes } from './partner/goods.ts'
import { keyRoutes } from './partner/keys.ts'
import { ownLogRoutes } from './partner/log.ts'
import { orderRoutes } from './partner/orders.ts'
import { requestRoutes } from './partner/requests.ts'
import { sandboxRoutes } from './partner/sandbox.ts'
import { commentRoutes } from './partner/rules.ts'
import { answerRefusal, refusalOfError } from './pipeline.ts'
import { doctorRoutes } from './public/doctor.ts'
import { figureRoutes } from './public/figures.ts'
import { badgeRoutes } from './public/badge.ts'
import { drillLogRoutes } from './public/drill-log.ts'
import { imageRoutes } from './public/images.ts'
import { linkRoutes } from './public/link.ts'
import { logPageRoutes } from './public/log-page.ts'
import { logRoutes } from './public/log.ts'
import { pickupRoutes } from './public/pickup.ts'
import { referenceRoutes } from './public/reference.ts'
import { openApiInfo, publicRoutes } from './public/routes.ts'
import { applicationRoutes, startRoutes } from './public/start.ts'
import { cutHeldLines } from './struck.ts'
import { ruleRoutes } from './public/rules.ts'

const HTTP = { maxHeaderSize: limits.headerBytes, headersTimeout: 10_000, connectionsCheckingInterval: 2_000, maxRequestsPerSocket: 0, requireHostHeader: false }

/** Builds the doors. Every route is named here; what each asks of its caller stands in its own line. */
export async function buildServer(hub: Hub): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: limits.requestBytes,
    // Heads are bounded by headersTimeout, bodies by boundBody: one bound for both would cut long imports.
    requestTimeout: 0,
    frameworkErrors: (error, request, reply) => void answerInItsWords(hub, request as FastifyRequest, reply as FastifyReply, refusalOfError(error)),
    clientErrorHandler: (error, socket) => answerSocketError(hub, error as NodeJS.ErrnoException, socket),
    keepAliveTimeout: 30_000,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    logger: false,
    genReqId: () => hub.ids.make('req', hub.clock.nowMs()),
    requestIdHeader: false,
    // A HEAD would run the handler and hand an order over without its cards.
    exposeHeadRoutes: false,
    trustProxy: hub.trustedProxies.length > 0 ? [...hub.trustedProxies] : false,
    routerOptions: { maxParamLength: 200 },
    http: HTTP as never,
  })
  app.server.maxConnections = connectionsWithin(openFileLimit())
  app.server.maxHeadersCount = 2_000
  guardSockets(app.server, hub)
  finishAnswers(app.server)

  // Bodies are handed on as bytes: signatures are made over bytes, and the strict readers are ours.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))

  app.addHook('onRequest', (request, reply, next) => {
    const refusal = edgeRefusal(request)
    if (refusal) answerInItsWords(hub, request, reply.header('connection', 'close'), refusal)
    else if (request.is404 && !isAcg(request)) answerCases(hub, request, reply).then((answered) => void (answered || next()), next)
    else next()
  })
  app.addHook('preParsing', (request, reply, payload, next) => {
    if (request.routeOptions.config.longBody !== true) boundBody(hub, request, reply, payload as Readable)
    next(null, payload)
  })
  app.addHook('onResponse', (request, reply, next) => {
    if (!isUnseen(request)) hub.metrics.requests.inc({ route: request.routeOptions.url ?? 'none', status: String(reply.statusCode) })
    next()
  })
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOfError(error, request.routeOptions.bodyLimit)
    if (refusal.code === 'platform.internal_error') hub.log.error({ err: error, requestId: request.id }, 'a bug')
    return answerInItsWords(hub, request, reply, refusal)
  })
  app.setNotFoundHandler(async (request, reply) => {
    const path = (request.raw.url ?? '').split('?')[0]!.slice(0, 200)
    const allowed = (['GET', 'POST', 'PUT', 'DELETE'] as const).filter((method) => app.findRoute({ method, url: path } as never) ?? matches(app, method, path))
    if (allowed.length > 0) {
      return answerRefusal(hub, request, reply.header('allow', allowed.join(', ')), refuse('protocol.method_not_allowed', { method: request.method, path, allowed: allowed.join(', ') }).refusal)
    }
    return answerInItsWords(hub, request, reply, refuse('protocol.route_not_found', { method: request.method, path }).refusal)
  })

  await app.register(swagger, { openapi: openApiInfo(hub.publicUrl) as never })
  await app.register(async (doors) => {
    publicRoutes(doors, hub)
    referenceRoutes(doors)
    linkRoutes(doors, hub)
    logRoutes(doors, hub)
    logPageRoutes(doors, hub)
    doctorRoutes(doors, hub)
    reasonRoutes(doors, hub)
    figureRoutes(doors, hub)
    dockingRoutes(doors, hub)
    ownDecisionRoutes(doors, hub)
    goodsRoutes(doors, hub)
    orderRoutes(doors, hub)
    sandboxRoutes(doors, hub)
    drillRoutes(doors, hub)
    drillLogRoutes(doors, hub)
    operatorDrillRoutes(doors, hub)
    applicationRoutes(doors, hub)
    conformanceRoutes(doors, hub)
    badgeRoutes(doors, hub)
    admissionRoutes(doors, hub)
    startRoutes(doors, hub)
    fundsRoutes(doors, hub)
    contactRoutes(doors, hub)
    appealRoutes(doors, hub)
    keyRoutes(doors, hub)
    requestRoutes(doors, hub)
    ownLogRoutes(doors, hub)
    ruleRoutes(doors, hub)
    commentRoutes(doors, hub)
    rulebookRoutes(doors, hub)
    acgRoutes(doors, hub)
    operatorDockingRoutes(doors, hub)
    dialectRoutes(doors, hub)
    operatorGoodsRoutes(doors, hub)
    priceRoutes(doors, hub)
    decisionRoutes(doors, hub)
    bookRoutes(doors, hub)
    operatorLogRoutes(doors, hub)
    personRoutes(doors, hub)
    noticeRoutes(doors, hub)
    operatorAppealRoutes(doors, hub)
    findingRoutes(doors, hub)
    operatorOrderRoutes(doors, hub)
    migrationRoutes(doors, hub)
    imageRoutes(doors, hub)
    pickupRoutes(doors, hub)
  })
  await app.register(async (doors) => {
    doors.removeAllContentTypeParsers()
    doors.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
    cardRoutes(doors, hub)
    imageUploadRoutes(doors, hub)
  })
  const mounts = new RootMounts(app, hub, { ...HTTP, requestTimeout: 0 } as never)
  hub.mounts = mounts
  app.addHook('onListen', () => mounts.openAll())
  app.addHook('preClose', async () => {
    cutHeldLines(hub)
    await mounts.closeAll()
  })
  return app
}

/** A refusal before any route, in the words of whoever stands behind the address: an acg-faka shop reads only its own. */
function answerInItsWords(hub: Hub, request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  return isAcg(request) ? answerAcg(reply, refusal) : answerRefusal(hub, request, reply, refusal)
}

/** Whether a path with parameters is served under this method. */
function matches(app: FastifyInstance, method: string, path: string): boolean {
  return routesOf(app).some((route) => route.method === method && route.pattern.test(path))
}

const known = new WeakMap<FastifyInstance, { method: string; pattern: RegExp }[]>()

function routesOf(app: FastifyInstance): { method: string; pattern: RegExp }[] {
  let routes = known.get(app)
  if (!routes) {
    const document = (app as unknown as { swagger(): { paths: Record<string, Record<string, unknown>> } }).swagger()
    routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase(), pattern: new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}$`) })))
    known.set(app, routes)
  }
  return routes
}
