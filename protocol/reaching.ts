import { refuse, type Refusal } from './outcome.ts'

/** What stands between a caller and a hub, in the order in which it is met. */
export type Reach = 'name' | 'connection' | 'tls' | 'certificate'

/** A certificate as a TLS library shows it; times in milliseconds since 1970. */
export type Certificate = { readonly from: number; readonly until: number; readonly names: readonly string[]; readonly fingerprint: string }

/** Days before its end in which a certificate is spoken of. */
export const CERTIFICATE_WARN_DAYS = 14

const DAY_MS = 86_400_000

/**
 * What a failed attempt to reach a host means, from the code or the message of the platform's error. Both ends use it, so
 * that the same fault has the same name from either side.
 */
export function reachRefusal(at: Reach, { host, port, timeoutS, error }: { host: string; port: number; timeoutS: number; error: string }): Refusal {
  const address = `${host}:${port}`
  if (at === 'name') {
    const problem = /ENOTFOUND|ENODATA/.test(error) ? 'the name is not known' : 'the look-up of the name was not answered'
    return refuse('network.name_unresolved', { host, problem }).refusal
  }
  if (at === 'connection') {
    const problem = /REFUSED/.test(error) ? 'the connection was refused' : /TIMEDOUT|TIMEOUT|UNREACH/.test(error) ? `the connection was not answered in ${timeoutS} s` : 'the connection was cut'
    return refuse('network.unreachable', { address, problem }).refusal
  }
  const problem =
    /WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH/.test(error) ? 'the port does not speak TLS'
    : /UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|NO_PROTOCOLS|HANDSHAKE_FAILURE|NO_SHARED/i.test(error) ? 'the two sides have no version of TLS in common'
    : 'the handshake was cut'
  return refuse('network.tls_failed', { host, problem }).refusal
}

/**
 * What is wrong with a certificate, or null. `trust` is the code of the platform's own judgement of chain and name, null
 * when it is content; `isSoon` tells a warning from a failure.
 */
export function certificateRefusal(host: string, { from, until, names }: Certificate, trust: string | null, nowMs: number): { refusal: Refusal; isSoon: boolean } | null {
  const endsAt = new Date(until).toISOString()
  const wrong = (problem: string, isSoon = false) => ({ refusal: refuse('network.certificate_invalid', { host, problem, endsAt }).refusal, isSoon })
  if (until <= nowMs) return wrong('it has run out')
  if (from > nowMs) return wrong('it is not valid yet')
  if (trust !== null && /ALTNAME/.test(trust)) return wrong(`it is made for other names: ${names.slice(0, 5).join(', ').slice(0, 120) || '-'}`)
  if (trust !== null) return wrong(/SELF_SIGNED/.test(trust) ? 'it was signed by itself' : 'its issuer is not trusted here')
  const days = Math.floor((until - nowMs) / DAY_MS)
  return days < CERTIFICATE_WARN_DAYS ? wrong(`it runs out in ${days} days`, true) : null
}
