-- Drills: what a sandbox is made to go through, and how it was found.
create schema drills;

-- One rehearsal. result is the signed document, as text: nothing may reorder what was signed. seen_at: until when a living hub
-- watched over it, so that the time in which no hub lived is given back. tempo: how many times as fast as planned it runs.
create table drills.runs (
  lane int not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  kind text collate "C" not null,
  version int not null,
  origin text collate "C" not null,
  asked_by text collate "C" not null,
  tempo int not null,
  state text collate "C" not null,
  planned_at timestamptz not null,
  starts_at timestamptz not null,
  started_at timestamptz,
  seen_at timestamptz,
  ended_at timestamptz,
  reason text collate "C",
  score int,
  result text,
  constraint runs_pkey primary key (lane, id),
  constraint runs_origin check (origin in ('partner', 'operator', 'schedule')),
  constraint runs_state check (state in ('planned', 'running', 'scored', 'abandoned')),
  constraint runs_started check (state = 'planned' or started_at is not null or state = 'abandoned'),
  constraint runs_ended check ((ended_at is null) = (state in ('planned', 'running'))),
  constraint runs_scored check ((state = 'scored') = (score is not null) and (score is null) = (result is null) and score between 0 and 100),
  constraint runs_reason check ((state = 'abandoned') = (reason is not null))
) with (fillfactor = 70);
create unique index runs_one_at_a_time on drills.runs (lane, docking) where state = 'running';
create index runs_of_docking on drills.runs (docking, id);
create index runs_open on drills.runs (starts_at) where state in ('planned', 'running');

-- acted_at: when the hub had done what the step begins with; it is done again after a crash before that.
create table drills.steps (
  lane int not null,
  run text collate "C" not null,
  ordinal int not null,
  name text collate "C" not null,
  begun_at timestamptz not null,
  due_at timestamptz not null,
  acted_at timestamptz,
  ended_at timestamptz,
  ended_by text collate "C",
  data jsonb not null,
  constraint steps_pkey primary key (lane, run, ordinal),
  constraint steps_end check ((ended_at is null) = (ended_by is null) and ended_by in ('done', 'limit'))
) with (fillfactor = 70);

-- What the doors saw of the docking while it rehearsed: no secrets, no cards.
create table drills.observations (
  lane int not null,
  run text collate "C" not null,
  id text collate "C" not null,
  at timestamptz not null,
  body jsonb not null,
  constraint observations_pkey primary key (lane, run, id)
);

create table drills.schedules (
  lane int not null,
  docking text collate "C" not null,
  kind text collate "C" not null,
  every_days int not null,
  next_at timestamptz not null,
  set_by text collate "C" not null,
  set_at timestamptz not null,
  ended_at timestamptz,
  constraint drill_schedules_pkey primary key (lane, docking, kind),
  constraint drill_schedules_every check (every_days between 1 and 365)
) with (fillfactor = 80);
create index drill_schedules_next on drills.schedules (next_at) where ended_at is null;

grant usage on schema drills to berth_app;
grant select, insert, update (state, started_at, seen_at, ended_at, reason, score, result) on drills.runs to berth_app;
grant select, insert, update (due_at, acted_at, ended_at, ended_by, data) on drills.steps to berth_app;
grant select, insert, delete on drills.observations to berth_app;
grant select, insert, update (every_days, next_at, set_by, set_at, ended_at) on drills.schedules to berth_app;
