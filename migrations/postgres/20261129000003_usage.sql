-- What is counted over all sessions: a narrow row for each answer, and one for each hour in which a
-- session had messages. A row belongs to one session, so writers of different sessions never wait for
-- each other (as they would for sums by the day), and it goes with its session.
--
-- This file goes through `session_events` once, in one transaction, while which nothing is written. It is
-- of before the first release.

-- Who answers.
create table if not exists patter.answer_sources (
    id       integer generated always as identity primary key,
    provider text not null,
    model    text not null,
    -- Empty where no route chose them.
    route    text not null,
    constraint answer_sources_key unique (provider, model, route)
);
alter table patter.answer_sources enable row level security;

create table if not exists patter.answers (
    session_id     text not null references patter.sessions (session_id) on delete cascade,
    response_id    text not null,
    -- All of these are null until the answer is over: its tools are counted before.
    -- When that was, in hours since 1970.
    hour           integer,
    -- Names the session in a number, which is counted faster than a text: its first event.
    session_number bigint,
    source         integer,
    user_id        text,
    is_failed      boolean,
    -- Whether it is the one that counts for its message.
    is_first       boolean,
    input_tokens   integer,
    output_tokens  integer,
    cost_usd       double precision,
    first_token_ms integer,
    total_ms       integer,
    tool_calls     integer not null default 0,
    tool_failures  integer not null default 0,
    primary key (session_id, response_id)
);
create index if not exists answers_hour_idx on patter.answers (hour);
create index if not exists answers_user_idx on patter.answers (user_id, hour) where user_id is not null;
alter table patter.answers enable row level security;

create table if not exists patter.message_hours (
    session_id text not null references patter.sessions (session_id) on delete cascade,
    hour       integer not null,
    user_id    text,
    messages   integer not null,
    primary key (session_id, hour)
) with (fillfactor = 80);
create index if not exists message_hours_hour_idx on patter.message_hours (hour);
create index if not exists message_hours_user_idx
    on patter.message_hours (user_id, hour) where user_id is not null;
alter table patter.message_hours enable row level security;

-- A number as it was told, or the largest that the column holds: a figure must not keep an event from
-- being stored.
create or replace function patter.usage_number(told text) returns integer
language sql immutable strict parallel safe
set search_path = ''
as $$ select least(greatest(told::numeric, 0), 2147483647)::integer $$;

-- Counts one event.
create or replace function patter.count_event(event patter.session_events) returns void
language plpgsql
set search_path = ''
as $$
declare
    details  jsonb := event.metadata;
    the_hour integer := floor(extract(epoch from event.created_at) / 3600);
    source   integer;
    -- An index holds no longer ones, and whoever imports a session can write anything.
    its_provider text := left(coalesce(event.metadata ->> 'provider', ''), 200);
    its_model    text := left(coalesce(event.metadata ->> 'model', ''), 200);
    its_route    text := left(coalesce(event.metadata ->> 'route', ''), 200);
begin
    if event.event_type = 'user_message' then
        insert into patter.message_hours as m (session_id, hour, user_id, messages)
        select s.session_id, the_hour, s.user_id, 1
        from patter.sessions s where s.session_id = event.session_id
        on conflict (session_id, hour) do update set messages = m.messages + 1;
    elsif event.event_type = 'tool_call' then
        insert into patter.answers as a (session_id, response_id, tool_calls)
        values (event.session_id, details ->> 'response_id', 1)
        on conflict (session_id, response_id) do update set tool_calls = a.tool_calls + 1;
    elsif event.event_type = 'tool_result' then
        if details ->> 'ok' = 'false' then
            insert into patter.answers as a (session_id, response_id, tool_failures)
            values (event.session_id, details ->> 'response_id', 1)
            on conflict (session_id, response_id) do update set tool_failures = a.tool_failures + 1;
        end if;
    elsif event.event_type = 'ai_response' then
        select o.id into source from patter.answer_sources o
            where o.provider = its_provider and o.model = its_model and o.route = its_route;
        if source is null then
            insert into patter.answer_sources (provider, model, route)
            values (its_provider, its_model, its_route)
            on conflict do nothing;
            select o.id into source from patter.answer_sources o
                where o.provider = its_provider and o.model = its_model and o.route = its_route;
        end if;
        insert into patter.answers
            (session_id, response_id, hour, session_number, source, user_id, is_failed, is_first,
             input_tokens, output_tokens, cost_usd, first_token_ms, total_ms)
        select event.session_id, details ->> 'response_id', the_hour,
            (select e.id from patter.session_events e
             where e.session_id = event.session_id order by e.seq limit 1),
            source, s.user_id,
            details ->> 'finish_reason' in ('error', 'interrupted'),
            details ->> 'supersedes' is null and details ->> 'superseded' is distinct from 'true',
            patter.usage_number(details #>> '{usage,input_tokens}'),
            patter.usage_number(details #>> '{usage,output_tokens}'),
            -- Beyond this, a sum could be more than its type holds.
            case when details ->> 'cost_usd' is not null
                then greatest(least((details ->> 'cost_usd')::double precision, 1e9), 0) end,
            patter.usage_number(details #>> '{timing,first_token_ms}'),
            patter.usage_number(details #>> '{timing,total_ms}')
        from patter.sessions s where s.session_id = event.session_id
        on conflict (session_id, response_id) do update set
            hour = excluded.hour, session_number = excluded.session_number,
            source = excluded.source, user_id = excluded.user_id,
            is_failed = excluded.is_failed, is_first = excluded.is_first,
            input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
            cost_usd = excluded.cost_usd, first_token_ms = excluded.first_token_ms,
            total_ms = excluded.total_ms;
    end if;
end
$$;

create or replace function patter.count_inserted_event() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
    perform patter.count_event(new);
    return null;
end
$$;

create or replace trigger session_events_count
    after insert on patter.session_events
    for each row
    when (new.event_type in ('user_message', 'tool_call', 'tool_result', 'ai_response'))
    execute function patter.count_inserted_event();

-- What was there before: once, even if this file is run again.
do $$
declare
    event patter.session_events;
begin
    if not exists (select from patter.answers) and not exists (select from patter.message_hours) then
        for event in
            select * from patter.session_events e
            where e.event_type in ('user_message', 'tool_call', 'tool_result', 'ai_response')
            order by e.id
        loop
            perform patter.count_event(event);
        end loop;
    end if;
end
$$;

-- The figures of answers, for each bucket of time and each group in which there are some. `edges`
-- are where the buckets begin and the last one ends, in hours since 1970.
create or replace function patter.usage_of_answers(
    edges integer[], by_provider boolean, by_model boolean, by_route boolean, of_user text, most integer
) returns table (
    bucket integer, provider text, model text, route text, sessions bigint, user_messages bigint,
    answers bigint, failed_answers bigint, input_tokens bigint, output_tokens bigint,
    cost_usd double precision, cost_unknown bigint,
    first_token_ms integer[], total_ms integer[], tool_calls bigint, tool_failures bigint
)
language plpgsql stable
set search_path = ''
-- The answers are gathered in memory, where they are not too many: hashed, though the planner takes lists
-- for too large to be.
set work_mem = '64MB'
set enable_sort = off
set jit = off
-- The range and the user are known when the plan is made.
set plan_cache_mode = force_custom_plan
as $$
declare
    -- For each source the first one of its group: an array is looked up faster than a table is joined.
    first_of integer[];
begin
    with named as (
        select o.id,
            case when by_provider then o.provider end as provider,
            case when by_model then o.model end as model,
            case when by_route then o.route end as route
        from patter.answer_sources o
    )
    select array_agg(f.id order by number) into first_of
    from generate_series(1, (select max(n.id) from named n)) number
    left join named n on n.id = number
    left join (
        select min(n.id) as id, coalesce(n.provider, '') as provider, coalesce(n.model, '') as model,
            coalesce(n.route, '') as route
        from named n group by 2, 3, 4
    ) f on f.provider = coalesce(n.provider, '') and f.model = coalesce(n.model, '')
        and f.route = coalesce(n.route, '');

    return query
    with counted as (
        -- One number for bucket and group, since numbers are hashed fast. What has to be sorted is kept in
        -- lists and sorted below, cell by cell: to sort whole rows first takes twice the time.
        select width_bucket(a.hour, edges) * 10000000::bigint + first_of[a.source] as cell,
            array_agg(a.session_number) filter (where by_provider or by_model or by_route)
                as session_numbers,
            count(*) filter (where a.is_first and (by_provider or by_model or by_route))
                as user_messages,
            count(*) as answers,
            count(*) filter (where a.is_failed) as failed_answers,
            coalesce(sum(a.input_tokens), 0) as input_tokens,
            coalesce(sum(a.output_tokens), 0) as output_tokens,
            sum(a.cost_usd) as cost_usd,
            count(*) - count(a.cost_usd) as cost_unknown,
            array_agg(a.first_token_ms) as first_token_times,
            array_agg(a.total_ms) as total_times,
            sum(a.tool_calls) as tool_calls,
            sum(a.tool_failures) as tool_failures
        from patter.answers a
        where a.hour >= edges[1] and a.hour < edges[cardinality(edges)]
            and (of_user is null or a.user_id = of_user)
        group by 1
    ), named as (
        select (c.cell / 10000000)::integer - 1 as bucket,
            case when by_provider then o.provider end as provider,
            case when by_model then o.model end as model,
            case when by_route then nullif(o.route, '') end as route,
            c.*
        from counted c join patter.answer_sources o on o.id = c.cell % 10000000
    )
    select n.bucket, n.provider, n.model, n.route,
        -- (A list in `from` would be copied first.)
        (select count(distinct s.number) from (select unnest(n.session_numbers) as number) s),
        n.user_messages, n.answers, n.failed_answers, n.input_tokens, n.output_tokens,
        n.cost_usd, n.cost_unknown,
        (select percentile_disc(array[0.5, 0.95]) within group (order by t.ms)
         from (select unnest(n.first_token_times) as ms) t),
        (select percentile_disc(array[0.5, 0.95]) within group (order by t.ms)
         from (select unnest(n.total_times) as ms) t),
        n.tool_calls, n.tool_failures
    from named n
    order by n.bucket, n.provider collate "C", n.model collate "C", n.route collate "C"
    limit most;
end
$$;

-- Sessions that began and messages of users, for each bucket in which there are some.
create or replace function patter.usage_of_sessions(edges integer[], of_user text)
returns table (bucket integer, sessions bigint, user_messages bigint)
language plpgsql stable
set search_path = ''
set jit = off
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select b.place - 1, sum(b.sessions)::bigint, sum(b.user_messages)::bigint
    from (
        select width_bucket(floor(extract(epoch from s.start_time) / 3600)::integer, edges) as place,
            count(*) as sessions, 0 as user_messages
        from patter.sessions s
        where s.start_time >= to_timestamp(edges[1] * 3600::bigint)
            and s.start_time < to_timestamp(edges[cardinality(edges)] * 3600::bigint)
            and (of_user is null or s.user_id = of_user)
        group by 1
        union all
        select width_bucket(m.hour, edges), 0, sum(m.messages)
        from patter.message_hours m
        where m.hour >= edges[1] and m.hour < edges[cardinality(edges)]
            and (of_user is null or m.user_id = of_user)
        group by 1
    ) b
    group by b.place
    order by b.place;
end
$$;

revoke all on all tables in schema patter from public;
revoke all on all sequences in schema patter from public;
revoke all on all functions in schema patter from public;
