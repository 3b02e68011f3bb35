-- What is counted over all sessions: a narrow row for each answer, and one for each hour in which a
-- session had messages. It goes with its session.

-- Who answers.
create table answer_sources (
    id       integer primary key,
    provider text not null,
    model    text not null,
    -- Empty where no route chose them.
    route    text not null,
    unique (provider, model, route)
) strict;

create table answers (
    session_id     text not null references sessions (session_id) on delete cascade,
    response_id    text not null,
    -- All of these are null until the answer is over: its tools are counted before.
    -- When that was, in hours since 1970.
    hour           integer,
    -- Names the session in a number: its first event.
    session_number integer,
    source         integer,
    user_id        text,
    is_failed      integer,
    -- Whether it is the one that counts for its message.
    is_first       integer,
    -- Numbers are cut at what the columns of PostgreSQL hold, and a cost at a thousand million.
    input_tokens   integer,
    output_tokens  integer,
    cost_usd       real,
    first_token_ms integer,
    total_ms       integer,
    tool_calls     integer not null default 0,
    tool_failures  integer not null default 0,
    primary key (session_id, response_id)
) strict;
-- With all that is counted, in the order in which it is: the table itself is not read.
create index answers_hour_idx on answers (
    hour, source, session_number, is_failed, is_first, input_tokens, output_tokens, cost_usd,
    first_token_ms, total_ms, tool_calls, tool_failures
) where hour is not null;
create index answers_user_idx on answers (user_id, hour) where user_id is not null;

create table message_hours (
    session_id text not null references sessions (session_id) on delete cascade,
    hour       integer not null,
    user_id    text,
    messages   integer not null,
    primary key (session_id, hour)
) strict;
create index message_hours_hour_idx on message_hours (hour, messages);
create index message_hours_user_idx on message_hours (user_id, hour) where user_id is not null;

create trigger session_events_count_message
after insert on session_events for each row when new.event_type = 'user_message'
begin
    insert into message_hours (session_id, hour, user_id, messages)
    select s.session_id, unixepoch(new.created_at) / 3600, s.user_id, 1
    from sessions s where s.session_id = new.session_id
    on conflict (session_id, hour) do update set messages = messages + 1;
end;

create trigger session_events_count_tool
after insert on session_events for each row
when new.event_type = 'tool_call'
    or new.event_type = 'tool_result' and not new.metadata ->> '$.ok'
begin
    insert into answers (session_id, response_id, tool_calls, tool_failures)
    values (new.session_id, new.metadata ->> '$.response_id',
        new.event_type = 'tool_call', new.event_type = 'tool_result')
    on conflict (session_id, response_id) do update set
        tool_calls = tool_calls + excluded.tool_calls,
        tool_failures = tool_failures + excluded.tool_failures;
end;

create trigger session_events_count_answer
after insert on session_events for each row when new.event_type = 'ai_response'
begin
    insert into answer_sources (provider, model, route)
    values (new.metadata ->> '$.provider', new.metadata ->> '$.model',
        coalesce(new.metadata ->> '$.route', ''))
    on conflict do nothing;
    insert into answers
        (session_id, response_id, hour, session_number, source, user_id, is_failed, is_first,
         input_tokens, output_tokens, cost_usd, first_token_ms, total_ms)
    select new.session_id, new.metadata ->> '$.response_id', unixepoch(new.created_at) / 3600,
        (select id from session_events where session_id = new.session_id order by seq limit 1),
        o.id, s.user_id,
        new.metadata ->> '$.finish_reason' in ('error', 'interrupted'),
        new.metadata ->> '$.supersedes' is null and new.metadata ->> '$.superseded' is not 1,
        cast(min(new.metadata ->> '$.usage.input_tokens', 2147483647) as integer),
        cast(min(new.metadata ->> '$.usage.output_tokens', 2147483647) as integer),
        max(min(new.metadata ->> '$.cost_usd', 1e9), 0),
        cast(min(new.metadata ->> '$.timing.first_token_ms', 2147483647) as integer),
        cast(min(new.metadata ->> '$.timing.total_ms', 2147483647) as integer)
    from sessions s
    join answer_sources o on o.provider = new.metadata ->> '$.provider'
        and o.model = new.metadata ->> '$.model'
        and o.route = coalesce(new.metadata ->> '$.route', '')
    where s.session_id = new.session_id
    on conflict (session_id, response_id) do update set
        hour = excluded.hour, session_number = excluded.session_number,
        source = excluded.source, user_id = excluded.user_id,
        is_failed = excluded.is_failed, is_first = excluded.is_first,
        input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
        cost_usd = excluded.cost_usd, first_token_ms = excluded.first_token_ms,
        total_ms = excluded.total_ms;
end;

-- What was there before, the same way.
insert into message_hours (session_id, hour, user_id, messages)
select s.session_id, unixepoch(e.created_at) / 3600, s.user_id, count(*)
from session_events e join sessions s using (session_id)
where e.event_type = 'user_message'
group by 1, 2;

insert into answer_sources (provider, model, route)
select distinct metadata ->> '$.provider', metadata ->> '$.model', coalesce(metadata ->> '$.route', '')
from session_events where event_type = 'ai_response';

insert into answers (session_id, response_id, tool_calls, tool_failures)
select session_id, metadata ->> '$.response_id',
    sum(event_type = 'tool_call'), sum(event_type = 'tool_result')
from session_events
where event_type = 'tool_call' or event_type = 'tool_result' and not metadata ->> '$.ok'
group by 1, 2;

insert into answers
    (session_id, response_id, hour, session_number, source, user_id, is_failed, is_first,
     input_tokens, output_tokens, cost_usd, first_token_ms, total_ms)
select e.session_id, e.metadata ->> '$.response_id', unixepoch(e.created_at) / 3600,
    (select f.id from session_events f where f.session_id = e.session_id order by f.seq limit 1),
    o.id, s.user_id,
    e.metadata ->> '$.finish_reason' in ('error', 'interrupted'),
    e.metadata ->> '$.supersedes' is null and e.metadata ->> '$.superseded' is not 1,
    cast(min(e.metadata ->> '$.usage.input_tokens', 2147483647) as integer),
    cast(min(e.metadata ->> '$.usage.output_tokens', 2147483647) as integer),
    max(min(e.metadata ->> '$.cost_usd', 1e9), 0),
    cast(min(e.metadata ->> '$.timing.first_token_ms', 2147483647) as integer),
    cast(min(e.metadata ->> '$.timing.total_ms', 2147483647) as integer)
from session_events e
join sessions s using (session_id)
join answer_sources o on o.provider = e.metadata ->> '$.provider'
    and o.model = e.metadata ->> '$.model'
    and o.route = coalesce(e.metadata ->> '$.route', '')
where e.event_type = 'ai_response'
order by e.id
on conflict (session_id, response_id) do update set
    hour = excluded.hour, session_number = excluded.session_number,
    source = excluded.source, user_id = excluded.user_id,
    is_failed = excluded.is_failed, is_first = excluded.is_first,
    input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
    cost_usd = excluded.cost_usd, first_token_ms = excluded.first_token_ms,
    total_ms = excluded.total_ms;
