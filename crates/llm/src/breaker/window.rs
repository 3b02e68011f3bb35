//! How many of the last requests failed.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Into how many buckets a window is divided. What leaves it leaves by the bucket, so a request
/// is forgotten by up to this part of the window too early.
const BUCKETS: u32 = 30;

/// Counts the requests that ended within a sliding window of time. Its size does not depend on
/// how many there are.
#[derive(Debug)]
pub(super) struct Window {
    length: Duration,
    /// Oldest first.
    buckets: VecDeque<Bucket>,
}

#[derive(Debug)]
struct Bucket {
    began: Instant,
    requests: u32,
    failures: u32,
}

impl Window {
    pub(super) fn new(length: Duration) -> Self {
        Self {
            length,
            buckets: VecDeque::new(),
        }
    }

    /// Counts a request that ended now; gives what [`Window::count`] does.
    pub(super) fn add(&mut self, failed: bool, now: Instant) -> (u32, u32) {
        let open = self
            .buckets
            .back_mut()
            .filter(|bucket| bucket.is_in(self.length / BUCKETS, now));
        if let Some(bucket) = open {
            bucket.requests = bucket.requests.saturating_add(1);
            bucket.failures = bucket.failures.saturating_add(u32::from(failed));
        } else {
            self.buckets.push_back(Bucket {
                began: now,
                requests: 1,
                failures: u32::from(failed),
            });
        }
        self.count(now)
    }

    /// How many requests there are in the window, and how many of them failed.
    pub(super) fn count(&mut self, now: Instant) -> (u32, u32) {
        let length = self.length;
        self.buckets.retain(|bucket| bucket.is_in(length, now));
        let add = |(requests, failures): (u32, u32), bucket: &Bucket| {
            (
                requests.saturating_add(bucket.requests),
                failures.saturating_add(bucket.failures),
            )
        };
        self.buckets.iter().fold((0, 0), add)
    }

    pub(super) fn clear(&mut self) {
        self.buckets.clear();
    }
}

impl Bucket {
    fn is_in(&self, length: Duration, now: Instant) -> bool {
        now.saturating_duration_since(self.began) < length
    }
}
