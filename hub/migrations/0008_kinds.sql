-- Goods of every kind: races, option groups, tiers, order forms, pictures, and goods that a person delivers.

-- options: null for a plain card good, otherwise the validated form that catalogue/options.ts writes. image: a name in catalogue.images.
alter table catalogue.goods add column options jsonb, add column cost bigint, add column image text collate "C";
alter table catalogue.goods add constraint goods_cost check (cost >= 0);

-- variant: the canonical text of race and options; empty for plain goods. A lot holds cards of one variant.
alter table catalogue.lots add column variant text collate "C" not null default '';
drop index catalogue.lots_open;
create index lots_open on catalogue.lots (good, mode, variant, id) where state = 'published';

-- Pictures of goods, named by their own hash: a name never means another picture.
create table catalogue.images (
  name text collate "C" primary key,
  type text collate "C" not null,
  bytes bytea not null,
  created_at timestamptz not null,
  constraint images_size check (octet_length(bytes) between 1 and 524288)
);
grant select, insert on catalogue.images to berth_app;

-- delivering: charged, and a person delivers later. doubt stands beside it too when the answer to the order may be lost.
alter table orders.orders add column variant text collate "C" not null default '';
alter table orders.orders drop constraint orders_state;
alter table orders.orders add constraint orders_state check (state in ('delivering', 'delivered', 'unknown', 'cancelled', 'refunded'));
alter table orders.orders drop constraint orders_doubt;
alter table orders.orders add constraint orders_doubt check (doubt in ('broken', 'crash')
  and case state when 'unknown' then doubt is not null when 'delivering' then true else doubt is null end);
drop index orders.orders_doubtful;
create index orders_doubtful on orders.orders (lane, id) where doubt is not null;

-- What an order holds beside its cards: the values of its form, and what a person delivered. Both sealed.
create schema fulfilment;
create table fulfilment.deliveries (
  lane int not null,
  docking text collate "C" not null,
  order_id text collate "C" not null,
  form bytea,
  delivered bytea,
  reason text,
  waiting boolean not null,
  ended_at timestamptz,
  constraint deliveries_pkey primary key (lane, docking, order_id)
);
grant usage on schema fulfilment to berth_app;
create index deliveries_by_order on fulfilment.deliveries (order_id);
create index deliveries_waiting on fulfilment.deliveries (lane, order_id) where waiting;
grant select, insert, update (delivered, reason, waiting, ended_at) on fulfilment.deliveries to berth_app;

-- price_guard: what protects a shop whose protocol cannot say the most that it pays. port: a listener of its own, at whose root the docking is served.
alter table partners.dockings add column price_guard text collate "C" not null default 'last_shown', add column price_cap bigint, add column port int;
alter table partners.dockings add constraint dockings_guard check (price_guard in ('last_shown', 'max', 'none') and (price_guard = 'max') = (price_cap is not null) and price_cap > 0);
alter table partners.dockings add constraint dockings_port check (port between 1 and 65535);
create index dockings_with_port on partners.dockings (port) where port is not null;
grant update (price_guard, price_cap, port) on partners.dockings to berth_app;
