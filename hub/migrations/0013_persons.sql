-- The hub's own hand, and the persons who run the main site.

-- One signing key a database, sealed under the key-encryption key: partners pin its public half.
create table platform.signing_keys (
  one boolean not null,
  id text collate "C" not null,
  public_key bytea not null,
  sealed bytea not null,
  made_at timestamptz not null default now(),
  constraint signing_keys_pkey primary key (one),
  constraint signing_keys_one check (one),
  constraint signing_keys_raw check (octet_length(public_key) = 32)
);
grant select, insert on platform.signing_keys to berth_app;

-- Whoever decides is a person with a key of his or her own: what one person decided another can look at again.
create schema operators;

create table operators.operators (
  name text collate "C" not null,
  roles text[] not null,
  key_hash bytea not null,
  added_by text collate "C" not null,
  added_at timestamptz not null,
  ended_at timestamptz,
  ended_by text collate "C",
  -- A name is never given again: what stands under it in a decision shall mean one person for ever.
  constraint operators_pkey primary key (name),
  constraint operators_name check (name ~ '^[a-z0-9][a-z0-9._-]{0,39}$'),
  constraint operators_roles check (cardinality(roles) > 0 and roles <@ array['owner', 'operator', 'reviewer', 'compliance']),
  constraint operators_key unique (key_hash),
  constraint operators_end check ((ended_at is null) = (ended_by is null))
);
grant usage on schema operators to berth_app;
grant select, insert, update (ended_at, ended_by) on operators.operators to berth_app;
