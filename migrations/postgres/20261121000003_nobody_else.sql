-- Nobody but the owner of the tables gets at them. Three fences, since each has a hole of its own:
-- row level security lets TRUNCATE through and plain views; a revoke is undone by a later grant;
-- a schema that an API does not serve today may be served tomorrow.
--
-- The roles named are those that Supabase hands to browsers and functions; elsewhere they do not
-- exist and are passed over. A server that does not log in as the owner needs grants and policies
-- of its own, or a role with BYPASSRLS.

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
    end loop;

    for tab in select tablename from pg_catalog.pg_tables where schemaname = 'patter' loop
        execute format('alter table patter.%I enable row level security', tab);
    end loop;
end
$$;
