import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// npm run truth: injects every cause in every way that can have it, and says how many were told truly.
// Exit code 0: all of them. 1: at least one was not; its name and what was shown instead stand above the last line.
const folder = mkdtempSync(join(tmpdir(), 'berth-truth-'))
const file = join(folder, 'truth.json')
const child = spawn(process.execPath, [join(import.meta.dirname, '../run.ts'), 'test/truth/', '--test-reporter=spec', ...process.argv.slice(2)], {
  stdio: 'inherit', env: { ...process.env, BERTH_TRUTH_FILE: file },
})
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => child.kill(name))
const code = await new Promise<number | null>((end) => child.once('exit', end))
const held = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { causes: number; ways: number; told: number; of: number }) : null
rmSync(folder, { recursive: true, force: true })
if (held === null || held.of === 0) {
  console.log('truth 0 % (nothing was tried)')
  process.exitCode = 1
} else {
  const percent = held.told === held.of ? '100' : ((Math.floor((held.told / held.of) * 1000) / 10).toFixed(1))
  console.log(`truth ${percent} % (causes=${held.causes} ways=${held.ways})`)
  process.exitCode = code === 0 && held.told === held.of ? 0 : 1
}
