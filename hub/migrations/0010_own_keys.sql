-- Partners make and roll their own keys: a repeat under the same Idempotency-Key gets the same key.
alter table partners.keys add column asked_as text collate "C";
alter table partners.keys add column ask bytea;
alter table partners.keys add column replaces text collate "C";
create unique index keys_by_ask on partners.keys (lane, docking, asked_as) where asked_as is not null;
