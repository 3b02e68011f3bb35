//! A query of a database as a tool, by the real binary, on a real PostgreSQL.
#![expect(
    clippy::unwrap_used,
    reason = "a helper that cannot go on fails its test"
)]

use patter_testkit::postgres::TestDatabase;
use patter_testkit::server_process::ServerProcess;
use serde_json::{Value, json};

/// A database with some parts in it, and the settings of a source that has them.
struct Bench {
    database: TestDatabase,
}

const QUERY: &str = "select sku, stock, added from parts where stock >= {least}::int and sku like {like} order by sku";

impl Bench {
    async fn start() -> Self {
        let database = TestDatabase::create().await;
        database
            .execute("create table parts (sku text, stock int, added date)")
            .await;
        database
            .execute(
                "insert into parts select 'P-' || n, n, date '2026-01-01' + n
                 from generate_series(1, 500) n",
            )
            .await;
        database.execute("create sequence numbers").await;
        Self { database }
    }

    async fn call(&self, arguments: &Value, more: &[(&str, &str)]) -> Result<Value, String> {
        let url = self.database.url();
        let mut settings = vec![
            ("PATTER_SQL_SOURCES__PARTS__QUERY", QUERY),
            ("PATTER_SQL_SOURCES__PARTS__DESCRIPTION", "Parts."),
            (
                "PATTER_SQL_SOURCES__PARTS__PARAMETERS__LEAST",
                "How many there are at least",
            ),
            (
                "PATTER_SQL_SOURCES__PARTS__PARAMETERS__LIKE",
                "Pattern of the number",
            ),
            ("PATTER_SQL_SOURCES__PARTS__DATABASE_ENV", "PARTS_URL"),
            ("PARTS_URL", url.as_str()),
        ];
        settings.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        settings.extend(more.iter().filter(|(_, value)| !value.is_empty()));
        let call = ["tools", "call", "parts", &arguments.to_string()];
        let output = ServerProcess::run(env!("CARGO_BIN_EXE_patter"), &call, &settings).await;
        if output.status.success() {
            Ok(serde_json::from_slice(&output.stdout).unwrap())
        } else {
            Err(String::from_utf8(output.stderr).unwrap())
        }
    }
}

#[tokio::test]
async fn rows_are_found_by_parameters_that_are_bound() {
    let bench = Bench::start().await;
    let answer = bench
        .call(&json!({ "least": 7, "like": "P-7" }), &[])
        .await
        .unwrap();
    let expected = json!({
        "source": "parts",
        "rows": [{ "sku": "P-7", "stock": 7, "added": "2026-01-08" }],
        "cut": false,
    });
    assert_eq!(answer, expected);
    let injected = json!({ "least": "1", "like": "' or true; drop table parts; --" });
    assert_eq!(bench.call(&injected, &[]).await.unwrap()["rows"], json!([]));
    let all = bench
        .call(&json!({ "least": 0, "like": "%" }), &[])
        .await
        .unwrap();
    assert_eq!(all["rows"].as_array().unwrap().len(), 100);
    assert_eq!(all["cut"], true);
}

#[tokio::test]
async fn more_than_may_be_given_is_cut_by_the_database() {
    let bench = Bench::start().await;
    let wide =
        "select repeat('x', 50000) as wide from parts where sku like {like} and {least} <> ''";
    let more = [("PATTER_SQL_SOURCES__PARTS__QUERY", wide)];
    let arguments = json!({ "least": 1, "like": "%" });
    let answer = bench.call(&arguments, &more).await.unwrap();
    assert_eq!(answer["rows"].as_array().unwrap().len(), 4);
    assert_eq!(answer["cut"], true);
}

#[tokio::test]
async fn a_query_cannot_write_nor_take_for_ever_nor_be_two() {
    let bench = Bench::start().await;
    let arguments = json!({ "least": 1, "like": "%" });
    let writing = "with gone as (delete from parts where sku like {like} and {least} <> '' returning 1) \
        select * from gone";
    let two = "select {like}, {least}; drop table parts";
    let calling = "select nextval('numbers'), {like}, {least}";
    for query in [writing, two, calling] {
        let more = [("PATTER_SQL_SOURCES__PARTS__QUERY", query)];
        bench.call(&arguments, &more).await.unwrap_err();
    }
    let slow = "select pg_sleep(30), {like}, {least}";
    let more = [
        ("PATTER_SQL_SOURCES__PARTS__QUERY", slow),
        ("PATTER_SQL_SOURCES__PARTS__TIMEOUT", "0.2"),
    ];
    let error = bench.call(&arguments, &more).await.unwrap_err();
    assert!(error.contains("took too long"), "{error}");
    assert_eq!(
        bench.call(&arguments, &[]).await.unwrap()["cut"],
        true,
        "the table is there"
    );
}

#[tokio::test]
async fn what_is_wrong_is_told_and_no_password() {
    let bench = Bench::start().await;
    for (arguments, key, value, told) in [
        (
            json!({ "least": "many", "like": "%" }),
            "PATTER_LOG__FORMAT",
            "text",
            "invalid input syntax",
        ),
        (
            json!({ "least": 1 }),
            "PATTER_LOG__FORMAT",
            "text",
            "missing field `like`",
        ),
        (
            json!({ "least": 1, "like": "a\u{0}" }),
            "PATTER_LOG__FORMAT",
            "text",
            "U+0000",
        ),
        (
            json!({}),
            "PARTS_URL",
            "",
            "PARTS_URL (`database_env`) is not set",
        ),
        (
            json!({ "least": 1, "like": "%" }),
            "PARTS_URL",
            "postgres://u:hush-hush@127.0.0.1:1/none",
            "the database is not available",
        ),
        (
            json!({}),
            "PATTER_SQL_SOURCES__PARTS__QUERY",
            "select {least}",
            "`like` has no place",
        ),
        (
            json!({}),
            "PATTER_SQL_SOURCES__PARTS__QUERY",
            "",
            "`query` is missing",
        ),
    ] {
        let error = bench.call(&arguments, &[(key, value)]).await.unwrap_err();
        assert!(
            error.contains(told) && !error.contains("hush-hush"),
            "{key}: {error}"
        );
    }
}
