-- What keeps an event from being stored twice is found by the event's own id first, and not by its session's: ids
-- are made in the order of time, so that the entries of a hundred events that are stored together stand in a few
-- pages, where they stood in three for each event. SQLite writes whole pages, twice. (The ids of messages may be
-- made by clients, at random: then it is a page for each, as it was.)
--
-- A key of a table cannot be changed, so all of its rows are copied once, and the old ones overwritten. Until that
-- is over nobody else writes, and file and log take four times the room. (So it is done before the first release.)

-- It would be looked at while its table is not there.
drop trigger sessions_delete_events;

create table events_by_time (
    id         integer primary key,
    session_id text not null references sessions (session_id) on delete cascade,
    seq        integer not null check (seq > 0),
    event_id   blob not null check (length(event_id) = 16),
    event_type text not null,
    -- What a person would read.
    content    text not null,
    -- Everything else in the event.
    metadata   text not null check (json_type(metadata) = 'object'),
    -- What no client sees.
    private    text check (private is null or json_valid(private)),
    -- When it happened.
    created_at text not null,
    unique (session_id, seq),
    unique (event_id, session_id)
) strict;

insert into events_by_time
    (id, session_id, seq, event_id, event_type, content, metadata, private, created_at)
select id, session_id, seq, event_id, event_type, content, metadata, private, created_at
from session_events order by id;

drop table session_events;
alter table events_by_time rename to session_events;

-- A message, an answer and the result of a tool are stored once, whoever tries.
create unique index session_events_message_key
    on session_events (metadata ->> '$.id', session_id)
    where event_type = 'user_message';
create unique index session_events_response_key
    on session_events (metadata ->> '$.response_id', session_id)
    where event_type = 'ai_response';
create unique index session_events_tool_result_key
    on session_events (metadata ->> '$.call_id', session_id)
    where event_type = 'tool_result';
-- Analytics by time.
create index session_events_created_idx on session_events (created_at);

-- The triggers went with the table, and are what they were.

create trigger session_events_make_search_entry
after insert on session_events for each row
when new.event_type in ('user_message', 'ai_response', 'session_ended', 'session_summary')
    and new.content <> ''
begin
    insert into search_entries (rowid, content, owner)
    select new.id, substr(new.content, 1, 100000), case when s.user_id is null then '' else 'u' || hex(s.user_id) end
    from sessions s where s.session_id = new.session_id;
end;

create trigger session_events_delete_search_entry
after delete on session_events for each row
when old.event_type in ('user_message', 'ai_response', 'session_ended', 'session_summary')
    and old.content <> ''
begin
    insert into search_entries (search_entries, rowid, content, owner)
    select 'delete', old.id, substr(old.content, 1, 100000), case when s.user_id is null then '' else 'u' || hex(s.user_id) end
    from sessions s where s.session_id = old.session_id;
end;

create trigger sessions_delete_events
before delete on sessions for each row
begin
    delete from session_events where session_id = old.session_id;
end;

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

-- Whoever appends may set `updated_at` together with `last_seq`, by one change of the row instead of two.
drop trigger sessions_set_updated_at;
create trigger sessions_set_updated_at
after update of user_id, start_time, end_time, is_active, summary, summary_error, metadata,
    last_seq, log_epoch
on sessions for each row when new.updated_at is old.updated_at
begin
    update sessions set updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    where session_id = new.session_id;
end;
