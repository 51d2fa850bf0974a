-- Orders, and which card went into which.
create schema orders;

-- doubt: why an order is unknown: 'broken', its answer was cut; 'crash', the hub ended before it knew. picks: triples of lot, first seq, count. attempt: 1 unless an earlier order of this number was voided.
create table orders.orders (
  lane int not null,
  docking text collate "C" not null,
  id text collate "C" not null,
  reference text collate "C" not null,
  attempt smallint not null,
  mode text collate "C" not null,
  good text collate "C" not null,
  quantity int not null,
  unit_price bigint not null,
  total bigint not null,
  fee bigint not null,
  state text collate "C" not null,
  doubt text collate "C",
  scheme smallint not null,
  fingerprint bytea not null,
  picks bigint[] not null,
  member text,
  position bigint not null,
  created_at timestamptz not null,
  constraint orders_pkey primary key (lane, docking, id),
  constraint orders_reference unique (lane, docking, reference, attempt),
  constraint orders_state check (state in ('delivered', 'unknown', 'cancelled')),
  constraint orders_doubt check ((state = 'unknown') = (doubt is not null) and doubt in ('broken', 'crash')),
  constraint orders_amounts check (total = unit_price * quantity and fee >= 0 and unit_price > 0 and quantity > 0)
) with (fillfactor = 90);
create index orders_doubtful on orders.orders (lane, id) where state = 'unknown';

-- The last guard: a card stands in one order, whatever the code above believed.
create table orders.sold (
  lot bigint not null,
  seq int not null,
  lane int not null,
  order_id text collate "C" not null,
  constraint sold_pkey primary key (lot, seq)
);

grant usage on schema orders to berth_app;
grant select, insert, update (state, doubt) on orders.orders to berth_app;
grant select, insert on orders.sold to berth_app;
