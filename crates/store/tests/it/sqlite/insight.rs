//! Search and figures.

use std::sync::Arc;

use async_trait::async_trait;
use patter_protocol::SessionId;
use patter_store::{Insight, SessionStore, SqliteStore};
use patter_testkit::insight_conformance::{InsightFixture, check_older_rows, older_rows};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use super::{Folder, make};

#[async_trait]
impl InsightFixture for Folder {
    async fn open_insight(&self) -> (Arc<dyn SessionStore>, Arc<dyn Insight>) {
        let store = Arc::new(SqliteStore::open(self.path()).await.unwrap());
        (Arc::clone(&store) as _, store)
    }

    async fn delete(&self, session_id: &SessionId) {
        let options = SqliteConnectOptions::new().filename(self.path());
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query("delete from sessions where session_id = $1")
            .bind(session_id.as_str())
            .execute(&mut connection)
            .await
            .unwrap();
    }
}

patter_testkit::insight_conformance!(make);

#[tokio::test]
async fn what_an_older_version_stored_is_found_and_counted() {
    let now = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
    let rows = older_rows("", now, "randomblob(16)", "");
    check_older_rows(&Folder::of_the_oldest_version(&rows).await).await;
}
