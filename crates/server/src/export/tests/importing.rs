//! Files that nobody has exported like that.

use patter_protocol::MessageId;
use patter_testkit::store_conformance::sample::message_with_id;

use super::*;

/// The lines of a good file.
async fn lines() -> Vec<String> {
    let files = Files::new().await;
    let given = session([
        started(),
        message("a"),
        message("b"),
        ended(None, metrics()),
    ]);
    files.store.import(given.clone()).await.unwrap();
    let text = files.text(&given.session_id, ExportFormat::Jsonl).await;
    text.lines().map(str::to_owned).collect()
}

fn error(lines: &[String]) -> String {
    let file = lines
        .iter()
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    read(file.as_bytes()).unwrap_err().to_string()
}

/// The error of a good file in which something stands instead of something else.
fn changed(good: &[String], at: usize, from: &str, to: &str) -> String {
    let mut lines = good.to_vec();
    assert!(lines[at].contains(from), "{}", lines[at]);
    lines[at] = lines[at].replacen(from, to, 1);
    error(&lines)
}

#[tokio::test]
async fn a_file_is_read_with_and_without_its_last_line_break() {
    let lines = lines().await;
    let file = lines.join("\n");
    let session = read(file.as_bytes()).unwrap();
    assert_eq!(session.events.len(), 4);
    assert_eq!(read(format!("{file}\n").as_bytes()).unwrap(), session);
}

#[tokio::test]
async fn an_error_names_the_line_and_what_is_wrong() {
    let good = lines().await;
    let changed = |at, from: &str, to: &str| changed(&good, at, from, to);
    let without = |at: usize| {
        let mut lines = good.clone();
        lines.remove(at);
        error(&lines)
    };
    let doubled = [&good[..3], &good[2..]].concat();
    let with_gap = [&good[..2], &[String::new()], &good[2..]].concat();
    for (error, expected) in [
        (error(&[]), "line 1: no JSON: "),
        (
            without(0),
            "line 1: the file is no export of a session in lines",
        ),
        (
            changed(0, "\"version\":1", "\"version\":2"),
            "line 1: `version` is not 1",
        ),
        (
            changed(0, "{", "{\"more\":1,"),
            "line 1: unknown field `more`",
        ),
        (
            changed(0, "\"last_seq\":4", "\"last_seq\":5"),
            "line 6: the file ends after 4 events",
        ),
        (
            changed(0, "\"title\":\"Sums\"", "\"title\":\"\\u0000\""),
            "line 1: U+0000 cannot",
        ),
        (changed(1, "{", ""), "line 2: no JSON: "),
        (
            changed(2, "{", "{\"more\":1,"),
            "line 3: unknown field `more`",
        ),
        (
            changed(2, "\"type\":\"user_message\"", "\"type\":\"x\""),
            "line 3: unknown variant `x`",
        ),
        (
            changed(2, "\"content\":\"a\"", "\"content\":1"),
            "line 3: invalid type",
        ),
        (
            changed(3, "\"seq\":3", "\"seq\":4"),
            "line 4: `seq` is 4 where 3 comes next",
        ),
        (without(2), "line 3: `seq` is 3 where 2 comes next"),
        (without(4), "line 5: the file ends after 3 events"),
        (error(&doubled), "line 4: `seq` is 2 where 3 comes next"),
        (error(&with_gap), "line 3: the line is empty"),
    ] {
        assert!(error.starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_with_its_line() {
    let good = lines().await;
    let changed = |at, from: &str, to: &str| changed(&good, at, from, to);
    for (error, expected) in [
        (
            changed(1, "{", &format!("{{\"x\":\"{}\",", "x".repeat(5_000_000))),
            "line 2: the line is larger",
        ),
        (
            changed(
                0,
                "\"user_id\":\"ada\"",
                &format!("\"user_id\":\"{}\"", "x".repeat(2_000)),
            ),
            "line 1: `user_id` is larger",
        ),
        (
            changed(0, "\"Sums\"", &format!("\"{}\"", "x".repeat(70_000))),
            "line 1: `metadata` is larger",
        ),
    ] {
        assert!(error.starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn the_same_event_or_message_twice_is_refused() {
    let files = Files::new().await;
    let given = session([message("a"), message("b")]);
    files.store.import(given.clone()).await.unwrap();
    let text = files.text(&given.session_id, ExportFormat::Jsonl).await;
    let ids: Vec<_> = given
        .events
        .iter()
        .map(|event| event.event_id.to_string())
        .collect();
    let twice = text.replace(&ids[1], &ids[0]);
    let error = read(twice.as_bytes()).unwrap_err().to_string();
    assert_eq!(error, "line 3: `event_id` was in an earlier line");

    let id = MessageId::generate();
    let bodies = [message_with_id(id.clone(), "a"), message("b")];
    let given = session(bodies);
    files.store.import(given.clone()).await.unwrap();
    let text = files.text(&given.session_id, ExportFormat::Jsonl).await;
    let EventBody::UserMessage(other) = &given.events[1].body else {
        panic!("a message");
    };
    let twice = text.replace(other.id.as_str(), id.as_str());
    let error = read(twice.as_bytes()).unwrap_err().to_string();
    assert_eq!(error, "line 3: `id` was in an earlier line");
}

#[test]
fn what_is_no_text_at_all_is_refused() {
    assert!(read(&[0xff, 0xfe, b'\n']).is_err());
    assert!(read(&vec![b'x'; 65 * 1024 * 1024]).is_err());
}

proptest! {
    #[test]
    fn no_file_is_too_strange(file in any::<Vec<u8>>()) {
        prop_assert!(read(&file).is_err());
    }
}
