-- Appeals against decisions: another person decides, in time, and how it went stays on record.
create schema appeals;

-- What the decision was is copied at filing: who took it may not decide here, and the reason is counted by how its appeals end.
create table appeals.appeals (
  lane int not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  decision text collate "C" not null,
  class text collate "C" not null,
  code text collate "C" not null,
  decision_by text collate "C" not null,
  -- The second person of a decision whose facts are withheld.
  approved_by text collate "C",
  -- A ground of law, an order of an authority or a fraud hold: a missed clock leaves the measure as it is.
  stands_when_missed boolean not null,
  via text collate "C" not null,
  filed_by text collate "C" not null,
  filed_at timestamptz not null,
  state text collate "C" not null default 'filed',
  decide_by timestamptz not null,
  paused_at timestamptz,
  evidence_due timestamptz,
  paused_for interval not null default '0',
  extended_days int not null default 0,
  missed_at timestamptz,
  decided_by text collate "C",
  closed_at timestamptz,
  outcome_decision text collate "C",
  constraint appeals_pkey primary key (lane, id),
  constraint appeals_class check (class in ('technical', 'commercial', 'compliance')),
  constraint appeals_via check (via in ('api', 'link')),
  constraint appeals_state check (state in ('filed', 'evidence_owed', 'under_review', 'upheld', 'overturned', 'partly', 'withdrawn')),
  -- Nobody decides about his or her own decision.
  constraint appeals_another_person check (lower(decided_by) <> lower(decision_by) and (approved_by is null or lower(decided_by) <> lower(approved_by))),
  constraint appeals_decided check ((state in ('upheld', 'overturned', 'partly')) = (decided_by is not null)),
  constraint appeals_closed check ((state in ('upheld', 'overturned', 'partly', 'withdrawn')) = (closed_at is not null)),
  constraint appeals_paused check (num_nonnulls(paused_at, evidence_due) = case state when 'evidence_owed' then 2 else 0 end),
  constraint appeals_partly check (state <> 'partly' or outcome_decision is not null),
  -- Fifteen days, one extension of at most as many, and what the partner itself took: no clock runs longer.
  constraint appeals_extension check (extended_days between 0 and 15),
  constraint appeals_clock check (decide_by <= filed_at + interval '24 hours' * (15 + extended_days) + paused_for and paused_for >= interval '0')
) with (fillfactor = 70);
create unique index appeals_one_open on appeals.appeals (lane, decision) where state in ('filed', 'evidence_owed', 'under_review');
create index appeals_by_id on appeals.appeals (id);
create index appeals_of on appeals.appeals (lane, docking, id);
create index appeals_running on appeals.appeals (lane, id) where state in ('filed', 'evidence_owed', 'under_review');
create index appeals_by_close on appeals.appeals (closed_at) where closed_at is not null;

-- What was said and done, in its order. The words are people's and may name people: they are kept sealed.
create table appeals.entries (
  lane int not null,
  appeal text collate "C" not null,
  seq int not null,
  kind text collate "C" not null,
  side text collate "C" not null,
  by text collate "C" not null,
  sealed bytea,
  at timestamptz not null,
  due_at timestamptz,
  constraint entries_pkey primary key (lane, appeal, seq),
  constraint entries_appeal foreign key (lane, appeal) references appeals.appeals (lane, id),
  constraint entries_kind check (kind in ('filed', 'asked', 'given', 'resumed', 'extended', 'missed', 'upheld', 'overturned', 'partly', 'withdrawn')),
  constraint entries_side check (side in ('partner', 'main_site', 'clock'))
);

-- When the clock stood still: until the partner gave what was asked for, or its own due date. Three questions at most.
create table appeals.pauses (
  lane int not null,
  appeal text collate "C" not null,
  seq int not null,
  from_at timestamptz not null,
  due_at timestamptz not null,
  until_at timestamptz,
  constraint pauses_pkey primary key (lane, appeal, seq),
  constraint pauses_appeal foreign key (lane, appeal) references appeals.appeals (lane, id),
  constraint pauses_few check (seq between 1 and 3),
  constraint pauses_bounded check (due_at > from_at and due_at <= from_at + interval '15 days' and until_at >= from_at)
);
create unique index pauses_one_open on appeals.pauses (lane, appeal) where until_at is null;

-- Documents: a small file sealed, or the hash of one that is handed over elsewhere.
create table appeals.evidence (
  lane int not null,
  appeal text collate "C" not null,
  seq int not null,
  entry int not null,
  name text not null,
  note text not null,
  sha256 text collate "C" not null,
  bytes int,
  sealed bytea,
  constraint evidence_pkey primary key (lane, appeal, seq),
  constraint evidence_entry foreign key (lane, appeal, entry) references appeals.entries (lane, appeal, seq),
  constraint evidence_few check (seq between 1 and 20),
  constraint evidence_hash check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint evidence_small check ((bytes is null) = (sealed is null) and bytes between 1 and 262144)
);

grant usage on schema appeals to berth_app;
grant select, insert, update (state, decide_by, paused_at, evidence_due, paused_for, extended_days, missed_at, decided_by, closed_at, outcome_decision) on appeals.appeals to berth_app;
grant select, insert on appeals.entries, appeals.evidence to berth_app;
grant select, insert, update (until_at) on appeals.pauses to berth_app;
