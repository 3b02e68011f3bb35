-- Old sessions deleted. (Here a `start_time` has milliseconds, and ids sort by their bytes: the indexes
-- for pages of sessions are there.)

-- Finalized sessions, oldest first.
create index if not exists sessions_ended_idx on sessions (end_time) where is_active = 0;
-- Sessions that were made and never opened, oldest first.
create index if not exists sessions_never_opened_idx
    on sessions (created_at) where is_active = 1 and finalize_after is null;
