-- What was spent, by whom and on which day: the ledger that budgets are held by. It knows sessions and users
-- by name only and has no foreign key: what was spent stays spent when a session is deleted, and nothing
-- that is imported gets into it. (On Postgres a function books; here a transaction does.)

create table spending (
    -- `user:ID` or `session:ID`.
    account   text not null,
    -- A day in UTC, `2026-11-30`; `always` for what has no end.
    period    text not null,
    -- A correction may come before what it corrects: either may be below zero for a moment.
    tokens    integer not null default 0,
    micro_usd integer not null default 0,
    primary key (account, period)
) strict, without rowid;
