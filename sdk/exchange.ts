/** The part of the platform's fetch that is used. */
export type Fetch = typeof globalThis.fetch

export type Sent = {
  readonly method: string
  readonly url: URL
  readonly headers: Record<string, string>
  readonly body: Uint8Array<ArrayBuffer> | null
}
export type Received = { readonly status: number; readonly headers: Headers; readonly text: string }

/** Far above a page of 500 goods or an order of 1000 cards: what is longer is not a hub's answer. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

/**
 * One request and its whole answer, within the time. Throws whatever kept the answer away, TooLate and TooLarge among it;
 * the reason of `signal` when the caller gave up.
 */
export async function exchange(fetch: Fetch, { method, url, headers, body }: Sent, timeoutMs: number, signal: AbortSignal | undefined): Promise<Received> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new TooLate(`no whole answer within ${timeoutMs} ms`)), timeoutMs)
  const giveUp = () => controller.abort(signal?.reason)
  signal?.addEventListener('abort', giveUp, { once: true })
  try {
    // A redirect is not followed: the signature names this host and path and is nobody else's to see.
    const response = await fetch(url, { method, headers, body, redirect: 'manual', cache: 'no-store', credentials: 'omit', signal: controller.signal })
    return { status: response.status, headers: response.headers, text: await readText(response) }
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', giveUp)
  }
}

export class TooLate extends Error {}
export class TooLarge extends Error {}

async function readText(response: Response): Promise<string> {
  if (response.body === null) return ''
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.byteLength
    if (bytes > MAX_ANSWER_BYTES) {
      await reader.cancel()
      throw new TooLarge(`an answer of more than ${MAX_ANSWER_BYTES} bytes`)
    }
    text += decoder.decode(value, { stream: true })
  }
}

/** Waits; throws the reason of `signal` as soon as it is given. */
export function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((go, stop) => {
    signal?.throwIfAborted()
    const giveUp = () => {
      clearTimeout(timer)
      stop(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', giveUp)
      go()
    }, ms)
    signal?.addEventListener('abort', giveUp, { once: true })
  })
}
