//! Which of the waiting appends go together.

use std::collections::{HashSet, VecDeque};
use std::io;

use patter_protocol::SessionId;
use serde::Serialize;

use super::Job;
use crate::record::Append;

/// The most events of a batch, unless a single append has more.
const MAX_EVENTS: usize = 512;
/// The most bytes of JSON of a batch, unless a single append has more.
const MAX_BYTES: usize = 1024 * 1024;

/// So many appends that wait, or so many bytes of JSON, are much: to wait until they can go with others saves
/// the store little.
const MUCH_APPENDS: usize = 128;
const MUCH_BYTES: usize = 256 * 1024;

/// Whether what waits is worth a write of its own while another one is on its way.
pub(super) fn is_much(waiting: &VecDeque<Job>) -> bool {
    waiting.len() >= MUCH_APPENDS
        || waiting.iter().map(|job| job.bytes).sum::<usize>() >= MUCH_BYTES
}

/// Takes the next batch out of `waiting`, oldest first. A session stands in it once, and not if it is `busy`: what
/// it has waiting stays, in order.
pub(super) fn take_batch(waiting: &mut VecDeque<Job>, busy: &HashSet<SessionId>) -> Vec<Job> {
    let mut batch = Vec::new();
    let mut sessions = HashSet::new();
    let mut left = VecDeque::new();
    let (mut events, mut bytes) = (0, 0);
    while let Some(job) = waiting.pop_front() {
        let session_id = &job.append.session_id;
        if sessions.contains(session_id) || busy.contains(session_id) {
            left.push_back(job);
            continue;
        }
        events += job.append.events.len();
        bytes += job.bytes;
        if !batch.is_empty() && (events > MAX_EVENTS || bytes > MAX_BYTES) {
            waiting.push_front(job);
            break;
        }
        sessions.insert(job.append.session_id.clone());
        batch.push(job);
    }
    // What was passed over is older than what was not looked at.
    left.append(waiting);
    *waiting = left;
    batch
}

/// Size of the events, in bytes of JSON.
pub(super) fn encoded_bytes(append: &Append) -> usize {
    append
        .events
        .iter()
        .map(|event| json_bytes(&event.body) + json_bytes(&event.private))
        .sum()
}

fn json_bytes(value: &impl Serialize) -> usize {
    let mut counter = ByteCounter(0);
    // Cannot fail: the counter takes everything. If it did, the store would say so too.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

/// Counts what is written to it.
struct ByteCounter(usize);

impl io::Write for ByteCounter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
