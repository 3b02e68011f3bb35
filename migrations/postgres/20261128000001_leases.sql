-- Who runs a session, until when, and who picks up what was left: leases that are renewed, sessions
-- to be swept up, summaries that are missing.

alter table patter.sessions
    -- When a missing summary is to be tried (again); null if none is missing, or all was tried.
    add column if not exists summary_due_at timestamptz,
    -- How often it was tried.
    add column if not exists summary_tries integer not null default 0,
    -- Why the last try brought none.
    add column if not exists summary_error text;

-- A lease is renewed every few seconds: that changes nothing that a reader sees.
create or replace trigger sessions_set_updated_at
    before update of user_id, start_time, end_time, is_active, summary, summary_error, metadata,
        last_seq, log_epoch
    on patter.sessions
    for each row execute function patter.set_updated_at();

-- An index on what a renewal writes would have to be written with it, and so would all others. Who
-- sweeps looks at the active sessions, which are few.
drop index if exists patter.sessions_lease_idx;
drop index if exists patter.sessions_finalize_idx;
create index if not exists sessions_active_idx on patter.sessions (session_id) where is_active;
-- Room for the renewed row on the page of the old one, so that no index has to be written.
alter table patter.sessions set (fillfactor = 80);

-- Missing summaries.
create index if not exists sessions_summary_due_idx
    on patter.sessions (summary_due_at) where summary_due_at is not null;

-- Sessions from before there were leases that end: nobody is known to run them.
update patter.sessions set finalize_after = now()
    where is_active and lease_until is null and finalize_after is null;
