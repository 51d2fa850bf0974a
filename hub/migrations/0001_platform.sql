-- Lanes, facts and the few words that the hub keeps about itself.
create schema if not exists platform;

-- One row a lane. Its row lock orders everything that touches a docking of the lane; head numbers the lane's facts
-- under that lock, so positions are dense and appear in commit order. answered: every order accepted up to this
-- position has had its answer written; what lies between it and head after a crash is in doubt.
create table platform.lanes (
  lane int primary key,
  epoch bigint not null default 0,
  head bigint not null default 0,
  answered bigint not null default 0,
  constraint lanes_answered_behind_head check (answered <= head)
) with (fillfactor = 50);

insert into platform.lanes (lane)
select unnest(array[-1,
  0,1,2,3,4,5,6,7,8,9,10,11,12,13,16,17,18,19,21,22,24,27,28,31,36,37,39,41,43,44,45,46,48,50,52,58,59,60,62,66,70,79,
  80,82,83,85,88,89,92,95,96,99,101,109,112,113,136,149,166,168,170,172,179,351]);

-- The one log. code is set on refusals only.
create table platform.facts (
  lane int not null,
  position bigint not null,
  docking text collate "C",
  kind text collate "C" not null,
  subject text collate "C",
  code text collate "C",
  body text not null,
  at timestamptz not null,
  constraint facts_pkey primary key (lane, position)
);
create index facts_refused on platform.facts (lane, docking, position) where code is not null;

create table platform.meta (
  key text collate "C" primary key,
  value text not null
);

grant usage on schema platform to berth_app;
grant select, update on platform.lanes to berth_app;
grant select, insert on platform.facts to berth_app;
grant select, insert on platform.meta to berth_app;
