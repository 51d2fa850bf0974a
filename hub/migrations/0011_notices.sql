-- Who is told as a person, what is watched for them, and what is on its way.
create schema notices;

-- docking '' is the main site itself. The address is a person's: it is kept sealed, found by a keyed hash, shown masked,
-- and both are erased when the contact is removed.
create table notices.contacts (
  lane int not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  channel text collate "C" not null,
  sealed bytea,
  blind bytea,
  masked text not null,
  lang text collate "C" not null,
  kinds text[] not null,
  state text collate "C" not null,
  set_by text collate "C" not null,
  created_at timestamptz not null,
  removed_at timestamptz,
  constraint contacts_pkey primary key (lane, id),
  constraint contacts_channel check (channel = 'email'),
  constraint contacts_lang check (lang in ('zh-CN', 'en')),
  constraint contacts_kinds check (cardinality(kinds) > 0 and kinds <@ array['decisions', 'funds', 'stock']),
  constraint contacts_set_by check (set_by in ('operator', 'partner')),
  constraint contacts_erased check (
    (state = 'active' and num_nonnulls(sealed, blind) = 2 and removed_at is null) or (state = 'removed' and num_nonnulls(sealed, blind) = 0 and removed_at is not null))
);
create unique index contacts_once on notices.contacts (lane, docking, blind) where state = 'active';
create index contacts_by_id on notices.contacts (id);

-- below null: switched off. is_low: told, and not yet above again. round counts what was told and never goes back, so that a
-- threshold that is set anew cannot be taken for one that was told before.
create table notices.watches (
  lane int not null,
  docking text collate "C" not null,
  what text collate "C" not null,
  good text collate "C" not null,
  mode text collate "C" not null,
  below bigint,
  is_low boolean not null default false,
  round bigint not null default 0,
  told_at timestamptz,
  constraint watches_pkey primary key (lane, docking, what, good, mode),
  constraint watches_what check (what in ('balance', 'stock') and (what = 'balance') = (good = '')),
  constraint watches_mode check (mode in ('sandbox', 'live')),
  constraint watches_below check (below > 0)
) with (fillfactor = 80);
create index watches_by_good on notices.watches (good, mode) where below is not null and what = 'stock';

-- The intent to tell one contact one thing, written before anything is sent. The link's token is never stored.
-- occasion tells apart what may happen twice to the same subject: the round of a watch, the place of a fact.
create table notices.outbox (
  lane int not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  contact text collate "C" not null,
  kind text collate "C" not null,
  subject text collate "C" not null,
  occasion bigint not null,
  body text not null,
  token_hash bytea not null,
  state text collate "C" not null default 'waiting',
  attempts int not null default 0,
  next_at timestamptz not null,
  last_error text,
  created_at timestamptz not null,
  sent_at timestamptz,
  constraint outbox_pkey primary key (lane, id),
  constraint outbox_once unique (lane, contact, kind, subject, occasion),
  constraint outbox_kind check (kind in ('decision_taken', 'decision_changed', 'decision_lifted', 'balance_low', 'stock_low')),
  constraint outbox_state check (state in ('waiting', 'sent', 'failed', 'dropped')),
  constraint outbox_sent check ((state = 'sent') = (sent_at is not null))
) with (fillfactor = 80);
create index outbox_due on notices.outbox (next_at) where state = 'waiting';
create index outbox_by_id on notices.outbox (id);
create index outbox_by_token on notices.outbox (token_hash);

-- How far the facts of each lane have been read. What happened before this migration is nobody's news any more.
create table notices.cursors (
  lane int primary key,
  position bigint not null
) with (fillfactor = 50);
insert into notices.cursors (lane, position) select lane, head from platform.lanes;

grant usage on schema notices to berth_app;
grant select, insert, update (sealed, blind, lang, kinds, set_by, state, removed_at) on notices.contacts to berth_app;
grant select, insert, update (below, is_low, round, told_at) on notices.watches to berth_app;
grant select, insert, update (state, attempts, next_at, last_error, sent_at) on notices.outbox to berth_app;
grant select, update (position) on notices.cursors to berth_app;
