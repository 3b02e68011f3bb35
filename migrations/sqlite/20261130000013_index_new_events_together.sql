-- What is made of new events, entries for the search and figures of the hours, is made of all events of a batch by a
-- few statements. Triggers did it for each event; and SQLite puts all rows of an `insert` aside, in a table of their
-- own, before it inserts the first one into a table that has triggers for it.
--
-- So whoever inserts into `session_events` has to say so, in the same transaction and once: `insert into new_events
-- values (ID)` takes in all events whose `id` is higher. (A release that does not know of this would store events that are neither
-- found nor counted. So it is done before the first one.)

drop trigger session_events_make_search_entry;
drop trigger session_events_count_message;
drop trigger session_events_count_tool;
drop trigger session_events_count_answer;

-- Holds nothing: SQLite has no procedures, and this is how one is called.
create view new_events (after_id) as select null where false;

-- Always by `id`, from the one that is given on (`not indexed`): there are few that are new, and many with a type.
create trigger new_events_take_in
instead of insert on new_events for each row
begin
    insert into search_entries (rowid, content, owner)
    select e.id, substr(e.content, 1, 100000), case when s.user_id is null then '' else 'u' || hex(s.user_id) end
    from session_events e not indexed cross join sessions s on s.session_id = e.session_id
    where e.id > new.after_id
        and e.event_type in ('user_message', 'ai_response', 'session_ended', 'session_summary')
        and e.content <> ''
    order by e.id;

    insert into message_hours (session_id, hour, user_id, messages)
    select e.session_id, unixepoch(e.created_at) / 3600, s.user_id, 1
    from session_events e not indexed cross join sessions s on s.session_id = e.session_id
    where e.id > new.after_id and e.event_type = 'user_message'
    on conflict (session_id, hour) do update set messages = messages + 1;

    insert into answers (session_id, response_id, tool_calls, tool_failures)
    select e.session_id, e.metadata ->> '$.response_id', e.event_type = 'tool_call', e.event_type = 'tool_result'
    from session_events e not indexed
    where e.id > new.after_id
        and (e.event_type = 'tool_call' or e.event_type = 'tool_result' and not e.metadata ->> '$.ok')
    on conflict (session_id, response_id) do update set
        tool_calls = tool_calls + excluded.tool_calls,
        tool_failures = tool_failures + excluded.tool_failures;

    insert into answer_sources (provider, model, route)
    select e.metadata ->> '$.provider', e.metadata ->> '$.model', coalesce(e.metadata ->> '$.route', '')
    from session_events e not indexed
    where e.id > new.after_id and e.event_type = 'ai_response'
    on conflict do nothing;

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
    from session_events e not indexed
    cross join sessions s on s.session_id = e.session_id
    cross join answer_sources o on o.provider = e.metadata ->> '$.provider'
        and o.model = e.metadata ->> '$.model'
        and o.route = coalesce(e.metadata ->> '$.route', '')
    where e.id > new.after_id and e.event_type = 'ai_response'
    on conflict (session_id, response_id) do update set
        hour = excluded.hour, session_number = excluded.session_number,
        source = excluded.source, user_id = excluded.user_id,
        is_failed = excluded.is_failed, is_first = excluded.is_first,
        input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
        cost_usd = excluded.cost_usd, first_token_ms = excluded.first_token_ms,
        total_ms = excluded.total_ms;
end;
