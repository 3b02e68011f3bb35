-- `append_events` as it was, but for the rows of `sessions`: a start leaves the time at which the
-- session may be finalized to the claim before it, an end gives the lease back and says whether a
-- summary is missing. What it takes and gives, and who may call it, is unchanged.

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
as $$
declare
    session     patter.sessions%rowtype;
    first_event integer;
    next_event  integer := 1;
    details     jsonb;
begin
    -- All rows at once and in one order for everybody, so that two batches never wait for each
    -- other. The lock is the weakest that keeps writers apart: readers and foreign keys pass.
    perform from patter.sessions s
        where s.session_id = any (entry_sessions)
        order by s.session_id
        for no key update;

    for entry in 1 .. cardinality(entry_sessions) loop
        entry_number := entry;
        place := null;
        first_event := next_event;
        next_event := first_event + entry_counts[entry];

        select * into session from patter.sessions s where s.session_id = entry_sessions[entry];
        if not found then
            outcome := 'no_such_session';
            return next;
            continue;
        end if;
        if session.fence <> entry_fences[entry] then
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
                (session.session_id, session.last_seq + 1, event_ids[i], event_types[i],
                 event_contents[i], details, event_private[i]::jsonb, event_times[i])
            on conflict do nothing;

            if found then
                session.last_seq := session.last_seq + 1;
                outcome := 'stored';
                place := session.last_seq;
                if event_types[i] = 'session_started' then
                    session.is_active := true;
                    session.end_time := null;
                    session.summary_due_at := null;
                    session.summary_tries := 0;
                    session.summary_error := null;
                elsif event_types[i] = 'session_ended' then
                    session.is_active := false;
                    session.end_time := event_times[i];
                    session.lease_owner := null;
                    session.lease_until := null;
                    session.finalize_after := null;
                    -- An event without a summary has a null in its metadata instead.
                    session.summary := case when details ? 'summary' then null else event_contents[i] end;
                    session.metadata := jsonb_set(session.metadata, '{metrics}', details -> 'metrics');
                    session.summary_due_at := case
                        when session.summary is null
                            and (details #>> '{metrics,user_messages}')::bigint > 0
                        then clock_timestamp() end;
                    -- In an end that was not forced, a first try came before it.
                    session.summary_tries := case
                        when session.summary_due_at is not null
                            and details ->> 'reason' in ('client', 'disconnect', 'idle')
                        then 1 else 0 end;
                    session.summary_error := null;
                elsif event_types[i] = 'session_summary' then
                    session.summary := event_contents[i];
                    session.summary_due_at := null;
                    session.summary_error := null;
                end if;
            else
                outcome := 'duplicate';
                place := null;
                select e.seq into place from patter.session_events e
                    where e.session_id = session.session_id and e.event_id = event_ids[i];
                if place is null and event_types[i] = 'user_message' then
                    select e.seq into place from patter.session_events e
                        where e.session_id = session.session_id and e.event_type = 'user_message'
                        and e.metadata ->> 'id' = details ->> 'id';
                elsif place is null and event_types[i] = 'ai_response' then
                    select e.seq into place from patter.session_events e
                        where e.session_id = session.session_id and e.event_type = 'ai_response'
                        and e.metadata ->> 'response_id' = details ->> 'response_id';
                elsif place is null and event_types[i] = 'tool_result' then
                    select e.seq into place from patter.session_events e
                        where e.session_id = session.session_id and e.event_type = 'tool_result'
                        and e.metadata ->> 'call_id' = details ->> 'call_id';
                end if;
                if place is null then
                    raise exception 'session % has an event behind its last_seq %',
                        session.session_id, session.last_seq using errcode = 'data_corrupted';
                end if;
            end if;
            return next;
        end loop;

        update patter.sessions s set
            last_seq = session.last_seq,
            is_active = session.is_active,
            end_time = session.end_time,
            lease_owner = session.lease_owner,
            lease_until = session.lease_until,
            finalize_after = session.finalize_after,
            summary_due_at = session.summary_due_at,
            summary_tries = session.summary_tries,
            summary_error = session.summary_error,
            summary = session.summary,
            metadata = session.metadata
        where s.session_id = session.session_id and s.last_seq <> session.last_seq;
    end loop;
end
$$;
