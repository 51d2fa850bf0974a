import type { Refusal } from '../../protocol/outcome.ts'
import { explain, reasonOf } from '../../protocol/reasons.ts'
import type { ReasonCode } from '../../protocol/reasons.ts'

/** The peer shows `msg` to its admin and its buyer; longer texts are cut there in the middle of a word. */
export const TEXT_LENGTH_MAX = 200

/**
 * How the peer hears a reason. null: the registry's Chinese sentence says it. `front`: the words that shops of this
 * family know and match on stand in front of that sentence. `only`: nothing but these words.
 */
type Word = null | { readonly front: string } | { readonly only: string }

/** An unknown id, an unknown docking and a wrong key sound alike, so that nobody learns who is docked here. */
const STRANGER: Word = { only: '商户ID不存在或密钥错误' }

/** Complete by type: a new reason code does not compile until it stands here. */
export const words: Readonly<Record<ReasonCode, Word>> = {
  'protocol.malformed_request': null,
  'protocol.unsupported_media': null,
  'protocol.request_too_large': null,
  'protocol.headers_too_large': null,
  'protocol.url_too_long': null,
  'protocol.host_ambiguous': null,
  'protocol.invalid_field': null,
  'protocol.charset_mismatch': null,
  'protocol.text_garbled': null,
  'network.name_unresolved': null,
  'network.unreachable': null,
  'network.tls_failed': null,
  'network.certificate_invalid': null,
  'network.not_a_hub': null,
  'network.request_altered': null,
  // The registry points at the JSON API's list of addresses, which says nothing about these.
  'protocol.route_not_found': { only: '接口地址不存在，请检查店铺地址与共享协议（应为异次元店铺协议）' },
  'protocol.method_not_allowed': null,
  'protocol.version_unknown': null,
  'protocol.idempotency_key_reused': null,
  'protocol.request_timeout': null,
  // The registry speaks of bearer keys and RFC 9421, which this peer cannot send.
  'partners.credentials_missing': { only: '请求未带商户ID（app_id）' },
  'partners.signature_required': null,
  'partners.signature_malformed': null,
  'partners.signature_incomplete': null,
  'partners.signature_invalid': STRANGER,
  'partners.digest_mismatch': null,
  'partners.key_malformed': null,
  'partners.key_unknown': STRANGER,
  'partners.key_expired': null,
  'partners.key_revoked': null,
  'partners.clock_skew': null,
  'partners.nonce_reused': null,
  'partners.freshness_unknown': null,
  'partners.scope_missing': null,
  'partners.address_not_allowed': null,
  'partners.docking_not_found': STRANGER,
  'partners.key_not_found': null,
  'partners.key_ended': null,
  'partners.keys_at_limit': null,
  'partners.last_key': null,
  'partners.key_leaked': null,
  'operators.role_missing': null,
  'operators.not_found': null,
  'operators.name_taken': null,
  'operators.last_owner': null,
  'cases.not_found': null,
  'cases.step_out_of_order': null,
  'cases.same_person': null,
  'catalogue.good_not_found': { front: '商品不存在' },
  'catalogue.good_not_on_sale': { front: '当前商品已停售' },
  'catalogue.out_of_stock': { front: '库存不足' },
  'catalogue.price_above_guard': null,
  'catalogue.quantity_outside_offer': null,
  'catalogue.price_too_fine': null,
  'catalogue.sync_behind': null,
  'catalogue.good_reused': null,
  'catalogue.card_duplicate': null,
  'orders.reference_reused': null,
  'orders.not_found': { front: '订单不存在' },
  'orders.total_above_limit': null,
  'orders.option_not_supported': null,
  'orders.choice_missing': null,
  'orders.not_waiting': null,
  'orders.refunded': null,
  'ledger.insufficient_funds': { front: '余额不足' },
  'ledger.deposit_reused': null,
  'sandbox.live_docking': null,
  'sandbox.applications_closed': null,
  'sandbox.applications_at_limit': null,
  'drills.not_found': null,
  'drills.under_way': null,
  'drills.ended': null,
  'drills.no_log': null,
  'drills.dialect_not_rehearsed': null,
  'conformance.badge_missing': null,
  'conformance.run_not_found': null,
  'conformance.run_finished': null,
  'terms.contract_breach': null,
  'terms.published_rule_breach': null,
  'terms.payment_overdue': null,
  'terms.fee_unpaid': null,
  'terms.payment_channel_required': null,
  'terms.dumping': null,
  'terms.brushing': null,
  'terms.contract_unsigned': null,
  'terms.contract_expired': null,
  'terms.guarantee_below_minimum': null,
  'terms.turnover_below_minimum': null,
  'terms.exclusivity_breach': null,
  'terms.price_worse_than_published': null,
  'terms.price_below_cost': null,
  'terms.price_change_not_found': null,
  'terms.price_change_ended': null,
  'compliance.identity_unverified': null,
  'compliance.licence_missing': null,
  'compliance.authority_order': null,
  'compliance.withheld_by_law': null,
  'compliance.licence_expired': null,
  'compliance.tax_report_missing': null,
  'compliance.invoice_missing': null,
  'compliance.payee_mismatch': null,
  'compliance.real_name_missing': null,
  'compliance.list_match': null,
  'compliance.due_diligence_overdue': null,
  'compliance.game_approval_missing': null,
  'compliance.minor_protection': null,
  'compliance.consent_missing': null,
  'compliance.prepaid_limit': null,
  'compliance.records_missing': null,
  'decisions.not_found': null,
  'decisions.already_lifted': null,
  'decisions.statement_incomplete': null,
  'appeals.not_found': null,
  'appeals.open_already': null,
  'appeals.ended': null,
  'appeals.too_late': null,
  'appeals.same_person': null,
  'appeals.delays_spent': null,
  'notices.contact_not_found': null,
  'notices.notice_not_found': null,
  'migration.not_found': null,
  'migration.superseded': null,
  'migration.other_source': null,
  'migration.withdrawn': null,
  'migration.cards_missing': null,
  'migration.sold_from': null,
  'logbook.not_sealed': null,
  'logbook.cosignature_invalid': null,
  'terms.placing_worse_than_published': null,
  'compliance.fraud_found': null,
  'decisions.known_before': null,
  'decisions.nothing_to_hold': null,
  'decisions.draft_not_found': null,
  'decisions.second_person_needed': null,
  'rulebook.text_not_found': null,
  'rulebook.notice_too_short': null,
  'rulebook.comments_closed': null,
  'platform.rate_limited': null,
  'platform.too_many_in_flight': null,
  'platform.overloaded': null,
  'platform.storage_unavailable': null,
  'platform.outcome_unknown': null,
  'platform.stopping': null,
  'platform.request_not_kept': null,
  'platform.internal_error': null,
}

/**
 * The Chinese text of a refusal for `msg`: at most 200 characters, no HTML, no line ends. Further causes are named
 * by their titles, the decision behind it by its id, which is never cut, and by the page of its reason where `pages` says
 * where those stand: the same link that the letter to the owner has. `own` replaces the words of the table.
 */
export function refusalText(refusal: Refusal, own?: string, pages = ''): string {
  const also = (refusal.also ?? []).map((other) => reasonOf(other.code).title.zh)
  const text = plain(`${own ?? sentence(refusal)}${also.length > 0 ? `另有：${also.join('、')}。` : ''}`)
  const page = pages === '' || `${pages}${refusal.code}`.length > LINK_LENGTH_MAX ? '' : `，说明 ${pages}${refusal.code}`
  const tail = refusal.decision === undefined ? '' : plain(`（处理决定 ${refusal.decision.slice(0, 64)}${page}）`)
  return `${head(text, TEXT_LENGTH_MAX - tail.length)}${tail}`
}

/** A longer link would leave too little room for the sentence, and half a link opens nothing. */
const LINK_LENGTH_MAX = 110

function sentence(refusal: Refusal): string {
  const word = words[refusal.code]
  if (word !== null && 'only' in word) return word.only
  const text = explain(refusal, 'zh')
  return word === null || text.startsWith(word.front) ? text : `${word.front}：${text}`
}

/** The peer strips tags and prints the rest as HTML, and values of the asker may stand in the sentence. */
function plain(text: string): string {
  return text.toWellFormed().replaceAll('<', '〈').replaceAll('>', '〉').replace(/\p{Cc}+/gu, ' ')
}

/** The first `max` UTF-16 units with an ellipsis as the last one when something was cut; never half a character. */
function head(text: string, max: number): string {
  if (text.length <= max) return text
  const cut = text.slice(0, max - 1)
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`
}
