//! The clock that all processes of a machine share, and the stamps by which tokens carry its time:
//! `@` and 18 signs for decimal digits, nanoseconds, in the text of the token. Whatever a server wraps around a
//! token, a stamp is found in it by one search for a byte.
//!
//! The digits are no digits, for a server may have a full-text search: thousands of numbers in one answer, each
//! another one, are an index that no text of a model makes. JSON has no escapes for any of the signs.

use rustix::time::{ClockId, clock_gettime};

/// Begins a stamp; nothing else in a frame of a token holds it.
const MARK: u8 = b'@';
const DIGITS: usize = 18;
/// What stands for 0 to 9.
const SIGNS: [u8; 10] = *b"!#$%&()*;^";
/// So long is a stamp.
pub const STAMP_BYTES: usize = 1 + DIGITS;

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
    let begin = text.len();
    let mut rest = at_ns;
    for _ in 0..DIGITS {
        text.push(sign(rest % 10));
        rest /= 10;
    }
    // The last digit came first.
    text.get_mut(begin..).unwrap_or_default().reverse();
}

/// The times of all stamps in a frame, in order.
pub fn stamps(frame: &[u8]) -> impl Iterator<Item = u64> {
    memchr::memchr_iter(MARK, frame).filter_map(|at| {
        let digits = frame.get(at + 1..at + 1 + DIGITS)?;
        digits
            .iter()
            .try_fold(0, |number, sign| Some(number * 10 + digit(*sign)?))
    })
}

fn sign(digit: u64) -> u8 {
    // There are ten.
    SIGNS.get((digit % 10) as usize).copied().unwrap_or(MARK)
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
        stamp(&mut frame, 1_234);
        frame.extend_from_slice(b" me@example.org ");
        stamp(&mut frame, 987_654_321_000_000_000);
        assert_eq!(
            stamps(&frame).collect::<Vec<_>>(),
            [1_234, 987_654_321_000_000_000]
        );
    }

    #[test]
    fn a_stamp_that_is_cut_is_none() {
        let mut frame = Vec::new();
        stamp(&mut frame, 5);
        frame.pop();
        assert_eq!(stamps(&frame).count(), 0);
    }
}
