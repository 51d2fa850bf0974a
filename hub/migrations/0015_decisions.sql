-- The eight honesty rules, held by the database too. Rows of before are form 1 and stay as they were taken; whatever is
-- written from now on is form 2, and the hub's role cannot say otherwise: it may not insert the form, nor any time of its own.

-- A check that the hub itself ran against a docking. `proves` is the code that it proves: red, and where the cause lies
-- with the partner repeatable by the partner.
create table decisions.check_runs (
  lane int not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  check_name text collate "C" not null,
  version text collate "C" not null,
  -- SHA-256 of what was put in: a found secret, never the secret itself.
  input_hash text collate "C",
  verdict text collate "C" not null,
  code text collate "C",
  side text collate "C" not null,
  reproducible boolean not null,
  result jsonb not null,
  sha256 text collate "C" not null,
  ran_by text not null,
  ran_at timestamptz(3) not null default date_trunc('milliseconds', clock_timestamp()),
  proves text collate "C" generated always as (case when verdict = 'fail' and (side <> 'partner' or reproducible) then code end) stored,
  constraint check_runs_pkey primary key (lane, id),
  constraint check_runs_proof unique (lane, docking, id, ran_at, proves, check_name),
  constraint check_runs_verdict check (verdict in ('pass', 'warn', 'fail') and (verdict = 'pass' or code is not null)),
  constraint check_runs_hashes check (sha256 ~ '^[0-9a-f]{64}$' and (input_hash is null or input_hash ~ '^[0-9a-f]{64}$'))
);
create index check_runs_of on decisions.check_runs (lane, docking, id);

-- When the hub first heard of a fact or a piece of evidence about a docking: what was known when one class was told is
-- no new ground for another.
create table decisions.known (
  lane int not null,
  docking text collate "C" not null,
  sha256 text collate "C" not null,
  first_known_at timestamptz(3) not null default date_trunc('milliseconds', clock_timestamp()),
  -- What it is where the hub made or keeps it itself; null for whatever somebody only named.
  source text collate "C",
  constraint known_pkey primary key (lane, docking, sha256),
  constraint known_source check (source in ('finding', 'file')),
  constraint known_since unique (lane, docking, sha256, first_known_at)
);

-- A measure whose facts may not be told waits here for a second person.
create table decisions.drafts (
  lane int not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  statement jsonb not null,
  made_by text collate "C" not null,
  made_at timestamptz(3) not null default date_trunc('milliseconds', clock_timestamp()),
  constraint drafts_pkey primary key (lane, id),
  constraint drafts_maker unique (lane, docking, id, made_by)
);

alter table decisions.decisions
  add column form smallint not null default 1,
  add column side text collate "C",
  add column keys text[] not null default '{}',
  add column requests_per_second int,
  add column units_per_order int,
  add column unit_price_max bigint,
  add column lifts_check text collate "C",
  add column lifts_input text collate "C",
  add column supersedes text collate "C",
  add column approved_by text,
  add column draft text collate "C",
  -- What proves it: a run, a version of a rule, a signed contract.
  add column run text collate "C",
  add column run_at timestamptz(3),
  add column rule text collate "C",
  add column rule_sha256 text collate "C",
  add column rule_published_at timestamptz(3),
  add column rule_effective_at timestamptz(3),
  add column rule_bare boolean,
  add column contract text collate "C",
  add column contract_sha256 text collate "C",
  add column by_law boolean not null default false,
  -- Each decision names the one before it about the same docking, and the newest thing that it rests on.
  add column prior text collate "C",
  add column prior_class text collate "C",
  add column prior_at timestamptz,
  add column fresh_sha256 text collate "C",
  add column fresh_at timestamptz(3),
  add column lift_how text collate "C",
  add column superseded_by text collate "C";
alter table decisions.decisions alter column form set default 2;
alter table decisions.decisions alter column decided_at set default date_trunc('milliseconds', clock_timestamp());
alter table decisions.decisions alter column prior_at type timestamptz(3);

alter table decisions.decisions drop constraint decisions_measure;
alter table decisions.decisions
  add constraint decisions_whole unique (lane, docking, id, class, decided_at),
  add constraint decisions_of_docking unique (lane, docking, id),
  -- A statement stands behind the kind that it names, and only kinds that hit something are written.
  add constraint decisions_measure check (measure in ('warn', 'throttle', 'suspend', 'refuse', 'delist', 'key_quarantine', 'terminate', 'reprice', 'withdraw_offer', 'limit', 'level')),
  add constraint decisions_measure_hits check (case measure
    when 'throttle' then coalesce(requests_per_second > 0, false) when 'limit' then coalesce(units_per_order > 0, false)
    when 'delist' then cardinality(goods) > 0 when 'withdraw_offer' then cardinality(goods) > 0 when 'key_quarantine' then cardinality(keys) > 0
    when 'reprice' then cardinality(goods) > 0 and coalesce(unit_price_max > 0, false) else true end),
  add constraint decisions_statement_agrees check (form = 1 or coalesce(
    statement #>> '{measure,kind}' = measure and statement #>> '{cause,class}' = class and statement #>> '{cause,code}' = code and statement #>> '{cause,side}' = side
    and jsonb_array_length(statement -> 'facts') > 0 and jsonb_array_length(statement -> 'remedy') > 0
    and (statement #>> '{supersedes}') is not distinct from supersedes, false)),
  -- technical: a red run of the same docking for the same code, not older than a day. A warning that takes the place of
  -- a measure rests on the run of that. It ends when the same check is green, and does not end a relation.
  add constraint decisions_run foreign key (lane, docking, run, run_at, code, lifts_check) references decisions.check_runs (lane, docking, id, ran_at, proves, check_name),
  add constraint decisions_technical_is_proven check (form = 1 or class <> 'technical' or coalesce(
    run is not null and lifts_check is not null and measure <> 'terminate' and (run_at > decided_at - interval '24 hours' or measure = 'warn' and supersedes is not null)
    and jsonb_path_exists(statement, '$.evidence[*] ? (@.kind == "check_run" && @.id == $run)', jsonb_build_object('run', run)), false)),
  -- commercial: a contract that the partner signed, or a rule in force that was public for seven days. A least resale
  -- price without a recorded basis grounds a warning at most.
  add constraint decisions_rule foreign key (rule, rule_sha256, rule_published_at, rule_effective_at, rule_bare)
    references rulebook.texts (id, sha256, published_at, effective_at, bare_resale),
  add constraint decisions_contract foreign key (lane, docking, contract, contract_sha256) references rulebook.contracts (lane, docking, id, sha256),
  add constraint decisions_commercial_is_grounded check (form = 1 or class <> 'commercial' or coalesce(
    rule_sha256 is not null and rule_effective_at <= decided_at and rule_published_at <= decided_at - interval '7 days' and (not rule_bare or measure = 'warn')
    and jsonb_path_exists(statement, '$.ground[*] ? (@.type == "published_rule" && @.ref == $ref && @.versionHash == $hash)', jsonb_build_object('ref', rule, 'hash', rule_sha256)), false)
    or coalesce(contract_sha256 is not null
    and jsonb_path_exists(statement, '$.ground[*] ? (@.type == "contract" && @.ref == $ref && @.versionHash == $hash)', jsonb_build_object('ref', contract, 'hash', contract_sha256)), false)),
  -- compliance: facts are withheld by two persons, one who drafted and another who approved.
  add constraint decisions_draft foreign key (lane, docking, draft, decided_by) references decisions.drafts (lane, docking, id, made_by),
  add constraint decisions_draft_once unique (lane, draft),
  add constraint decisions_withheld_by_two check (form = 1
    or code <> 'compliance.withheld_by_law' and not jsonb_path_exists(statement, '$.evidence[*] ? (@.disclosure == "withheld_by_law")')
    or coalesce(draft is not null and approved_by <> decided_by and approved_by ~ '[^[:space:]]', false)),
  -- No other class over what was known before, but by law. Every statement follows the last one: there is one first.
  add constraint decisions_by_law check (not by_law or class = 'compliance' and jsonb_path_exists(statement, '$.ground[*] ? (@.type == "law" || @.type == "authority_order")')),
  add constraint decisions_prior foreign key (lane, docking, prior, prior_class, prior_at) references decisions.decisions (lane, docking, id, class, decided_at),
  add constraint decisions_prior_once unique (lane, docking, prior),
  add constraint decisions_prior_whole check ((prior is null) = (prior_class is null) and (prior is null) = (prior_at is null)),
  add constraint decisions_fresh foreign key (lane, docking, fresh_sha256, fresh_at) references decisions.known (lane, docking, sha256, first_known_at),
  add constraint decisions_no_hop check (form = 1 or prior is null or prior_class = class or by_law or decided_at >= prior_at + interval '90 days'
    or coalesce(fresh_sha256 is not null and fresh_at > prior_at, false)),
  -- The end of a relation is told thirty days before, but for what cannot wait. Its balance has a date.
  add constraint decisions_termination_has_notice check (form = 1 or measure <> 'terminate' or effective_at >= decided_at + interval '30 days' - interval '1 minute'
    or code in ('compliance.authority_order', 'compliance.withheld_by_law', 'compliance.fraud_found', 'partners.key_leaked')),
  add constraint decisions_termination_pays check (measure <> 'terminate' or coalesce(statement #>> '{funds,releaseAt}' ~ '[^[:space:]]', false)),
  -- A time so late that it is none is no time.
  add constraint decisions_times_end check (form = 1 or effective_at <= decided_at + interval '181 days' and coalesce(ends_at <= decided_at + interval '366 days', true)
    and coalesce(statement #>> '{funds,releaseAt}' !~ '[^[:space:]]'
      or statement #>> '{funds,releaseAt}' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T'
      and (statement #>> '{funds,releaseAt}') collate "C" <= to_char((decided_at + interval '181 days') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') collate "C", true)),
  -- Words that explain nothing, however they are spaced or widened.
  add constraint decisions_plain_words check (form = 1 or
    regexp_replace(lower(normalize(statement::text, nfkc)), '[[:space:]\u00ad\u115f\u1160\u200b-\u200f\u2060\u3164\ufeff._·*|~/!?(),;:、。-]', '', 'g') !~ '(incompatib|notcompatible|compatibility|systemerror|unknownerror|不兼容|不相容|兼容性|兼容問題|兼容问题|相容性|系统错误|系統錯誤|系统异常|系統異常|系统原因|系統原因|未知错误|未知錯誤|systemfault|systemfailure|systembusy|系统报错|系统故障|系统繁忙|系统问题|系統問題|系統故障|接口不支持|接口不匹配|系统不匹配)'),
  add constraint decisions_supersedes foreign key (lane, docking, supersedes) references decisions.decisions (lane, docking, id),
  add constraint decisions_superseded_by foreign key (lane, docking, superseded_by) references decisions.decisions (lane, docking, id),
  add constraint decisions_lift_how check (lift_how is null or lifted_at is not null and lift_how in ('person', 'condition', 'lapse', 'superseded', 'appeal', 'appeal_clock'));

create unique index decisions_first on decisions.decisions (lane, docking) where form = 2 and prior is null;
create index decisions_unreviewed on decisions.decisions (review_at) where lifted_at is null;
create index decisions_lapsing on decisions.decisions (ends_at) where lifted_at is null and ends_at is not null;
create index decisions_conditional on decisions.decisions (lane, id) where lifted_at is null and lifts_check is not null;

-- The one thing that may happen to a decision, once: it ends. Nobody edits one, and nobody ends one a second time.
create function decisions.end_measure(of_lane int, of_id text, how text, by text, note text, successor text) returns timestamptz
  language plpgsql security definer set search_path = pg_catalog as $$
declare ended timestamptz;
begin
  update decisions.decisions set lifted_at = date_trunc('milliseconds', clock_timestamp()), lifted_by = by, lift_note = note, lift_how = how, superseded_by = successor
    where lane = of_lane and id = of_id and lifted_at is null returning lifted_at into ended;
  return ended;
end $$;
revoke all on function decisions.end_measure(int, text, text, text, text, text) from public;
grant execute on function decisions.end_measure(int, text, text, text, text, text) to berth_app;

revoke insert, update on decisions.decisions from berth_app;
revoke update (lifted_at, lifted_by, lift_note) on decisions.decisions from berth_app;
grant insert (lane, id, docking, measure, scope, goods, class, code, statement, effective_at, ends_at, review_at, decided_by, side, keys, requests_per_second, units_per_order,
  unit_price_max, lifts_check, lifts_input, supersedes, approved_by, draft, run, run_at, rule, rule_sha256, rule_published_at, rule_effective_at, rule_bare, contract, contract_sha256,
  by_law, prior, prior_class, prior_at, fresh_sha256, fresh_at) on decisions.decisions to berth_app;
grant select on decisions.check_runs, decisions.known, decisions.drafts to berth_app;
grant insert (lane, id, docking, check_name, version, input_hash, verdict, code, side, reproducible, result, sha256, ran_by) on decisions.check_runs to berth_app;
grant insert (lane, docking, sha256, source) on decisions.known to berth_app;
grant insert (lane, id, docking, statement, made_by) on decisions.drafts to berth_app;

-- A price or a place that leaves one docking worse than its published terms names the decision that stands behind it.
alter table terms.offers add column published bigint not null default 0, add column decision text collate "C";
update terms.offers set published = unit_price;
alter table terms.offers
  add constraint offers_no_worse check (unit_price <= published or decision is not null),
  add constraint offers_decision foreign key (lane, docking, decision) references decisions.decisions (lane, docking, id);

-- level_before and group_before: where the docking goes back to when the decision ends.
alter table terms.contracts
  add column dearer boolean not null default false,
  add column decision text collate "C",
  add column level_before text collate "C" references terms.levels (name),
  add column group_before text collate "C" references terms.price_groups (name),
  add constraint contracts_no_dearer check (not dearer or decision is not null),
  add constraint contracts_decision foreign key (lane, docking, decision) references decisions.decisions (lane, docking, id);
create index contracts_by_decision on terms.contracts (lane, docking) where decision is not null;
