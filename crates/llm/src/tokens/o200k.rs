//! The vocabulary `o200k_base` of OpenAI's models, made when it is first needed: that takes some two seconds of
//! one core, and 70 MB for the life of the process. Ready made, it would be most of what is shipped.

use std::io::Read;
use std::sync::LazyLock;

use bpe_openai::Tokenizer;
use bpe_openai::byte_pair_encoding::BytePairEncoding;
use flate2::read::DeflateDecoder;

/// What `build.rs` has written.
const TOKENS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/o200k.tokens"));

/// With it no two tokens have the same hash.
const HASH_FACTOR: u64 = 17_846_336_922_010_275_747;

/// What text is cut into before it is looked up, by
/// <https://github.com/openai/tiktoken/blob/main/tiktoken_ext/openai_public.py>: words with their capitals and
/// what is joined to them, numbers of three digits, signs, ends of lines, blanks.
const PIECES: [&str; 6] = [
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}",
    r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
    r"\s*[\r\n]+",
    r"\s+$",
];
/// Of blanks before a word the last one belongs to the word.
const BLANKS_BEFORE_A_WORD: &str = r"\s+\s";
const BLANKS: &str = r"\s+";

/// `None` if the patterns were none, which a test rules out, as it does that the tokens are no vocabulary.
static O200K: LazyLock<Option<Tokenizer>> = LazyLock::new(|| {
    let vocabulary = BytePairEncoding::from_dictionary(tokens(), Some(HASH_FACTOR));
    let pieces = PIECES.join("|");
    let patterns = [
        (pieces.as_str(), false),
        (BLANKS_BEFORE_A_WORD, true),
        (BLANKS, false),
    ];
    Tokenizer::new_lookahead(vocabulary, &patterns, false).ok()
});

/// Tokens of a text; `None` where there is no tokenizer.
pub(super) fn tokens_of(text: &str) -> Option<u64> {
    let o200k = O200K.as_ref()?;
    Some(o200k.count(text) as u64)
}

/// All tokens, in the order of their numbers.
fn tokens() -> Vec<Vec<u8>> {
    let mut file = DeflateDecoder::new(TOKENS);
    let mut tokens = Vec::new();
    let mut length = [0];
    while file.read_exact(&mut length).is_ok() {
        let mut token = vec![0; usize::from(length[0])];
        if file.read_exact(&mut token).is_err() {
            break;
        }
        tokens.push(token);
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_split_and_counted_as_by_the_one_that_is_ready_made() {
        let ready_made = bpe_openai::o200k_base();
        assert_eq!(tokens().len(), ready_made.bpe.num_tokens());
        for text in [
            "",
            "The quick brown fox doesn't jump over 1234567 lazy dogs.\r\n\r\n  Does it?   ",
            "fn main() { println!(\"{}\", 1 << 20); } // \u{e9}t\u{e9}",
            "HTTPServer camelCase I'LL we've \u{1f600}\u{1f44d}\u{1f3fd}",
            "\u{4f60}\u{597d}\u{4e16}\u{754c} \u{41f}\u{440}\u{438}\u{432}\u{435}\u{442} \u{645}\u{631}\u{62d}\u{628}\u{627}",
        ] {
            let ours = tokens_of(text);
            assert_eq!(ours, Some(ready_made.count(text) as u64), "{text:?}");
        }
    }
}
