//! The fuzz target of the parser. An ordinary test for a second; `cargo xtask fuzz sse` runs it longer.

use bolero::{ValueGenerator, check, one_of, one_value_of, produce};

use super::tests::events;
use super::*;

/// What means something, stands beside everything else.
const WORDS: &[&str] = &[
    "data:", "data: ", "data", ": ", "error:", "event: x", "id", "{", "[", "}", "\n", "\n", "\r",
    "\r\n", "\n\n", "\r\n\r\n", "\u{feff}", "ü", "🐘", "x", " ",
];

/// The body in pieces of these sizes, used in turn.
fn cut<'a>(mut body: &'a [u8], sizes: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for size in sizes.iter().cycle() {
        if body.is_empty() {
            break;
        }
        let (piece, rest) = body.split_at(usize::from(*size).min(body.len()));
        pieces.push(piece);
        body = rest;
    }
    pieces
}

/// The events of a whole body, read line by line with everything at hand.
fn read_at_once(body: &[u8]) -> Vec<Vec<u8>> {
    let (mut events, mut lines): (Vec<Vec<u8>>, Vec<&[u8]>) = (Vec::new(), Vec::new());
    let mut rest = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    while let Some(end) = rest.iter().position(|it| matches!(it, b'\n' | b'\r')) {
        let (line, after) = (&rest[..end], &rest[end + 1..]);
        let left = match line {
            [b'{' | b'[', ..] => Some(line),
            _ => line.strip_prefix(ERROR_FIELD),
        };
        if line.is_empty() || left.is_some() {
            events.push(std::mem::take(&mut lines).join(&b"\n"[..]));
        }
        if let Some(line) = left {
            events.push([line, b"\n", after].concat());
            break;
        }
        match line.strip_prefix(b"data") {
            Some([]) => lines.push(b""),
            Some([b':', value @ ..]) => lines.push(value.strip_prefix(b" ").unwrap_or(value)),
            _ => {}
        }
        let is_pair = rest[end] == b'\r' && after.first() == Some(&b'\n');
        rest = &after[usize::from(is_pair)..];
    }
    events.retain(|data| !is_blank(data));
    events
}

/// A body means the same however the network cuts it, and what a reader makes of it who has it all at once. No
/// more comes out than went in.
#[test]
fn fuzz_sse() {
    let word = || one_value_of(WORDS).map_gen(|word: &str| word.as_bytes().to_vec());
    let bytes = produce::<Vec<u8>>().with().len(0..4_usize);
    let words = produce::<Vec<Vec<u8>>>()
        .with()
        .values(one_of((word(), word(), word(), word(), bytes)))
        .len(0..60_usize);
    let sizes = produce::<Vec<u8>>().with().values(1..12_u8).len(1..6_usize);
    check!()
        .with_generator((words, sizes))
        .for_each(|(words, sizes)| {
            let body = words.concat();
            let whole = events([body.as_slice()]);
            assert_eq!(events(cut(&body, sizes)), whole);
            assert_eq!(events(cut(&body, &[1])), whole);
            let (events, error) = whole;
            assert_eq!(error, None);
            assert!(events.iter().map(Bytes::len).sum::<usize>() <= body.len() + 3);
            assert_eq!(events, read_at_once(&[&body, &b"\n\n"[..]].concat()));
        });
}
