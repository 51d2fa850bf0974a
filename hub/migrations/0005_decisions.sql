-- The only rows that can block. A class cannot be claimed without what proves it.
create schema decisions;

create table decisions.decisions (
  lane int not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  measure text collate "C" not null,
  scope text[] not null,
  goods text[] not null default '{}',
  class text collate "C" not null,
  code text collate "C" not null,
  statement jsonb not null,
  effective_at timestamptz not null,
  ends_at timestamptz,
  review_at timestamptz not null,
  decided_by text not null,
  decided_at timestamptz not null,
  lifted_at timestamptz,
  lifted_by text,
  lift_note text,
  constraint decisions_pkey primary key (lane, id),
  constraint decisions_measure check (measure in ('suspend', 'refuse')),
  constraint decisions_class check (class in ('technical', 'commercial', 'compliance')),
  constraint decisions_scope check (cardinality(scope) > 0 and scope <@ array['goods', 'orders', 'funds', 'members', 'key']),
  -- A code says its class: nobody can file a compliance reason as a technical one.
  constraint decisions_code_has_its_class check (
    class = case split_part(code, '.', 1) when 'compliance' then 'compliance' when 'terms' then 'commercial' when 'partners' then 'technical' end),
  -- Nothing is held for ever by silence: every measure is looked at again within 90 days.
  constraint decisions_reviewed check (review_at <= decided_at + interval '90 days'),
  constraint decisions_lift_has_person check ((lifted_at is null) = (lifted_by is null)),
  -- technical rests on a red check, commercial on a contract or published rule, compliance on a law, rule or order.
  constraint decisions_technical_needs_check check (
    class <> 'technical' or jsonb_path_exists(statement, '$.evidence[*] ? (@.kind == "check_run")')),
  constraint decisions_commercial_needs_rule check (
    class <> 'commercial' or jsonb_path_exists(statement, '$.ground[*] ? (@.type == "contract" || @.type == "published_rule")')),
  constraint decisions_compliance_needs_article check (
    class <> 'compliance' or jsonb_path_exists(statement, '$.ground[*] ? (@.article like_regex "[^[:space:]]")')),
  constraint decisions_funds_have_release check (
    not ('funds' = any (scope)) or jsonb_path_exists(statement, '$.funds.releaseAt ? (@ like_regex "[^[:space:]]")'))
);
create index decisions_in_force on decisions.decisions (lane, docking) where lifted_at is null;
create index decisions_by_id on decisions.decisions (id);

grant usage on schema decisions to berth_app;
grant select, insert, update (lifted_at, lifted_by, lift_note) on decisions.decisions to berth_app;
