-- Open figures: what the hub refused, held and took back, a quarter at a time, in groups of at least five partners.
create schema figures;

-- How far the facts of each lane have been folded: from the first one, since a quarter is counted whole.
create table figures.cursors (
  lane int not null,
  position bigint not null,
  constraint cursors_pkey primary key (lane)
) with (fillfactor = 50);
insert into figures.cursors (lane, position) select lane, 0 from platform.lanes;

-- What one partner had of one thing in one quarter that is not yet published.
create table figures.tallies (
  lane int not null,
  quarter text collate "C" not null,
  family text collate "C" not null,
  class text collate "C" not null,
  code text collate "C" not null,
  partner text collate "C" not null,
  events bigint not null,
  constraint tallies_pkey primary key (lane, quarter, family, class, code, partner),
  constraint tallies_events check (events >= 1)
) with (fillfactor = 70);

-- Decisions as the log told of them: how long one stood, and what a later one or an appeal says about it.
create table figures.decisions (
  lane int not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  partner text collate "C" not null,
  class text collate "C" not null,
  code text collate "C" not null,
  taken_at timestamptz not null,
  lifted_at timestamptz,
  is_followed boolean not null default false,
  constraint decisions_pkey primary key (lane, id)
);
create index decisions_by_docking on figures.decisions (lane, docking, taken_at);
create index decisions_lifted on figures.decisions (lifted_at) where lifted_at is not null;

-- A quarter as it was published, for ever.
create table figures.published (
  quarter text collate "C" not null,
  document text not null,
  at timestamptz not null,
  constraint published_pkey primary key (quarter),
  constraint published_quarter check (quarter ~ '^\d{4}Q[1-4]$')
);

grant usage on schema figures to berth_app;
grant select, update (position) on figures.cursors to berth_app;
grant select, insert, update (events), delete on figures.tallies to berth_app;
grant select, insert, update (lifted_at, is_followed) on figures.decisions to berth_app;
grant select, insert on figures.published to berth_app;

-- Pattern detectors: what they have counted, what they found, and the thresholds that this hub has drawn for itself.
create schema risk;

create table risk.cursors (
  lane int not null,
  position bigint not null,
  constraint cursors_pkey primary key (lane)
) with (fillfactor = 50);
insert into risk.cursors (lane, position) select lane, head from platform.lanes;

-- One set of thresholds and weights, drawn once, sealed: the source of this program is public, and they must not be.
create table risk.profiles (
  one boolean not null,
  sealed bytea not null,
  made_at timestamptz not null default now(),
  constraint profiles_pkey primary key (one),
  constraint profiles_one check (one)
);

-- Orders of one good by one live docking on one day: number, those in the night, and the moments of the gaps between them in milliseconds.
create table risk.tallies (
  lane int not null,
  docking text collate "C" not null,
  day date not null,
  good text collate "C" not null,
  orders bigint not null,
  night bigint not null,
  gaps double precision not null,
  gap_squares double precision not null,
  last_at timestamptz not null,
  constraint tallies_pkey primary key (lane, docking, day, good)
) with (fillfactor = 70);

-- What a detector saw. bands is what may be told; the rest is sealed, and its hash given here binds the hub to it.
create table risk.findings (
  lane int not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  detector text collate "C" not null,
  day date not null,
  good text collate "C" not null,
  bands jsonb not null,
  commitment text collate "C" not null,
  sealed bytea not null,
  found_at timestamptz not null,
  constraint findings_pkey primary key (lane, id),
  constraint findings_once unique (lane, docking, day, good, detector),
  constraint findings_commitment check (commitment ~ '^[0-9a-f]{64}$')
);

grant usage on schema risk to berth_app;
grant select, update (position) on risk.cursors to berth_app;
grant select, insert on risk.profiles to berth_app;
grant select, insert, update (orders, night, gaps, gap_squares, last_at), delete on risk.tallies to berth_app;
grant select, insert on risk.findings to berth_app;
