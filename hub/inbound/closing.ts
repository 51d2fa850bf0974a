import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** How long a client may take to read the last answers before the lines are cut. */
const READ_WITHIN_MS = 10_000

/**
 * Lets a stopping server finish what it has answered. Node takes a connection for idle once its answer was ended, also
 * while megabytes of it still wait for a slow reader, and would cut them off.
 */
export function finishAnswers(server: Server): void {
  /** Answers under way by connection. */
  const under = new Map<Socket, number>()
  let isClosing = false
  server.on('connection', (socket: Socket) => {
    under.set(socket, 0)
    socket.once('close', () => under.delete(socket))
  })
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    if (!under.has(socket)) return
    under.set(socket, under.get(socket)! + 1)
    response.once('close', () => {
      const left = (under.get(socket) ?? 1) - 1
      if (under.has(socket)) under.set(socket, left)
      if (isClosing && left === 0) socket.destroySoon()
    })
  })
  // Called by the server's own close().
  server.closeIdleConnections = () => {
    for (const [socket, answers] of under) if (answers === 0) socket.destroy()
    if (isClosing) return
    isClosing = true
    setTimeout(() => under.forEach((_, socket) => socket.destroy()), READ_WITHIN_MS).unref()
  }
}
