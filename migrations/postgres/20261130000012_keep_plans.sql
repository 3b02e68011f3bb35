-- Two functions that are called for nearly every event, with their plans kept. Up to PostgreSQL 17, a function in
-- SQL that has a setting (and all of ours have `search_path`) is parsed and planned anew in each query that calls it:
-- of what it took to store an event, that was a third. What they take and give is unchanged, and told where they were
-- made: `20261129000002_search.sql`, `20261129000003_usage.sql`.

create or replace function patter.search_configuration(language text) returns regconfig
language plpgsql
stable
parallel safe
set search_path = ''
as $$
begin
    return (
        select c.oid::regconfig
        from pg_catalog.pg_ts_config c join pg_catalog.pg_namespace n on n.oid = c.cfgnamespace
        where (n.nspname = 'pg_catalog' and c.cfgname = language) or n.nspname || '.' || c.cfgname = language
        limit 1);
end
$$;

create or replace function patter.usage_number(told text) returns integer
language plpgsql
immutable
strict
parallel safe
set search_path = ''
as $$
begin
    return least(greatest(told::numeric, 0), 2147483647)::integer;
end
$$;
