import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, type Credentials } from './client.ts'
import type { Credentials as SdkCredentials } from '../sdk/index.ts'
import { WrongUsage, type Asked } from './command.ts'
import type { Lang } from './screen.ts'

export type DemoDocking = {
  name: string; id: string; mode: string; dialect: string; baseUrl: string
  appId?: string; appKey?: string; keyId?: string; keySecret?: string; apiKey?: string
}

/** DATA_DIR/demo.json: what the demo main site tells whoever tries it. */
export type Demo = { hub: string; operator: string; dockings: DemoDocking[]; next: string[] }

/** DATA_DIR/sandbox.json: sandboxes that were opened from here, the newest first. */
export type OwnSandboxes = { hub: string; dockings: DemoDocking[] }

const DEFAULT_URL = 'http://127.0.0.1:8080'

export function dataDirOf(env: NodeJS.ProcessEnv): string {
  return env.DATA_DIR || '.data'
}

/** The hub as its operator. */
export function operatorClient({ env, lang }: { env: NodeJS.ProcessEnv; lang: Lang }): Client {
  return new Client({ url: hubUrl(env, readDemo(env)), credentials: { kind: 'bearer', key: readOperatorKey(env) }, lang })
}

/** The operator's key from the environment or from the data folder, never from the command line. Throws WrongUsage when there is none. */
export function readOperatorKey(env: NodeJS.ProcessEnv): string {
  const file = join(dataDirOf(env), 'operator.key')
  const key = env.BERTH_OPERATOR_KEY?.trim() || readIfThere(file)?.trim()
  if (key) return key
  throw new WrongUsage({
    en: `No operator's key: start the hub once ("npm start" writes ${file}), set DATA_DIR to its data folder, or set BERTH_OPERATOR_KEY.`,
    zh: `没有运营密钥：请先启动主站（npm start 会写入 ${file}），或把 DATA_DIR 指向其数据目录，或设置 BERTH_OPERATOR_KEY。`,
  })
}

/** The hub as a partner: --docking names one of the demo; without it the environment counts, then the demo's sandbox. */
export function partnerClient(asked: Pick<Asked, 'env' | 'lang' | 'option'>): Client {
  return new Client({ ...accessOf(asked), lang: asked.lang })
}

function accessOf({ env, option }: Pick<Asked, 'env' | 'option'>): { url: string; credentials: Credentials } {
  const named = option('docking')
  const given = named === undefined ? fromEnvironment(env) : null
  // A sandbox twin has the name of its live docking: who names one of the demo means that.
  const isOfDemo = named !== undefined && readDemo(env)?.dockings.some(({ name, id }) => name === named || id === named) === true
  const own = given === null && !isOfDemo ? ownSandbox(env, named) : null
  if (own) return { url: hubUrl(env, own), credentials: credentialsOf(own.docking) }
  const demo = readDemo(env)
  return { url: hubUrl(env, demo), credentials: given ?? credentialsOf(chooseDocking(env, demo, named)) }
}

/** The same hub and key for the client of the SDK. */
export function partnerAccess(asked: Pick<Asked, 'env' | 'option'>): { url: string; credentials: SdkCredentials } {
  const { url, credentials } = accessOf(asked)
  if (credentials.kind === 'nobody') throw new WrongUsage({ en: 'This needs a key of a docking.', zh: '此命令需要对接密钥。' })
  return { url, credentials: credentials.kind === 'bearer' ? { apiKey: credentials.key } : { keyId: credentials.keyId, keySecret: credentials.keySecret } }
}

/** The hub as anybody. */
export function strangerClient({ env, lang, option }: Pick<Asked, 'env' | 'lang' | 'option'>): Client {
  const hub = option('hub')
  return new Client({ url: hubUrl(hub === undefined ? env : { BERTH_URL: hub }, readDemo(env)), credentials: { kind: 'nobody' }, lang })
}

/** Sandboxes that were opened from here; the one with this name or id, or the newest. Each knows its own hub. */
export function ownSandbox(env: NodeJS.ProcessEnv, named: string | undefined): { hub: string; docking: DemoDocking } | null {
  const found = readOwnSandboxes(env).flatMap(({ hub, dockings }) => dockings.map((docking) => ({ hub, docking })))
    .find(({ docking }) => named === undefined || docking.name === named || docking.id === named)
  return found ?? null
}

/** Whoever rolls the key with which this machine signs goes on with the new one. Answers the file, or null where no sandbox of here has that key. */
export function keepRolledKey(env: NodeJS.ProcessEnv, old: string, key: { id: string; secret: string }): string | null {
  const own = readOwnSandboxes(env).flatMap(({ hub, dockings }) => dockings.map((docking) => ({ hub, docking }))).find(({ docking }) => docking.keyId === old)
  return own ? keepSandbox(env, own.hub, { ...own.docking, keyId: key.id, keySecret: key.secret }) : null
}

/** Puts a sandbox in front of those that were opened from here before. Nobody but its owner may read the file. */
export function keepSandbox(env: NodeJS.ProcessEnv, hub: string, docking: DemoDocking): string {
  const kept = readOwnSandboxes(env).map((one) => ({ ...one, dockings: one.dockings.filter(({ id }) => id !== docking.id) })).filter(({ dockings }) => dockings.length > 0)
  const file = join(dataDirOf(env), 'sandbox.json')
  try {
    mkdirSync(dataDirOf(env), { recursive: true })
    const draft = `${file}.draft`
    writeFileSync(draft, `${JSON.stringify([{ hub, dockings: [docking] }, ...kept].slice(0, MOST_KEPT), null, 2)}\n`, { mode: 0o600 })
    chmodSync(draft, 0o600)
    renameSync(draft, file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new WrongUsage({ en: `${file} cannot be written (${code}): set DATA_DIR to a folder of yours.`, zh: `无法写入 ${file}（${code}）：请把 DATA_DIR 指向可写的目录。` })
  }
  return file
}

const MOST_KEPT = 50

function readOwnSandboxes(env: NodeJS.ProcessEnv): OwnSandboxes[] {
  const file = join(dataDirOf(env), 'sandbox.json')
  const text = readIfThere(file)
  if (text === null) return []
  try {
    return JSON.parse(text) as OwnSandboxes[]
  } catch {
    throw new WrongUsage({ en: `${file} is not JSON: remove it.`, zh: `${file} 不是 JSON：请删除。` })
  }
}

/** The same for a command that also works without a key: `credentials` is null where there is none. */
export function partnerCredentials({ env, option }: Pick<Asked, 'env' | 'option'>, isOwnAddress: boolean): { url: string; credentials: Credentials | null } {
  const named = option('docking')
  const demo = isOwnAddress && named === undefined ? null : readDemo(env)
  const own = named === undefined ? fromEnvironment(env) : null
  const chosen = own === null && demo !== null ? chooseDocking(env, demo, named) : null
  return { url: hubUrl(env, demo), credentials: own ?? (chosen && credentialsOf(chosen)) }
}

function fromEnvironment(env: NodeJS.ProcessEnv): Credentials | null {
  const { BERTH_KEY_ID: keyId, BERTH_KEY_SECRET: keySecret, BERTH_API_KEY: key } = env
  if (keyId && keySecret) return { kind: 'signature', keyId, keySecret }
  if (keyId || keySecret) throw new WrongUsage({ en: 'BERTH_KEY_ID and BERTH_KEY_SECRET belong together: set both.', zh: 'BERTH_KEY_ID 与 BERTH_KEY_SECRET 须同时设置。' })
  return key ? { kind: 'bearer', key } : null
}

function chooseDocking(env: NodeJS.ProcessEnv, demo: Demo | null, named: string | undefined): DemoDocking {
  if (!demo) {
    throw new WrongUsage({
      en: `No partner's key: run "berth sandbox --hub URL" for a sandbox of your own, set BERTH_KEY_ID and BERTH_KEY_SECRET (or BERTH_API_KEY), or DATA_DIR to a folder with a demo.json; ${join(dataDirOf(env), 'demo.json')} is not there.`,
      zh: `没有对接密钥：可执行 berth sandbox --hub 地址 自助开通沙箱，或设置 BERTH_KEY_ID 与 BERTH_KEY_SECRET（或 BERTH_API_KEY），或把 DATA_DIR 指向含 demo.json 的目录；${join(dataDirOf(env), 'demo.json')} 不存在。`,
    })
  }
  const found = demo.dockings.find((docking) =>
    named === undefined ? docking.dialect === 'json' && docking.mode === 'sandbox' : docking.name === named || docking.id === named)
  if (found) return found
  const names = demo.dockings.map((docking) => docking.name)
  throw new WrongUsage({ en: `demo.json has no docking ${named ?? 'of the JSON sandbox'}; it has ${names.join(', ')}.`, zh: `demo.json 中没有对接 ${named ?? 'JSON 沙箱'}，现有：${names.join('、')}。` })
}

function credentialsOf(docking: DemoDocking): Credentials {
  if (docking.keyId && docking.keySecret) return { kind: 'signature', keyId: docking.keyId, keySecret: docking.keySecret }
  if (docking.apiKey) return { kind: 'bearer', key: docking.apiKey }
  throw new WrongUsage({
    en: `${docking.name} speaks ${docking.dialect}, not JSON: enter ${docking.baseUrl} with its appId and appKey (in demo.json) in the shop's own program.`,
    zh: `${docking.name} 使用 ${docking.dialect} 协议而非 JSON：请在发卡系统后台填入 ${docking.baseUrl} 及 demo.json 中的 appId、appKey。`,
  })
}

function hubUrl(env: NodeJS.ProcessEnv, demo: { hub: string } | null): string {
  const text = (env.BERTH_URL || demo?.hub || DEFAULT_URL).replace(/\/+$/, '')
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new WrongUsage({ en: `"${text}" is not the address of a hub: set BERTH_URL to one such as ${DEFAULT_URL}.`, zh: `“${text}”不是主站地址：请把 BERTH_URL 设为如 ${DEFAULT_URL} 的地址。` })
  }
  return text
}

function readDemo(env: NodeJS.ProcessEnv): Demo | null {
  const file = join(dataDirOf(env), 'demo.json')
  const text = readIfThere(file)
  if (text === null) return null
  try {
    return JSON.parse(text) as Demo
  } catch {
    throw new WrongUsage({ en: `${file} is not JSON: remove it and start the hub again.`, zh: `${file} 不是 JSON：请删除后重新启动主站。` })
  }
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw new WrongUsage({ en: `${file} cannot be read (${code}).`, zh: `无法读取 ${file}（${code}）。` })
  }
}
