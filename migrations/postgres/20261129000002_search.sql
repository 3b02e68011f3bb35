-- Full-text search in what was said, in tables of its own: the log stays as it is, and what is made
-- from it can be made again.
--
-- This file goes through `session_events` once. Where there are millions of rows it can be run by
-- `psql` beforehand, one statement at a time; nothing but the index at its end keeps writers waiting.

-- The column of the first release cannot know whose an event is, and holds what tools said, in one
-- language for ever. Nothing has ever read it, and each insert paid for it. (The column stays, without
-- values from now on: the file that made it may be run again.)
drop index if exists patter.session_events_search_idx;
alter table patter.session_events alter column content_search drop expression if exists;

-- In which languages entries were made: those whose words a search has to ask for.
create table if not exists patter.search_languages (
    -- A text search configuration.
    language text primary key
);
insert into patter.search_languages values ('simple') on conflict do nothing;
alter table patter.search_languages enable row level security;

create table if not exists patter.search_entries (
    -- `session_events.id`.
    event_number bigint primary key,
    -- The words, and marks: whose the event is, in which language the words are, and in which
    -- stretches of the log it stands. With marks in the index, "the newest of hers" is answered by
    -- the index alone, however common a word is.
    vector       tsvector not null
);
alter table patter.search_entries enable row level security;

-- A mark begins with a character that no word can have. Each stretch is 8 times as long as the one
-- before: 1024 events, 8192, and so on.
create or replace function patter.search_stretch(level integer, event_number bigint) returns text
language sql immutable strict parallel safe
set search_path = ''
as $$ select E'\x01' || chr(97 + level) || (event_number >> (10 + 3 * level)) $$;

create or replace function patter.search_owner(user_id text) returns text
language sql immutable parallel safe
set search_path = ''
as $$ select E'\x01u' || coalesce(encode(sha256(convert_to(user_id, 'UTF8')), 'hex'), '') $$;

-- Who sets a language is told by it at once if there is none. One that somebody drops later, or that another
-- process has not heard of, must keep no event from being stored: its words are then as they are.
-- Null if there is none. One that does not come with PostgreSQL is named with its schema.
create or replace function patter.search_configuration(language text) returns regconfig
language sql stable parallel safe
set search_path = ''
as $$
    select c.oid::regconfig
    from pg_catalog.pg_ts_config c join pg_catalog.pg_namespace n on n.oid = c.cfgnamespace
    where (n.nspname = 'pg_catalog' and c.cfgname = language) or n.nspname || '.' || c.cfgname = language
    limit 1
$$;

create or replace function patter.search_vector(
    language text, content text, user_id text, event_number bigint
) returns tsvector
language plpgsql stable parallel safe
set search_path = ''
as $$
begin
    -- Cut, since a tsvector holds 1 MiB at the most. Without the signs by which the parser would
    -- take `yes/no` for a file, `end.Next` for a host, `<b>` for nothing, and all of it for one word.
    return to_tsvector(
            coalesce(patter.search_configuration(language), 'simple'::regconfig),
            translate(left(content, 100000), './@-_:<&+~', '          '))
        || array_to_tsvector(array[
            patter.search_owner(user_id),
            E'\x01l' || language,
            patter.search_stretch(0, event_number),
            patter.search_stretch(1, event_number),
            patter.search_stretch(2, event_number),
            patter.search_stretch(3, event_number),
            patter.search_stretch(4, event_number)]);
end
$$;

-- The language is that of the process that writes (`patter.search_language`, which it sets on its
-- connections): no lookup, and each entry says by itself in which language it is.
create or replace function patter.make_search_entry() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
    insert into patter.search_entries (event_number, vector)
    select new.id, patter.search_vector(
        coalesce(nullif(current_setting('patter.search_language', true), ''), 'simple'),
        new.content, s.user_id, new.id)
    from patter.sessions s where s.session_id = new.session_id
    on conflict do nothing;
    return null;
end
$$;

create or replace trigger session_events_make_search_entry
    after insert on patter.session_events
    for each row
    when (new.event_type in ('user_message', 'ai_response', 'session_ended', 'session_summary')
        and new.content <> '')
    execute function patter.make_search_entry();

create or replace function patter.delete_search_entries() returns trigger
language plpgsql security definer
set search_path = ''
-- The plan is kept, and must not be that of a session which was half of the table.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    delete from patter.search_entries s using deleted d where s.event_number = d.id;
    return null;
end
$$;

-- Once for each session that goes, not for each event.
create or replace trigger session_events_delete_search_entries
    after delete on patter.session_events
    referencing old table as deleted
    for each statement
    execute function patter.delete_search_entries();

insert into patter.search_entries (event_number, vector)
select e.id, patter.search_vector('simple', e.content, s.user_id, e.id)
from patter.session_events e join patter.sessions s using (session_id)
where e.event_type in ('user_message', 'ai_response', 'session_ended', 'session_summary')
    and e.content <> ''
on conflict do nothing;

-- What was written last waits in a list that each search reads through: a short one.
create index if not exists search_entries_vector_idx
    on patter.search_entries using gin (vector) with (gin_pending_list_limit = 256);

-- The newest entries that match, `most` of them, and how well each does.
--
-- `asked` is in the syntax of `websearch_to_tsquery`. Of several languages each entry is asked in
-- its own. What has no word that must be there (only words that must not) matches nothing.
--
-- It looks in the newest stretch of the log first and goes back, in longer stretches as it goes,
-- until it has enough: of a common word it never sees more than some thousand entries, and a rare
-- one costs some dozen looks into the index.
--
-- Where words stand in an entry, the index does not know. For words in a row each entry with all of them
-- has to be read, and for very common ones that are nearly all there are: so it gives up after `looks`
-- entries.
create or replace function patter.search(
    asked text, of_user text, any_user boolean, newest bigint, oldest bigint, most integer, looks integer
) returns table (event_number bigint, score integer)
language plpgsql stable
set search_path = ''
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    words    tsquery;
    matching tsquery;
    -- What the index can answer: the words wherever they stand.
    indexed  tsquery;
    in_a_row boolean;
    upper    bigint := newest;
    lower    bigint;
    level    integer := 0;
    found    bigint[] := '{}';
    scores   integer[] := '{}';
    part     bigint[];
    its      integer[];
    seen     integer;
    -- The most that a stretch is read for; the shortest has less.
    enough   constant integer := greatest(4 * most, 2048);
begin
    -- Ranked by what must be there: a word that must not be is in none of them.
    select string_agg(querytree(a.words), ' | ')::tsquery,
           string_agg(format('(%s) & %s', a.words, quote_literal(E'\x01l' || a.language)), ' | ')::tsquery
    into words, matching
    from (select l.language, websearch_to_tsquery(l.configuration, asked) as words
          from (select s.language, patter.search_configuration(s.language) as configuration
                from patter.search_languages s) l
          where l.configuration is not null) a
    where numnode(a.words) > 0 and querytree(a.words) <> 'T';
    if words is null then
        return;
    end if;
    in_a_row := words::text ~ '<(-|\d+)>';
    indexed := case when in_a_row
        then regexp_replace(words::text, '<(-|\d+)>', '&', 'g')::tsquery else matching end;
    if not any_user then
        indexed := indexed && quote_literal(patter.search_owner(of_user))::tsquery;
    end if;
    -- Whatever a caller says: there is nothing beyond.
    select least(upper, max(e.event_number)) into upper from patter.search_entries e;

    while upper >= oldest and cardinality(found) < most and looks > 0 loop
        lower := (upper >> (10 + 3 * level)) << (10 + 3 * level);
        -- Ranked on the way: to come back for it would cost as much again.
        select count(*),
            array_agg(e.event_number) filter (where not in_a_row or e.vector @@ matching),
            array_agg((ts_rank(e.vector, words, 1) * 1000000)::integer)
                filter (where not in_a_row or e.vector @@ matching)
        into seen, part, its
        from (
            select s.event_number, s.vector
            from patter.search_entries s
            where s.vector @@ (indexed && quote_literal(patter.search_stretch(level, lower))::tsquery)
                -- Not by the primary key.
                and s.event_number + 0 between oldest and upper
            limit enough
        ) e;
        -- More than was to be expected from what came before: then the newest part of it first.
        if level > 0 and seen = enough then
            level := level - 1;
            continue;
        end if;
        looks := looks - case when in_a_row then seen else 0 end;
        found := found || part;
        scores := scores || its;
        upper := lower - 1;
        -- Where a longer stretch ends, that one is next; where there was little, at once: what is
        -- looked at again then is little too.
        if level < 4 and (seen < most / 16
            or (lower >> (10 + 3 * level)) & 7 = 0) then
            level := level + 1;
        end if;
    end loop;

    return query
        select f.number, f.score from unnest(found, scores) f (number, score)
        order by f.number desc limit most;
end
$$;

revoke all on all tables in schema patter from public;
revoke all on all functions in schema patter from public;
