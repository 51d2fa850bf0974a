-- Taking over another site: its partners with their ids and keys, goods, cards, balances and old order numbers.
create schema migration;

-- step counts the readings of the old site: 1 is the first, each later one brings what has changed there since.
-- source: a hash of what the step was read from. published_step: the last reading whose cards went on sale.
create table migration.migrations (
  id text collate "C" primary key,
  step int not null,
  source text collate "C" not null,
  published_step int not null default 0,
  state text collate "C" not null,
  begun_at timestamptz not null,
  changed_at timestamptz not null,
  constraint migrations_step check (step >= 1 and published_step <= step),
  constraint migrations_state check (state in ('open', 'withdrawn'))
);

-- The goods that a migration brings, written before they are imported; one that the main site had before it is never among
-- them. kept_back: cards that were unsold at the old site and sold here at the last flip, and so did not go on sale again.
create table migration.goods (
  migration text collate "C" not null,
  code text collate "C" not null,
  kept_back int not null default 0,
  constraint goods_brought primary key (migration, code)
);
create index goods_brought_by_code on migration.goods (code);

grant usage on schema migration to berth_app;
grant select, insert, update (step, source, published_step, state, changed_at) on migration.migrations to berth_app;
grant select, insert, update (kept_back) on migration.goods to berth_app;

-- Set once, when a migration opens the docking. The order path asks for old order numbers of such dockings only.
alter table partners.dockings add column migration text collate "C";
create index dockings_by_migration on partners.dockings (migration, id) where migration is not null;

-- What a docking's balance was when it came over, and each change at the old site since. Never edited: a withdrawal is a row of its own.
create table ledger.openings (
  lane int not null,
  account text collate "C" not null,
  id text collate "C" not null,
  reference text collate "C" not null,
  amount bigint not null,
  at timestamptz not null,
  constraint openings_pkey primary key (lane, account, id),
  constraint openings_whole_fen check (amount <> 0 and amount % 10000 = 0)
);
grant select, insert on ledger.openings to berth_app;

create index lots_by_batch on catalogue.lots (batch);

-- Orders of the old site. A number that stands here is bound: it is answered with what the old site delivered, sealed
-- here, and never charged. digest: a keyed hash of the row, so that a later reading writes only what has changed there.
create schema takenover;
create table takenover.orders (
  lane int not null,
  docking text collate "C" not null,
  trade_no text collate "C" not null,
  reference text collate "C",
  good text collate "C",
  quantity int not null,
  amount bigint not null,
  sealed bytea not null,
  digest bytea not null,
  at timestamptz not null,
  constraint orders_taken_over primary key (lane, docking, trade_no),
  constraint orders_taken_over_reference unique (lane, docking, reference)
);
grant usage on schema takenover to berth_app;
grant select, insert, update (good, quantity, amount, sealed, digest) on takenover.orders to berth_app;
