import { networkOf } from '../kernel/networks.ts'

/** Where a request comes from; '-' once its socket is gone, which no list of addresses holds. */
export function addressOf({ ip }: { ip: string | undefined }): string {
  return ip ?? '-'
}

/** Whom a request is counted for where nobody has signed in: whoever has one IPv6 address has 2^64 of them. */
export function visitorOf(request: { ip: string | undefined }): string {
  return networkOf(addressOf(request))
}
