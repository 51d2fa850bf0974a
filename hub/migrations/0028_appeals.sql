-- Appeals that no two hands of one side can settle between them.

-- Whoever had a part in what is appealed against may not decide it: the persons of every decision that it took the place
-- of, and of those that have taken its place. The function reads them off the decisions and takes nobody's word.
alter table appeals.appeals
  add column deciders text[] not null default '{}',
  -- Filed with a key or a contact that the partner made itself. What the main site made spends nobody's appeal.
  add column own_hand boolean not null default true,
  add column sandbox boolean not null default false,
  add constraint appeals_decision foreign key (lane, docking, decision) references decisions.decisions (lane, docking, id);

create function appeals.file_appeal(of_lane int, new_id text, of_docking text, of_decision text, stands boolean, by_way text, by text, at timestamptz, due timestamptz, own boolean,
    play boolean) returns void
  language sql security definer set search_path = pg_catalog as $$
  with recursive chain as (
    select d.lane, d.supersedes, d.superseded_by, d.decided_by, d.approved_by from decisions.decisions d where d.lane = of_lane and d.docking = of_docking and d.id = of_decision
    union select d.lane, d.supersedes, d.superseded_by, d.decided_by, d.approved_by
      from chain c join decisions.decisions d on d.lane = c.lane and d.id in (c.supersedes, c.superseded_by)
  )
  insert into appeals.appeals (lane, id, docking, decision, class, code, decision_by, approved_by, deciders, stands_when_missed, via, filed_by, filed_at, decide_by, own_hand, sandbox)
  select d.lane, new_id, d.docking, d.id, d.class, d.code, d.decided_by, d.approved_by,
      (select array_agg(distinct lower(p.name)) from chain c cross join unnest(array[c.decided_by, c.approved_by]) p(name) where p.name is not null), stands, by_way, by, at, due, own, play
    from decisions.decisions d where d.lane = of_lane and d.docking = of_docking and d.id = of_decision
$$;
revoke all on function appeals.file_appeal(int, text, text, text, boolean, text, text, timestamptz, timestamptz, boolean, boolean) from public;
grant execute on function appeals.file_appeal(int, text, text, text, boolean, text, text, timestamptz, timestamptz, boolean, boolean) to berth_app;
revoke insert on appeals.appeals from berth_app;

update appeals.appeals set deciders = array[lower(decision_by)] || case when approved_by is null then '{}'::text[] else array[lower(approved_by)] end;
alter table appeals.appeals add constraint appeals_nobody_of_the_chain check (decided_by is null or not lower(decided_by) = any (deciders));

-- A person ends once and for good.
create function operators.end_operator(of_name text, by text, at timestamptz) returns boolean
  language sql security definer set search_path = pg_catalog as $$
  with ended as (update operators.operators set ended_at = at, ended_by = by where name = of_name and ended_at is null returning name) select exists (select from ended)
$$;
revoke all on function operators.end_operator(text, text, timestamptz) from public;
grant execute on function operators.end_operator(text, text, timestamptz) to berth_app;
revoke update (ended_at, ended_by) on operators.operators from berth_app;

-- What was overturned on appeal: it is not decided again over what was known by then.
create table decisions.overturned (
  lane int not null,
  docking text collate "C" not null,
  decision text collate "C" not null,
  at timestamptz(3) not null default date_trunc('milliseconds', clock_timestamp()),
  constraint overturned_pkey primary key (lane, docking, decision),
  constraint overturned_decision foreign key (lane, docking, decision) references decisions.decisions (lane, docking, id)
);
grant select on decisions.overturned to berth_app;
grant insert (lane, docking, decision) on decisions.overturned to berth_app;
