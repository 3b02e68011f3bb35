//! What is too much to be counted.

use patter_protocol::Timing;
use patter_store::{ANALYTICS_BUCKETS, AnalyticsQuery, Bucket, StoreError};

use super::InsightFixture;
use super::analytics::{answered, around_now, by_model};
use super::corpus::said;

/// With a reason.
pub async fn a_range_that_is_none_or_too_long_is_refused(fixture: &dyn InsightFixture) {
    let (_, insight) = fixture.open_insight().await;
    let none = AnalyticsQuery {
        to: by_model().from,
        ..by_model()
    };
    let long = AnalyticsQuery {
        bucket: Some(Bucket::Hour),
        ..by_model()
    };
    for query in [none, long] {
        let refused = insight.analytics(query.clone()).await;
        assert!(
            matches!(refused, Err(StoreError::Rejected(_))),
            "{query:?}: {refused:?}"
        );
    }
    let longest = AnalyticsQuery {
        to: (by_model().from.as_datetime()
            + chrono::TimeDelta::days(ANALYTICS_BUCKETS.try_into().unwrap()))
        .into(),
        ..by_model()
    };
    assert!(insight.analytics(longest).await.is_ok());
}

/// They are cut.
pub async fn numbers_beyond_any_measure_do_not_keep_an_answer_from_being_stored(
    fixture: &dyn InsightFixture,
) {
    let (store, insight) = fixture.open_insight().await;
    let huge = answered("m", |answer| {
        answer.usage.input_tokens = Some(u64::MAX);
        answer.cost_usd = Some(1e300);
        answer.timing = Timing {
            first_token_ms: Some(u64::MAX),
            total_ms: u64::MAX,
        };
    });
    said(store.as_ref(), None, [huge]).await;
    let rows = insight.analytics(around_now()).await.unwrap();
    assert_eq!(rows[0].input_tokens, 2_147_483_647);
    assert_eq!(rows[0].total_p95_ms, Some(2_147_483_647));
    assert_eq!(rows[0].cost_usd, Some(1e9));
}
