-- A single event, which is what most calls of `append_events` bring, by three plain statements: those that are made for
-- a batch take a quarter longer. And words in no language (`simple`) without a look for that language. What the functions
-- take and give is unchanged, and told where they were made: `20261130000010_append_events_in_sets.sql`.

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
    its_last      bigint;
begin
    if cardinality(entry_sessions) = 1 and cardinality(event_ids) = 1 then
        select s.last_seq into its_last from patter.sessions s
            where s.session_id = entry_sessions[1] and s.fence = entry_fences[1]
            for no key update;
        if found then
            insert into patter.session_events
                (session_id, seq, event_id, event_type, content, metadata, private, created_at)
            values
                (entry_sessions[1], its_last + 1, event_ids[1], event_types[1], event_contents[1],
                 event_metadata[1]::jsonb, event_private[1]::jsonb, event_times[1])
            on conflict do nothing;
            if found then
                update patter.sessions s set last_seq = its_last + 1 where s.session_id = entry_sessions[1];
                if event_types[1] in ('session_started', 'session_ended', 'session_summary') then
                    perform patter.change_session(entry_sessions[1], event_types[1], event_contents[1],
                        event_metadata[1]::jsonb, event_times[1]);
                end if;
                entry_number := 1;
                outcome := 'stored';
                place := its_last + 1;
                return next;
            else
                return query select * from patter.append_events_singly(
                    entry_sessions, entry_fences, entry_counts, event_ids, event_types, event_contents,
                    event_metadata, event_private, event_times);
            end if;
            return;
        end if;
        -- It is refused: what follows tells why.
    end if;

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
    configuration regconfig := 'pg_catalog.simple';
begin
    language := coalesce(nullif(current_setting('patter.search_language', true), ''), 'simple');
    if language <> 'simple' and exists (select from inserted e
        where e.event_type in ('user_message', 'ai_response', 'session_ended', 'session_summary')
            and e.content <> '')
    then
        configuration := coalesce(patter.search_configuration(language), configuration);
    end if;
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
