//! What was spent, on PostgreSQL: each call one statement.

use chrono::NaiveDate;
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::connections::Connections;
use super::error::from_sqlx;
use crate::encode::checked_text;
use crate::error::StoreError;
use crate::ledger::{Account, Booked, Correction, Line, Spend, signed, unsigned};

/// See [`Ledger::book`](crate::Ledger::book).
pub(super) async fn book(
    connections: &Connections,
    lines: &[Line],
    least: Spend,
    most: Spend,
) -> Result<Booked, StoreError> {
    let (names, periods) = columns(lines.iter().map(|line| &line.account))?;
    let cap = |of: fn(&Line) -> Option<u64>| -> Vec<Option<i64>> {
        lines.iter().map(|line| of(line).map(limit)).collect()
    };
    let query = sqlx::query("select * from patter.book_spending($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(names)
        .bind(periods)
        .bind(cap(|line| line.cap.tokens))
        .bind(cap(|line| line.cap.micro_usd))
        .bind(signed(least.tokens))
        .bind(signed(least.micro_usd))
        .bind(signed(most.tokens))
        .bind(signed(most.micro_usd));
    let rows = connections.fetch(query).await?;
    for (line, row) in rows.iter().enumerate() {
        if row.try_get("refused").map_err(from_sqlx)? {
            let spent = spend(row, "spent_tokens", "spent_micro_usd")?;
            return Ok(Booked::Refused { line, spent });
        }
    }
    let row = rows.first();
    // Without a line nothing binds.
    let taken = row.map_or(Ok(most), |row| {
        spend(row, "taken_tokens", "taken_micro_usd")
    })?;
    Ok(Booked::Taken(taken))
}

/// See [`Ledger::correct`](crate::Ledger::correct).
pub(super) async fn correct(
    connections: &Connections,
    corrections: &[(Account, Correction)],
) -> Result<(), StoreError> {
    let (names, periods) = columns(corrections.iter().map(|(account, _)| account))?;
    let tokens: Vec<i64> = corrections.iter().map(|(_, it)| it.tokens).collect();
    let micro_usd: Vec<i64> = corrections.iter().map(|(_, it)| it.micro_usd).collect();
    // In the order in which bookings lock.
    let query = sqlx::query(
        "insert into patter.spending as s (account, period, tokens, micro_usd)
         select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
             as news (account, period, tokens, micro_usd)
         order by account, period
         on conflict (account, period) do update set
             tokens = s.tokens + excluded.tokens, micro_usd = s.micro_usd + excluded.micro_usd",
    )
    .bind(names)
    .bind(periods)
    .bind(tokens)
    .bind(micro_usd);
    connections.fetch(query).await.map(drop)
}

/// See [`Ledger::spent`](crate::Ledger::spent).
pub(super) async fn spent(
    connections: &Connections,
    accounts: &[Account],
) -> Result<Vec<Spend>, StoreError> {
    let (names, periods) = columns(accounts)?;
    let query = sqlx::query(
        "select coalesce(s.tokens, 0) as tokens, coalesce(s.micro_usd, 0) as micro_usd
         from unnest($1::text[], $2::text[]) with ordinality as wanted (account, period, place)
         left join patter.spending s using (account, period)
         order by place",
    )
    .bind(names)
    .bind(periods);
    let rows = connections.fetch(query).await?;
    rows.iter()
        .map(|row| spend(row, "tokens", "micro_usd"))
        .collect()
}

/// See [`Ledger::forget_before`](crate::Ledger::forget_before).
pub(super) async fn forget_before(
    connections: &Connections,
    day: NaiveDate,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "delete from patter.spending where period < $1 collate \"C\" and period <> 'always'",
    )
    .bind(day.to_string());
    connections.fetch(query).await.map(drop)
}

fn columns<'a>(
    accounts: impl IntoIterator<Item = &'a Account>,
) -> Result<(Vec<String>, Vec<String>), StoreError> {
    let mut names = Vec::new();
    let mut periods = Vec::new();
    for account in accounts {
        names.push(checked_text(account.name.clone())?);
        periods.push(account.period());
    }
    Ok((names, periods))
}

/// A cap is only compared: one beyond what can be counted is none that is ever met.
fn limit(cap: u64) -> i64 {
    i64::try_from(cap).unwrap_or(i64::MAX)
}

fn spend(row: &PgRow, tokens: &str, micro_usd: &str) -> Result<Spend, StoreError> {
    Ok(Spend {
        tokens: unsigned(row.try_get(tokens).map_err(from_sqlx)?),
        micro_usd: unsigned(row.try_get(micro_usd).map_err(from_sqlx)?),
    })
}
