-- Who docks, and with which keys.
create schema partners;

create table partners.partners (
  id text collate "C" primary key,
  name text not null,
  created_at timestamptz not null
);

create table partners.dockings (
  lane int not null,
  id text collate "C" not null,
  partner text collate "C" not null,
  name text not null,
  mode text collate "C" not null,
  dialect text collate "C" not null,
  app_id text collate "C",
  allowed_addresses text[] not null default '{}',
  created_at timestamptz not null,
  constraint dockings_pkey primary key (lane, id),
  constraint dockings_mode check (mode in ('sandbox', 'live')),
  constraint dockings_dialect check (dialect in ('json', 'acg0')),
  constraint dockings_app_id check ((dialect = 'json') = (app_id is null))
);

-- A bearer key is kept as a hash. A signing secret must be used, so it is kept sealed.
create table partners.keys (
  lane int not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  kind text collate "C" not null,
  mode text collate "C" not null,
  hash bytea,
  sealed bytea,
  public_key bytea,
  scopes text[] not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  constraint keys_pkey primary key (lane, id),
  constraint keys_kind check (kind in ('bearer', 'hmac-sha256', 'ed25519', 'acg')),
  constraint keys_mode check (mode in ('sandbox', 'live')),
  constraint keys_material check (num_nonnulls(hash, sealed, public_key) = 1)
);
create index keys_by_hash on partners.keys (hash) where hash is not null;
create index keys_by_id on partners.keys (id);
create index keys_by_docking on partners.keys (lane, docking);
create index dockings_by_id on partners.dockings (id);

grant usage on schema partners to berth_app;
grant select, insert on partners.partners, partners.dockings to berth_app;
grant select, insert, update (expires_at, revoked_at) on partners.keys to berth_app;
