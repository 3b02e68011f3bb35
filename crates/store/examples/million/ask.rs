//! What is asked, and how long it took.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use patter_store::{AnalyticsGroups, AnalyticsQuery, Bucket, Insight, SearchQuery};
use tokio::time::Instant;

use crate::fill::USERS;
use crate::words::{any, word};

/// So many searches.
const SEARCHES: usize = 1_000;
/// So often each question for figures.
const REPEATED: usize = 11;

/// What people search for: mostly two or three words, at times one that stands everywhere, or nowhere;
/// every other search is in one user's own sessions.
pub(crate) async fn searches(insight: &dyn Insight) -> anyhow::Result<()> {
    let mut random = fastrand::Rng::with_seed(2);
    let mut times: Vec<(&str, Duration)> = Vec::new();
    let mut hits = 0;
    for _ in 0..SEARCHES {
        let (kind, text) = text(&mut random);
        let user = random
            .bool()
            .then(|| format!("user-{}", random.usize(..USERS)));
        let query = SearchQuery {
            text,
            user_id: user,
            limit: 20,
            after: None,
        };
        let begun = Instant::now();
        hits += insight.search(query).await?.hits.len();
        times.push((kind, begun.elapsed()));
    }
    println!("\n{SEARCHES} searches, {hits} hits, ms:");
    println!(
        "{:<32} {:>6} {:>8} {:>8} {:>8} {:>8}",
        "", "count", "p50", "p95", "p99", "most"
    );
    let mut kinds: Vec<&str> = times.iter().map(|(kind, _)| *kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        show(
            kind,
            times
                .iter()
                .filter(|(of, _)| *of == kind)
                .map(|(_, time)| *time),
        );
    }
    show("all", times.iter().map(|(_, time)| *time));
    Ok(())
}

fn text(random: &mut fastrand::Rng) -> (&'static str, String) {
    let common = |random: &mut fastrand::Rng| word(random.u32(0..20));
    let rare = |random: &mut fastrand::Rng| word(random.u32(2_000..20_000));
    match random.u8(0..100) {
        0..10 => ("a very common word", common(random)),
        10..20 => ("a rare word", rare(random)),
        20..50 => ("two words", format!("{} {}", any(random), any(random))),
        50..65 => (
            "three words",
            format!("{} {} {}", any(random), any(random), any(random)),
        ),
        65..75 => (
            "two very common words in a row",
            format!("\"{} {}\"", common(random), common(random)),
        ),
        75..80 => (
            "a rare phrase",
            format!("\"{} {}\"", any(random), rare(random)),
        ),
        80..88 => (
            "one but not another",
            format!("{} -{}", any(random), common(random)),
        ),
        88..95 => (
            "one or another",
            format!("{} or {}", any(random), rare(random)),
        ),
        _ => ("no such word", "qqqq".to_owned()),
    }
}

/// What a page with charts asks for.
pub(crate) async fn figures(insight: &dyn Insight) -> anyhow::Result<()> {
    let by_model = AnalyticsGroups {
        model: true,
        ..AnalyticsGroups::default()
    };
    let all = AnalyticsGroups {
        provider: true,
        model: true,
        route: true,
    };
    let none = AnalyticsGroups::default();
    println!("\nfigures, ms:");
    println!(
        "{:<32} {:>6} {:>8} {:>8} {:>8} {:>8}",
        "", "rows", "p50", "p95", "p99", "most"
    );
    for (what, days, bucket, group_by, user) in [
        (
            "90 days by day and model",
            90,
            Some(Bucket::Day),
            by_model,
            None,
        ),
        ("90 days by day", 90, Some(Bucket::Day), none, None),
        (
            "90 days by week, all groups",
            90,
            Some(Bucket::Week),
            all,
            None,
        ),
        ("90 days, all groups", 90, None, all, None),
        (
            "24 hours by hour and model",
            1,
            Some(Bucket::Hour),
            by_model,
            None,
        ),
        (
            "90 days of one user by day",
            90,
            Some(Bucket::Day),
            none,
            Some("user-7"),
        ),
    ] {
        let query = AnalyticsQuery {
            from: (Utc::now() - TimeDelta::days(days)).into(),
            to: Utc::now().into(),
            bucket,
            group_by,
            user_id: user.map(str::to_owned),
        };
        let mut times = Vec::new();
        let mut rows = 0;
        for _ in 0..REPEATED {
            let begun = Instant::now();
            rows = insight.analytics(query.clone()).await?.len();
            times.push(begun.elapsed());
        }
        show_counted(what, rows, times);
    }
    Ok(())
}

fn show(what: &str, times: impl Iterator<Item = Duration>) {
    let times: Vec<_> = times.collect();
    show_counted(what, times.len(), times);
}

fn show_counted(what: &str, count: usize, mut times: Vec<Duration>) {
    times.sort_unstable();
    let rank = |percent: usize| {
        let rank = (times.len() * percent).div_ceil(100).saturating_sub(1);
        times.get(rank).copied().unwrap_or_default().as_secs_f64() * 1e3
    };
    let (p50, p95, p99, most) = (rank(50), rank(95), rank(99), rank(100));
    println!("{what:<32} {count:>6} {p50:>8.1} {p95:>8.1} {p99:>8.1} {most:>8.1}");
}
