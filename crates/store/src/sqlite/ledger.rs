//! What was spent, in SQLite: each change one transaction that takes the write lock at its start.

use chrono::NaiveDate;
use sqlx::{Row, SqliteConnection, SqlitePool};

use super::error::from_sqlx;
use super::write::BEGIN;
use crate::encode::checked_text;
use crate::error::StoreError;
use crate::ledger::{Account, Booked, Correction, Line, Spend, unsigned};

/// See [`Ledger::book`](crate::Ledger::book).
pub(super) async fn book(
    pool: &SqlitePool,
    lines: &[Line],
    least: Spend,
    most: Spend,
) -> Result<Booked, StoreError> {
    let mut transaction = pool.begin_with(BEGIN).await.map_err(from_sqlx)?;
    let mut taken = most;
    for (line, Line { account, cap }) in lines.iter().enumerate() {
        let spent = read(&mut transaction, account).await?;
        if !cap.has_room(spent, least) {
            transaction.rollback().await.map_err(from_sqlx)?;
            return Ok(Booked::Refused { line, spent });
        }
        taken = cap.room(spent, least, taken);
    }
    let correction = taken.correction_of(Spend::default());
    for line in lines {
        add(&mut transaction, &line.account, correction).await?;
    }
    transaction.commit().await.map_err(from_sqlx)?;
    Ok(Booked::Taken(taken))
}

/// See [`Ledger::correct`](crate::Ledger::correct).
pub(super) async fn correct(
    pool: &SqlitePool,
    corrections: &[(Account, Correction)],
) -> Result<(), StoreError> {
    let mut transaction = pool.begin_with(BEGIN).await.map_err(from_sqlx)?;
    for (account, correction) in corrections {
        add(&mut transaction, account, *correction).await?;
    }
    transaction.commit().await.map_err(from_sqlx)
}

/// See [`Ledger::spent`](crate::Ledger::spent).
pub(super) async fn spent(
    pool: &SqlitePool,
    accounts: &[Account],
) -> Result<Vec<Spend>, StoreError> {
    let mut connection = pool.acquire().await.map_err(from_sqlx)?;
    let mut spent = Vec::with_capacity(accounts.len());
    for account in accounts {
        spent.push(read(&mut connection, account).await?);
    }
    Ok(spent)
}

/// See [`Ledger::forget_before`](crate::Ledger::forget_before).
pub(super) async fn forget_before(pool: &SqlitePool, day: NaiveDate) -> Result<(), StoreError> {
    sqlx::query("delete from spending where period < $1 and period <> 'always'")
        .bind(day.to_string())
        .execute(pool)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

async fn read(connection: &mut SqliteConnection, account: &Account) -> Result<Spend, StoreError> {
    let row =
        sqlx::query("select tokens, micro_usd from spending where account = $1 and period = $2")
            .bind(&account.name)
            .bind(account.period())
            .fetch_optional(connection)
            .await
            .map_err(from_sqlx)?;
    row.map_or(Ok(Spend::default()), |row| {
        Ok(Spend {
            tokens: unsigned(row.try_get("tokens").map_err(from_sqlx)?),
            micro_usd: unsigned(row.try_get("micro_usd").map_err(from_sqlx)?),
        })
    })
}

async fn add(
    connection: &mut SqliteConnection,
    account: &Account,
    correction: Correction,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into spending (account, period, tokens, micro_usd) values ($1, $2, $3, $4)
         on conflict do update set
             tokens = tokens + excluded.tokens, micro_usd = micro_usd + excluded.micro_usd",
    )
    .bind(checked_text(account.name.clone())?)
    .bind(account.period())
    .bind(correction.tokens)
    .bind(correction.micro_usd)
    .execute(connection)
    .await
    .map_err(from_sqlx)?;
    Ok(())
}
