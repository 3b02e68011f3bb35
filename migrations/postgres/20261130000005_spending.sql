-- What was spent, by whom and on which day: the ledger that budgets are held by. It knows sessions and users
-- by name only and has no foreign key: what was spent stays spent when a session is deleted, and nothing
-- that is imported gets into it.

create table if not exists patter.spending (
    -- `user:ID` or `session:ID`.
    account   text not null,
    -- A day in UTC, `2026-11-30`; `always` for what has no end.
    period    text not null,
    -- A correction may come before what it corrects: either may be below zero for a moment.
    tokens    bigint not null default 0,
    micro_usd bigint not null default 0,
    primary key (account, period)
);

alter table patter.spending enable row level security;

-- Takes as much of `most` as every account has room for under its cap (null: no cap), if that is `least` or
-- more, and books it on all of them; else on none. All rows are locked in one order for everybody, so
-- two bookings never wait for each other.
--
-- One row for each account, in the order given: what it has had before this booking. `taken_tokens` and
-- `taken_micro_usd` are the same in all; null where nothing is booked, and `refused` says which account
-- has no room.
create or replace function patter.book_spending(
    accounts         text[],
    periods          text[],
    caps_tokens      bigint[],
    caps_micro_usd   bigint[],
    least_tokens     bigint,
    least_micro_usd  bigint,
    most_tokens      bigint,
    most_micro_usd   bigint
) returns table (
    place           integer,
    spent_tokens    bigint,
    spent_micro_usd bigint,
    refused         boolean,
    taken_tokens    bigint,
    taken_micro_usd bigint
)
language plpgsql
set search_path = ''
as $$
declare
    had_tokens    bigint[] := '{}';
    had_micro_usd bigint[] := '{}';
    lacks         boolean[] := '{}';
    found_row     record;
    new_tokens    bigint := most_tokens;
    new_micro_usd bigint := most_micro_usd;
    all_fit       boolean := true;
begin
    insert into patter.spending (account, period)
        select a, p from unnest(accounts, periods) as wanted (a, p) order by a, p
        on conflict do nothing;
    perform from patter.spending s
        where (s.account, s.period) in (select a, p from unnest(accounts, periods) as wanted (a, p))
        order by s.account, s.period
        for update;

    for i in 1 .. cardinality(accounts) loop
        select s.tokens, s.micro_usd into found_row from patter.spending s
            where s.account = accounts[i] and s.period = periods[i];
        had_tokens[i] := greatest(found_row.tokens, 0);
        had_micro_usd[i] := greatest(found_row.micro_usd, 0);
        lacks[i] := false;
        -- What costs nothing by a measure is not held by its cap.
        if caps_tokens[i] is not null then
            lacks[i] := least_tokens > 0 and had_tokens[i] + least_tokens > caps_tokens[i];
            new_tokens := least(new_tokens, greatest(caps_tokens[i] - had_tokens[i], least_tokens));
        end if;
        if caps_micro_usd[i] is not null then
            lacks[i] := lacks[i]
                or least_micro_usd > 0 and had_micro_usd[i] + least_micro_usd > caps_micro_usd[i];
            new_micro_usd :=
                least(new_micro_usd, greatest(caps_micro_usd[i] - had_micro_usd[i], least_micro_usd));
        end if;
        all_fit := all_fit and not lacks[i];
    end loop;

    if all_fit then
        update patter.spending s
            set tokens = s.tokens + new_tokens, micro_usd = s.micro_usd + new_micro_usd
            where (s.account, s.period) in (select a, p from unnest(accounts, periods) as wanted (a, p));
    else
        new_tokens := null;
        new_micro_usd := null;
    end if;
    for i in 1 .. cardinality(accounts) loop
        place := i;
        spent_tokens := had_tokens[i];
        spent_micro_usd := had_micro_usd[i];
        refused := lacks[i];
        taken_tokens := new_tokens;
        taken_micro_usd := new_micro_usd;
        return next;
    end loop;
end
$$;

revoke all on all tables in schema patter from public;
revoke all on all functions in schema patter from public;

do $$
declare
    stranger text;
begin
    for stranger in
        select rolname from pg_catalog.pg_roles
        where rolname in ('anon', 'authenticated', 'service_role')
    loop
        execute format('revoke all on all tables in schema patter from %I', stranger);
        execute format('revoke all on all functions in schema patter from %I', stranger);
    end loop;
end
$$;
