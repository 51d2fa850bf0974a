import { pino, type Logger } from 'pino'

export type Log = Logger

/** Structured lines on stdout. Header and body fields that can carry a secret are never written, whoever logs them. */
export function makeLog(level: string): Log {
  return pino({
    level,
    base: null,
    redact: {
      paths: ['*.authorization', '*.app_key', '*.sign', '*.secret', '*.password', 'authorization', 'app_key', 'sign', 'secret', 'password', 'req.headers'],
      censor: '***',
    },
    serializers: { err: (error: Error & { code?: string }) => ({ type: error.name, message: String(error.message).slice(0, 300), code: error.code, stack: error.stack?.split('\n').slice(0, 6).join('\n') }) },
  })
}
