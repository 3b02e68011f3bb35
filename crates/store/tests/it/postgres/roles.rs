//! Real roles against the real tables: what `deploy/postgres/app_role.sql` gives is enough for a store, and
//! nobody else reaches anything, whatever default privileges were in force when the tables were made.
//!
//! Roles belong to the whole server, and tests run side by side: a role is made where it is missing and
//! never changed again; what it is granted is a matter of each database.

mod app;
mod strangers;

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

/// All that a table can be asked for, by a person who tries.
const TRIES: [&str; 5] = [
    "select * from patter.{}",
    "insert into patter.{} default values",
    "delete from patter.{}",
    "truncate patter.{} cascade",
    "create view public.patter_view as select * from patter.{}",
];

/// Makes a role, if it is not there.
async fn make_role(connection: &mut PgConnection, role: &str, attributes: &str) {
    let sql = format!(
        "do $$ begin
             if not exists (select from pg_roles where rolname = '{role}') then
                 create role {role} {attributes};
             end if;
         exception when duplicate_object or unique_violation then null;
         end $$"
    );
    run(connection, &sql).await.unwrap();
}

async fn run(connection: &mut PgConnection, sql: &str) -> Result<u64, sqlx::Error> {
    let statement = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
    Ok(statement.execute(connection).await?.rows_affected())
}

/// What is said about a statement, by its code; it is undone. `None` if it went through.
async fn refusal(connection: &mut PgConnection, role: &str, sql: &str) -> Option<String> {
    let mut transaction = connection.begin().await.unwrap();
    run(&mut transaction, &format!("set local role {role}"))
        .await
        .unwrap();
    let result = run(&mut transaction, sql).await;
    transaction.rollback().await.unwrap();
    let error = result.err()?;
    let code = error.as_database_error().and_then(|error| error.code());
    Some(code.map_or_else(|| error.to_string(), |code| code.to_string()))
}

async fn names(connection: &mut PgConnection, sql: &str) -> Vec<String> {
    let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .fetch_all(connection)
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn tables(connection: &mut PgConnection) -> Vec<String> {
    let sql = "select relname::text from pg_class
               where relnamespace = 'patter'::regnamespace and relkind in ('r', 'p', 'v', 'm')";
    let found = names(connection, sql).await;
    assert!(found.len() >= 8, "{found:?}");
    found
}

/// Calls of all functions that can be called, each argument a null of its type.
async fn calls(connection: &mut PgConnection) -> Vec<String> {
    let sql = "select format('select patter.%I(%s)', p.proname, coalesce((
                   select string_agg(format('null::%s', format_type(t.type, null)), ', ' order by t.place)
                   from unnest(p.proargtypes) with ordinality t (type, place)), ''))
               from pg_proc p
               where p.pronamespace = 'patter'::regnamespace and p.prorettype <> 'trigger'::regtype";
    let found = names(connection, sql).await;
    assert!(found.len() >= 8, "{found:?}");
    found
}
