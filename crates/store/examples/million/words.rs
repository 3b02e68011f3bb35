//! A language: 20 000 words, of which the commonest stand in nearly every sentence and the rarest in
//! hardly any, as in those that people speak.

const WORDS: u32 = 20_000;
const SYLLABLES: [&str; 20] = [
    "ka", "lo", "mi", "ne", "ru", "ta", "vi", "so", "pe", "du", "an", "el", "or", "is", "un",
    "bra", "ste", "kro", "fli", "gan",
];

/// A word, 0 the commonest.
pub(crate) fn word(rank: u32) -> String {
    let mut word = String::new();
    let mut rest = rank;
    loop {
        let index = usize::try_from(rest % 20).unwrap_or_default();
        word.push_str(SYLLABLES.get(index).copied().unwrap_or_default());
        rest /= 20;
        if rest == 0 {
            return word;
        }
        rest -= 1;
    }
}

/// A word as it comes up in a text: the tenth one a tenth as often as the first.
pub(crate) fn any(random: &mut fastrand::Rng) -> String {
    let rank = f64::from(WORDS).powf(random.f64());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between 1 and 20 000"
    )]
    let rank = rank as u32;
    word(rank.saturating_sub(1))
}

/// A text of so many words.
pub(crate) fn text(random: &mut fastrand::Rng, words: usize) -> String {
    (0..words)
        .map(|_| any(random))
        .collect::<Vec<_>>()
        .join(" ")
}
