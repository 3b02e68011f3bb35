-- Who runs a session, until when, and who picks up what was left: leases that are renewed, sessions
-- to be swept up, summaries that are missing. (SQLite cannot pass over a column that is there: this
-- file runs once.)

-- When a missing summary is to be tried (again); null if none is missing, or all was tried.
alter table sessions add column summary_due_at text;
-- How often it was tried.
alter table sessions add column summary_tries integer not null default 0;
-- Why the last try brought none.
alter table sessions add column summary_error text;

-- A lease is renewed every few seconds: that changes nothing that a reader sees.
drop trigger if exists sessions_set_updated_at;
create trigger sessions_set_updated_at
after update of user_id, start_time, end_time, is_active, summary, summary_error, metadata,
    last_seq, log_epoch
on sessions for each row
begin
    update sessions set updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    where session_id = new.session_id;
end;

-- Nobody asks for it, and each renewal would have to write it. (Who sweeps goes by
-- `sessions_finalize_idx`.)
drop index if exists sessions_lease_idx;
-- Missing summaries.
create index if not exists sessions_summary_due_idx
    on sessions (summary_due_at) where summary_due_at is not null;

-- Sessions from before there were leases that end: nobody is known to run them.
update sessions set finalize_after = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    where is_active = 1 and lease_until is null and finalize_after is null;
