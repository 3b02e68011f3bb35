//! A summary that is missing is tried again, by one at a time and not for ever.

use std::time::Duration;

use patter_protocol::{EndReason, EventBody, Metrics, SessionEnded, SessionId};
use patter_store::{SessionStore, StoreError, SummaryJob, SummaryTries};

use super::StoreFixture;
use super::sample::{
    LEASE, append, brief_owner, claimed, message, owner, session, started, summary, write,
};

/// How long a try may take here.
const RETRY_IN: Duration = Duration::from_millis(500);
/// More than any clock is coarse.
const MOMENT: Duration = Duration::from_millis(20);

/// Where there is none, although the user said something. A first try came before an end that was
/// not forced.
pub async fn a_summary_is_due_where_it_is_missing(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let reasons = [
        (EndReason::Client, 2),
        (EndReason::Disconnect, 2),
        (EndReason::Idle, 2),
        (EndReason::Shutdown, 1),
        (EndReason::Recovered, 1),
    ];
    let mut expected = Vec::new();
    for (reason, attempt) in reasons {
        let id = over(store.as_ref(), reason, None, 1).await;
        expected.push((id, attempt));
        over(store.as_ref(), reason, None, 0).await;
        over(store.as_ref(), reason, Some("Sums."), 1).await;
    }
    claimed(store.as_ref()).await;
    tokio::time::sleep(MOMENT).await;
    let jobs = take(store.as_ref(), 5).await;
    assert!(jobs.iter().all(|job| !job.is_last && !job.record.is_active));
    let mut found: Vec<_> = jobs
        .into_iter()
        .map(|job| (job.record.session_id, job.attempt))
        .collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

/// Each time again, when nobody reported on the try before, until the tries are used up.
pub async fn the_tries_of_a_summary_are_counted_and_limited(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let id = over(store.as_ref(), EndReason::Shutdown, None, 1).await;
    for (attempt, is_last) in [(1, false), (2, false), (3, true)] {
        tokio::time::sleep(MOMENT).await;
        let jobs = take(store.as_ref(), 3).await;
        let [job] = jobs.as_slice() else {
            unreachable!("try {attempt}: {jobs:?}")
        };
        assert_eq!(job.record.session_id, id);
        assert_eq!((job.attempt, job.is_last), (attempt, is_last));
        assert_eq!(take(store.as_ref(), 3).await, [], "too early");
        tokio::time::sleep(RETRY_IN).await;
    }
    assert_eq!(take(store.as_ref(), 3).await, []);
    assert_eq!(
        take(store.as_ref(), 9).await,
        [],
        "the last one was the last"
    );

    // One try was all there was, and it came before the end.
    over(store.as_ref(), EndReason::Client, None, 1).await;
    tokio::time::sleep(MOMENT).await;
    assert_eq!(take(store.as_ref(), 1).await, []);
}

/// And no more than were asked for.
pub async fn each_summary_goes_to_one_of_several_callers(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let mut missing = Vec::new();
    for _ in 0..12 {
        missing.push(over(store.as_ref(), EndReason::Recovered, None, 1).await);
    }
    tokio::time::sleep(MOMENT).await;
    let tries = SummaryTries {
        max: 3,
        retry_in: Duration::from_secs(600),
    };
    let mut taken = Vec::new();
    loop {
        let taking = (0..4).map(|_| store.take_summaries(2, tries));
        let found = futures_util::future::join_all(taking).await;
        let found: Vec<_> = found.into_iter().map(Result::unwrap).collect();
        assert!(found.iter().all(|jobs| jobs.len() <= 2));
        if found.iter().all(Vec::is_empty) {
            break;
        }
        let jobs = found.into_iter().flatten();
        taken.extend(jobs.map(|job| job.record.session_id));
    }
    taken.sort();
    missing.sort();
    assert_eq!(taken, missing);
}

/// From the first failure to the summary.
pub async fn why_there_is_no_summary_is_shown_until_there_is_one(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let id = over(store.as_ref(), EndReason::Client, None, 1).await;
    tokio::time::sleep(MOMENT).await;
    let job = take(store.as_ref(), 3).await.remove(0);
    assert_eq!(job.record.summary_error, None);
    store.fail_summary(&job, "no 'model'").await.unwrap();
    assert_eq!(error_of(store.as_ref(), &id).await, "no 'model'");
    let refused = store.fail_summary(&job, "a\0").await;
    assert!(
        matches!(refused, Err(StoreError::Rejected(_))),
        "{refused:?}"
    );

    tokio::time::sleep(RETRY_IN + MOMENT).await;
    let again = take(store.as_ref(), 3).await.remove(0);
    assert_eq!(again.record.summary_error.as_deref(), Some("no 'model'"));
    write(store.as_ref(), append(&id, again.fence, [summary("Sums.")]))
        .await
        .unwrap();
    // A try that was thought lost.
    let late = write(store.as_ref(), append(&id, job.fence, [summary("late")])).await;
    assert!(matches!(late, Err(StoreError::Fenced { .. })), "{late:?}");
    store.fail_summary(&job, "too slow").await.unwrap();
    let record = store.session(&id).await.unwrap().unwrap();
    assert_eq!(record.summary.as_deref(), Some("Sums."));
    assert_eq!(record.summary_error, None);
    tokio::time::sleep(RETRY_IN + MOMENT).await;
    assert_eq!(take(store.as_ref(), 9).await, []);
}

/// Whoever tried does not get in the way.
pub async fn a_session_that_is_opened_again_needs_no_summary(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let id = over(store.as_ref(), EndReason::Recovered, None, 1).await;
    tokio::time::sleep(MOMENT).await;
    let job = take(store.as_ref(), 3).await.remove(0);
    store.fail_summary(&job, "no model").await.unwrap();
    tokio::time::sleep(RETRY_IN).await;

    let claim = store.claim(session(&id), &owner("two")).await.unwrap();
    assert_eq!(take(store.as_ref(), 3).await, [], "it is somebody's");
    store.fail_summary(&job, "fenced").await.unwrap();
    assert_eq!(error_of(store.as_ref(), &id).await, "no model");
    let late = write(store.as_ref(), append(&id, job.fence, [summary("late")])).await;
    assert!(matches!(late, Err(StoreError::Fenced { .. })), "{late:?}");

    write(store.as_ref(), append(&id, claim.fence, [started()]))
        .await
        .unwrap();
    let record = store.session(&id).await.unwrap().unwrap();
    assert_eq!(record.summary_error, None);
    tokio::time::sleep(MOMENT).await;
    assert_eq!(take(store.as_ref(), 9).await, []);

    // The next end counts anew.
    let end = ended(EndReason::Shutdown, None, 1);
    write(store.as_ref(), append(&id, claim.fence, [end]))
        .await
        .unwrap();
    tokio::time::sleep(MOMENT).await;
    assert_eq!(take(store.as_ref(), 3).await.remove(0).attempt, 1);
}

/// It was claimed to be opened, and its owner was lost before that: should it come back, it finds
/// that the session has been written to by another.
pub async fn who_claimed_and_was_lost_is_fenced_out_by_a_summary(fixture: &dyn StoreFixture) {
    let store = fixture.open().await;
    let id = over(store.as_ref(), EndReason::Recovered, None, 1).await;
    let lost = store
        .claim(session(&id), &brief_owner("two"))
        .await
        .unwrap();
    assert_eq!(take(store.as_ref(), 3).await, [], "it is somebody's");
    tokio::time::sleep(LEASE + MOMENT).await;
    let job = take(store.as_ref(), 3).await.remove(0);
    assert!(job.fence > lost.fence);
    write(store.as_ref(), append(&id, job.fence, [summary("Sums.")]))
        .await
        .unwrap();
    let late = write(store.as_ref(), append(&id, lost.fence, [started()])).await;
    assert!(matches!(late, Err(StoreError::Fenced { .. })), "{late:?}");
}

/// A session that has ended.
async fn over(
    store: &dyn SessionStore,
    reason: EndReason,
    summary: Option<&str>,
    user_messages: u64,
) -> SessionId {
    let (id, claim) = claimed(store).await;
    let bodies = [
        started(),
        message("a"),
        ended(reason, summary, user_messages),
    ];
    write(store, append(&id, claim.fence, bodies))
        .await
        .unwrap();
    id
}

fn ended(reason: EndReason, summary: Option<&str>, user_messages: u64) -> EventBody {
    EventBody::SessionEnded(SessionEnded {
        reason,
        summary: summary.map(str::to_owned),
        metrics: Metrics {
            user_messages,
            ..Metrics::default()
        },
    })
}

async fn take(store: &dyn SessionStore, max: u32) -> Vec<SummaryJob> {
    let tries = SummaryTries {
        max,
        retry_in: RETRY_IN,
    };
    store.take_summaries(100, tries).await.unwrap()
}

async fn error_of(store: &dyn SessionStore, id: &SessionId) -> String {
    let record = store.session(id).await.unwrap().unwrap();
    record.summary_error.unwrap_or_default()
}
