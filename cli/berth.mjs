#!/usr/bin/env node
// Plain JavaScript, because an older Node cannot read TypeScript: it hands over to the Node that npm installed here.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'

const here = import.meta.dirname ?? dirname(new URL(import.meta.url).pathname)

/** Node reads TypeScript without a flag since 22.18 and 23.6. */
function readsTypeScript(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18)
}

/** The Node of the nearest node_modules, from this folder upwards. */
function findNode() {
  for (let folder = here; ; folder = dirname(folder)) {
    for (const name of ['.bin/node', `node-${process.platform}-${process.arch}/bin/node`]) {
      const node = join(folder, 'node_modules', name)
      if (existsSync(node)) return node
    }
    if (dirname(folder) === folder) return null
  }
}

function handOver(node) {
  const child = spawn(node, [join(here, 'berth.ts'), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name))
  child.once('error', (error) => {
    console.error(`berth: ${node} cannot be started (${error.code}). / 无法启动 ${node}（${error.code}）。`)
    process.exitCode = 2
  })
  child.once('exit', (code, signal) => {
    process.exitCode = signal ? 128 + constants.signals[signal] : code
  })
}

if (readsTypeScript(process.versions.node)) {
  await import('./berth.ts')
} else {
  const node = findNode()
  if (node) handOver(node)
  else {
    console.error(`berth needs Node 22.18 or newer; this is ${process.version}. Run "npm install" in the folder of Berth, or install a newer Node.`)
    console.error(`berth 需要 Node 22.18 或更高版本，当前为 ${process.version}。请在 Berth 目录执行 npm install，或安装新版 Node。`)
    process.exitCode = 2
  }
}
