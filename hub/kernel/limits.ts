/** The published limits: what one docking may ask of the hub. */
export const limits = {
  requestBytes: 64 * 1024,
  headerBytes: 16 * 1024,
  headerCount: 64,
  urlBytes: 8 * 1024,
  batchBytes: 1024 * 1024,
  batchOrders: 500,
  batchCards: 5_000,
  /** An appeal with five documents of 256 KB, in base64. */
  appealBytes: 2 * 1024 * 1024,
  importBytes: 5 * 1024 * 1024,
  requestTimeoutS: 20,
  cardsPerOrder: 1_000,
  pageItems: 500,
  /** Goods whose prices one change may name or select. */
  priceChangeGoods: 10_000,
} as const
