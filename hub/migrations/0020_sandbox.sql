-- Sandboxes: one for every live docking, and one for whoever asks; faults that they ask for, and a clock of their own.

-- twin_of: the live docking whose sandbox this is. clock_offset: seconds by which a sandbox's clock is ahead.
alter table partners.dockings add column twin_of text collate "C";
alter table partners.dockings add column clock_offset int not null default 0;
alter table partners.dockings add constraint dockings_twin_is_sandbox check (twin_of is null or mode = 'sandbox');
alter table partners.dockings add constraint dockings_only_sandbox_travels check (clock_offset between 0 and 34560000 and (clock_offset = 0 or mode = 'sandbox'));
create index dockings_by_twin on partners.dockings (twin_of) where twin_of is not null;
grant update (clock_offset) on partners.dockings to berth_app;

create schema sandbox;

-- origin: twin of a live docking, or asked for by anybody (application). The contact is sealed: it belongs to a person.
-- used_at is moved once a day at most.
create table sandbox.boxes (
  lane int not null,
  docking text collate "C" not null,
  origin text collate "C" not null,
  dialect text collate "C" not null,
  contact bytea,
  opened_at timestamptz not null,
  used_at timestamptz not null,
  ended_at timestamptz,
  constraint boxes_pkey primary key (lane, docking),
  constraint boxes_origin check (origin in ('twin', 'application')),
  constraint boxes_erased check (ended_at is null or contact is null)
) with (fillfactor = 80);
create index boxes_opened on sandbox.boxes (opened_at) where origin = 'application';
create index boxes_unused on sandbox.boxes (used_at) where origin = 'application' and ended_at is null;

-- What the next requests of a sandbox docking meet. remaining counts down; a row at zero is spent.
create table sandbox.switches (
  lane int not null,
  docking text collate "C" not null,
  fault text collate "C" not null,
  params jsonb not null,
  remaining int not null,
  set_at timestamptz not null,
  constraint switches_pkey primary key (lane, docking, fault),
  constraint switches_remaining check (remaining between 0 and 1000)
) with (fillfactor = 80);

grant usage on schema sandbox to berth_app;
grant select, insert, update (used_at, ended_at, contact) on sandbox.boxes to berth_app;
grant select, insert, delete, update (params, remaining, set_at) on sandbox.switches to berth_app;
