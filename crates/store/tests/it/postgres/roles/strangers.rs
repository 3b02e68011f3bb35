//! Those whom Supabase lets in by HTTP: `anon`, whose key is public, `authenticated`, and `service_role`,
//! which no row level security holds.

use sqlx::PgConnection;

use super::{TRIES, calls, make_role, names, refusal, run, tables};
use crate::postgres::{Database, StoreFixture as _, make};

const STRANGERS: [(&str, &str); 3] = [
    ("anon", "nologin"),
    ("authenticated", "nologin"),
    ("service_role", "nologin bypassrls"),
];
/// Insufficient privilege.
const REFUSED: &str = "42501";

/// As an old project of Supabase has it, and worse: all that the owner makes is everybody's.
const GENEROUS: &str = "
    alter default privileges grant all on tables to anon, authenticated, service_role, public;
    alter default privileges grant all on sequences to anon, authenticated, service_role, public;
    alter default privileges grant all on functions to anon, authenticated, service_role, public;
    grant all on schema public to anon, authenticated, service_role;";

/// What the handbook says to run for a schema that an API shall serve.
const EXPOSED: &str = "
    create schema patter;
    grant usage on schema patter to anon, authenticated, service_role;
    alter default privileges in schema patter grant all on tables to anon, authenticated, service_role;
    alter default privileges in schema patter grant all on sequences to anon, authenticated, service_role;
    alter default privileges in schema patter grant all on functions to anon, authenticated, service_role;";

async fn generous() -> (Database, PgConnection) {
    let database = make().await;
    let mut connection = database.connection().await;
    for (role, attributes) in STRANGERS {
        make_role(&mut connection, role, attributes).await;
    }
    run(&mut connection, GENEROUS).await.unwrap();
    run(&mut connection, EXPOSED).await.unwrap();
    database.open().await;
    run(
        &mut connection,
        "insert into patter.sessions (session_id, log_epoch) values ('s', gen_random_uuid())",
    )
    .await
    .unwrap();
    (database, connection)
}

#[tokio::test]
async fn strangers_are_refused_every_table_every_function_and_every_number() {
    let (_database, mut connection) = generous().await;
    let sequences = "select sequencename::text from pg_sequences where schemaname = 'patter'";
    let mut tried = vec![
        "create table patter.theirs (a int)".to_owned(),
        "create function patter.theirs() returns int language sql as 'select 1'".to_owned(),
        "drop schema patter cascade".to_owned(),
        "alter table patter.sessions disable row level security".to_owned(),
        "create trigger theirs before insert on patter.sessions
             execute function patter.set_updated_at()"
            .to_owned(),
        "update patter.sessions set user_id = 'me'".to_owned(),
        "copy patter.sessions to stdout".to_owned(),
        "lock table patter.sessions in access exclusive mode".to_owned(),
        "create table public.patter_reference (a text references patter.sessions)".to_owned(),
        "create policy mine on patter.sessions using (true)".to_owned(),
    ];
    for table in tables(&mut connection).await {
        tried.extend(TRIES.map(|one| one.replace("{}", &table)));
    }
    tried.extend(calls(&mut connection).await);
    for sequence in names(&mut connection, sequences).await {
        tried.push(format!("select nextval('patter.{sequence}')"));
        tried.push(format!("select last_value from patter.{sequence}"));
    }
    for (role, _) in STRANGERS {
        for statement in &tried {
            let found = refusal(&mut connection, role, statement).await;
            assert_eq!(found.as_deref(), Some(REFUSED), "{role}: {statement}");
        }
    }
}

#[tokio::test]
async fn what_is_made_later_is_nobodys_either() {
    let (_database, mut connection) = generous().await;
    let defaults = "select d.defaclobjtype::text from pg_default_acl d
                    where d.defaclnamespace = 'patter'::regnamespace
                      and exists (select from aclexplode(d.defaclacl) a where a.grantee <> d.defaclrole)";
    assert!(names(&mut connection, defaults).await.is_empty());
}

#[tokio::test]
async fn rows_are_hidden_from_who_was_granted_the_tables_by_a_careless_hand() {
    let (_database, mut connection) = generous().await;
    let careless = "grant usage on schema patter to anon, authenticated;
                    grant all on all tables in schema patter to anon, authenticated;
                    grant all on all functions in schema patter to anon, authenticated";
    run(&mut connection, careless).await.unwrap();
    for role in ["anon", "authenticated"] {
        run(&mut connection, &format!("set role {role}"))
            .await
            .unwrap();
        for seen in [
            "select session_id from patter.sessions",
            "delete from patter.sessions returning session_id",
            "update patter.sessions set user_id = 'me' returning session_id",
            "create temp view theirs as select session_id from patter.sessions;
             create temp table copied as select session_id from theirs;
             drop view theirs;
             select session_id from copied",
        ] {
            assert!(
                names(&mut connection, seen).await.is_empty(),
                "{role}: {seen}"
            );
        }
        run(&mut connection, "drop table copied; reset role")
            .await
            .unwrap();
        let made = "insert into patter.sessions (session_id, log_epoch)
                    values ('theirs', gen_random_uuid())";
        let found = refusal(&mut connection, role, made).await;
        assert_eq!(found.as_deref(), Some(REFUSED), "{role}");
    }
}

#[tokio::test]
async fn a_function_of_ours_lends_nobody_the_rights_of_its_owner() {
    let (_database, mut connection) = generous().await;
    // Those of triggers cannot be called, and look names up nowhere but where they say.
    let lending = "select p.proname::text from pg_proc p
                   where p.pronamespace = 'patter'::regnamespace and p.prosecdef
                     and (p.prorettype <> 'trigger'::regtype
                          or not coalesce('search_path=\"\"' = any (p.proconfig), false))";
    let found = names(&mut connection, lending).await;
    assert!(found.is_empty(), "{found:?}");
}
