-- The log that partners verify: a Merkle tree over the facts, sealed behind them.
create schema logbook;

-- One row: who may seal, and the tree as far as it is needed to grow it. Whoever seals holds this row and must have its epoch.
create table logbook.sealer (
  one boolean not null,
  epoch bigint not null default 0,
  origin text,
  size bigint not null default 0,
  peaks bytea not null default '',
  constraint sealer_pkey primary key (one),
  constraint sealer_one check (one)
) with (fillfactor = 50);
insert into logbook.sealer (one) values (true);

-- How far the facts of each lane are sealed. It begins with the first fact.
create table logbook.cursors (
  lane int not null,
  position bigint not null,
  constraint log_cursors_pkey primary key (lane)
) with (fillfactor = 50);
insert into logbook.cursors (lane, position) select lane, 0 from platform.lanes;

-- What everybody reads. Nothing of a person is in it, and nothing in it is ever changed.
create table logbook.leaves (
  index bigint not null,
  lane int not null,
  position bigint not null,
  is_block boolean not null,
  bytes text not null,
  constraint leaves_pkey primary key (index),
  -- A fact has one leaf, and a position ends one block: sealing twice is impossible.
  constraint leaves_once unique (lane, position, is_block)
);

-- The roots of all complete subtrees, the leaves' own hashes at level 0: a proof reads log n of them.
create table logbook.nodes (
  level int not null,
  index bigint not null,
  hash bytea not null,
  constraint nodes_pkey primary key (level, index),
  constraint nodes_hash check (octet_length(hash) = 32)
);

create table logbook.checkpoints (
  size bigint not null,
  root bytea not null,
  epoch bigint not null,
  note text not null,
  sealed_at timestamptz not null,
  constraint checkpoints_pkey primary key (size),
  constraint checkpoints_root check (octet_length(root) = 32)
);

-- What the leaves commit to. Erasure destroys salt and payload and, with a docking, whose leaf it was; the leaf stays.
create table logbook.payloads (
  index bigint not null,
  lane int not null,
  docking text collate "C",
  counter bigint,
  kind text collate "C" not null,
  subject text collate "C",
  salt bytea,
  payload text,
  erased_at timestamptz,
  constraint payloads_pkey primary key (index),
  constraint payloads_once unique (lane, docking, counter),
  constraint payloads_counter check ((docking is null) = (counter is null)),
  constraint payloads_salt check (octet_length(salt) = 16),
  constraint payloads_erased check (num_nonnulls(salt, payload) = case when erased_at is null then 2 else 0 end)
);
create index payloads_of_subject on logbook.payloads (lane, subject) where subject is not null;

-- The name of a docking in the log is a hash over this salt and its id; counter: how many leaves it has.
create table logbook.dockings (
  lane int not null,
  docking text collate "C" not null,
  salt bytea not null,
  counter bigint not null,
  constraint log_dockings_pkey primary key (lane, docking),
  constraint log_dockings_salt check (octet_length(salt) = 16)
) with (fillfactor = 80);

-- Dockings that witness: the newest checkpoint that each key has signed vouches for all before it.
create table logbook.witnesses (
  lane int not null,
  docking text collate "C" not null,
  public_key bytea not null,
  name text collate "C" not null,
  added_at timestamptz not null,
  size bigint not null,
  signed_at timestamptz not null,
  signature bytea not null,
  constraint witnesses_pkey primary key (lane, docking, public_key),
  constraint witnesses_key check (octet_length(public_key) = 32),
  constraint witnesses_signature check (octet_length(signature) = 72)
) with (fillfactor = 80);
create index witnesses_by_size on logbook.witnesses (size);

grant usage on schema logbook to berth_app;
grant select, update (epoch, origin, size, peaks) on logbook.sealer to berth_app;
grant select, update (position) on logbook.cursors to berth_app;
grant select, insert on logbook.leaves, logbook.nodes, logbook.checkpoints to berth_app;
grant select, insert on logbook.payloads to berth_app;
grant select, insert, update (counter) on logbook.dockings to berth_app;
grant select, insert, update (size, signed_at, signature) on logbook.witnesses to berth_app;

-- The only way to erase: what a fact says that this very transaction has written, and nothing else. So nothing is erased
-- without a fact that is sealed, and an old fact erases nothing twice. A block and an erasure hold nothing of a person.
create function logbook.erase(of_lane int, of_position bigint) returns bigint
  language plpgsql security definer set search_path = pg_catalog as $$
declare
  said record;
  erased bigint;
begin
  select f.docking, f.subject into said from platform.facts f
    where f.lane = of_lane and f.position = of_position and f.kind = 'erasure.done' and f.code is null and f.xmin = pg_current_xact_id()::xid;
  if not found then
    raise exception 'nothing is erased without a fact of it' using errcode = 'insufficient_privilege';
  end if;
  if said.docking = said.subject then
    -- The name first: a seal that counts leaves of this docking waits for its row, and then begins a new name.
    delete from logbook.dockings d where d.lane = of_lane and d.docking = said.docking;
    delete from logbook.witnesses w where w.lane = of_lane and w.docking = said.docking;
    update logbook.payloads p set docking = null, counter = null, subject = null, salt = null, payload = null, erased_at = coalesce(p.erased_at, clock_timestamp())
      where p.lane = of_lane and p.docking = said.docking;
  else
    update logbook.payloads p set subject = case when p.kind = 'decision.taken' then p.subject end, salt = null, payload = null, erased_at = clock_timestamp()
      where p.index = said.subject::bigint and coalesce(p.docking, '') = coalesce(said.docking, '') and p.kind not in ('block', 'erasure.done') and p.erased_at is null;
  end if;
  get diagnostics erased = row_count;
  return erased;
end $$;
revoke all on function logbook.erase(int, bigint) from public;
grant execute on function logbook.erase(int, bigint) to berth_app;
