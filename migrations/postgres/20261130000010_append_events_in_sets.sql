-- `append_events` by a handful of statements for a whole batch, where it was some ten for each event: a
-- statement and each call of a function cost more than what they do for one row. What it takes and gives is
-- unchanged. The triggers that make entries for the search and count usage take all rows of a statement
-- at once, for the same reason.

-- What an event says of its session, beside its place: that it runs again, that it is over, its summary.
create or replace function patter.change_session(
    changed_session text, event_type text, content text, details jsonb, at timestamptz
) returns void
language plpgsql
set search_path = ''
as $$
begin
    if event_type = 'session_started' then
        update patter.sessions s set
            is_active = true, end_time = null, summary_due_at = null, summary_tries = 0, summary_error = null
        where s.session_id = changed_session;
    elsif event_type = 'session_ended' then
        update patter.sessions s set
            is_active = false,
            end_time = at,
            lease_owner = null,
            lease_until = null,
            finalize_after = null,
            summary = told.summary,
            metadata = jsonb_set(s.metadata, '{metrics}', details -> 'metrics'),
            summary_due_at = case when told.lacks_summary then clock_timestamp() end,
            -- In an end that was not forced, a first try came before it.
            summary_tries = case
                when told.lacks_summary and details ->> 'reason' in ('client', 'disconnect', 'idle')
                then 1 else 0 end,
            summary_error = null
        -- An event without a summary has a null in its metadata instead.
        from (select
            case when details ? 'summary' then null else content end as summary,
            coalesce(details ? 'summary' and (details #>> '{metrics,user_messages}')::bigint > 0, false)
                as lacks_summary) told
        where s.session_id = changed_session;
    elsif event_type = 'session_summary' then
        update patter.sessions s set summary = content, summary_due_at = null, summary_error = null
        where s.session_id = changed_session;
    end if;
end
$$;

-- Event by event: for a batch in which something was stored before. The sessions are locked.
create or replace function patter.append_events_singly(
    entry_sessions  text[],
    entry_fences    bigint[],
    entry_counts    integer[],
    event_ids       uuid[],
    event_types     text[],
    event_contents  text[],
    event_metadata  text[],
    event_private   text[],
    event_times     timestamptz[]
) returns table (entry_number integer, outcome text, place bigint)
language plpgsql
set search_path = ''
as $$
declare
    its_session text;
    its_fence   bigint;
    its_last    bigint;
    first_event integer;
    next_event  integer := 1;
    details     jsonb;
begin
    for entry in 1 .. cardinality(entry_sessions) loop
        entry_number := entry;
        place := null;
        first_event := next_event;
        next_event := first_event + entry_counts[entry];

        select s.session_id, s.fence, s.last_seq into its_session, its_fence, its_last
            from patter.sessions s where s.session_id = entry_sessions[entry];
        if not found then
            outcome := 'no_such_session';
            return next;
            continue;
        end if;
        if its_fence <> entry_fences[entry] then
            outcome := 'fenced';
            return next;
            continue;
        end if;

        for i in first_event .. next_event - 1 loop
            details := event_metadata[i]::jsonb;
            -- The unique indexes decide what was stored before. A number is taken only by what is
            -- really stored, so the log has no gaps.
            insert into patter.session_events
                (session_id, seq, event_id, event_type, content, metadata, private, created_at)
            values
                (its_session, its_last + 1, event_ids[i], event_types[i], event_contents[i], details,
                 event_private[i]::jsonb, event_times[i])
            on conflict do nothing;

            if found then
                its_last := its_last + 1;
                outcome := 'stored';
                place := its_last;
                perform patter.change_session(
                    its_session, event_types[i], event_contents[i], details, event_times[i]);
            else
                outcome := 'duplicate';
                place := null;
                select e.seq into place from patter.session_events e
                    where e.session_id = its_session and e.event_id = event_ids[i];
                if place is null and event_types[i] = 'user_message' then
                    select e.seq into place from patter.session_events e
                        where e.session_id = its_session and e.event_type = 'user_message'
                        and e.metadata ->> 'id' = details ->> 'id';
                elsif place is null and event_types[i] = 'ai_response' then
                    select e.seq into place from patter.session_events e
                        where e.session_id = its_session and e.event_type = 'ai_response'
                        and e.metadata ->> 'response_id' = details ->> 'response_id';
                elsif place is null and event_types[i] = 'tool_result' then
                    select e.seq into place from patter.session_events e
                        where e.session_id = its_session and e.event_type = 'tool_result'
                        and e.metadata ->> 'call_id' = details ->> 'call_id';
                end if;
                if place is null then
                    raise exception 'session % has an event behind its last_seq %', its_session, its_last
                        using errcode = 'data_corrupted';
                end if;
            end if;
            return next;
        end loop;

        update patter.sessions s set last_seq = its_last
            where s.session_id = its_session and s.last_seq <> its_last;
    end loop;
end
$$;

create or replace function patter.append_events(
    entry_sessions  text[],
    entry_fences    bigint[],
    entry_counts    integer[],
    event_ids       uuid[],
    event_types     text[],
    event_contents  text[],
    event_metadata  text[],
    event_private   text[],
    event_times     timestamptz[]
) returns table (entry_number integer, outcome text, place bigint)
language plpgsql
set search_path = ''
-- The plans are kept, and must do for a batch of any size and a table of any: a look into an index for each
-- session.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
    -- Of each event: its entry, and the place that it takes; null in an entry that is refused.
    event_entries integer[];
    event_places  bigint[];
    changing      integer;
begin
    -- All rows at once and in one order for everybody, so that two batches never wait for each
    -- other. The lock is the weakest that keeps writers apart: readers and foreign keys pass.
    perform from patter.sessions s
        where s.session_id = any (entry_sessions)
        order by s.session_id
        for no key update;

    select array_agg(p.entry order by p.number), array_agg(p.place order by p.number)
    into event_entries, event_places
    from (
        select e.number, e.entry,
            s.last_seq + row_number() over (partition by s.session_id order by e.number) as place
        from (
            select row_number() over (order by c.entry) as number, c.entry
            from unnest(entry_counts) with ordinality c (events, entry), generate_series(1, c.events)
        ) e
        left join patter.sessions s
            on s.session_id = entry_sessions[e.entry] and s.fence = entry_fences[e.entry]
    ) p;

    begin
        -- (Lists are read from their beginning to their end, so the ids rise with the places.)
        insert into patter.session_events
            (session_id, seq, event_id, event_type, content, metadata, private, created_at)
        select entry_sessions[e.entry], e.place, e.event_id, e.event_type, e.content, e.metadata::jsonb,
            e.private::jsonb, e.at
        from unnest(event_entries, event_places, event_ids, event_types, event_contents, event_metadata,
            event_private, event_times)
            as e (entry, place, event_id, event_type, content, metadata, private, at)
        where e.place is not null;
    exception when unique_violation then
        return query select * from patter.append_events_singly(
            entry_sessions, entry_fences, entry_counts, event_ids, event_types, event_contents,
            event_metadata, event_private, event_times);
        return;
    end;

    update patter.sessions s set last_seq = b.last_seq
    from (
        select entry_sessions[e.entry] as session_id, max(e.place) as last_seq
        from unnest(event_entries, event_places) e (entry, place)
        where e.place is not null
        group by 1
    ) b
    where s.session_id = b.session_id;

    for changing in
        select e.number from unnest(event_types, event_places) with ordinality e (event_type, place, number)
        where e.place is not null
            and e.event_type in ('session_started', 'session_ended', 'session_summary')
        order by e.number
    loop
        perform patter.change_session(
            entry_sessions[event_entries[changing]], event_types[changing], event_contents[changing],
            event_metadata[changing]::jsonb, event_times[changing]);
    end loop;

    return query
        select e.entry, 'stored', e.place
        from unnest(event_entries, event_places) with ordinality e (entry, place, number)
        where e.place is not null
        order by e.number;
    return query
        select r.entry::integer, case when s.session_id is null then 'no_such_session' else 'fenced' end,
            null::bigint
        from unnest(entry_sessions, entry_fences) with ordinality r (session_id, fence, entry)
        left join patter.sessions s on s.session_id = r.session_id
        where s.fence is distinct from r.fence;
end
$$;

-- The language is that of the process that writes (`patter.search_language`, which it sets on its
-- connections): no lookup, and each entry says by itself in which language it is.
create or replace function patter.make_search_entries() returns trigger
language plpgsql security definer
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
    language      text;
    configuration regconfig;
begin
    if not exists (select from inserted e
        where e.event_type in ('user_message', 'ai_response', 'session_ended', 'session_summary')
            and e.content <> '')
    then
        return null;
    end if;
    language := coalesce(nullif(current_setting('patter.search_language', true), ''), 'simple');
    configuration := coalesce(patter.search_configuration(language), 'simple'::regconfig);
    insert into patter.search_entries (event_number, vector)
    select e.id,
        -- Cut, since a tsvector holds 1 MiB at the most. Without the signs by which the parser would
        -- take `yes/no` for a file, `end.Next` for a host, `<b>` for nothing, and all of it for one word.
        -- (`translate` would take eight times as long.)
        to_tsvector(configuration, replace(replace(replace(replace(replace(replace(replace(replace(replace(
            replace(left(e.content, 100000), '.', ' '), '/', ' '), '@', ' '), '-', ' '), '_', ' '),
            ':', ' '), '<', ' '), '&', ' '), '+', ' '), '~', ' '))
        -- The marks of `search_owner` and `search_stretch`, written out: a call costs more than a mark.
        || array_to_tsvector(array[
            E'\x01u' || coalesce(encode(sha256(convert_to(s.user_id, 'UTF8')), 'hex'), ''),
            E'\x01l' || language,
            E'\x01a' || (e.id >> 10),
            E'\x01b' || (e.id >> 13),
            E'\x01c' || (e.id >> 16),
            E'\x01d' || (e.id >> 19),
            E'\x01e' || (e.id >> 22)])
    from inserted e join patter.sessions s on s.session_id = e.session_id
    where e.event_type in ('user_message', 'ai_response', 'session_ended', 'session_summary')
        and e.content <> ''
    on conflict do nothing;
    return null;
end
$$;

create or replace trigger session_events_make_search_entry
    after insert on patter.session_events
    referencing new table as inserted
    for each statement
    execute function patter.make_search_entries();

create or replace function patter.count_inserted_events() returns trigger
language plpgsql security definer
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
    kinds text[] := (select array_agg(distinct e.event_type) from inserted e);
begin
    if 'user_message' = any (kinds) then
        insert into patter.message_hours as m (session_id, hour, user_id, messages)
        select e.session_id, floor(extract(epoch from e.created_at) / 3600)::integer, s.user_id, count(*)
        from inserted e join patter.sessions s on s.session_id = e.session_id
        where e.event_type = 'user_message'
        group by 1, 2, 3
        on conflict (session_id, hour) do update set messages = m.messages + excluded.messages;
    end if;
    if 'tool_call' = any (kinds) then
        insert into patter.answers as a (session_id, response_id, tool_calls)
        select e.session_id, e.metadata ->> 'response_id', count(*)
        from inserted e
        where e.event_type = 'tool_call'
        group by 1, 2
        on conflict (session_id, response_id) do update set tool_calls = a.tool_calls + excluded.tool_calls;
    end if;
    if 'tool_result' = any (kinds) then
        insert into patter.answers as a (session_id, response_id, tool_failures)
        select e.session_id, e.metadata ->> 'response_id', count(*)
        from inserted e
        where e.event_type = 'tool_result' and e.metadata ->> 'ok' = 'false'
        group by 1, 2
        on conflict (session_id, response_id)
            do update set tool_failures = a.tool_failures + excluded.tool_failures;
    end if;
    if 'ai_response' = any (kinds) then
        -- An index holds no longer ones, and whoever imports a session can write anything.
        insert into patter.answer_sources (provider, model, route)
        select distinct left(coalesce(e.metadata ->> 'provider', ''), 200) as provider,
            left(coalesce(e.metadata ->> 'model', ''), 200) as model,
            left(coalesce(e.metadata ->> 'route', ''), 200) as route
        from inserted e
        where e.event_type = 'ai_response' and not exists (
            select from patter.answer_sources o
            where o.provider = left(coalesce(e.metadata ->> 'provider', ''), 200)
                and o.model = left(coalesce(e.metadata ->> 'model', ''), 200)
                and o.route = left(coalesce(e.metadata ->> 'route', ''), 200))
        order by 1, 2, 3
        on conflict do nothing;

        insert into patter.answers
            (session_id, response_id, hour, session_number, source, user_id, is_failed, is_first,
             input_tokens, output_tokens, cost_usd, first_token_ms, total_ms)
        select e.session_id, e.metadata ->> 'response_id',
            floor(extract(epoch from e.created_at) / 3600)::integer,
            (select f.id from patter.session_events f
             where f.session_id = e.session_id order by f.seq limit 1),
            (select o.id from patter.answer_sources o
             where o.provider = left(coalesce(e.metadata ->> 'provider', ''), 200)
                and o.model = left(coalesce(e.metadata ->> 'model', ''), 200)
                and o.route = left(coalesce(e.metadata ->> 'route', ''), 200)),
            s.user_id,
            e.metadata ->> 'finish_reason' in ('error', 'interrupted'),
            e.metadata ->> 'supersedes' is null and e.metadata ->> 'superseded' is distinct from 'true',
            patter.usage_number(e.metadata #>> '{usage,input_tokens}'),
            patter.usage_number(e.metadata #>> '{usage,output_tokens}'),
            -- Beyond this, a sum could be more than its type holds.
            case when e.metadata ->> 'cost_usd' is not null
                then greatest(least((e.metadata ->> 'cost_usd')::double precision, 1e9), 0) end,
            patter.usage_number(e.metadata #>> '{timing,first_token_ms}'),
            patter.usage_number(e.metadata #>> '{timing,total_ms}')
        from inserted e join patter.sessions s on s.session_id = e.session_id
        where e.event_type = 'ai_response'
        on conflict (session_id, response_id) do update set
            hour = excluded.hour, session_number = excluded.session_number,
            source = excluded.source, user_id = excluded.user_id,
            is_failed = excluded.is_failed, is_first = excluded.is_first,
            input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
            cost_usd = excluded.cost_usd, first_token_ms = excluded.first_token_ms,
            total_ms = excluded.total_ms;
    end if;
    return null;
end
$$;

create or replace trigger session_events_count
    after insert on patter.session_events
    referencing new table as inserted
    for each statement
    execute function patter.count_inserted_events();

-- What they did for one row.
drop function if exists patter.make_search_entry();
drop function if exists patter.search_vector(text, text, text, bigint);
drop function if exists patter.count_inserted_event();
drop function if exists patter.count_event(patter.session_events);

revoke all on all functions in schema patter from public;

-- Whoever may append needs what that calls now. A server of the release before goes on under such a role until
-- it is replaced.
do $$
declare
    appender regrole;
begin
    for appender in
        select a.grantee::regrole
        from pg_catalog.pg_proc p, pg_catalog.aclexplode(p.proacl) a
        where p.pronamespace = 'patter'::regnamespace and p.proname = 'append_events'
            and a.privilege_type = 'EXECUTE' and a.grantee not in (0, p.proowner)
    loop
        execute format('grant execute on function patter.change_session, patter.append_events_singly to %s',
            appender);
    end loop;
end
$$;

do $$
declare
    stranger text;
begin
    for stranger in
        select rolname from pg_catalog.pg_roles
        where rolname in ('anon', 'authenticated', 'service_role')
    loop
        execute format('revoke all on all functions in schema patter from %I', stranger);
    end loop;
end
$$;
