import type { Drill } from '../../protocol/drills.ts'
import { rehearseKeyRoll } from './key-roll.ts'
import { rehearseOutage } from './outage.ts'
import { Platform, type Stage } from './platform.ts'
import { rehearseRush } from './rush.ts'
import { rehearseTamperedLog } from './tampered-log.ts'

const WORK: Readonly<Record<Drill['kind'], (platform: Platform) => Promise<void>>> = {
  key_roll: rehearseKeyRoll, rush: rehearseRush, outage: rehearseOutage, tampered_log: rehearseTamperedLog,
}

/** Stands in for a platform while a drill goes on, and answers with how it ended. */
export async function rehearse(stage: Stage): Promise<Drill> {
  const platform = new Platform(stage)
  return platform.follow(() => WORK[stage.drill.kind](platform))
}
