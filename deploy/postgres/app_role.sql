-- A role for the server that owns nothing: it can do what the server does, and no more.
--
--   it can      read all tables of the schema `patter`; make, change and delete sessions; add events
--   it cannot   change or delete an event (they go with their session), TRUNCATE, make, alter or drop
--               anything, read any other schema, or give away what it has
--
-- How it is used, as the owner of the tables (on Supabase: `postgres`):
--
--   1. DATABASE_URL=postgres://OWNER... patter migrate
--   2. psql postgres://OWNER... --file deploy/postgres/app_role.sql
--   3. psql postgres://OWNER... --command '\password patter_app'
--   4. run the server as that role: DATABASE_URL=postgres://patter_app..., store.migrate = "check"
--
-- After an upgrade 1 and 2 are done again, before the new servers start: a server that finds tables which
-- are old, or which it has no way to, says so and does not start. It can be run any number of times, and
-- leaves the same. It is plain SQL, so that any client can run it, in one transaction.

do $$
declare
    tab name;
    writes record;
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'patter_app') then
        begin
            create role patter_app login;
        exception when duplicate_object or unique_violation then
            null; -- Somebody else made it at this moment.
        end;
    end if;
    if exists (
        select from pg_catalog.pg_roles
        where rolname = 'patter_app'
            and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)
    ) then
        raise exception 'the role patter_app can do more than a server needs: drop it, or take that away';
    end if;

    -- From the beginning, so that what an older script gave does not stay.
    revoke all on schema patter from patter_app;
    revoke all on all tables in schema patter from patter_app;
    revoke all on all sequences in schema patter from patter_app;
    revoke all on all functions in schema patter from patter_app;

    grant usage on schema patter to patter_app;
    grant select on all tables in schema patter to patter_app;
    -- All of them run as who calls them, but for those of triggers, which nobody can call.
    grant execute on all functions in schema patter to patter_app;
    grant usage on sequence patter.session_events_id_seq to patter_app;

    for writes in
        select * from (values
            ('sessions', 'insert, update, delete'),
            ('session_events', 'insert'),
            ('search_languages', 'insert'),
            ('answer_sources', 'insert'),
            ('spending', 'insert, update, delete')
        ) as granted (name, privileges)
    loop
        execute format('grant %s on patter.%I to patter_app', writes.privileges, writes.name);
    end loop;

    -- Row level security shows nothing without a policy. What may be done with the rows is up to the
    -- grants: a server sees the sessions of all its users, and tells them apart itself.
    for tab in
        select c.relname from pg_catalog.pg_class c
        where c.relnamespace = 'patter'::regnamespace and c.relkind in ('r', 'p')
    loop
        execute format('drop policy if exists patter_app on patter.%I', tab);
        execute format(
            'create policy patter_app on patter.%I to patter_app using (true) with check (true)', tab);
    end loop;
end
$$;
