-- Double entry in the form of transfers: a row moves one amount from one account to another and so cannot be unbalanced.
create schema ledger;

-- Only accounts of partners have a running balance: a house account would be one hot row for everybody.
create table ledger.balances (
  lane int not null,
  account text collate "C" not null,
  mode text collate "C" not null,
  available bigint not null default 0,
  constraint balances_pkey primary key (lane, account),
  constraint balances_mode check (mode in ('sandbox', 'live')),
  constraint balances_never_negative check (available >= 0)
) with (fillfactor = 60);

-- account is the partner's side of the transfer, after its balance once the transfer is posted.
create table ledger.transfers (
  lane int not null,
  account text collate "C" not null,
  position bigint not null,
  leg smallint not null,
  event text collate "C" not null,
  kind text collate "C" not null,
  debit text collate "C" not null,
  credit text collate "C" not null,
  amount bigint not null,
  after bigint not null,
  at timestamptz not null,
  constraint transfers_pkey primary key (lane, account, position, leg),
  constraint transfers_positive check (amount > 0),
  constraint transfers_two_accounts check (debit <> credit),
  constraint transfers_touch_account check (account in (debit, credit)),
  constraint transfers_after_never_negative check (after >= 0)
);

create table ledger.deposits (
  lane int not null,
  account text collate "C" not null,
  reference text collate "C" not null,
  id text collate "C" not null,
  amount bigint not null,
  note text not null,
  at timestamptz not null,
  constraint deposits_pkey primary key (lane, account, reference),
  constraint deposits_whole_fen check (amount > 0 and amount % 10000 = 0)
);

grant usage on schema ledger to berth_app;
grant select, insert, update on ledger.balances to berth_app;
grant select, insert on ledger.transfers, ledger.deposits to berth_app;
