/** Whether what is kept for an order agrees with its state: only an order without cards waits, and only its end gives it a text. */
export function agreesWith(state: string, cardless: boolean, kept: { waiting: boolean; delivered: boolean } | undefined): boolean {
  if (!cardless) return state !== 'delivering' && state !== 'refunded'
  return kept !== undefined && kept.waiting === (state === 'delivering') && kept.delivered === (state === 'delivered')
}
