//! The fuzz target of the guard of WebSocket frames. An ordinary test for a second; `cargo xtask fuzz fragments`
//! runs it longer.

use bolero::{ValueGenerator, check, one_of, one_value_of, produce};

use super::*;

const MAX_FRAGMENTS: usize = 3;

/// How far the guard lets a stream pass that comes in pieces of these sizes, used in turn, and whether to its end.
fn passed(bytes: &[u8], sizes: &[u8]) -> (usize, bool) {
    let mut frames = Frames::default();
    let (mut rest, mut passed) = (bytes, 0);
    for size in sizes.iter().cycle() {
        let (piece, after) = rest.split_at(usize::from(*size).min(rest.len()));
        let followed = frames.follow(piece, MAX_FRAGMENTS);
        passed += followed.good;
        if !followed.is_good || after.is_empty() {
            return (passed, followed.is_good);
        }
        rest = after;
    }
    (passed, true)
}

/// Where the frame begins that is one fragment too many, read with everything at hand.
fn first_too_many(bytes: &[u8]) -> Option<usize> {
    let (mut begin, mut fragments) = (0, 0);
    loop {
        let rest = bytes.get(begin..)?;
        let (&first, &second) = (rest.first()?, rest.get(1)?);
        let (long, mask) = (usize::from(second & 0x7f), usize::from(second >> 7) * 4);
        let (length, extended) = match long {
            126 => (
                u64::from(u16::from_be_bytes(*rest.get(2..)?.first_chunk()?)),
                2,
            ),
            127 => (u64::from_be_bytes(*rest.get(2..)?.first_chunk()?), 8),
            short => (short as u64, 0),
        };
        // The header must be whole before it counts.
        let header = 2 + extended + mask;
        rest.get(..header)?;
        if first & 0x08 == 0 {
            fragments += 1;
            if fragments > MAX_FRAGMENTS {
                return Some(begin);
            }
            fragments *= usize::from(first & 0x80 == 0);
        }
        begin = begin
            .checked_add(header)?
            .checked_add(usize::try_from(length).ok()?)?;
    }
}

/// The guard stops a stream of any bytes at the same frame however the network cuts it, and where a reader would
/// who has it all at once.
#[test]
fn fuzz_fragments() {
    let frame = || {
        let first = one_value_of([0x01, 0x00, 0x00, 0x80, 0x81, 0x89, 0x8a, 0x88, 0xff_u8]);
        let length = one_of((0..3_u8, 0..128_u8));
        let extended = produce::<Vec<u8>>()
            .with()
            .values(one_value_of([0, 0, 0, 1, 255]))
            .len(0..9_usize);
        let parts = (first, produce::<bool>(), length, extended);
        parts.map_gen(|(first, is_masked, length, extended)| {
            let mut frame = vec![first, u8::from(is_masked) << 7 | length];
            frame.extend(match length {
                126 => extended.iter().copied().chain([0; 8]).take(2).collect(),
                127 => [
                    [0; 7].to_vec(),
                    vec![extended.len().try_into().unwrap_or(0)],
                ]
                .concat(),
                _ => Vec::new(),
            });
            let carried = if length < 126 {
                usize::from(length)
            } else {
                extended.len()
            };
            frame.extend(std::iter::repeat_n(
                b'x',
                carried + usize::from(is_masked) * 4,
            ));
            frame
        })
    };
    let frames = produce::<Vec<Vec<u8>>>()
        .with()
        .values(one_of((
            frame(),
            frame(),
            frame(),
            produce::<Vec<u8>>().with().len(0..4_usize),
        )))
        .len(0..12_usize);
    let sizes = produce::<Vec<u8>>().with().values(1..20_u8).len(1..6_usize);
    check!()
        .with_generator((frames, sizes))
        .for_each(|(frames, sizes)| {
            let bytes = frames.concat();
            let expected = first_too_many(&bytes);
            for sizes in [&sizes[..], &[1], &[u8::MAX]] {
                let (passed, is_good) = passed(&bytes, sizes);
                assert_eq!(is_good, expected.is_none(), "{sizes:?}");
                // In one piece, to the frame; else the beginning of its header may have passed.
                let most = expected.map_or(bytes.len(), |begin| begin + MAX_HEADER_BYTES);
                let least = expected.unwrap_or(bytes.len());
                assert!((least..=most).contains(&passed), "{passed}, {sizes:?}");
            }
        });
}
