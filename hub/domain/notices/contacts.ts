import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { underLanes, type LaneWork } from '../../platform/facts.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import type { Language } from '../letters/index.ts'
import { MAIN_SITE, type Channel, type Contact, type ContactKind, type Owner } from './model.ts'
import { EXPECTED_ADDRESS, isRobotSecret, maskAddress, readAddress } from './rules.ts'
import { changeContact, eraseContact, insertContact, loadAdded, loadContacts, locateContact, readContacts, type KeptContact } from './store.ts'

const MOST_CONTACTS = 20
/** A list is quickly replaced, and each new address gets mail of the measures that stand: nobody shall send mail to the world by it. */
const MOST_NEW_A_DAY = 20
const DAY_MS = 86_400_000

/** `secret` is the one with which a DingTalk robot wants its messages signed; no other channel has one. */
export type ContactAsk = { channel: Channel; address: string; secret?: string | undefined; language: Language; kinds: readonly ContactKind[] }

/** What is needed to write contacts. `robotOrigins`: where group robots may live besides their makers' own servers. */
export type Desk = { db: Database; vault: Vault; makeId: () => string; robotOrigins: readonly string[] }

/** Adds a contact; one that is there already under this address gets the new language and kinds, and is the operator's from then on if the operator adds it. */
export async function addContact(desk: Desk, owner: Owner, ask: ContactAsk, by: Contact['setBy']): Promise<Outcome<{ contact: Contact; added: boolean }>> {
  const read = readAsk(desk, owner, ask, null)
  if (!read.ok) return read
  return desk.db.transaction((connection) =>
    underLanes(connection, [owner.lane], async (work) => {
      const known = readContacts(await connection.run(loadContacts([owner])))
      if (known.length >= MOST_CONTACTS && !find(desk, known, owner, read.value)) return tooMany('/address')
      return accept(await put(desk, connection, work, owner, known, read.value, by))
    }))
}

/**
 * Puts the partner's own list in place of the one before. Contacts that the operator has set stay: who holds a stolen key
 * cannot silence the one who is to be told of it. Refuses `platform.rate_limited` when too many addresses are new in a day.
 */
export async function replaceContacts(desk: Desk, owner: Owner, asks: readonly ContactAsk[]): Promise<Outcome<Contact[]>> {
  const wanted: ContactAsk[] = []
  for (const [i, ask] of asks.entries()) {
    const read = readAsk(desk, owner, ask, i)
    if (!read.ok) return read
    if (wanted.some((other) => other.address === read.value.address)) return refuse('protocol.invalid_field', { path: `/items/${i}/address`, expected: 'an address that stands in the list once' })
    wanted.push(read.value)
  }
  return desk.db.transaction((connection) =>
    underLanes(connection, [owner.lane], async (work) => {
      const known = readContacts(await connection.run(loadContacts([owner])))
      const kept = wanted.map((ask) => find(desk, known, owner, ask))
      const staying = known.filter((contact) => contact.setBy === 'operator')
      if (staying.length + kept.filter((contact) => contact?.setBy !== 'operator').length > MOST_CONTACTS) return tooMany('/items')
      const admitted = await admitNew(connection, work, owner, kept.filter((contact) => !contact).length)
      if (!admitted.ok) return admitted
      for (const contact of known) if (contact.setBy === 'partner' && !kept.includes(contact)) await erase(connection, work, contact)
      for (const ask of wanted) await put(desk, connection, work, owner, known, ask, 'partner')
      return accept(readContacts(await connection.run(loadContacts([owner]))).map(bare))
    }))
}

/** Removes a contact and forgets its address; its links end with it. */
export async function removeContact(desk: Desk, id: string): Promise<Outcome<Contact>> {
  return desk.db.transaction(async (connection) => {
    const place = readContacts(await connection.run(locateContact(id)))[0]
    if (!place) return refuse('notices.contact_not_found', { contact: id.slice(0, 64) })
    return underLanes(connection, [place.lane], async (work) => {
      return await erase(connection, work, place) ? accept(bare(place)) : refuse('notices.contact_not_found', { contact: id.slice(0, 64) })
    })
  })
}

export async function contactsOf(db: Database, owner: Owner): Promise<Contact[]> {
  return readContacts(await db.run(loadContacts([owner]))).map(bare)
}

/** The address of a contact and the secret beside it, for whoever sends. */
export function openAddress(vault: Vault, { id, sealed }: Pick<KeptContact, 'id' | 'sealed'>): { to: string; secret: string | null } {
  const [to, secret] = vault.open(sealed, contextOf(id)).toString().split('\n') as [string, string?]
  return { to, secret: secret ?? null }
}

function sealAddress(vault: Vault, id: string, { address, secret }: ContactAsk): Buffer {
  return vault.seal(Buffer.from(secret === undefined ? address : `${address}\n${secret}`), contextOf(id))
}

function contextOf(contact: string): string {
  return `contact|${contact}`
}

/** @param index its place in a list; null when it came alone */
function readAsk(desk: Desk, owner: Owner, ask: ContactAsk, index: number | null): Outcome<ContactAsk> {
  const at = (field: string) => `${index === null ? '' : `/items/${index}`}/${field}`
  const address = readAddress(ask.channel, ask.address, desk.robotOrigins)
  if (address === null) return refuse('protocol.invalid_field', { path: at('address'), expected: EXPECTED_ADDRESS[ask.channel] })
  if (ask.channel === 'dingtalk' ? !isRobotSecret(ask.secret ?? '') : ask.secret !== undefined) {
    return refuse('protocol.invalid_field', { path: at('secret'), expected: ask.channel === 'dingtalk' ? 'the signing secret of the DingTalk robot, SEC…' : 'no secret: only a DingTalk robot has one' })
  }
  // The main site writes decisions and sees balances itself: a contact of it that waits for them would wait for ever.
  if (owner.docking === MAIN_SITE && ask.kinds.some((kind) => !OF_MAIN_SITE.includes(kind))) {
    return refuse('protocol.invalid_field', { path: at('kinds'), expected: 'stock, conditions or appeals: decisions, funds and keys are told to dockings' })
  }
  return accept({ ...ask, address, kinds: [...new Set(ask.kinds)] })
}

const OF_MAIN_SITE: readonly ContactKind[] = ['stock', 'conditions', 'appeals']

async function admitNew(connection: Connection, { at }: LaneWork, owner: Owner, wanted: number): Promise<Outcome<null>> {
  if (wanted === 0) return accept(null)
  const added = (await connection.run(loadAdded(owner, new Date(at.getTime() - DAY_MS)))).map((row) => row[0] as Date)
  const beyond = added.length + wanted - MOST_NEW_A_DAY
  if (beyond <= 0) return accept(null)
  const retryAfterS = Math.max(1, Math.ceil((added[beyond - 1]!.getTime() + DAY_MS - at.getTime()) / 1_000))
  return refuse('platform.rate_limited', { allowed: `${MOST_NEW_A_DAY} new addresses a day`, retryAfterS }, { retryAfterS })
}

function tooMany(path: string): Outcome<never> {
  return refuse('protocol.invalid_field', { path, expected: 'at most 20 contacts' })
}

function blindOf(desk: Desk, owner: Owner, address: string): Buffer {
  return desk.vault.blind(`contact|${owner.docking}|${address.toLowerCase()}`)
}

function find(desk: Desk, known: readonly KeptContact[], owner: Owner, ask: ContactAsk): KeptContact | undefined {
  const blind = blindOf(desk, owner, ask.address)
  return known.find((contact) => contact.blind.equals(blind))
}

/** The partner's list leaves the operator's contact as the operator set it, its kinds too: taking them away is silencing it. */
async function put(
  desk: Desk, connection: Connection, { at, append }: LaneWork, owner: Owner, known: readonly KeptContact[], ask: ContactAsk, by: Contact['setBy'],
): Promise<{ contact: Contact; added: boolean }> {
  const old = find(desk, known, owner, ask)
  const { language, kinds } = ask
  if (old && old.setBy === 'operator' && by === 'partner') return { contact: bare(old), added: false }
  if (old) {
    const now: Contact = { ...old, language, kinds, setBy: by === 'operator' ? by : old.setBy }
    const same = old.language === language && old.kinds.join() === kinds.join() && old.setBy === now.setBy && openAddress(desk.vault, old).secret === (ask.secret ?? null)
    if (!same) {
      await connection.run(changeContact(now, sealAddress(desk.vault, old.id, ask)))
      append(fact(owner, 'contact.changed', old.id, { language, kinds, by }))
    }
    return { contact: bare(now), added: false }
  }
  const contact: Contact = { ...owner, id: desk.makeId(), channel: ask.channel, masked: maskAddress(ask.channel, ask.address), language, kinds, setBy: by, createdAt: at }
  await connection.run(insertContact(contact, sealAddress(desk.vault, contact.id, ask), blindOf(desk, owner, ask.address)))
  append(fact(owner, 'contact.added', contact.id, { channel: ask.channel, language, kinds, by }))
  return { contact, added: true }
}

async function erase(connection: Connection, { at, append }: LaneWork, contact: Contact): Promise<boolean> {
  const erased = await connection.run(eraseContact(contact.lane, contact.id, at))
  if (erased.length > 0) append(fact(contact, 'contact.removed', contact.id, {}))
  return erased.length > 0
}

/** No fact holds an address, not even a masked one: facts are for ever. */
function fact(owner: Owner, kind: string, subject: string, body: object) {
  return { lane: owner.lane, docking: owner.docking === MAIN_SITE ? null : owner.docking, kind, subject, code: null, body: JSON.stringify(body) }
}

function bare({ lane, id, docking, channel, masked, language, kinds, setBy, createdAt }: Contact): Contact {
  return { lane, id, docking, channel, masked, language, kinds, setBy, createdAt }
}
