create schema appeals;

create table appeals.appeals (
  lane integer not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  decision text collate "C" not null,
  class text collate "C" not null,
  code text collate "C" not null,
  decision_by text collate "C" not null,
  approved_by text collate "C",
  stands_when_missed boolean not null,
  via text collate "C" not null,
  filed_by text collate "C" not null,
  filed_at timestamp with time zone not null,
  state text collate "C" default 'filed'::text not null,
  decide_by timestamp with time zone not null,
  paused_at timestamp with time zone,
  evidence_due timestamp with time zone,
  paused_for interval default '00:00:00'::interval not null,
  extended_days integer default 0 not null,
  missed_at timestamp with time zone,
  decided_by text collate "C",
  closed_at timestamp with time zone,
  outcome_decision text collate "C",
  deciders text[] default '{}'::text[] not null,
  own_hand boolean default true not null,
  sandbox boolean default false not null,
  constraint appeals_pkey PRIMARY KEY (lane, id),
  constraint appeals_decision FOREIGN KEY (lane, docking, decision) REFERENCES decisions.decisions(lane, docking, id),
  constraint appeals_another_person CHECK (((lower(decided_by) <> lower(decision_by)) AND ((approved_by IS NULL) OR (lower(decided_by) <> lower(approved_by))))),
  constraint appeals_class CHECK ((class = ANY (ARRAY['technical'::text, 'commercial'::text, 'compliance'::text]))),
  constraint appeals_clock CHECK (((decide_by <= ((filed_at + ('24:00:00'::interval * ((15 + extended_days))::double precision)) + paused_for)) AND (paused_for >= '00:00:00'::interval))),
  constraint appeals_closed CHECK (((state = ANY (ARRAY['upheld'::text, 'overturned'::text, 'partly'::text, 'withdrawn'::text])) = (closed_at IS NOT NULL))),
  constraint appeals_decided CHECK (((state = ANY (ARRAY['upheld'::text, 'overturned'::text, 'partly'::text])) = (decided_by IS NOT NULL))),
  constraint appeals_extension CHECK (((extended_days >= 0) AND (extended_days <= 15))),
  constraint appeals_nobody_of_the_chain CHECK (((decided_by IS NULL) OR (NOT (lower(decided_by) = ANY (deciders))))),
  constraint appeals_partly CHECK (((state <> 'partly'::text) OR (outcome_decision IS NOT NULL))),
  constraint appeals_paused CHECK ((num_nonnulls(paused_at, evidence_due) =
CASE state
    WHEN 'evidence_owed'::text THEN 2
    ELSE 0
END)),
  constraint appeals_state CHECK ((state = ANY (ARRAY['filed'::text, 'evidence_owed'::text, 'under_review'::text, 'upheld'::text, 'overturned'::text, 'partly'::text, 'withdrawn'::text]))),
  constraint appeals_via CHECK ((via = ANY (ARRAY['api'::text, 'link'::text])))
) with (fillfactor=70);

create table appeals.entries (
  lane integer not null,
  appeal text collate "C" not null,
  seq integer not null,
  kind text collate "C" not null,
  side text collate "C" not null,
  by text collate "C" not null,
  sealed bytea,
  at timestamp with time zone not null,
  due_at timestamp with time zone,
  constraint entries_pkey PRIMARY KEY (lane, appeal, seq),
  constraint entries_appeal FOREIGN KEY (lane, appeal) REFERENCES appeals.appeals(lane, id),
  constraint entries_kind CHECK ((kind = ANY (ARRAY['filed'::text, 'asked'::text, 'given'::text, 'resumed'::text, 'extended'::text, 'missed'::text, 'upheld'::text, 'overturned'::text, 'partly'::text, 'withdrawn'::text]))),
  constraint entries_side CHECK ((side = ANY (ARRAY['partner'::text, 'main_site'::text, 'clock'::text])))
);

create table appeals.evidence (
  lane integer not null,
  appeal text collate "C" not null,
  seq integer not null,
  entry integer not null,
  name text not null,
  note text not null,
  sha256 text collate "C" not null,
  bytes integer,
  sealed bytea,
  constraint evidence_pkey PRIMARY KEY (lane, appeal, seq),
  constraint evidence_entry FOREIGN KEY (lane, appeal, entry) REFERENCES appeals.entries(lane, appeal, seq),
  constraint evidence_few CHECK (((seq >= 1) AND (seq <= 20))),
  constraint evidence_hash CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
  constraint evidence_small CHECK ((((bytes IS NULL) = (sealed IS NULL)) AND ((bytes >= 1) AND (bytes <= 262144))))
);

create table appeals.pauses (
  lane integer not null,
  appeal text collate "C" not null,
  seq integer not null,
  from_at timestamp with time zone not null,
  due_at timestamp with time zone not null,
  until_at timestamp with time zone,
  constraint pauses_pkey PRIMARY KEY (lane, appeal, seq),
  constraint pauses_appeal FOREIGN KEY (lane, appeal) REFERENCES appeals.appeals(lane, id),
  constraint pauses_bounded CHECK (((due_at > from_at) AND (due_at <= (from_at + '15 days'::interval)) AND (until_at >= from_at))),
  constraint pauses_few CHECK (((seq >= 1) AND (seq <= 3)))
);

CREATE INDEX appeals_by_close ON appeals.appeals USING btree (closed_at) WHERE (closed_at IS NOT NULL);

CREATE INDEX appeals_by_id ON appeals.appeals USING btree (id);

CREATE INDEX appeals_of ON appeals.appeals USING btree (lane, docking, id);

CREATE UNIQUE INDEX appeals_one_open ON appeals.appeals USING btree (lane, decision) WHERE (state = ANY (ARRAY['filed'::text, 'evidence_owed'::text, 'under_review'::text]));

CREATE INDEX appeals_running ON appeals.appeals USING btree (lane, id) WHERE (state = ANY (ARRAY['filed'::text, 'evidence_owed'::text, 'under_review'::text]));

CREATE UNIQUE INDEX pauses_one_open ON appeals.pauses USING btree (lane, appeal) WHERE (until_at IS NULL);

CREATE OR REPLACE FUNCTION appeals.file_appeal(of_lane integer, new_id text, of_docking text, of_decision text, stands boolean, by_way text, by text, at timestamp with time zone, due timestamp with time zone, own boolean, play boolean)
 RETURNS void
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
  with recursive chain as (
    select d.lane, d.supersedes, d.superseded_by, d.decided_by, d.approved_by from decisions.decisions d where d.lane = of_lane and d.docking = of_docking and d.id = of_decision
    union select d.lane, d.supersedes, d.superseded_by, d.decided_by, d.approved_by
      from chain c join decisions.decisions d on d.lane = c.lane and d.id in (c.supersedes, c.superseded_by)
  )
  insert into appeals.appeals (lane, id, docking, decision, class, code, decision_by, approved_by, deciders, stands_when_missed, via, filed_by, filed_at, decide_by, own_hand, sandbox)
  select d.lane, new_id, d.docking, d.id, d.class, d.code, d.decided_by, d.approved_by,
      (select array_agg(distinct lower(p.name)) from chain c cross join unnest(array[c.decided_by, c.approved_by]) p(name) where p.name is not null), stands, by_way, by, at, due, own, play
    from decisions.decisions d where d.lane = of_lane and d.docking = of_docking and d.id = of_decision
$function$;

grant usage on schema appeals to berth_app;
grant select on table appeals.appeals to berth_app;
grant insert, select on table appeals.entries to berth_app;
grant insert, select on table appeals.evidence to berth_app;
grant insert, select on table appeals.pauses to berth_app;
grant update (closed_at), update (decide_by), update (decided_by), update (evidence_due), update (extended_days), update (missed_at), update (outcome_decision), update (paused_at), update (paused_for), update (state) on table appeals.appeals to berth_app;
grant update (until_at) on table appeals.pauses to berth_app;
grant execute on function appeals.file_appeal(integer,text,text,text,boolean,text,text,timestamp with time zone,timestamp with time zone,boolean,boolean) to berth_app;


create schema catalogue;

create table catalogue.card_index (
  good text collate "C" not null,
  mode text collate "C" not null,
  blind bytea not null,
  generation integer not null,
  lot bigint not null,
  constraint card_index_pkey PRIMARY KEY (good, mode, blind, generation)
);

create table catalogue.cards (
  lot bigint not null,
  seq integer not null,
  sealed bytea not null,
  constraint cards_pkey PRIMARY KEY (lot, seq)
);

create table catalogue.changes (
  id bigint generated always as identity not null,
  good text collate "C" not null,
  docking text collate "C",
  what text collate "C" not null,
  at timestamp with time zone not null,
  "position" bigint,
  grp text collate "C",
  constraint changes_pkey PRIMARY KEY (id)
);

create table catalogue.feed (
  one boolean default true not null,
  head bigint default 0 not null,
  constraint feed_pkey PRIMARY KEY (one),
  constraint feed_one_row CHECK (one)
) with (fillfactor=50);

create table catalogue.goods (
  id text collate "C" not null,
  number integer not null,
  code text collate "C" not null,
  name text not null,
  category text not null,
  description text not null,
  unit_price bigint not null,
  minimum integer not null,
  maximum integer not null,
  on_sale boolean not null,
  changed_at timestamp with time zone not null,
  options jsonb,
  cost bigint,
  image text collate "C",
  constraint goods_pkey PRIMARY KEY (id),
  constraint goods_code UNIQUE (code),
  constraint goods_number UNIQUE (number),
  constraint goods_cost CHECK ((cost >= 0)),
  constraint goods_price CHECK ((unit_price > 0)),
  constraint goods_quantity CHECK (((minimum >= 1) AND ((maximum >= minimum) AND (maximum <= 1000))))
);

create table catalogue.images (
  name text collate "C" not null,
  type text collate "C" not null,
  bytes bytea not null,
  created_at timestamp with time zone not null,
  constraint images_pkey PRIMARY KEY (name),
  constraint images_size CHECK (((octet_length(bytes) >= 1) AND (octet_length(bytes) <= 524288)))
);

create table catalogue.lots (
  id bigint generated always as identity not null,
  mode text collate "C" not null,
  good text collate "C" not null,
  batch text collate "C" not null,
  size integer not null,
  next_seq integer default 1 not null,
  state text collate "C" not null,
  generation integer default 0 not null,
  expires_at timestamp with time zone,
  data_key bytea not null,
  created_at timestamp with time zone not null,
  published_at timestamp with time zone,
  variant text collate "C" default ''::text not null,
  constraint lots_pkey PRIMARY KEY (id),
  constraint lots_cursor CHECK (((next_seq >= 1) AND (next_seq <= (size + 1)))),
  constraint lots_mode CHECK ((mode = ANY (ARRAY['sandbox'::text, 'live'::text]))),
  constraint lots_state CHECK ((state = ANY (ARRAY['staged'::text, 'published'::text, 'exhausted'::text, 'withdrawn'::text])))
) with (fillfactor=60);

CREATE UNIQUE INDEX changes_position ON catalogue.changes USING btree ("position") WHERE ("position" IS NOT NULL);

CREATE INDEX changes_waiting ON catalogue.changes USING btree (id) WHERE ("position" IS NULL);

CREATE INDEX lots_by_batch ON catalogue.lots USING btree (batch);

CREATE INDEX lots_open ON catalogue.lots USING btree (good, mode, variant, id) WHERE (state = 'published'::text);

CREATE OR REPLACE FUNCTION catalogue.sweep_staged(lot_id bigint)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
begin
  perform from catalogue.lots where id = lot_id and state = 'staged' and published_at is null and next_seq = 1 for update;
  if found then
    delete from catalogue.card_index where lot = lot_id;
    delete from catalogue.cards where lot = lot_id;
    update catalogue.lots set state = 'withdrawn', size = 0, next_seq = 1 where id = lot_id;
  end if;
end $function$;

grant usage on schema catalogue to berth_app;
grant insert, select on table catalogue.card_index to berth_app;
grant insert, select on table catalogue.cards to berth_app;
grant insert, select on table catalogue.changes to berth_app;
grant select on table catalogue.feed to berth_app;
grant insert, select, update on table catalogue.goods to berth_app;
grant insert, select on table catalogue.images to berth_app;
grant insert, select on table catalogue.lots to berth_app;
grant update ("position") on table catalogue.changes to berth_app;
grant update (head) on table catalogue.feed to berth_app;
grant update (next_seq), update (published_at), update (size), update (state) on table catalogue.lots to berth_app;
grant execute on function catalogue.sweep_staged(bigint) to berth_app;


create schema compliance;

create table compliance.accesses (
  case_id text collate "C" not null,
  number integer not null,
  sealed bytea not null,
  constraint accesses_pkey PRIMARY KEY (case_id, number),
  constraint accesses_number CHECK ((number >= 1)),
  constraint accesses_padded CHECK (((octet_length(sealed) % 1024) = 28))
);

create table compliance.cases (
  id text collate "C" not null,
  version integer not null,
  sealed bytea not null,
  constraint cases_pkey PRIMARY KEY (id),
  constraint cases_id CHECK ((id ~ '^cas_[0-9a-z]{26}$'::text)),
  constraint cases_padded CHECK (((octet_length(sealed) % 4096) = 28))
);

create table compliance.endings (
  case_id text collate "C" not null,
  maker bytea not null,
  checker bytea not null,
  constraint endings_pkey PRIMARY KEY (case_id),
  constraint endings_four_eyes CHECK ((maker <> checker)),
  constraint endings_hashes CHECK (((octet_length(maker) = 16) AND (octet_length(checker) = 16)))
);

grant usage on schema compliance to berth_app;
grant insert, select on table compliance.accesses to berth_app;
grant insert, select on table compliance.cases to berth_app;
grant insert, select on table compliance.endings to berth_app;
grant update (sealed), update (version) on table compliance.cases to berth_app;


create schema conformance;

create table conformance.admissions (
  lane integer not null,
  docking text collate "C" not null,
  run text collate "C",
  reason text,
  by text not null,
  at timestamp with time zone not null,
  constraint admissions_pkey PRIMARY KEY (lane, docking),
  constraint admissions_badge_or_waiver CHECK (((run IS NULL) <> (reason IS NULL)))
);

create table conformance.runs (
  lane integer not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  dialect text collate "C" not null,
  kit text collate "C" not null,
  text text not null,
  task text collate "C",
  state text collate "C" not null,
  started_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  report jsonb,
  constraint runs_pkey PRIMARY KEY (lane, id),
  constraint runs_dialect CHECK ((dialect = ANY (ARRAY['json'::text, 'acg'::text]))),
  constraint runs_finished CHECK ((((state = 'open'::text) = (finished_at IS NULL)) AND ((state = 'open'::text) = (report IS NULL)))),
  constraint runs_state CHECK ((state = ANY (ARRAY['open'::text, 'green'::text, 'red'::text])))
) with (fillfactor=80);

create table conformance.sightings (
  lane integer not null,
  run text collate "C" not null,
  seq integer not null,
  at timestamp with time zone not null,
  seen jsonb not null,
  constraint sightings_pkey PRIMARY KEY (lane, run, seq)
);

CREATE INDEX runs_by_docking ON conformance.runs USING btree (lane, docking, id);

CREATE INDEX runs_by_id ON conformance.runs USING btree (id);

grant usage on schema conformance to berth_app;
grant insert, select on table conformance.admissions to berth_app;
grant insert, select on table conformance.runs to berth_app;
grant insert, select on table conformance.sightings to berth_app;
grant update (finished_at), update (report), update (state), update (task) on table conformance.runs to berth_app;


create schema decisions;

create table decisions.check_runs (
  lane integer not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  check_name text collate "C" not null,
  version text collate "C" not null,
  input_hash text collate "C",
  verdict text collate "C" not null,
  code text collate "C",
  side text collate "C" not null,
  reproducible boolean not null,
  result jsonb not null,
  sha256 text collate "C" not null,
  ran_by text not null,
  ran_at timestamp(3) with time zone default date_trunc('milliseconds'::text, clock_timestamp()) not null,
  proves text collate "C" generated always as (
CASE
    WHEN ((verdict = 'fail'::text) AND ((side <> 'partner'::text) OR reproducible)) THEN code
    ELSE NULL::text
END) stored,
  constraint check_runs_pkey PRIMARY KEY (lane, id),
  constraint check_runs_proof UNIQUE (lane, docking, id, ran_at, proves, check_name),
  constraint check_runs_hashes CHECK (((sha256 ~ '^[0-9a-f]{64}$'::text) AND ((input_hash IS NULL) OR (input_hash ~ '^[0-9a-f]{64}$'::text)))),
  constraint check_runs_verdict CHECK (((verdict = ANY (ARRAY['pass'::text, 'warn'::text, 'fail'::text])) AND ((verdict = 'pass'::text) OR (code IS NOT NULL))))
);

create table decisions.decisions (
  lane integer not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  measure text collate "C" not null,
  scope text[] not null,
  goods text[] default '{}'::text[] not null,
  class text collate "C" not null,
  code text collate "C" not null,
  statement jsonb not null,
  effective_at timestamp with time zone not null,
  ends_at timestamp with time zone,
  review_at timestamp with time zone not null,
  decided_by text not null,
  decided_at timestamp with time zone default date_trunc('milliseconds'::text, clock_timestamp()) not null,
  lifted_at timestamp with time zone,
  lifted_by text,
  lift_note text,
  form smallint default 2 not null,
  side text collate "C",
  keys text[] default '{}'::text[] not null,
  requests_per_second integer,
  units_per_order integer,
  unit_price_max bigint,
  lifts_check text collate "C",
  lifts_input text collate "C",
  supersedes text collate "C",
  approved_by text,
  draft text collate "C",
  run text collate "C",
  run_at timestamp(3) with time zone,
  rule text collate "C",
  rule_sha256 text collate "C",
  rule_published_at timestamp(3) with time zone,
  rule_effective_at timestamp(3) with time zone,
  rule_bare boolean,
  contract text collate "C",
  contract_sha256 text collate "C",
  by_law boolean default false not null,
  prior text collate "C",
  prior_class text collate "C",
  prior_at timestamp(3) with time zone,
  fresh_sha256 text collate "C",
  fresh_at timestamp(3) with time zone,
  lift_how text collate "C",
  superseded_by text collate "C",
  constraint decisions_pkey PRIMARY KEY (lane, id),
  constraint decisions_draft_once UNIQUE (lane, draft),
  constraint decisions_of_docking UNIQUE (lane, docking, id),
  constraint decisions_prior_once UNIQUE (lane, docking, prior),
  constraint decisions_whole UNIQUE (lane, docking, id, class, decided_at),
  constraint decisions_contract FOREIGN KEY (lane, docking, contract, contract_sha256) REFERENCES rulebook.contracts(lane, docking, id, sha256),
  constraint decisions_draft FOREIGN KEY (lane, docking, draft, decided_by) REFERENCES decisions.drafts(lane, docking, id, made_by),
  constraint decisions_fresh FOREIGN KEY (lane, docking, fresh_sha256, fresh_at) REFERENCES decisions.known(lane, docking, sha256, first_known_at),
  constraint decisions_prior FOREIGN KEY (lane, docking, prior, prior_class, prior_at) REFERENCES decisions.decisions(lane, docking, id, class, decided_at),
  constraint decisions_rule FOREIGN KEY (rule, rule_sha256, rule_published_at, rule_effective_at, rule_bare) REFERENCES rulebook.texts(id, sha256, published_at, effective_at, bare_resale),
  constraint decisions_run FOREIGN KEY (lane, docking, run, run_at, code, lifts_check) REFERENCES decisions.check_runs(lane, docking, id, ran_at, proves, check_name),
  constraint decisions_superseded_by FOREIGN KEY (lane, docking, superseded_by) REFERENCES decisions.decisions(lane, docking, id),
  constraint decisions_supersedes FOREIGN KEY (lane, docking, supersedes) REFERENCES decisions.decisions(lane, docking, id),
  constraint decisions_by_law CHECK (((NOT by_law) OR ((class = 'compliance'::text) AND jsonb_path_exists(statement, '$."ground"[*]?(@."type" == "law" || @."type" == "authority_order")'::jsonpath)))),
  constraint decisions_class CHECK ((class = ANY (ARRAY['technical'::text, 'commercial'::text, 'compliance'::text]))),
  constraint decisions_code_has_its_class CHECK ((class =
CASE split_part(code, '.'::text, 1)
    WHEN 'compliance'::text THEN 'compliance'::text
    WHEN 'terms'::text THEN 'commercial'::text
    WHEN 'partners'::text THEN 'technical'::text
    ELSE NULL::text
END)),
  constraint decisions_commercial_is_grounded CHECK (((form = 1) OR (class <> 'commercial'::text) OR COALESCE(((rule_sha256 IS NOT NULL) AND (rule_effective_at <= decided_at) AND (rule_published_at <= (decided_at - '7 days'::interval)) AND ((NOT rule_bare) OR (measure = 'warn'::text)) AND jsonb_path_exists(statement, '$."ground"[*]?((@."type" == "published_rule" && @."ref" == $"ref") && @."versionHash" == $"hash")'::jsonpath, jsonb_build_object('ref', rule, 'hash', rule_sha256))), false) OR COALESCE(((contract_sha256 IS NOT NULL) AND jsonb_path_exists(statement, '$."ground"[*]?((@."type" == "contract" && @."ref" == $"ref") && @."versionHash" == $"hash")'::jsonpath, jsonb_build_object('ref', contract, 'hash', contract_sha256))), false))),
  constraint decisions_commercial_needs_rule CHECK (((class <> 'commercial'::text) OR jsonb_path_exists(statement, '$."ground"[*]?(@."type" == "contract" || @."type" == "published_rule")'::jsonpath))),
  constraint decisions_compliance_needs_article CHECK (((class <> 'compliance'::text) OR jsonb_path_exists(statement, '$."ground"[*]?(@."article" like_regex "[^[:space:]]")'::jsonpath))),
  constraint decisions_funds_have_release CHECK (((NOT ('funds'::text = ANY (scope))) OR jsonb_path_exists(statement, '$."funds"."releaseAt"?(@ like_regex "[^[:space:]]")'::jsonpath))),
  constraint decisions_lift_has_person CHECK (((lifted_at IS NULL) = (lifted_by IS NULL))),
  constraint decisions_lift_how CHECK (((lift_how IS NULL) OR ((lifted_at IS NOT NULL) AND (lift_how = ANY (ARRAY['person'::text, 'condition'::text, 'lapse'::text, 'superseded'::text, 'appeal'::text, 'appeal_clock'::text]))))),
  constraint decisions_measure CHECK ((measure = ANY (ARRAY['warn'::text, 'throttle'::text, 'suspend'::text, 'refuse'::text, 'delist'::text, 'key_quarantine'::text, 'terminate'::text, 'reprice'::text, 'withdraw_offer'::text, 'limit'::text, 'level'::text]))),
  constraint decisions_measure_hits CHECK (
CASE measure
    WHEN 'throttle'::text THEN COALESCE((requests_per_second > 0), false)
    WHEN 'limit'::text THEN COALESCE((units_per_order > 0), false)
    WHEN 'delist'::text THEN (cardinality(goods) > 0)
    WHEN 'withdraw_offer'::text THEN (cardinality(goods) > 0)
    WHEN 'key_quarantine'::text THEN (cardinality(keys) > 0)
    WHEN 'reprice'::text THEN ((cardinality(goods) > 0) AND COALESCE((unit_price_max > 0), false))
    ELSE true
END),
  constraint decisions_no_hop CHECK (((form = 1) OR (prior IS NULL) OR (prior_class = class) OR by_law OR (decided_at >= (prior_at + '90 days'::interval)) OR COALESCE(((fresh_sha256 IS NOT NULL) AND (fresh_at > prior_at)), false))),
  constraint decisions_plain_words CHECK (((form = 1) OR (regexp_replace(lower(NORMALIZE((statement)::text, NFKC)), '[[:space:]\u00ad\u115f\u1160\u200b-\u200f\u2060\u3164\ufeff._·*|~/!?(),;:、。-]'::text, ''::text, 'g'::text) !~ '(incompatib|notcompatible|compatibility|systemerror|unknownerror|不兼容|不相容|兼容性|兼容問題|兼容问题|相容性|系统错误|系統錯誤|系统异常|系統異常|系统原因|系統原因|未知错误|未知錯誤|systemfault|systemfailure|systembusy|系统报错|系统故障|系统繁忙|系统问题|系統問題|系統故障|接口不支持|接口不匹配|系统不匹配)'::text))),
  constraint decisions_prior_whole CHECK ((((prior IS NULL) = (prior_class IS NULL)) AND ((prior IS NULL) = (prior_at IS NULL)))),
  constraint decisions_reviewed CHECK ((review_at <= (decided_at + '90 days'::interval))),
  constraint decisions_scope CHECK (((cardinality(scope) > 0) AND (scope <@ ARRAY['goods'::text, 'orders'::text, 'funds'::text, 'members'::text, 'key'::text]))),
  constraint decisions_statement_agrees CHECK (((form = 1) OR COALESCE((((statement #>> '{measure,kind}'::text[]) = measure) AND ((statement #>> '{cause,class}'::text[]) = class) AND ((statement #>> '{cause,code}'::text[]) = code) AND ((statement #>> '{cause,side}'::text[]) = side) AND (jsonb_array_length((statement -> 'facts'::text)) > 0) AND (jsonb_array_length((statement -> 'remedy'::text)) > 0) AND (NOT ((statement #>> '{supersedes}'::text[]) IS DISTINCT FROM supersedes))), false))),
  constraint decisions_technical_is_proven CHECK (((form = 1) OR (class <> 'technical'::text) OR COALESCE(((run IS NOT NULL) AND (lifts_check IS NOT NULL) AND (measure <> 'terminate'::text) AND ((run_at > (decided_at - '24:00:00'::interval)) OR ((measure = 'warn'::text) AND (supersedes IS NOT NULL))) AND jsonb_path_exists(statement, '$."evidence"[*]?(@."kind" == "check_run" && @."id" == $"run")'::jsonpath, jsonb_build_object('run', run))), false))),
  constraint decisions_technical_needs_check CHECK (((class <> 'technical'::text) OR jsonb_path_exists(statement, '$."evidence"[*]?(@."kind" == "check_run")'::jsonpath))),
  constraint decisions_termination_has_notice CHECK (((form = 1) OR (measure <> 'terminate'::text) OR (effective_at >= ((decided_at + '30 days'::interval) - '00:01:00'::interval)) OR (code = ANY (ARRAY['compliance.authority_order'::text, 'compliance.withheld_by_law'::text, 'compliance.fraud_found'::text, 'partners.key_leaked'::text])))),
  constraint decisions_termination_pays CHECK (((measure <> 'terminate'::text) OR COALESCE(((statement #>> '{funds,releaseAt}'::text[]) ~ '[^[:space:]]'::text), false))),
  constraint decisions_times_end CHECK (((form = 1) OR ((effective_at <= (decided_at + '181 days'::interval)) AND COALESCE((ends_at <= (decided_at + '366 days'::interval)), true) AND COALESCE((((statement #>> '{funds,releaseAt}'::text[]) !~ '[^[:space:]]'::text) OR (((statement #>> '{funds,releaseAt}'::text[]) ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T'::text) AND (((statement #>> '{funds,releaseAt}'::text[]) COLLATE "C") <= (to_char(((decided_at + '181 days'::interval) AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD"T"HH24:MI:SS'::text) COLLATE "C")))), true)))),
  constraint decisions_withheld_by_two CHECK (((form = 1) OR ((code <> 'compliance.withheld_by_law'::text) AND (NOT jsonb_path_exists(statement, '$."evidence"[*]?(@."disclosure" == "withheld_by_law")'::jsonpath))) OR COALESCE(((draft IS NOT NULL) AND (approved_by <> decided_by) AND (approved_by ~ '[^[:space:]]'::text)), false)))
);

create table decisions.drafts (
  lane integer not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  statement jsonb not null,
  made_by text collate "C" not null,
  made_at timestamp(3) with time zone default date_trunc('milliseconds'::text, clock_timestamp()) not null,
  constraint drafts_pkey PRIMARY KEY (lane, id),
  constraint drafts_maker UNIQUE (lane, docking, id, made_by)
);

create table decisions.known (
  lane integer not null,
  docking text collate "C" not null,
  sha256 text collate "C" not null,
  first_known_at timestamp(3) with time zone default date_trunc('milliseconds'::text, clock_timestamp()) not null,
  source text collate "C",
  constraint known_pkey PRIMARY KEY (lane, docking, sha256),
  constraint known_since UNIQUE (lane, docking, sha256, first_known_at),
  constraint known_source CHECK ((source = ANY (ARRAY['finding'::text, 'file'::text])))
);

create table decisions.overturned (
  lane integer not null,
  docking text collate "C" not null,
  decision text collate "C" not null,
  at timestamp(3) with time zone default date_trunc('milliseconds'::text, clock_timestamp()) not null,
  constraint overturned_pkey PRIMARY KEY (lane, docking, decision),
  constraint overturned_decision FOREIGN KEY (lane, docking, decision) REFERENCES decisions.decisions(lane, docking, id)
);

CREATE INDEX check_runs_of ON decisions.check_runs USING btree (lane, docking, id);

CREATE INDEX decisions_by_id ON decisions.decisions USING btree (id);

CREATE INDEX decisions_conditional ON decisions.decisions USING btree (lane, id) WHERE ((lifted_at IS NULL) AND (lifts_check IS NOT NULL));

CREATE UNIQUE INDEX decisions_first ON decisions.decisions USING btree (lane, docking) WHERE ((form = 2) AND (prior IS NULL));

CREATE INDEX decisions_in_force ON decisions.decisions USING btree (lane, docking) WHERE (lifted_at IS NULL);

CREATE INDEX decisions_lapsing ON decisions.decisions USING btree (ends_at) WHERE ((lifted_at IS NULL) AND (ends_at IS NOT NULL));

CREATE INDEX decisions_unreviewed ON decisions.decisions USING btree (review_at) WHERE (lifted_at IS NULL);

CREATE OR REPLACE FUNCTION decisions.end_measure(of_lane integer, of_id text, how text, by text, note text, successor text)
 RETURNS timestamp with time zone
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
declare ended timestamptz;
begin
  update decisions.decisions set lifted_at = date_trunc('milliseconds', clock_timestamp()), lifted_by = by, lift_note = note, lift_how = how, superseded_by = successor
    where lane = of_lane and id = of_id and lifted_at is null returning lifted_at into ended;
  return ended;
end $function$;

grant usage on schema decisions to berth_app;
grant select on table decisions.check_runs to berth_app;
grant select on table decisions.decisions to berth_app;
grant select on table decisions.drafts to berth_app;
grant select on table decisions.known to berth_app;
grant select on table decisions.overturned to berth_app;
grant insert (check_name), insert (code), insert (docking), insert (id), insert (input_hash), insert (lane), insert (ran_by), insert (reproducible), insert (result), insert (sha256), insert (side), insert (verdict), insert (version) on table decisions.check_runs to berth_app;
grant insert (approved_by), insert (by_law), insert (class), insert (code), insert (contract), insert (contract_sha256), insert (decided_by), insert (docking), insert (draft), insert (effective_at), insert (ends_at), insert (fresh_at), insert (fresh_sha256), insert (goods), insert (id), insert (keys), insert (lane), insert (lifts_check), insert (lifts_input), insert (measure), insert (prior), insert (prior_at), insert (prior_class), insert (requests_per_second), insert (review_at), insert (rule), insert (rule_bare), insert (rule_effective_at), insert (rule_published_at), insert (rule_sha256), insert (run), insert (run_at), insert (scope), insert (side), insert (statement), insert (supersedes), insert (unit_price_max), insert (units_per_order) on table decisions.decisions to berth_app;
grant insert (docking), insert (id), insert (lane), insert (made_by), insert (statement) on table decisions.drafts to berth_app;
grant insert (docking), insert (lane), insert (sha256), insert (source) on table decisions.known to berth_app;
grant insert (decision), insert (docking), insert (lane) on table decisions.overturned to berth_app;
grant execute on function decisions.end_measure(integer,text,text,text,text,text) to berth_app;


create schema drills;

create table drills.observations (
  lane integer not null,
  run text collate "C" not null,
  id text collate "C" not null,
  at timestamp with time zone not null,
  body jsonb not null,
  constraint observations_pkey PRIMARY KEY (lane, run, id)
);

create table drills.runs (
  lane integer not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  kind text collate "C" not null,
  version integer not null,
  origin text collate "C" not null,
  asked_by text collate "C" not null,
  tempo integer not null,
  state text collate "C" not null,
  planned_at timestamp with time zone not null,
  starts_at timestamp with time zone not null,
  started_at timestamp with time zone,
  seen_at timestamp with time zone,
  ended_at timestamp with time zone,
  reason text collate "C",
  score integer,
  result text,
  constraint runs_pkey PRIMARY KEY (lane, id),
  constraint runs_ended CHECK (((ended_at IS NULL) = (state = ANY (ARRAY['planned'::text, 'running'::text])))),
  constraint runs_origin CHECK ((origin = ANY (ARRAY['partner'::text, 'operator'::text, 'schedule'::text]))),
  constraint runs_reason CHECK (((state = 'abandoned'::text) = (reason IS NOT NULL))),
  constraint runs_scored CHECK ((((state = 'scored'::text) = (score IS NOT NULL)) AND ((score IS NULL) = (result IS NULL)) AND ((score >= 0) AND (score <= 100)))),
  constraint runs_started CHECK (((state = 'planned'::text) OR (started_at IS NOT NULL) OR (state = 'abandoned'::text))),
  constraint runs_state CHECK ((state = ANY (ARRAY['planned'::text, 'running'::text, 'scored'::text, 'abandoned'::text])))
) with (fillfactor=70);

create table drills.schedules (
  lane integer not null,
  docking text collate "C" not null,
  kind text collate "C" not null,
  every_days integer not null,
  next_at timestamp with time zone not null,
  set_by text collate "C" not null,
  set_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint drill_schedules_pkey PRIMARY KEY (lane, docking, kind),
  constraint drill_schedules_every CHECK (((every_days >= 1) AND (every_days <= 365)))
) with (fillfactor=80);

create table drills.steps (
  lane integer not null,
  run text collate "C" not null,
  ordinal integer not null,
  name text collate "C" not null,
  begun_at timestamp with time zone not null,
  due_at timestamp with time zone not null,
  acted_at timestamp with time zone,
  ended_at timestamp with time zone,
  ended_by text collate "C",
  data jsonb not null,
  constraint steps_pkey PRIMARY KEY (lane, run, ordinal),
  constraint steps_end CHECK ((((ended_at IS NULL) = (ended_by IS NULL)) AND (ended_by = ANY (ARRAY['done'::text, 'limit'::text]))))
) with (fillfactor=70);

CREATE INDEX runs_of_docking ON drills.runs USING btree (docking, id);

CREATE UNIQUE INDEX runs_one_at_a_time ON drills.runs USING btree (lane, docking) WHERE (state = 'running'::text);

CREATE INDEX runs_open ON drills.runs USING btree (starts_at) WHERE (state = ANY (ARRAY['planned'::text, 'running'::text]));

CREATE INDEX drill_schedules_next ON drills.schedules USING btree (next_at) WHERE (ended_at IS NULL);

grant usage on schema drills to berth_app;
grant delete, insert, select on table drills.observations to berth_app;
grant insert, select on table drills.runs to berth_app;
grant insert, select on table drills.schedules to berth_app;
grant insert, select on table drills.steps to berth_app;
grant update (ended_at), update (reason), update (result), update (score), update (seen_at), update (started_at), update (state) on table drills.runs to berth_app;
grant update (ended_at), update (every_days), update (next_at), update (set_at), update (set_by) on table drills.schedules to berth_app;
grant update (acted_at), update (data), update (due_at), update (ended_at), update (ended_by) on table drills.steps to berth_app;


create schema figures;

create table figures.cursors (
  lane integer not null,
  "position" bigint not null,
  constraint cursors_pkey PRIMARY KEY (lane)
) with (fillfactor=50);

create table figures.decisions (
  lane integer not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  partner text collate "C" not null,
  class text collate "C" not null,
  code text collate "C" not null,
  taken_at timestamp with time zone not null,
  lifted_at timestamp with time zone,
  is_followed boolean default false not null,
  constraint decisions_pkey PRIMARY KEY (lane, id)
);

create table figures.published (
  quarter text collate "C" not null,
  document text not null,
  at timestamp with time zone not null,
  constraint published_pkey PRIMARY KEY (quarter),
  constraint published_quarter CHECK ((quarter ~ '^\d{4}Q[1-4]$'::text))
);

create table figures.tallies (
  lane integer not null,
  quarter text collate "C" not null,
  family text collate "C" not null,
  class text collate "C" not null,
  code text collate "C" not null,
  partner text collate "C" not null,
  events bigint not null,
  constraint tallies_pkey PRIMARY KEY (lane, quarter, family, class, code, partner),
  constraint tallies_events CHECK ((events >= 1))
) with (fillfactor=70);

CREATE INDEX decisions_by_docking ON figures.decisions USING btree (lane, docking, taken_at);

CREATE INDEX decisions_lifted ON figures.decisions USING btree (lifted_at) WHERE (lifted_at IS NOT NULL);

grant usage on schema figures to berth_app;
grant select on table figures.cursors to berth_app;
grant insert, select on table figures.decisions to berth_app;
grant insert, select on table figures.published to berth_app;
grant delete, insert, select on table figures.tallies to berth_app;
grant update ("position") on table figures.cursors to berth_app;
grant update (is_followed), update (lifted_at) on table figures.decisions to berth_app;
grant update (events) on table figures.tallies to berth_app;


create schema fulfilment;

create table fulfilment.deliveries (
  lane integer not null,
  docking text collate "C" not null,
  order_id text collate "C" not null,
  form bytea,
  delivered bytea,
  reason text,
  waiting boolean not null,
  ended_at timestamp with time zone,
  constraint deliveries_pkey PRIMARY KEY (lane, docking, order_id)
);

CREATE INDEX deliveries_by_order ON fulfilment.deliveries USING btree (order_id);

CREATE INDEX deliveries_waiting ON fulfilment.deliveries USING btree (lane, order_id) WHERE waiting;

grant usage on schema fulfilment to berth_app;
grant insert, select on table fulfilment.deliveries to berth_app;
grant update (delivered), update (ended_at), update (reason), update (waiting) on table fulfilment.deliveries to berth_app;


create schema ledger;

create table ledger.balances (
  lane integer not null,
  account text collate "C" not null,
  mode text collate "C" not null,
  available bigint default 0 not null,
  constraint balances_pkey PRIMARY KEY (lane, account),
  constraint balances_mode CHECK ((mode = ANY (ARRAY['sandbox'::text, 'live'::text]))),
  constraint balances_never_negative CHECK ((available >= 0))
) with (fillfactor=60);

create table ledger.deposits (
  lane integer not null,
  account text collate "C" not null,
  reference text collate "C" not null,
  id text collate "C" not null,
  amount bigint not null,
  note text not null,
  at timestamp with time zone not null,
  constraint deposits_pkey PRIMARY KEY (lane, account, reference),
  constraint deposits_whole_fen CHECK (((amount > 0) AND ((amount % (10000)::bigint) = 0)))
);

create table ledger.openings (
  lane integer not null,
  account text collate "C" not null,
  id text collate "C" not null,
  reference text collate "C" not null,
  amount bigint not null,
  at timestamp with time zone not null,
  constraint openings_pkey PRIMARY KEY (lane, account, id),
  constraint openings_whole_fen CHECK (((amount <> 0) AND ((amount % (10000)::bigint) = 0)))
);

create table ledger.transfers (
  lane integer not null,
  account text collate "C" not null,
  "position" bigint not null,
  leg smallint not null,
  event text collate "C" not null,
  kind text collate "C" not null,
  debit text collate "C" not null,
  credit text collate "C" not null,
  amount bigint not null,
  after bigint not null,
  at timestamp with time zone not null,
  constraint transfers_pkey PRIMARY KEY (lane, account, "position", leg),
  constraint transfers_after_never_negative CHECK ((after >= 0)),
  constraint transfers_positive CHECK ((amount > 0)),
  constraint transfers_touch_account CHECK (((account = debit) OR (account = credit))),
  constraint transfers_two_accounts CHECK ((debit <> credit))
);

grant usage on schema ledger to berth_app;
grant insert, select, update on table ledger.balances to berth_app;
grant insert, select on table ledger.deposits to berth_app;
grant insert, select on table ledger.openings to berth_app;
grant insert, select on table ledger.transfers to berth_app;


create schema logbook;

create table logbook.checkpoints (
  size bigint not null,
  root bytea not null,
  epoch bigint not null,
  note text not null,
  sealed_at timestamp with time zone not null,
  constraint checkpoints_pkey PRIMARY KEY (size),
  constraint checkpoints_root CHECK ((octet_length(root) = 32))
);

create table logbook.cursors (
  lane integer not null,
  "position" bigint not null,
  constraint log_cursors_pkey PRIMARY KEY (lane)
) with (fillfactor=50);

create table logbook.dockings (
  lane integer not null,
  docking text collate "C" not null,
  salt bytea not null,
  counter bigint not null,
  constraint log_dockings_pkey PRIMARY KEY (lane, docking),
  constraint log_dockings_salt CHECK ((octet_length(salt) = 16))
) with (fillfactor=80);

create table logbook.leaves (
  index bigint not null,
  lane integer not null,
  "position" bigint not null,
  is_block boolean not null,
  bytes text not null,
  constraint leaves_pkey PRIMARY KEY (index),
  constraint leaves_once UNIQUE (lane, "position", is_block)
);

create table logbook.nodes (
  level integer not null,
  index bigint not null,
  hash bytea not null,
  constraint nodes_pkey PRIMARY KEY (level, index),
  constraint nodes_hash CHECK ((octet_length(hash) = 32))
);

create table logbook.payloads (
  index bigint not null,
  lane integer not null,
  docking text collate "C",
  counter bigint,
  kind text collate "C" not null,
  subject text collate "C",
  salt bytea,
  payload text,
  erased_at timestamp with time zone,
  constraint payloads_pkey PRIMARY KEY (index),
  constraint payloads_once UNIQUE (lane, docking, counter),
  constraint payloads_counter CHECK (((docking IS NULL) = (counter IS NULL))),
  constraint payloads_erased CHECK ((num_nonnulls(salt, payload) =
CASE
    WHEN (erased_at IS NULL) THEN 2
    ELSE 0
END)),
  constraint payloads_salt CHECK ((octet_length(salt) = 16))
);

create table logbook.sealer (
  one boolean not null,
  epoch bigint default 0 not null,
  origin text,
  size bigint default 0 not null,
  peaks bytea default '\x'::bytea not null,
  constraint sealer_pkey PRIMARY KEY (one),
  constraint sealer_one CHECK (one)
) with (fillfactor=50);

create table logbook.witnesses (
  lane integer not null,
  docking text collate "C" not null,
  public_key bytea not null,
  name text collate "C" not null,
  added_at timestamp with time zone not null,
  size bigint not null,
  signed_at timestamp with time zone not null,
  signature bytea not null,
  constraint witnesses_pkey PRIMARY KEY (lane, docking, public_key),
  constraint witnesses_key CHECK ((octet_length(public_key) = 32)),
  constraint witnesses_signature CHECK ((octet_length(signature) = 72))
) with (fillfactor=80);

CREATE INDEX payloads_of_subject ON logbook.payloads USING btree (lane, subject) WHERE (subject IS NOT NULL);

CREATE INDEX witnesses_by_size ON logbook.witnesses USING btree (size);

CREATE OR REPLACE FUNCTION logbook.erase(of_lane integer, of_position bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
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
end $function$;

grant usage on schema logbook to berth_app;
grant insert, select on table logbook.checkpoints to berth_app;
grant select on table logbook.cursors to berth_app;
grant insert, select on table logbook.dockings to berth_app;
grant insert, select on table logbook.leaves to berth_app;
grant insert, select on table logbook.nodes to berth_app;
grant insert, select on table logbook.payloads to berth_app;
grant select on table logbook.sealer to berth_app;
grant insert, select on table logbook.witnesses to berth_app;
grant update ("position") on table logbook.cursors to berth_app;
grant update (counter) on table logbook.dockings to berth_app;
grant update (epoch), update (origin), update (peaks), update (size) on table logbook.sealer to berth_app;
grant update (signature), update (signed_at), update (size) on table logbook.witnesses to berth_app;
grant execute on function logbook.erase(integer,bigint) to berth_app;


create schema migration;

create table migration.goods (
  migration text collate "C" not null,
  code text collate "C" not null,
  kept_back integer default 0 not null,
  constraint goods_brought PRIMARY KEY (migration, code)
);

create table migration.migrations (
  id text collate "C" not null,
  step integer not null,
  source text collate "C" not null,
  published_step integer default 0 not null,
  state text collate "C" not null,
  begun_at timestamp with time zone not null,
  changed_at timestamp with time zone not null,
  constraint migrations_pkey PRIMARY KEY (id),
  constraint migrations_state CHECK ((state = ANY (ARRAY['open'::text, 'withdrawn'::text]))),
  constraint migrations_step CHECK (((step >= 1) AND (published_step <= step)))
);

CREATE INDEX goods_brought_by_code ON migration.goods USING btree (code);

grant usage on schema migration to berth_app;
grant insert, select on table migration.goods to berth_app;
grant insert, select on table migration.migrations to berth_app;
grant update (kept_back) on table migration.goods to berth_app;
grant update (changed_at), update (published_step), update (source), update (state), update (step) on table migration.migrations to berth_app;


create schema notices;

create table notices.contacts (
  lane integer not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  channel text collate "C" not null,
  sealed bytea,
  blind bytea,
  masked text not null,
  lang text collate "C" not null,
  kinds text[] not null,
  state text collate "C" not null,
  set_by text collate "C" not null,
  created_at timestamp with time zone not null,
  removed_at timestamp with time zone,
  constraint contacts_pkey PRIMARY KEY (lane, id),
  constraint contacts_channel CHECK ((channel = ANY (ARRAY['email'::text, 'sms'::text, 'wecom'::text, 'dingtalk'::text]))),
  constraint contacts_erased CHECK ((((state = 'active'::text) AND (num_nonnulls(sealed, blind) = 2) AND (removed_at IS NULL)) OR ((state = 'removed'::text) AND (num_nonnulls(sealed, blind) = 0) AND (removed_at IS NOT NULL)))),
  constraint contacts_kinds CHECK (((cardinality(kinds) > 0) AND (kinds <@ ARRAY['decisions'::text, 'funds'::text, 'stock'::text, 'keys'::text, 'conditions'::text, 'appeals'::text]))),
  constraint contacts_lang CHECK ((lang = ANY (ARRAY['zh-CN'::text, 'en'::text]))),
  constraint contacts_set_by CHECK ((set_by = ANY (ARRAY['operator'::text, 'partner'::text])))
);

create table notices.cursors (
  lane integer not null,
  "position" bigint not null,
  constraint cursors_pkey PRIMARY KEY (lane)
) with (fillfactor=50);

create table notices.outbox (
  lane integer not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  contact text collate "C" not null,
  kind text collate "C" not null,
  subject text collate "C" not null,
  occasion bigint not null,
  body text not null,
  token_hash bytea not null,
  state text collate "C" default 'waiting'::text not null,
  attempts integer default 0 not null,
  next_at timestamp with time zone not null,
  last_error text,
  created_at timestamp with time zone not null,
  sent_at timestamp with time zone,
  constraint outbox_pkey PRIMARY KEY (lane, id),
  constraint outbox_once UNIQUE (lane, contact, kind, subject, occasion),
  constraint outbox_kind CHECK ((kind = ANY (ARRAY['decision_taken'::text, 'decision_changed'::text, 'decision_lifted'::text, 'balance_low'::text, 'stock_low'::text, 'key_ending'::text, 'key_revoked'::text, 'condition_lasting'::text, 'appeal_filed'::text, 'appeal_asked'::text, 'appeal_given'::text, 'appeal_extended'::text, 'appeal_decided'::text, 'appeal_missed'::text, 'appeal_withdrawn'::text, 'appeal_due'::text]))),
  constraint outbox_sent CHECK (((state = 'sent'::text) = (sent_at IS NOT NULL))),
  constraint outbox_state CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'failed'::text, 'dropped'::text])))
) with (fillfactor=80);

create table notices.watches (
  lane integer not null,
  docking text collate "C" not null,
  what text collate "C" not null,
  good text collate "C" not null,
  mode text collate "C" not null,
  below bigint,
  is_low boolean default false not null,
  round bigint default 0 not null,
  told_at timestamp with time zone,
  constraint watches_pkey PRIMARY KEY (lane, docking, what, good, mode),
  constraint watches_below CHECK ((below > 0)),
  constraint watches_mode CHECK ((mode = ANY (ARRAY['sandbox'::text, 'live'::text]))),
  constraint watches_what CHECK (((what = ANY (ARRAY['balance'::text, 'stock'::text])) AND ((what = 'balance'::text) = (good = ''::text))))
) with (fillfactor=80);

CREATE INDEX contacts_by_id ON notices.contacts USING btree (id);

CREATE UNIQUE INDEX contacts_once ON notices.contacts USING btree (lane, docking, blind) WHERE (state = 'active'::text);

CREATE INDEX outbox_by_id ON notices.outbox USING btree (id);

CREATE INDEX outbox_by_token ON notices.outbox USING btree (token_hash);

CREATE INDEX outbox_due ON notices.outbox USING btree (next_at) WHERE (state = 'waiting'::text);

CREATE INDEX watches_by_good ON notices.watches USING btree (good, mode) WHERE ((below IS NOT NULL) AND (what = 'stock'::text));

grant usage on schema notices to berth_app;
grant insert, select on table notices.contacts to berth_app;
grant select on table notices.cursors to berth_app;
grant insert, select on table notices.outbox to berth_app;
grant insert, select on table notices.watches to berth_app;
grant update (blind), update (kinds), update (lang), update (removed_at), update (sealed), update (set_by), update (state) on table notices.contacts to berth_app;
grant update ("position") on table notices.cursors to berth_app;
grant update (attempts), update (last_error), update (next_at), update (sent_at), update (state) on table notices.outbox to berth_app;
grant update (below), update (is_low), update (round), update (told_at) on table notices.watches to berth_app;


create schema operators;

create table operators.operators (
  name text collate "C" not null,
  roles text[] not null,
  key_hash bytea not null,
  added_by text collate "C" not null,
  added_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  ended_by text collate "C",
  constraint operators_pkey PRIMARY KEY (name),
  constraint operators_key UNIQUE (key_hash),
  constraint operators_end CHECK (((ended_at IS NULL) = (ended_by IS NULL))),
  constraint operators_name CHECK ((name ~ '^[a-z0-9][a-z0-9._-]{0,39}$'::text)),
  constraint operators_roles CHECK (((cardinality(roles) > 0) AND (roles <@ ARRAY['owner'::text, 'operator'::text, 'reviewer'::text, 'compliance'::text])))
);

CREATE OR REPLACE FUNCTION operators.end_operator(of_name text, by text, at timestamp with time zone)
 RETURNS boolean
 LANGUAGE sql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog'
AS $function$
  with ended as (update operators.operators set ended_at = at, ended_by = by where name = of_name and ended_at is null returning name) select exists (select from ended)
$function$;

grant usage on schema operators to berth_app;
grant insert, select on table operators.operators to berth_app;
grant execute on function operators.end_operator(text,text,timestamp with time zone) to berth_app;


create schema orders;

create table orders.orders (
  lane integer not null,
  docking text collate "C" not null,
  id text collate "C" not null,
  reference text collate "C" not null,
  attempt smallint not null,
  mode text collate "C" not null,
  good text collate "C" not null,
  quantity integer not null,
  unit_price bigint not null,
  total bigint not null,
  fee bigint not null,
  state text collate "C" not null,
  doubt text collate "C",
  scheme smallint not null,
  fingerprint bytea not null,
  picks bigint[] not null,
  member text,
  "position" bigint not null,
  created_at timestamp with time zone not null,
  variant text collate "C" default ''::text not null,
  constraint orders_pkey PRIMARY KEY (lane, docking, id),
  constraint orders_reference UNIQUE (lane, docking, reference, attempt),
  constraint orders_amounts CHECK (((total = (unit_price * quantity)) AND (fee >= 0) AND (unit_price > 0) AND (quantity > 0))),
  constraint orders_doubt CHECK (((doubt = ANY (ARRAY['broken'::text, 'crash'::text])) AND
CASE state
    WHEN 'unknown'::text THEN (doubt IS NOT NULL)
    WHEN 'delivering'::text THEN true
    ELSE (doubt IS NULL)
END)),
  constraint orders_state CHECK ((state = ANY (ARRAY['delivering'::text, 'delivered'::text, 'unknown'::text, 'cancelled'::text, 'refunded'::text])))
) with (fillfactor=90);

create table orders.sold (
  lot bigint not null,
  seq integer not null,
  lane integer not null,
  order_id text collate "C" not null,
  constraint sold_pkey PRIMARY KEY (lot, seq)
);

CREATE INDEX orders_doubtful ON orders.orders USING btree (lane, id) WHERE (doubt IS NOT NULL);

grant usage on schema orders to berth_app;
grant insert, select on table orders.orders to berth_app;
grant insert, select on table orders.sold to berth_app;
grant update (doubt), update (state) on table orders.orders to berth_app;


create schema partners;

create table partners.dockings (
  lane integer not null,
  id text collate "C" not null,
  partner text collate "C" not null,
  name text not null,
  mode text collate "C" not null,
  dialect text collate "C" not null,
  app_id text collate "C",
  allowed_addresses text[] default '{}'::text[] not null,
  created_at timestamp with time zone not null,
  price_guard text collate "C" default 'last_shown'::text not null,
  price_cap bigint,
  port integer,
  migration text collate "C",
  twin_of text collate "C",
  clock_offset integer default 0 not null,
  constraint dockings_pkey PRIMARY KEY (lane, id),
  constraint dockings_app_id CHECK (((dialect = 'json'::text) = (app_id IS NULL))),
  constraint dockings_dialect CHECK ((dialect = ANY (ARRAY['json'::text, 'acg0'::text]))),
  constraint dockings_guard CHECK (((price_guard = ANY (ARRAY['last_shown'::text, 'max'::text, 'none'::text])) AND ((price_guard = 'max'::text) = (price_cap IS NOT NULL)) AND (price_cap > 0))),
  constraint dockings_mode CHECK ((mode = ANY (ARRAY['sandbox'::text, 'live'::text]))),
  constraint dockings_only_sandbox_travels CHECK ((((clock_offset >= 0) AND (clock_offset <= 34560000)) AND ((clock_offset = 0) OR (mode = 'sandbox'::text)))),
  constraint dockings_port CHECK (((port >= 1) AND (port <= 65535))),
  constraint dockings_twin_is_sandbox CHECK (((twin_of IS NULL) OR (mode = 'sandbox'::text)))
);

create table partners.keys (
  lane integer not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  kind text collate "C" not null,
  mode text collate "C" not null,
  hash bytea,
  sealed bytea,
  public_key bytea,
  scopes text[] not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  asked_as text collate "C",
  ask bytea,
  replaces text collate "C",
  constraint keys_pkey PRIMARY KEY (lane, id),
  constraint keys_kind CHECK ((kind = ANY (ARRAY['bearer'::text, 'hmac-sha256'::text, 'ed25519'::text, 'acg'::text]))),
  constraint keys_material CHECK ((num_nonnulls(hash, sealed, public_key) = 1)),
  constraint keys_mode CHECK ((mode = ANY (ARRAY['sandbox'::text, 'live'::text])))
);

create table partners.partners (
  id text collate "C" not null,
  name text not null,
  created_at timestamp with time zone not null,
  constraint partners_pkey PRIMARY KEY (id)
);

CREATE INDEX dockings_by_id ON partners.dockings USING btree (id);

CREATE INDEX dockings_by_migration ON partners.dockings USING btree (migration, id) WHERE (migration IS NOT NULL);

CREATE INDEX dockings_by_twin ON partners.dockings USING btree (twin_of) WHERE (twin_of IS NOT NULL);

CREATE INDEX dockings_with_port ON partners.dockings USING btree (port) WHERE (port IS NOT NULL);

CREATE UNIQUE INDEX keys_by_ask ON partners.keys USING btree (lane, docking, asked_as) WHERE (asked_as IS NOT NULL);

CREATE INDEX keys_by_docking ON partners.keys USING btree (lane, docking);

CREATE INDEX keys_by_hash ON partners.keys USING btree (hash) WHERE (hash IS NOT NULL);

CREATE INDEX keys_by_id ON partners.keys USING btree (id);

CREATE INDEX keys_ending ON partners.keys USING btree (expires_at) WHERE ((expires_at IS NOT NULL) AND (revoked_at IS NULL));

grant usage on schema partners to berth_app;
grant insert, select on table partners.dockings to berth_app;
grant insert, select on table partners.keys to berth_app;
grant insert, select on table partners.partners to berth_app;
grant update (clock_offset), update (port), update (price_cap), update (price_guard) on table partners.dockings to berth_app;
grant update (expires_at), update (revoked_at) on table partners.keys to berth_app;


create schema platform;

create table platform.facts (
  lane integer not null,
  "position" bigint not null,
  docking text collate "C",
  kind text collate "C" not null,
  subject text collate "C",
  code text collate "C",
  body text not null,
  at timestamp with time zone not null,
  constraint facts_pkey PRIMARY KEY (lane, "position")
);

create table platform.lanes (
  lane integer not null,
  epoch bigint default 0 not null,
  head bigint default 0 not null,
  answered bigint default 0 not null,
  constraint lanes_pkey PRIMARY KEY (lane),
  constraint lanes_answered_behind_head CHECK ((answered <= head))
) with (fillfactor=50);

create table platform.meta (
  key text collate "C" not null,
  value text not null,
  constraint meta_pkey PRIMARY KEY (key)
);

create table platform.migrations (
  version integer not null,
  name text not null,
  sha256 text not null,
  applied_at timestamp with time zone default now() not null,
  constraint migrations_pkey PRIMARY KEY (version)
);

create table platform.signing_keys (
  one boolean not null,
  id text collate "C" not null,
  public_key bytea not null,
  sealed bytea not null,
  made_at timestamp with time zone default now() not null,
  constraint signing_keys_pkey PRIMARY KEY (one),
  constraint signing_keys_one CHECK (one),
  constraint signing_keys_raw CHECK ((octet_length(public_key) = 32))
);

CREATE INDEX facts_refused ON platform.facts USING btree (lane, docking, "position") WHERE (code IS NOT NULL);

grant usage on schema platform to berth_app;
grant insert, select on table platform.facts to berth_app;
grant select, update on table platform.lanes to berth_app;
grant insert, select on table platform.meta to berth_app;
grant select on table platform.migrations to berth_app;
grant insert, select on table platform.signing_keys to berth_app;


create schema risk;

create table risk.cursors (
  lane integer not null,
  "position" bigint not null,
  constraint cursors_pkey PRIMARY KEY (lane)
) with (fillfactor=50);

create table risk.findings (
  lane integer not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  detector text collate "C" not null,
  day date not null,
  good text collate "C" not null,
  bands jsonb not null,
  commitment text collate "C" not null,
  sealed bytea not null,
  found_at timestamp with time zone not null,
  constraint findings_pkey PRIMARY KEY (lane, id),
  constraint findings_once UNIQUE (lane, docking, day, good, detector),
  constraint findings_commitment CHECK ((commitment ~ '^[0-9a-f]{64}$'::text))
);

create table risk.profiles (
  one boolean not null,
  sealed bytea not null,
  made_at timestamp with time zone default now() not null,
  constraint profiles_pkey PRIMARY KEY (one),
  constraint profiles_one CHECK (one)
);

create table risk.tallies (
  lane integer not null,
  docking text collate "C" not null,
  day date not null,
  good text collate "C" not null,
  orders bigint not null,
  night bigint not null,
  gaps double precision not null,
  gap_squares double precision not null,
  last_at timestamp with time zone not null,
  constraint tallies_pkey PRIMARY KEY (lane, docking, day, good)
) with (fillfactor=70);

grant usage on schema risk to berth_app;
grant select on table risk.cursors to berth_app;
grant insert, select on table risk.findings to berth_app;
grant insert, select on table risk.profiles to berth_app;
grant delete, insert, select on table risk.tallies to berth_app;
grant update ("position") on table risk.cursors to berth_app;
grant update (gap_squares), update (gaps), update (last_at), update (night), update (orders) on table risk.tallies to berth_app;


create schema rulebook;

create table rulebook.comments (
  id text collate "C" not null,
  text text collate "C" not null,
  text_effective_at timestamp(3) with time zone not null,
  docking text collate "C",
  body text not null,
  at timestamp(3) with time zone default now() not null,
  constraint comments_pkey PRIMARY KEY (id),
  constraint comments_text FOREIGN KEY (text, text_effective_at) REFERENCES rulebook.texts(id, effective_at),
  constraint comments_body CHECK (((char_length(body) >= 1) AND (char_length(body) <= 2000))),
  constraint comments_in_time CHECK ((at < text_effective_at))
);

create table rulebook.contracts (
  lane integer not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  text text collate "C" not null,
  kind text collate "C" default 'contract_template'::text not null,
  sha256 text collate "C" not null,
  signed_at timestamp(3) with time zone not null,
  signed_by text not null,
  recorded_by text collate "C" not null,
  recorded_at timestamp(3) with time zone default now() not null,
  constraint contracts_pkey PRIMARY KEY (lane, id),
  constraint contracts_once UNIQUE (lane, docking, text),
  constraint contracts_proven UNIQUE (lane, docking, id, sha256),
  constraint contracts_text FOREIGN KEY (text, kind, sha256) REFERENCES rulebook.texts(id, kind, sha256),
  constraint contracts_kind CHECK ((kind = 'contract_template'::text)),
  constraint contracts_signed CHECK (((signed_at <= recorded_at) AND (signed_by ~ '[^[:space:]]'::text)))
);

create table rulebook.texts (
  id text collate "C" not null,
  kind text collate "C" not null,
  slug text collate "C" not null,
  version integer not null,
  title_zh text not null,
  title_en text not null,
  text_zh text not null,
  text_en text not null,
  sha256 text collate "C" not null,
  resale_price boolean not null,
  legal_basis text,
  relief text,
  supersedes text collate "C",
  published_by text collate "C" not null,
  published_at timestamp(3) with time zone default now() not null,
  effective_at timestamp(3) with time zone not null,
  bare_resale boolean generated always as ((resale_price AND (legal_basis IS NULL))) stored not null,
  constraint texts_pkey PRIMARY KEY (id),
  constraint texts_dated UNIQUE (id, sha256, published_at, effective_at, bare_resale),
  constraint texts_hashed UNIQUE (id, kind, sha256),
  constraint texts_successor UNIQUE (supersedes),
  constraint texts_until UNIQUE (id, effective_at),
  constraint texts_version UNIQUE (slug, version),
  constraint texts_supersedes FOREIGN KEY (supersedes) REFERENCES rulebook.texts(id),
  constraint texts_basis CHECK (((legal_basis IS NULL) OR (legal_basis ~ '[^[:space:]]'::text))),
  constraint texts_chain CHECK (((version > 0) AND ((version = 1) = (supersedes IS NULL)))),
  constraint texts_filled CHECK (((text_zh ~ '[^[:space:]]'::text) AND (text_en ~ '[^[:space:]]'::text) AND (title_zh ~ '[^[:space:]]'::text) AND (title_en ~ '[^[:space:]]'::text))),
  constraint texts_kind CHECK ((kind = ANY (ARRAY['rule'::text, 'contract_template'::text, 'price_rule'::text, 'guide'::text]))),
  constraint texts_notice CHECK (((effective_at >= published_at) AND (COALESCE((relief ~ '[^[:space:]]'::text), false) OR (effective_at >= (published_at + '7 days'::interval))))),
  constraint texts_sha256 CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
  constraint texts_slug CHECK ((slug ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'::text))
);

CREATE INDEX comments_of_text ON rulebook.comments USING btree (text, id);

grant usage on schema rulebook to berth_app;
grant select on table rulebook.comments to berth_app;
grant select on table rulebook.contracts to berth_app;
grant select on table rulebook.texts to berth_app;
grant insert (body), insert (docking), insert (id), insert (text), insert (text_effective_at) on table rulebook.comments to berth_app;
grant insert (docking), insert (id), insert (lane), insert (recorded_by), insert (sha256), insert (signed_at), insert (signed_by), insert (text) on table rulebook.contracts to berth_app;
grant insert (effective_at), insert (id), insert (kind), insert (legal_basis), insert (published_by), insert (relief), insert (resale_price), insert (sha256), insert (slug), insert (supersedes), insert (text_en), insert (text_zh), insert (title_en), insert (title_zh), insert (version) on table rulebook.texts to berth_app;


create schema sandbox;

create table sandbox.boxes (
  lane integer not null,
  docking text collate "C" not null,
  origin text collate "C" not null,
  dialect text collate "C" not null,
  contact bytea,
  opened_at timestamp with time zone not null,
  used_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint boxes_pkey PRIMARY KEY (lane, docking),
  constraint boxes_erased CHECK (((ended_at IS NULL) OR (contact IS NULL))),
  constraint boxes_origin CHECK ((origin = ANY (ARRAY['twin'::text, 'application'::text])))
) with (fillfactor=80);

create table sandbox.switches (
  lane integer not null,
  docking text collate "C" not null,
  fault text collate "C" not null,
  params jsonb not null,
  remaining integer not null,
  set_at timestamp with time zone not null,
  constraint switches_pkey PRIMARY KEY (lane, docking, fault),
  constraint switches_remaining CHECK (((remaining >= 0) AND (remaining <= 1000)))
) with (fillfactor=80);

CREATE INDEX boxes_opened ON sandbox.boxes USING btree (opened_at) WHERE (origin = 'application'::text);

CREATE INDEX boxes_unused ON sandbox.boxes USING btree (used_at) WHERE ((origin = 'application'::text) AND (ended_at IS NULL));

grant usage on schema sandbox to berth_app;
grant insert, select on table sandbox.boxes to berth_app;
grant delete, insert, select on table sandbox.switches to berth_app;
grant update (contact), update (ended_at), update (used_at) on table sandbox.boxes to berth_app;
grant update (params), update (remaining), update (set_at) on table sandbox.switches to berth_app;


create schema takenover;

create table takenover.orders (
  lane integer not null,
  docking text collate "C" not null,
  trade_no text collate "C" not null,
  reference text collate "C",
  good text collate "C",
  quantity integer not null,
  amount bigint not null,
  sealed bytea not null,
  digest bytea not null,
  at timestamp with time zone not null,
  constraint orders_taken_over PRIMARY KEY (lane, docking, trade_no),
  constraint orders_taken_over_reference UNIQUE (lane, docking, reference)
);

grant usage on schema takenover to berth_app;
grant insert, select on table takenover.orders to berth_app;
grant update (amount), update (digest), update (good), update (quantity), update (sealed) on table takenover.orders to berth_app;


create schema terms;

create table terms.book (
  one boolean default true not null,
  version bigint default 0 not null,
  good_rules boolean default false not null,
  constraint book_pkey PRIMARY KEY (one),
  constraint book_one_row CHECK (one)
) with (fillfactor=50);

create table terms.contracts (
  lane integer not null,
  docking text collate "C" not null,
  fee_ppm integer default 0 not null,
  since timestamp with time zone not null,
  level text collate "C",
  price_group text collate "C",
  dearer boolean default false not null,
  decision text collate "C",
  level_before text collate "C",
  group_before text collate "C",
  constraint contracts_pkey PRIMARY KEY (lane, docking),
  constraint contracts_decision FOREIGN KEY (lane, docking, decision) REFERENCES decisions.decisions(lane, docking, id),
  constraint contracts_group_before_fkey FOREIGN KEY (group_before) REFERENCES terms.price_groups(name),
  constraint contracts_level_before_fkey FOREIGN KEY (level_before) REFERENCES terms.levels(name),
  constraint contracts_level_fkey FOREIGN KEY (level) REFERENCES terms.levels(name),
  constraint contracts_price_group_fkey FOREIGN KEY (price_group) REFERENCES terms.price_groups(name),
  constraint contracts_fee CHECK (((fee_ppm >= 0) AND (fee_ppm <= 100000))),
  constraint contracts_no_dearer CHECK (((NOT dearer) OR (decision IS NOT NULL)))
);

create table terms.levels (
  name text collate "C" not null,
  grp text collate "C",
  since timestamp with time zone not null,
  constraint levels_pkey PRIMARY KEY (name),
  constraint levels_grp_fkey FOREIGN KEY (grp) REFERENCES terms.price_groups(name)
);

create table terms.offers (
  lane integer not null,
  docking text collate "C" not null,
  good text collate "C" not null,
  unit_price bigint not null,
  since timestamp with time zone not null,
  race text default ''::text not null,
  in_force boolean default true not null,
  published bigint default 0 not null,
  decision text collate "C",
  constraint offers_pkey PRIMARY KEY (lane, docking, good, race),
  constraint offers_decision FOREIGN KEY (lane, docking, decision) REFERENCES decisions.decisions(lane, docking, id),
  constraint offers_no_worse CHECK (((unit_price <= published) OR (decision IS NOT NULL))),
  constraint offers_price CHECK ((unit_price > 0))
);

create table terms.price_changes (
  id text collate "C" not null,
  reference text collate "C",
  state text collate "C" not null,
  due_at timestamp with time zone not null,
  ask jsonb not null,
  rows jsonb,
  made_by text not null,
  made_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  outcome jsonb,
  constraint price_changes_pkey PRIMARY KEY (id),
  constraint price_changes_reference UNIQUE (reference),
  constraint price_changes_end CHECK (((state = 'scheduled'::text) = (ended_at IS NULL))),
  constraint price_changes_state CHECK ((state = ANY (ARRAY['scheduled'::text, 'applied'::text, 'cancelled'::text, 'refused'::text])))
);

create table terms.price_groups (
  name text collate "C" not null,
  note text not null,
  since timestamp with time zone not null,
  constraint price_groups_pkey PRIMARY KEY (name)
);

create table terms.price_history (
  "position" bigint not null,
  line integer not null,
  what text collate "C" not null,
  grp text collate "C",
  docking text collate "C",
  good text collate "C",
  race text default ''::text not null,
  subject text default ''::text not null,
  old text,
  new text,
  change text collate "C",
  done_by text not null,
  note text not null,
  at timestamp with time zone not null,
  constraint price_history_pkey PRIMARY KEY ("position", line),
  constraint price_history_what CHECK ((what = ANY (ARRAY['list'::text, 'group'::text, 'own'::text, 'rule'::text, 'level'::text, 'contract'::text])))
);

create table terms.price_rules (
  grp text collate "C" not null,
  scope text collate "C" not null,
  subject text collate "C" not null,
  basis text collate "C" not null,
  factor_ppm bigint not null,
  addition bigint not null,
  step bigint not null,
  below_cost boolean not null,
  in_force boolean not null,
  since timestamp with time zone not null,
  constraint price_rules_pkey PRIMARY KEY (grp, scope, subject),
  constraint price_rules_grp_fkey FOREIGN KEY (grp) REFERENCES terms.price_groups(name),
  constraint price_rules_basis CHECK ((basis = ANY (ARRAY['list'::text, 'cost'::text]))),
  constraint price_rules_formula CHECK ((((factor_ppm >= 0) AND (factor_ppm <= 1000000000)) AND ((step >= 1) AND (step <= 1000000000)))),
  constraint price_rules_scope CHECK (((scope = ANY (ARRAY['all'::text, 'category'::text, 'good'::text])) AND ((scope = 'all'::text) = (subject = ''::text))))
);

CREATE INDEX contracts_by_decision ON terms.contracts USING btree (lane, docking) WHERE (decision IS NOT NULL);

CREATE INDEX price_changes_due ON terms.price_changes USING btree (due_at, id) WHERE (state = 'scheduled'::text);

CREATE INDEX price_history_docking ON terms.price_history USING btree (docking, "position", line) WHERE (docking IS NOT NULL);

CREATE INDEX price_history_good ON terms.price_history USING btree (good, "position", line) WHERE (good IS NOT NULL);

CREATE INDEX price_history_group ON terms.price_history USING btree (grp, "position", line) WHERE (grp IS NOT NULL);

CREATE INDEX price_rules_wide ON terms.price_rules USING btree (grp) WHERE ((scope <> 'good'::text) AND in_force);

grant usage on schema terms to berth_app;
grant select on table terms.book to berth_app;
grant insert, select, update on table terms.contracts to berth_app;
grant insert, select on table terms.levels to berth_app;
grant insert, select, update on table terms.offers to berth_app;
grant insert, select on table terms.price_changes to berth_app;
grant insert, select on table terms.price_groups to berth_app;
grant insert, select on table terms.price_history to berth_app;
grant insert, select, update on table terms.price_rules to berth_app;
grant update (good_rules), update (version) on table terms.book to berth_app;
grant update (grp), update (since) on table terms.levels to berth_app;
grant update (ended_at), update (outcome), update (state) on table terms.price_changes to berth_app;
