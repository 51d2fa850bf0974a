-- Conformance: runs of the public kit on sandboxes, what was seen in them, and how live dockings were admitted.
create schema conformance;

-- A run is closed once and its report never changes. task: the one under way.
create table conformance.runs (
  lane int not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  dialect text collate "C" not null,
  kit text collate "C" not null,
  text text not null,
  task text collate "C",
  state text collate "C" not null,
  started_at timestamptz not null,
  finished_at timestamptz,
  report jsonb,
  constraint runs_pkey primary key (lane, id),
  constraint runs_dialect check (dialect in ('json', 'acg')),
  constraint runs_state check (state in ('open', 'green', 'red')),
  constraint runs_finished check ((state = 'open') = (finished_at is null) and (state = 'open') = (report is null))
) with (fillfactor = 80);
create index runs_by_id on conformance.runs (id);
create index runs_by_docking on conformance.runs (lane, docking, id);

create table conformance.sightings (
  lane int not null,
  run text collate "C" not null,
  seq int not null,
  at timestamptz not null,
  seen jsonb not null,
  constraint sightings_pkey primary key (lane, run, seq)
);

-- How a live docking was admitted: by a green run, or by a waiver of a person with a reason. One row for ever.
create table conformance.admissions (
  lane int not null,
  docking text collate "C" not null,
  run text collate "C",
  reason text,
  by text not null,
  at timestamptz not null,
  constraint admissions_pkey primary key (lane, docking),
  constraint admissions_badge_or_waiver check ((run is null) <> (reason is null))
);

grant usage on schema conformance to berth_app;
grant select, insert, update (task, state, finished_at, report) on conformance.runs to berth_app;
grant select, insert on conformance.sightings, conformance.admissions to berth_app;
