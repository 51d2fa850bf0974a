-- Goods, their stock as cursors over immutable cards, and the change feed.
create schema catalogue;

-- number is the id that foreign protocols need as an integer; it is counted without gaps by the importer.
create table catalogue.goods (
  id text collate "C" primary key,
  number int not null,
  code text collate "C" not null,
  name text not null,
  category text not null,
  description text not null,
  unit_price bigint not null,
  minimum int not null,
  maximum int not null,
  on_sale boolean not null,
  changed_at timestamptz not null,
  constraint goods_code unique (code),
  constraint goods_number unique (number),
  constraint goods_price check (unit_price > 0),
  constraint goods_quantity check (minimum >= 1 and maximum between minimum and 1000)
);

-- A lot is one batch of one good in one mode with one expiry. Its cards are numbered 1..size without gaps when it is
-- published; next_seq is the cursor. A lot is taken from, never restocked.
create table catalogue.lots (
  id bigint generated always as identity primary key,
  mode text collate "C" not null,
  good text collate "C" not null,
  batch text collate "C" not null,
  size int not null,
  next_seq int not null default 1,
  state text collate "C" not null,
  generation int not null default 0,
  expires_at timestamptz,
  data_key bytea not null,
  created_at timestamptz not null,
  published_at timestamptz,
  constraint lots_mode check (mode in ('sandbox', 'live')),
  constraint lots_state check (state in ('staged', 'published', 'exhausted', 'withdrawn')),
  constraint lots_cursor check (next_seq between 1 and size + 1)
) with (fillfactor = 60);
-- next_seq stays out of every index, so that moving the cursor is a cheap in-place update.
create index lots_open on catalogue.lots (good, mode, id) where state = 'published';

create table catalogue.cards (
  lot bigint not null,
  seq int not null,
  sealed bytea not null,
  constraint cards_pkey primary key (lot, seq)
);

-- A keyed hash finds duplicates without knowing the card. A card that came back is the next generation of itself.
create table catalogue.card_index (
  good text collate "C" not null,
  mode text collate "C" not null,
  blind bytea not null,
  generation int not null,
  lot bigint not null,
  constraint card_index_pkey primary key (good, mode, blind, generation)
);

-- Changes are written by anybody in any order and get their position afterwards, when they are seen to be committed:
-- a reader that polls between two commits can therefore never step over the slower one.
create table catalogue.changes (
  id bigint generated always as identity primary key,
  good text collate "C" not null,
  docking text collate "C",
  what text collate "C" not null,
  at timestamptz not null,
  position bigint
);
create index changes_waiting on catalogue.changes (id) where position is null;
create unique index changes_position on catalogue.changes (position) where position is not null;

create table catalogue.feed (
  one boolean primary key default true,
  head bigint not null default 0,
  constraint feed_one_row check (one)
) with (fillfactor = 50);
insert into catalogue.feed default values;

grant usage on schema catalogue to berth_app;
grant select, insert, update on catalogue.goods to berth_app;
grant select, insert, update (next_seq, state, size, published_at) on catalogue.lots to berth_app;
grant select, insert on catalogue.cards, catalogue.card_index to berth_app;
grant select, insert, update (position) on catalogue.changes to berth_app;
grant select, update (head) on catalogue.feed to berth_app;
-- A staged lot whose import failed is swept away; a published one can never be.
create function catalogue.sweep_staged(lot_id bigint) returns void
  language plpgsql security definer set search_path = pg_catalog as $$
begin
  perform from catalogue.lots where id = lot_id and state = 'staged' and published_at is null and next_seq = 1 for update;
  if found then
    delete from catalogue.card_index where lot = lot_id;
    delete from catalogue.cards where lot = lot_id;
    update catalogue.lots set state = 'withdrawn', size = 0, next_seq = 1 where id = lot_id;
  end if;
end $$;
revoke all on function catalogue.sweep_staged(bigint) from public;
grant execute on function catalogue.sweep_staged(bigint) to berth_app;
