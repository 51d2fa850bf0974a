-- A person is reached where he or she is: telephone and group robots beside mail, and told of keys, lasting conditions and appeals.
alter table notices.contacts drop constraint contacts_channel;
alter table notices.contacts add constraint contacts_channel check (channel in ('email', 'sms', 'wecom', 'dingtalk'));
alter table notices.contacts drop constraint contacts_kinds;
alter table notices.contacts add constraint contacts_kinds check (
  cardinality(kinds) > 0 and kinds <@ array['decisions', 'funds', 'stock', 'keys', 'conditions', 'appeals']);

alter table notices.outbox drop constraint outbox_kind;
alter table notices.outbox add constraint outbox_kind check (kind in (
  'decision_taken', 'decision_changed', 'decision_lifted', 'balance_low', 'stock_low', 'key_ending', 'key_revoked', 'condition_lasting',
  'appeal_filed', 'appeal_asked', 'appeal_given', 'appeal_extended', 'appeal_decided', 'appeal_missed', 'appeal_withdrawn', 'appeal_due'));

-- Keys that will end by themselves are looked for every few minutes.
create index keys_ending on partners.keys (expires_at) where expires_at is not null and revoked_at is null;
