export { MAIN_SITE_OWNER, type Channel, type Contact, type ContactKind, type Mode, type Notice, type NoticeState, type Owner, type Watch } from './model.ts'
export { addContact, contactsOf, removeContact, replaceContacts, type ContactAsk, type Desk } from './contacts.ts'
export { setWatch, watchesOf, writeBelow } from './watches.ts'
export { Notices, type LinkPage, type Matter } from './service.ts'
