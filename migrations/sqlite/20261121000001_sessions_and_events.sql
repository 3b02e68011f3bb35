-- Sessions and their logs, the tables of `postgres/` in SQLite's types: a point in time is RFC 3339
-- text in UTC with milliseconds (which sorts by time), JSON is text, a UUID is its 16 bytes.

create table if not exists sessions (
    session_id     text primary key not null,
    user_id        text,
    start_time     text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    -- Null while the session is active.
    end_time       text,
    is_active      integer not null default 1 check (is_active in (0, 1)),
    summary        text,
    metadata       text not null default '{}' check (json_type(metadata) = 'object'),
    created_at     text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    updated_at     text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    -- The highest `seq` of the log.
    last_seq       integer not null default 0 check (last_seq >= 0),
    -- Names this incarnation of the log.
    log_epoch      blob not null check (length(log_epoch) = 16),
    -- Which process runs the session, and how long nobody else may take it.
    lease_owner    text,
    lease_until    text,
    -- Rises with every change of owner; who writes must know it.
    fence          integer not null default 1,
    -- When the session may be finalized if nobody comes back.
    finalize_after text
) strict;

create table if not exists session_events (
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
    unique (session_id, event_id)
) strict;

-- A message, an answer and the result of a tool are stored once, whoever tries.
create unique index if not exists session_events_message_key
    on session_events (session_id, metadata ->> '$.id')
    where event_type = 'user_message';
create unique index if not exists session_events_response_key
    on session_events (session_id, metadata ->> '$.response_id')
    where event_type = 'ai_response';
create unique index if not exists session_events_tool_result_key
    on session_events (session_id, metadata ->> '$.call_id')
    where event_type = 'tool_result';

-- A user's sessions, newest first.
create index if not exists sessions_user_idx
    on sessions (user_id, start_time desc, session_id desc);
-- All sessions, newest first.
create index if not exists sessions_start_idx on sessions (start_time desc, session_id desc);
-- Sessions whose owner may be gone.
create index if not exists sessions_lease_idx on sessions (lease_until) where is_active = 1;
-- Sessions that wait to be finalized.
create index if not exists sessions_finalize_idx
    on sessions (finalize_after) where is_active = 1 and finalize_after is not null;
-- Analytics by time.
create index if not exists session_events_created_idx on session_events (created_at);

create trigger if not exists sessions_set_updated_at
after update on sessions for each row
begin
    update sessions set updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    where session_id = new.session_id;
end;
