import { createServer, type Server, type ServerOptions } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { accept, refuse, type Outcome } from '../../protocol/outcome.ts'
import { mountedDockings } from '../domain/partners/index.ts'
import { finishAnswers } from './closing.ts'
import { ACG_MOUNT } from './dialects.ts'
import { answerSocketError, guardSockets } from './edge.ts'
import type { Hub, Mounts } from './hub.ts'

/** What stands at the root of a port of its own beside the docking: pictures and pick-up pages belong to the whole hub. */
const OF_THE_HUB = /^\/(images|o)\//

/** Dockings that are served at the root of a port of their own, for peers that take no path in an address. */
export class RootMounts implements Mounts {
  readonly #servers = new Map<string, { server: Server; port: number }>()
  readonly #app: FastifyInstance
  readonly #hub: Hub
  readonly #options: ServerOptions

  constructor(app: FastifyInstance, hub: Hub, options: ServerOptions) {
    this.#app = app
    this.#hub = hub
    this.#options = options
  }

  /** Listens for a docking; refuses `protocol.invalid_field` when the port is taken or may not be opened. */
  async open(docking: string, port: number): Promise<Outcome<null>> {
    if (this.#servers.get(docking)?.port === port) return accept(null)
    const server = createServer(this.#options, (request, response) => {
      const url = request.url ?? '/'
      // An address with a host of its own stays as it is, and is refused at the edge.
      if (url.startsWith('/') && !OF_THE_HUB.test(url)) request.url = `${ACG_MOUNT}${docking}${url}`
      this.#app.routing(request, response)
    })
    server.maxConnections = 1_024
    server.keepAliveTimeout = 30_000
    server.on('clientError', (error, socket) => answerSocketError(this.#hub, error as NodeJS.ErrnoException, socket as never))
    guardSockets(server, this.#hub)
    finishAnswers(server)
    try {
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, this.#hub.host, resolve))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error
      return refuse('protocol.invalid_field', { path: '/port', expected: 'a port that this machine has free' })
    }
    await this.close(docking)
    this.#servers.set(docking, { server, port })
    return accept(null)
  }

  async close(docking: string): Promise<void> {
    const known = this.#servers.get(docking)
    if (!known) return
    this.#servers.delete(docking)
    await new Promise<void>((resolve) => {
      known.server.close(() => resolve())
      known.server.closeIdleConnections()
    })
  }

  /** At the start of a life. A port that is taken meanwhile costs that docking its second address, not the hub its start. */
  async openAll(): Promise<void> {
    for (const docking of await mountedDockings(this.#hub.db)) {
      const opened = await this.open(docking.id, docking.port!)
      if (!opened.ok) this.#hub.log.error({ docking: docking.id, port: docking.port }, 'the port of a docking is taken; its path on the main port still serves it')
    }
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#servers.keys()].map((docking) => this.close(docking)))
  }
}
