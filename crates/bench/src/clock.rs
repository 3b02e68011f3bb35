//! The clock that all processes of a machine share, and the stamps by which tokens carry its time:
//! `@` and eight signs for hexadecimal digits, in the text of the token. Whatever a server wraps around a
//! token, a stamp is found in it by one search for a byte. It is short, as the tokens of a model are: it counts
//! tenths of a microsecond, and begins again every seven minutes, which no token takes.
//!
//! The digits are no digits, for a server may have a full-text search: thousands of numbers in one answer, each
//! another one, are an index that no text of a model makes. JSON has no escapes for any of the signs.

use rustix::time::{ClockId, clock_gettime};

/// Begins a stamp; nothing else in a frame of a token holds it.
const MARK: u8 = b'@';
const DIGITS: usize = 8;
/// What stands for 0 to 15.
const SIGNS: [u8; 16] = *b"!#$%&()*;^|~+=?_";
/// So long is a stamp.
pub const STAMP_BYTES: usize = 1 + DIGITS;
/// What it counts, in nanoseconds.
const UNIT_NS: u64 = 100;
/// So many of them, and it begins again.
const PERIOD: u64 = 1 << (4 * DIGITS);

/// Nanoseconds on `CLOCK_MONOTONIC`.
#[must_use]
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    // Neither is ever negative: it counts from the start of the machine.
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// Appends a stamp of this time.
pub fn stamp(text: &mut Vec<u8>, at_ns: u64) {
    text.push(MARK);
    let count = count(at_ns);
    text.extend((0..DIGITS).rev().map(|digit| sign(count >> (4 * digit))));
}

/// How long ago the times of all stamps in a frame were, in nanoseconds, in order.
pub fn ages(frame: &[u8], now_ns: u64) -> impl Iterator<Item = u64> {
    memchr::memchr_iter(MARK, frame).filter_map(move |at| {
        let signs = frame.get(at + 1..at + STAMP_BYTES)?;
        let stamped = signs
            .iter()
            .try_fold(0, |number, sign| Some(number * 16 + digit(*sign)?))?;
        Some((count(now_ns) + PERIOD - stamped) % PERIOD * UNIT_NS)
    })
}

/// What a stamp of this time holds.
fn count(at_ns: u64) -> u64 {
    at_ns / UNIT_NS % PERIOD
}

/// Of the last hexadecimal digit.
fn sign(number: u64) -> u8 {
    // There are sixteen.
    SIGNS.get((number % 16) as usize).copied().unwrap_or(MARK)
}

fn digit(sign: u8) -> Option<u64> {
    let place = SIGNS.iter().position(|it| *it == sign)?;
    Some(place as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_found_wherever_they_stand() {
        let mut frame = b"{\"content\":\" ".to_vec();
        stamp(&mut frame, 1_200);
        frame.extend_from_slice(b" me@example.org ");
        stamp(&mut frame, 987_654_000);
        assert_eq!(
            ages(&frame, 987_654_321).collect::<Vec<_>>(),
            [987_653_100, 300]
        );
    }

    #[test]
    fn a_stamp_is_as_old_where_counting_has_begun_again() {
        let mut frame = Vec::new();
        let begins_again = PERIOD * UNIT_NS;
        stamp(&mut frame, begins_again - 500);
        assert_eq!(
            ages(&frame, begins_again + 1_500).collect::<Vec<_>>(),
            [2_000]
        );
    }

    #[test]
    fn a_stamp_that_is_cut_is_none() {
        let mut frame = Vec::new();
        stamp(&mut frame, 5);
        frame.pop();
        assert_eq!(ages(&frame, 5).count(), 0);
    }
}
