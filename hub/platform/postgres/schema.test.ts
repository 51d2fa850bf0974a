import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from 'pg'
import { freshDatabase } from '../../../test/postgres.ts'
import { dumpSchema } from './schema.ts'

const statements = [
  `create table shelf.goods (
     id uuid primary key, name text collate "POSIX" not null, price bigint default 0, doubled bigint generated always as (price * 2) stored,
     number int generated always as identity, constraint price_is_possible check (price >= 0), unique (name, price)) with (fillfactor = 90)`,
  `create type shelf.colour as enum ('red', 'blue')`,
  `create index goods_by_price on shelf.goods (price desc) where price > 0`,
  `create function shelf.twice(n int) returns int language sql immutable as 'select n * 2'`,
  `create view shelf.cheap as select a.name from shelf.goods a join shelf.goods b using (id) where b.price < 100`,
  `grant select, insert on shelf.goods to berth_app`,
  `grant update (price) on shelf.goods to berth_app`,
  `grant usage on schema shelf to berth_app`,
]

async function dumpOf(url: string, made: readonly string[]): Promise<string> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of made) await client.query(statement)
    const dump = await dumpSchema(client)
    const from = dump.indexOf('create schema shelf;')
    return from < 0 ? '' : (dump.slice(from).split('\n\n\n')[0] ?? '')
  } finally {
    await client.end()
  }
}

test('the dump shows what a migration made, in the same order whatever the order of making', async (t) => {
  const one = await freshDatabase(t)
  const other = await freshDatabase(t)
  const dump = await dumpOf(one.ownerUrl, ['create schema shelf', ...statements, 'create table public.foreign_thing (n int)'])
  assert.equal(
    dump.trim(),
    `create schema shelf;

create type shelf.colour as enum ('red', 'blue');

create table shelf.goods (
  id uuid not null,
  name text collate "POSIX" not null,
  price bigint default 0,
  doubled bigint generated always as ((price * 2)) stored,
  number integer generated always as identity not null,
  constraint goods_pkey PRIMARY KEY (id),
  constraint goods_name_price_key UNIQUE (name, price),
  constraint price_is_possible CHECK ((price >= 0))
) with (fillfactor=90);

CREATE INDEX goods_by_price ON shelf.goods USING btree (price DESC) WHERE (price > 0);

create view shelf.cheap as
 SELECT a.name
   FROM shelf.goods a
     JOIN shelf.goods b USING (id)
  WHERE b.price < 100;

CREATE OR REPLACE FUNCTION shelf.twice(n integer)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$select n * 2$function$;

grant usage on schema shelf to berth_app;
grant insert, select on table shelf.goods to berth_app;
grant update (price) on table shelf.goods to berth_app;`,
  )
  const [goods = '', ...rest] = statements
  const shuffled = [rest[0] ?? '', goods, ...rest.slice(1).toReversed()]
  assert.equal(await dumpOf(other.ownerUrl, ['create schema shelf', ...shuffled]), dump)
})

test('each change of a schema is a change of the dump', async (t) => {
  const { ownerUrl } = await freshDatabase(t)
  const seen = new Set([await dumpOf(ownerUrl, ['create schema shelf', ...statements])])
  const changes = [
    'alter table shelf.goods alter column price set not null',
    'alter table shelf.goods alter column price set default 1',
    'alter table shelf.goods drop constraint price_is_possible',
    'revoke insert on shelf.goods from berth_app',
    'drop index shelf.goods_by_price',
    'create table shelf.parts (n int) partition by list (n)',
    'create table shelf.part_one partition of shelf.parts for values in (1)',
    'create sequence shelf.counter',
    `create trigger watch before update on shelf.goods for each row execute function suppress_redundant_updates_trigger()`,
    `create or replace function shelf.twice(n int) returns int language sql immutable as 'select n + n'`,
  ]
  for (const change of changes) {
    const dump = await dumpOf(ownerUrl, [change])
    assert.ok(!seen.has(dump), change)
    seen.add(dump)
  }
})
