//! The store behind the group commit, under many writers.

use futures_util::future::join_all;
use patter_store::{Appended, EventWriter};

use super::StoreFixture;
use super::sample::{append, claimed, log_of, message, places, started, stored_from};

const SESSIONS: usize = 8;
const WRITERS: usize = 4;
const APPENDS: u64 = 25;

/// Several writers to each of several sessions, half of what they write said twice.
pub async fn many_writers_leave_no_gaps(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let writer = EventWriter::start(store.clone());
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        sessions.push(claimed(store.as_ref()).await);
    }
    let writers = sessions.iter().flat_map(|(id, claim)| {
        let writer = &writer;
        (0..WRITERS).map(move |_| async move {
            for _ in 0..APPENDS {
                let entry = append(id, claim.fence, [message("a"), message("b")]);
                let first = writer.append(entry.clone()).await.unwrap();
                let again = writer.append(entry).await.unwrap();
                for (first, again) in first.iter().zip(&again) {
                    let Appended::Stored { seq } = *first else {
                        unreachable!("{first:?}")
                    };
                    assert_eq!(*again, Appended::Duplicate { seq });
                }
            }
        })
    });
    join_all(writers).await;
    writer.close().await;
    for (id, _) in &sessions {
        let expected: Vec<u64> = (1..=WRITERS as u64 * APPENDS * 2).collect();
        assert_eq!(places(&log_of(store.as_ref(), id).await), expected);
    }
}

/// Appends that wait together are stored as they came.
pub async fn one_session_keeps_its_order(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let writer = EventWriter::start(store.clone());
    let (id, claim) = claimed(store.as_ref()).await;
    let appends = (0..100).map(|_| writer.append(append(&id, claim.fence, [started()])));
    let answers = join_all(appends).await;
    let places: Vec<_> = answers.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(places, stored_from(1, 100));
}
