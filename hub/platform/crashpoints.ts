/**
 * Fault runs kill the hub at a named point (`npm run faults -- F1`). The name is read once; without it a crash point is
 * one comparison.
 */
const [name, after] = (process.env.BERTH_CRASHPOINT ?? '').split(':')
let left = Number(after ?? 1)

export type Crashpoint =
  | 'parsed' | 'authenticated' | 'queued' | 'loaded' | 'decided' | 'written' | 'before_commit' | 'committed' | 'before_answer' | 'answered'
  | 'notice_taken' | 'mail_sent'

export function crashpoint(point: Crashpoint): void {
  if (point === name && --left <= 0) process.kill(process.pid, 'SIGKILL')
}
