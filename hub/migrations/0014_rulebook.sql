-- Rules, contract templates, price rules and guides as text with a hash, a time of notice and comments. What is here is
-- never edited: a change is the next version. The times are the database's own: nobody can insert an older one.
create schema rulebook;

create table rulebook.texts (
  id text collate "C" not null,
  kind text collate "C" not null,
  slug text collate "C" not null,
  version int not null,
  title_zh text not null,
  title_en text not null,
  text_zh text not null,
  text_en text not null,
  -- SHA-256 of the canonical JSON of kind, slug, version, titles and texts.
  sha256 text collate "C" not null,
  -- A rule that holds others to a least resale price, and on what law that rests.
  resale_price boolean not null,
  legal_basis text,
  -- Why it may count at once: it favours partners and nobody else.
  relief text,
  supersedes text collate "C",
  published_by text collate "C" not null,
  published_at timestamptz(3) not null default now(),
  effective_at timestamptz(3) not null,
  -- A least resale price without a recorded basis: such a rule can ground nothing but a warning.
  bare_resale boolean not null generated always as (resale_price and legal_basis is null) stored,
  constraint texts_pkey primary key (id),
  constraint texts_version unique (slug, version),
  constraint texts_successor unique (supersedes),
  constraint texts_supersedes foreign key (supersedes) references rulebook.texts (id),
  constraint texts_dated unique (id, sha256, published_at, effective_at, bare_resale),
  constraint texts_hashed unique (id, kind, sha256),
  constraint texts_until unique (id, effective_at),
  constraint texts_kind check (kind in ('rule', 'contract_template', 'price_rule', 'guide')),
  constraint texts_slug check (slug ~ '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$'),
  constraint texts_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint texts_chain check (version > 0 and (version = 1) = (supersedes is null)),
  constraint texts_filled check (text_zh ~ '[^[:space:]]' and text_en ~ '[^[:space:]]' and title_zh ~ '[^[:space:]]' and title_en ~ '[^[:space:]]'),
  constraint texts_basis check (legal_basis is null or legal_basis ~ '[^[:space:]]'),
  -- Seven days between publication and force, the first edition too; a relief needs none, and says why.
  constraint texts_notice check (effective_at >= published_at and (coalesce(relief ~ '[^[:space:]]', false) or effective_at >= published_at + interval '7 days'))
);

create table rulebook.comments (
  id text collate "C" not null,
  text text collate "C" not null,
  text_effective_at timestamptz(3) not null,
  -- Null for somebody from the public.
  docking text collate "C",
  body text not null,
  at timestamptz(3) not null default now(),
  constraint comments_pkey primary key (id),
  constraint comments_text foreign key (text, text_effective_at) references rulebook.texts (id, effective_at),
  constraint comments_in_time check (at < text_effective_at),
  constraint comments_body check (char_length(body) between 1 and 2000)
);
create index comments_of_text on rulebook.comments (text, id);

create table rulebook.contracts (
  lane int not null,
  id text collate "C" not null,
  docking text collate "C" not null,
  text text collate "C" not null,
  kind text collate "C" not null default 'contract_template',
  sha256 text collate "C" not null,
  signed_at timestamptz(3) not null,
  signed_by text not null,
  recorded_by text collate "C" not null,
  recorded_at timestamptz(3) not null default now(),
  constraint contracts_pkey primary key (lane, id),
  constraint contracts_once unique (lane, docking, text),
  constraint contracts_proven unique (lane, docking, id, sha256),
  constraint contracts_kind check (kind = 'contract_template'),
  constraint contracts_text foreign key (text, kind, sha256) references rulebook.texts (id, kind, sha256),
  constraint contracts_signed check (signed_at <= recorded_at and signed_by ~ '[^[:space:]]')
);

grant usage on schema rulebook to berth_app;
grant select on rulebook.texts, rulebook.comments, rulebook.contracts to berth_app;
grant insert (id, kind, slug, version, title_zh, title_en, text_zh, text_en, sha256, resale_price, legal_basis, relief, supersedes, published_by, effective_at) on rulebook.texts to berth_app;
grant insert (id, text, text_effective_at, docking, body) on rulebook.comments to berth_app;
grant insert (lane, id, docking, text, sha256, signed_at, signed_by, recorded_by) on rulebook.contracts to berth_app;
