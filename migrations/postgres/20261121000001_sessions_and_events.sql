-- Sessions and their logs. The log is the truth; a row of `sessions` says what it comes to.

create schema if not exists patter;

create table if not exists patter.sessions (
    session_id     text primary key,
    user_id        text,
    start_time     timestamptz not null default now(),
    -- Null while the session is active.
    end_time       timestamptz,
    is_active      boolean not null default true,
    summary        text,
    metadata       jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    created_at     timestamptz not null default now(),
    updated_at     timestamptz not null default now(),
    -- The highest `seq` of the log.
    last_seq       bigint not null default 0 check (last_seq >= 0),
    -- Names this incarnation of the log.
    log_epoch      uuid not null,
    -- Which process runs the session, and how long nobody else may take it.
    lease_owner    text,
    lease_until    timestamptz,
    -- Rises with every change of owner; who writes must know it.
    fence          bigint not null default 1,
    -- When the session may be finalized if nobody comes back.
    finalize_after timestamptz
);

create table if not exists patter.session_events (
    id         bigserial primary key,
    session_id text not null references patter.sessions (session_id) on delete cascade,
    seq        bigint not null check (seq > 0),
    event_id   uuid not null,
    event_type text not null,
    -- What a person would read.
    content    text not null,
    -- Everything else in the event.
    metadata   jsonb not null check (jsonb_typeof(metadata) = 'object'),
    -- What no client sees.
    private    jsonb,
    -- When it happened.
    created_at timestamptz not null,
    -- For full-text search in any language. Cut, since a tsvector holds 1 MiB at the most and a
    -- longer text would make the whole event impossible to store.
    content_search tsvector generated always as
        (to_tsvector('simple'::regconfig, left(content, 100000))) stored,
    constraint session_events_seq_key unique (session_id, seq),
    constraint session_events_event_id_key unique (session_id, event_id)
);

-- A message, an answer and the result of a tool are stored once, whoever tries.
create unique index if not exists session_events_message_key
    on patter.session_events (session_id, (metadata ->> 'id'))
    where event_type = 'user_message';
create unique index if not exists session_events_response_key
    on patter.session_events (session_id, (metadata ->> 'response_id'))
    where event_type = 'ai_response';
create unique index if not exists session_events_tool_result_key
    on patter.session_events (session_id, (metadata ->> 'call_id'))
    where event_type = 'tool_result';

-- A user's sessions, newest first.
create index if not exists sessions_user_idx
    on patter.sessions (user_id, start_time desc, session_id desc);
-- All sessions, newest first.
create index if not exists sessions_start_idx
    on patter.sessions (start_time desc, session_id desc);
-- Sessions whose owner may be gone.
create index if not exists sessions_lease_idx
    on patter.sessions (lease_until) where is_active;
-- Sessions that wait to be finalized.
create index if not exists sessions_finalize_idx
    on patter.sessions (finalize_after) where is_active and finalize_after is not null;
-- Search.
create index if not exists session_events_search_idx
    on patter.session_events using gin (content_search);
-- Analytics by time. The log is written in the order of time, near enough for BRIN, which costs
-- next to nothing on each insert.
create index if not exists session_events_created_idx
    on patter.session_events using brin (created_at);

create or replace function patter.set_updated_at() returns trigger
language plpgsql
set search_path = ''
as $$
begin
    new.updated_at := now();
    return new;
end
$$;

create or replace trigger sessions_set_updated_at
    before update on patter.sessions
    for each row execute function patter.set_updated_at();
