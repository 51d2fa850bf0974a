-- Suspicious-transaction cases. Nothing elsewhere refers to this schema, and it refers to nothing: no key, no fact, no counter.
create schema compliance;

-- One row a case, sealed whole (state, persons, dossier) and padded, under an id that tells no time.
create table compliance.cases (
  id text collate "C" not null,
  version int not null,
  sealed bytea not null,
  constraint cases_pkey primary key (id),
  constraint cases_id check (id ~ '^cas_[0-9a-z]{26}$'),
  constraint cases_padded check (octet_length(sealed) % 4096 = 28)
);

-- How a case ended, once. maker and checker are keyed hashes of two names with the case: the same person gives the same hash.
create table compliance.endings (
  case_id text collate "C" not null,
  maker bytea not null,
  checker bytea not null,
  constraint endings_pkey primary key (case_id),
  constraint endings_hashes check (octet_length(maker) = 16 and octet_length(checker) = 16),
  constraint endings_four_eyes check (maker <> checker)
);

-- Who looked at what and who did what, never edited. case_id is empty for a look at the list. Numbers are dense: a line that is gone leaves a hole.
create table compliance.accesses (
  case_id text collate "C" not null,
  number int not null,
  sealed bytea not null,
  constraint accesses_pkey primary key (case_id, number),
  constraint accesses_number check (number >= 1),
  constraint accesses_padded check (octet_length(sealed) % 1024 = 28)
);

grant usage on schema compliance to berth_app;
grant select, insert, update (version, sealed) on compliance.cases to berth_app;
grant select, insert on compliance.endings to berth_app;
grant select, insert on compliance.accesses to berth_app;
