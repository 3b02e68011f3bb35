//! Numbers that look random and are the same for the same kind and query, for ever and everywhere.
//!
//! The hash is 64-bit FNV-1a, the numbers are `SplitMix64`'s; both are fixed by their definitions,
//! which the hashers of the standard library are not.

/// A sequence of numbers that depends on a kind and a query alone.
#[derive(Debug)]
pub(super) struct Seed(u64);

impl Seed {
    /// Upper and lower case, and the amount of white space, make no difference.
    pub(super) fn new(kind: &str, query: &str) -> Self {
        let query = query.to_lowercase();
        let words = std::iter::once(kind).chain(query.split_whitespace());
        let bytes = words.flat_map(|word| word.bytes().chain(std::iter::once(0)));
        Self(bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    /// The next number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.abs_diff(low).saturating_add(1);
        low.saturating_add_unsigned(self.next() % span)
    }

    /// The next number from `low` to `high` tenths, as a fraction with one digit.
    pub(super) fn tenths(&mut self, low: i32, high: i32) -> f64 {
        f64::from(self.whole(low, high)) / 10.0
    }

    /// The next number from `low` to `high` hundredths, as a fraction with two digits.
    pub(super) fn hundredths(&mut self, low: i32, high: i32) -> f64 {
        f64::from(self.whole(low, high)) / 100.0
    }

    /// One of `choices`.
    pub(super) fn pick<'a, const N: usize>(&mut self, choices: &[&'a str; N]) -> &'a str {
        let index = usize::try_from(self.next() % (N as u64)).unwrap_or(0);
        choices.get(index).copied().unwrap_or_default()
    }

    fn whole(&mut self, low: i32, high: i32) -> i32 {
        i32::try_from(self.between(low.into(), high.into())).unwrap_or(low)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
