//! Whether a role that owns nothing has all that a server needs: tables that are up to date, and a way to
//! each of them. Row level security without a policy gives no error but no rows either, which would look
//! like a database where nothing was ever said: that is found here, before the first session is.

use sqlx::{PgConnection, Row};

use super::error::from_sqlx;
use super::migrate;
use crate::error::StoreError;

const IS_THERE: &str = "select to_regclass('patter._migrations') is not null";

/// What the role cannot use: tables that it may not read or sees no rows of, and functions.
const OUT_OF_REACH: &str = "
    select c.relname::text
    from pg_catalog.pg_class c
    where c.relnamespace = 'patter'::regnamespace and c.relkind in ('r', 'p')
      and (not has_table_privilege(c.oid, 'select')
           or row_security_active(c.oid) and not exists (
               select from pg_catalog.pg_policy p
               where p.polrelid = c.oid and (0 = any (p.polroles) or exists (
                   select from unnest(p.polroles) member where pg_has_role(member, 'usage')))))
    union all
    select p.proname::text
    from pg_catalog.pg_proc p
    where p.pronamespace = 'patter'::regnamespace and not has_function_privilege(p.oid, 'execute')
    order by 1
    limit 5";

/// Looks, and changes nothing.
///
/// # Errors
///
/// [`StoreError::Unusable`], with what to do about it, if tables are missing, old or out of reach.
pub(super) async fn check(connection: &mut PgConnection) -> Result<(), StoreError> {
    let row = sqlx::raw_sql(IS_THERE)
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| out_of_reach(from_sqlx(error)))?;
    if !row.try_get::<bool, _>(0).map_err(from_sqlx)? {
        return Err(old("there are no tables"));
    }
    let missing = migrate::missing(&mut *connection)
        .await
        .map_err(out_of_reach)?;
    if let Some(first) = missing.first() {
        let (count, version) = (missing.len(), first.version);
        return Err(old(&format!(
            "{count} migrations have not been run, the first of them {version}"
        )));
    }
    let rows = sqlx::raw_sql(OUT_OF_REACH)
        .fetch_all(&mut *connection)
        .await
        .map_err(from_sqlx)?;
    let names: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
    let names = names.map_err(from_sqlx)?;
    if names.is_empty() {
        return Ok(());
    }
    let names = names.join("`, `");
    Err(ungranted(&format!(
        "the role has no way to `{names}` in the schema `patter`"
    )))
}

fn old(what: &str) -> StoreError {
    StoreError::Unusable(format!(
        "{what}, and `store.migrate` is `check`: run `patter migrate` as the owner of the tables, then \
         `deploy/postgres/app_role.sql`"
    ))
}

fn ungranted(what: &str) -> StoreError {
    StoreError::Unusable(format!(
        "{what}: run `deploy/postgres/app_role.sql` as the owner of the tables"
    ))
}

fn out_of_reach(error: StoreError) -> StoreError {
    match error {
        StoreError::Unusable(why) => ungranted(&why),
        other => other,
    }
}
