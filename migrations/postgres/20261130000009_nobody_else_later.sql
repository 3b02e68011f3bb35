-- Nobody but the owner, once more: for what came after the first three fences, and for what is to come.
--
-- Who exposes a schema to an API by the book of Supabase also grants, by default privileges, whatever is
-- made in it later; and privileges that are given by default in the whole database reach every new table.
-- Both are taken back here. Grants to other roles, such as that of `deploy/postgres/app_role.sql`, stay.

revoke all on schema patter from public;
revoke all on all tables in schema patter from public;
revoke all on all sequences in schema patter from public;
revoke all on all functions in schema patter from public;

do $$
declare
    stranger text;
    tab name;
begin
    for stranger in
        select rolname from pg_catalog.pg_roles
        where rolname in ('anon', 'authenticated', 'service_role')
    loop
        execute format('revoke all on schema patter from %I', stranger);
        execute format('revoke all on all tables in schema patter from %I', stranger);
        execute format('revoke all on all sequences in schema patter from %I', stranger);
        execute format('revoke all on all functions in schema patter from %I', stranger);
        execute format('alter default privileges in schema patter revoke all on tables from %I', stranger);
        execute format('alter default privileges in schema patter revoke all on sequences from %I', stranger);
        execute format('alter default privileges in schema patter revoke all on functions from %I', stranger);
    end loop;
    alter default privileges in schema patter revoke all on tables from public;
    alter default privileges in schema patter revoke all on sequences from public;
    alter default privileges in schema patter revoke all on functions from public;

    for tab in
        select c.relname from pg_catalog.pg_class c
        where c.relnamespace = 'patter'::regnamespace and c.relkind in ('r', 'p')
            and not c.relrowsecurity
    loop
        execute format('alter table patter.%I enable row level security', tab);
    end loop;
end
$$;
