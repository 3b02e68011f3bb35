//! A range of time, cut into buckets: whole hours since 1970.

use chrono::{DateTime, Datelike, Days, Months, NaiveTime, TimeDelta, Timelike, Utc};
use patter_protocol::Timestamp;

use super::{ANALYTICS_BUCKETS, AnalyticsQuery, Bucket};
use crate::error::StoreError;

/// Where the buckets begin, and where the last one ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    /// In hours since 1970, rising, one more than there are buckets.
    edges: Vec<i32>,
}

impl Range {
    /// The buckets of a query.
    ///
    /// # Errors
    ///
    /// [`StoreError::Rejected`] if there are none or too many.
    pub(crate) fn of(query: &AnalyticsQuery) -> Result<Self, StoreError> {
        let rejected = |why: String| StoreError::Rejected(why.into());
        let (from, to) = (query.from.as_datetime(), query.to.as_datetime());
        if from >= to {
            return Err(rejected("the range ends before it begins".to_owned()));
        }
        let is_sane = |time: DateTime<Utc>| (1970..9999).contains(&time.year());
        if !is_sane(from) || !is_sane(to) {
            return Err(rejected("a time is before 1970 or after 9998".to_owned()));
        }
        let next_of = |time| next(time, query.bucket.unwrap_or(Bucket::Hour));
        let mut edge = start(from, query.bucket.unwrap_or(Bucket::Hour));
        let mut edges = vec![hours(edge)];
        if query.bucket.is_none() {
            // The hour that the last moment is in counts whole.
            edges.push(hours(next_of(start(
                to - TimeDelta::milliseconds(1),
                Bucket::Hour,
            ))));
            return Ok(Self { edges });
        }
        while edge < to {
            edge = next_of(edge);
            edges.push(hours(edge));
            if edges.len() > ANALYTICS_BUCKETS + 1 {
                return Err(rejected(format!(
                    "the range has more than {ANALYTICS_BUCKETS} buckets: take larger ones, or less time"
                )));
            }
        }
        Ok(Self { edges })
    }

    /// All edges, in hours since 1970.
    pub(crate) fn edges(&self) -> &[i32] {
        &self.edges
    }

    /// The hour with which it begins.
    pub(crate) fn first(&self) -> i32 {
        self.edges.first().copied().unwrap_or_default()
    }

    /// The hour with which it is over.
    pub(crate) fn end(&self) -> i32 {
        self.edges.last().copied().unwrap_or_default()
    }

    /// In which bucket an hour is, from 0.
    #[cfg(feature = "sqlite")]
    pub(crate) fn bucket_of(&self, hour: i32) -> usize {
        self.edges
            .partition_point(|edge| *edge <= hour)
            .saturating_sub(1)
    }

    /// When a bucket begins.
    pub(crate) fn start_of(&self, bucket: usize) -> Timestamp {
        let hour = self.edges.get(bucket).copied().unwrap_or_default();
        DateTime::from_timestamp(i64::from(hour) * 3600, 0)
            .unwrap_or_default()
            .into()
    }
}

/// The beginning of the bucket that a time is in.
fn start(time: DateTime<Utc>, bucket: Bucket) -> DateTime<Utc> {
    let day = time.date_naive();
    let day = match bucket {
        Bucket::Hour | Bucket::Day => Some(day),
        Bucket::Week => {
            day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into()))
        }
        Bucket::Month => day.with_day(1),
    };
    let hour = if bucket == Bucket::Hour {
        time.hour()
    } else {
        0
    };
    let midnight = day.unwrap_or_default().and_time(NaiveTime::MIN).and_utc();
    midnight + TimeDelta::hours(hour.into())
}

/// The beginning of the bucket after the one that begins at `edge`.
fn next(edge: DateTime<Utc>, bucket: Bucket) -> DateTime<Utc> {
    match bucket {
        Bucket::Hour => edge + TimeDelta::hours(1),
        Bucket::Day => edge + TimeDelta::days(1),
        Bucket::Week => edge + TimeDelta::weeks(1),
        Bucket::Month => edge.checked_add_months(Months::new(1)).unwrap_or(edge),
    }
}

fn hours(time: DateTime<Utc>) -> i32 {
    // 9999 is hour 70 million.
    i32::try_from(time.timestamp().div_euclid(3600)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(from: &str, to: &str, bucket: Option<Bucket>) -> Result<Vec<String>, String> {
        let time = |text: &str| text.parse::<DateTime<Utc>>().unwrap().into();
        let query = AnalyticsQuery {
            from: time(from),
            to: time(to),
            bucket,
            group_by: super::super::AnalyticsGroups::default(),
            user_id: None,
        };
        let range = Range::of(&query).map_err(|error| format!("{error:?}"))?;
        Ok((0..range.edges().len())
            .map(|index| range.start_of(index).to_string().replace(":00:00.000Z", ""))
            .collect())
    }

    #[test]
    fn a_range_is_cut_into_whole_buckets() {
        for (from, to, bucket, expected) in [
            (
                "2026-01-01T10:20:00Z",
                "2026-01-01T12:00:00Z",
                Some(Bucket::Hour),
                vec!["2026-01-01T10", "2026-01-01T11", "2026-01-01T12"],
            ),
            (
                "2026-02-28T10:20:00Z",
                "2026-03-01T00:00:00.001Z",
                Some(Bucket::Day),
                vec!["2026-02-28T00", "2026-03-01T00", "2026-03-02T00"],
            ),
            // A Sunday and a Monday.
            (
                "2026-11-29T23:00:00Z",
                "2026-11-30T01:00:00Z",
                Some(Bucket::Week),
                vec!["2026-11-23T00", "2026-11-30T00", "2026-12-07T00"],
            ),
            (
                "2027-12-31T00:00:00Z",
                "2028-02-29T00:00:00Z",
                Some(Bucket::Month),
                vec![
                    "2027-12-01T00",
                    "2028-01-01T00",
                    "2028-02-01T00",
                    "2028-03-01T00",
                ],
            ),
            (
                "2026-01-01T10:20:00Z",
                "2026-05-01T12:00:00Z",
                None,
                vec!["2026-01-01T10", "2026-05-01T12"],
            ),
            (
                "2026-01-01T10:20:00Z",
                "2026-05-01T12:00:01Z",
                None,
                vec!["2026-01-01T10", "2026-05-01T13"],
            ),
        ] {
            assert_eq!(
                starts(from, to, bucket).unwrap(),
                expected,
                "{from} {to} {bucket:?}"
            );
        }
    }

    #[test]
    fn no_time_and_too_much_time_are_refused() {
        let moment = "2026-01-01T10:20:00Z";
        assert!(
            starts(moment, moment, None)
                .unwrap_err()
                .contains("ends before")
        );
        assert!(starts("1960-01-01T00:00:00Z", moment, None).is_err());
        assert!(starts("1970-01-01T00:00:00Z", "9998-12-31T23:59:59.999Z", None).is_ok());
        let months = starts("1970-01-01T00:00:00Z", moment, Some(Bucket::Month)).unwrap();
        assert_eq!(months.len(), 56 * 12 + 2);
        assert!(
            starts("1970-01-01T00:00:00Z", moment, Some(Bucket::Day))
                .unwrap_err()
                .contains("1000 buckets")
        );
    }
}
