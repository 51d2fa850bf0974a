-- Prices for many goods and many dockings without a row for each pair: levels, price groups and their rules, changes that
-- are due later, and a history that nobody edits.
create table terms.price_groups (
  name text collate "C" primary key,
  note text not null,
  since timestamptz not null
);

create table terms.levels (
  name text collate "C" primary key,
  grp text collate "C" references terms.price_groups (name),
  since timestamptz not null
);

-- price = basis * factor_ppm / 1000000 + addition, rounded up to a multiple of step. A fixed price is factor 0.
-- A rule that was taken away is not in force: the hub's role deletes nothing.
create table terms.price_rules (
  grp text collate "C" not null references terms.price_groups (name),
  scope text collate "C" not null,
  subject text collate "C" not null,
  basis text collate "C" not null,
  factor_ppm bigint not null,
  addition bigint not null,
  step bigint not null,
  below_cost boolean not null,
  in_force boolean not null,
  since timestamptz not null,
  constraint price_rules_pkey primary key (grp, scope, subject),
  constraint price_rules_scope check (scope in ('all', 'category', 'good') and (scope = 'all') = (subject = '')),
  constraint price_rules_basis check (basis in ('list', 'cost')),
  constraint price_rules_formula check (factor_ppm between 0 and 1000000000 and step between 1 and 1000000000)
);
create index price_rules_wide on terms.price_rules (grp) where scope <> 'good' and in_force;

-- The version moves with every change of any price, in the change's own transaction. A load that sees one version at its
-- begin and at its end has seen one state of all prices. good_rules: whether rules for single goods have to be looked for.
create table terms.book (
  one boolean primary key default true,
  version bigint not null default 0,
  good_rules boolean not null default false,
  constraint book_one_row check (one)
) with (fillfactor = 50);
insert into terms.book default values;

alter table terms.contracts
  add column level text collate "C" references terms.levels (name),
  add column price_group text collate "C" references terms.price_groups (name);

-- A good in several races has an own price for each. One that ended is not in force.
alter table terms.offers add column race text not null default '', add column in_force boolean not null default true;
alter table terms.offers drop constraint offers_pkey;
alter table terms.offers add constraint offers_pkey primary key (lane, docking, good, race);

-- ask: the change as it was asked for; rows: its prices by code, where it named them. outcome: what came of it.
create table terms.price_changes (
  id text collate "C" primary key,
  reference text collate "C",
  state text collate "C" not null,
  due_at timestamptz not null,
  ask jsonb not null,
  rows jsonb,
  made_by text not null,
  made_at timestamptz not null,
  ended_at timestamptz,
  outcome jsonb,
  constraint price_changes_reference unique (reference),
  constraint price_changes_state check (state in ('scheduled', 'applied', 'cancelled', 'refused')),
  constraint price_changes_end check ((state = 'scheduled') = (ended_at is null))
);
create index price_changes_due on terms.price_changes (due_at, id) where state = 'scheduled';

-- position: the place of the change's fact in the lane of the main site. Amounts and formulas are text, as they were told.
create table terms.price_history (
  position bigint not null,
  line int not null,
  what text collate "C" not null,
  grp text collate "C",
  docking text collate "C",
  good text collate "C",
  race text not null default '',
  subject text not null default '',
  old text,
  new text,
  change text collate "C",
  done_by text not null,
  note text not null,
  at timestamptz not null,
  constraint price_history_pkey primary key (position, line),
  constraint price_history_what check (what in ('list', 'group', 'own', 'rule', 'level', 'contract'))
);
create index price_history_good on terms.price_history (good, position, line) where good is not null;
create index price_history_docking on terms.price_history (docking, position, line) where docking is not null;
create index price_history_group on terms.price_history (grp, position, line) where grp is not null;

-- A change that concerns a whole price group is one row, not one for each of its dockings.
alter table catalogue.changes add column grp text collate "C";

grant select, insert on terms.price_groups to berth_app;
grant select, insert, update (grp, since) on terms.levels to berth_app;
grant select, insert, update on terms.price_rules to berth_app;
grant select, update (version, good_rules) on terms.book to berth_app;
grant select, insert, update (state, ended_at, outcome) on terms.price_changes to berth_app;
grant select, insert on terms.price_history to berth_app;
