import type { Static } from '../../protocol/schema.ts'
import type { Good, Order, Report } from '../../protocol/messages.ts'
import type { Option } from '../command.ts'

export type GoodView = Static<typeof Good>
export type OrderView = Static<typeof Order>
export type ReportView = Static<typeof Report>

/** An open decision, with the parts of its statement that are shown here. */
export type DecisionView = {
  id: string; code: string; scope: string[]; effectiveAt: string; endsAt: string | null
  statement: {
    facts?: { text: string }[]; ground?: { ref: string; article: string }[]; remedy?: { action: { en: string; zh: string } }[]
    measure?: { liftsWhen: { words: string } | { check: string } | null }; appeal?: { channel: string }
  }
}

export const dockingOption: Option = {
  name: 'docking', value: 'NAME',
  what: { en: 'A docking of DATA_DIR/sandbox.json or demo.json; without it the keys of the environment, else your newest sandbox, else the JSON sandbox of the demo.', zh: 'DATA_DIR/sandbox.json 或 demo.json 中的对接；不填则用环境变量中的密钥，否则用最新的自助沙箱，再否则用演示 JSON 沙箱。' },
}
