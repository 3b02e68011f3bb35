//! A file that is named without a folder is in the current one, which belongs to the whole process: the test starts
//! itself a second time, in a folder of its own.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its preparation fails"
)]

use std::env;

use patter_store::{SessionStore, SqliteStore};
use patter_testkit::store_conformance::sample::{append, claimed, log_of, message, write};
use tempfile::TempDir;

use crate::again::{again, assert_passed};

const TEST: &str =
    "relative_paths::a_name_that_means_something_else_to_sqlite_is_a_file_like_any_other";
const IS_CHILD: &str = "PATTER_STORE_RELATIVE_PATHS_TEST";

#[tokio::test]
async fn a_name_that_means_something_else_to_sqlite_is_a_file_like_any_other() {
    if env::var_os(IS_CHILD).is_some() {
        return write_to_files_here().await;
    }
    let folder = TempDir::new().unwrap();
    let mut child = again(TEST);
    child.current_dir(folder.path()).env(IS_CHILD, "1");
    assert_passed(&child.output().unwrap());
}

async fn write_to_files_here() {
    let folder = env::current_dir().unwrap();
    for name in [":memory:", "file:chat.db?mode=memory", "chat.db"] {
        let store = SqliteStore::open(name).await.unwrap();
        let (id, claim) = claimed(&store).await;
        let stored = write(&store, append(&id, claim.fence, [message("a")])).await;
        assert!(stored.is_ok(), "{name}: {stored:?}");
        store.close().await;
        let again = SqliteStore::open(folder.join(name)).await.unwrap();
        assert_eq!(log_of(&again, &id).await.len(), 1, "{name}");
    }
}
