-- What a docking was promised: its fee, and prices of its own (密价) where they differ from the list.
create schema terms;

create table terms.contracts (
  lane int not null,
  docking text collate "C" not null,
  fee_ppm int not null default 0,
  since timestamptz not null,
  constraint contracts_pkey primary key (lane, docking),
  constraint contracts_fee check (fee_ppm between 0 and 100000)
);

create table terms.offers (
  lane int not null,
  docking text collate "C" not null,
  good text collate "C" not null,
  unit_price bigint not null,
  since timestamptz not null,
  constraint offers_pkey primary key (lane, docking, good),
  constraint offers_price check (unit_price > 0)
);

grant usage on schema terms to berth_app;
grant select, insert, update on terms.contracts, terms.offers to berth_app;
