/** Where a request comes from; '-' once its socket is gone, which no list of addresses holds. */
export function addressOf({ ip }: { ip: string | undefined }): string {
  return ip ?? '-'
}
