//! Bodies in all shapes; `fuzz.rs` beside this cuts any at every place.

use super::*;

/// The data of all events of a body that comes in these pieces, and whether it was too large.
pub(super) fn events<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Bytes>, Option<TooLarge>) {
    let mut parser = Parser::default();
    let mut events = Vec::new();
    for piece in pieces.into_iter().chain([b"\n\n".as_slice()]) {
        parser.push(Bytes::copy_from_slice(piece));
        loop {
            match parser.next() {
                Ok(Some(data)) => events.push(data),
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
        }
    }
    events.extend(parser.unframed());
    (events, None)
}

fn expect(body: &str, expected: &[&str]) {
    let (found, error) = events([body.as_bytes()]);
    let found: Vec<_> = found
        .iter()
        .map(|data| std::str::from_utf8(data).unwrap())
        .collect();
    assert_eq!((found.as_slice(), error), (expected, None), "{body:?}");
}

#[test]
fn a_line_ends_with_a_line_feed_or_a_return_or_both() {
    for body in [
        "data: a\n\ndata: b\n\n",
        "data: a\r\n\r\ndata: b\r\n\r\n",
        "data: a\r\rdata: b\r\r",
        "data: a\n\r\ndata: b\r\n\r",
        "\u{feff}data: a\n\n\n\ndata: b",
    ] {
        expect(body, &["a", "b"]);
    }
    expect("data: a\r\ndata: b\r\n", &["a\nb"]);
}

#[test]
fn only_the_data_of_an_event_is_kept() {
    expect("data:a\n\n", &["a"]);
    expect("data:  a \n\n", &[" a "]);
    expect("data\ndata: a\ndata\n\n", &["\na\n"]);
    expect(
        ": {\nevent: x\nid: 1\ndata: a\nretry: 5\ndatas: b\n\n",
        &["a"],
    );
    expect("event: x\n\ndata\n\ndata: \t\n\n: a\n\n", &[]);
    expect(" {\n\ndata: a\n\n", &["a"]);
}

#[test]
fn what_stands_beside_the_framing_is_one_piece_at_the_end() {
    expect("{\"a\":\n\n1}", &["{\"a\":\n\n1}\n\n"]);
    expect("\u{feff}[1]", &["[1]\n\n"]);
    expect("data: a\n[1]\n\ndata: b\n", &["a", "[1]\n\ndata: b\n\n\n"]);
    expect("data: a\n\nerror: {\"a\":1}", &["a", " {\"a\":1}\n\n"]);
    expect("error:\n\n", &[]);
}

#[test]
fn data_that_came_in_one_piece_is_not_copied() {
    let body = Bytes::from_static(b": hello\r\ndata: one\r\n\r\ndata:two\n\nda");
    let mut parser = Parser::default();
    parser.push(body.clone());
    for expected in [body.slice(15..18), body.slice(27..30)] {
        let data = parser.next().unwrap().unwrap();
        assert_eq!((&data, data.as_ptr()), (&expected, expected.as_ptr()));
    }
    assert_eq!(parser.next(), Ok(None));
}

#[test]
fn an_event_or_an_answer_without_end_is_refused() {
    const MEGABYTE: usize = 1024 * 1024;
    let long_line = vec![b'x'; MEGABYTE];
    let many_lines = format!("data: {}\n", "x".repeat(1017))
        .into_bytes()
        .repeat(1024);
    let many_events = format!("data: {}\n\n", "x".repeat(1016))
        .into_bytes()
        .repeat(1024);
    for (first, rest, megabytes) in [
        ("data: ", &long_line, 17),
        (": ", &long_line, 17),
        ("[", &long_line, 17),
        ("[\n", &many_lines, 17),
        ("", &many_lines, 17),
        ("", &many_events, 65),
    ] {
        let pieces = std::iter::repeat_n(rest.as_slice(), megabytes);
        let (_, error) = events([first.as_bytes()].into_iter().chain(pieces));
        assert_eq!(error, Some(TooLarge), "{first:?}");
    }
    let pieces = std::iter::repeat_n(long_line.as_slice(), 15);
    let (whole, error) = events([b"data: ".as_slice()].into_iter().chain(pieces));
    assert_eq!((whole[0].len(), error), (15 * MEGABYTE, None));
}
