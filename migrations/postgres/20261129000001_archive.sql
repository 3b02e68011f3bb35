-- Sessions listed page by page, and old ones deleted.

-- Sessions, newest first, in the order in which clients see them: whole milliseconds (`start_time` may
-- have microseconds), and ids by their bytes whatever the collation of the database.
create index if not exists sessions_listed_idx on patter.sessions (
    date_trunc('milliseconds', start_time at time zone 'UTC') desc, session_id collate "C" desc);
-- A user's.
create index if not exists sessions_listed_user_idx on patter.sessions (
    user_id,
    date_trunc('milliseconds', start_time at time zone 'UTC') desc, session_id collate "C" desc);
-- Its first column serves whoever asks for a user alone. (No release lists sessions by it.)
drop index if exists patter.sessions_user_idx;

-- Finalized sessions, oldest first. (A lease is not in it.)
create index if not exists sessions_ended_idx on patter.sessions (end_time) where not is_active;
