//! WebSocket frames as no client should send them: each violation has its close code, and harms nobody else.
//! The numbers are those of the inputs in `docs/security.md`; 17 and 18 take time and are tested under paused time,
//! beside the connection.

use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use crate::support::{FINAL_PING, FINAL_TEXT, RawClient, TestServer, frame};

const FIRST_TEXT: u8 = 0x01;
const MORE: u8 = 0x00;
const LAST: u8 = 0x80;
const CLOSE: u8 = 0x88;

/// An input, the bytes, and the code that the server closes with.
type Violation = (String, Vec<u8>, u16);

#[expect(clippy::too_many_lines, reason = "a table")]
fn violations() -> Vec<Violation> {
    let announces_2_63_bytes = [
        &[FINAL_TEXT, 0x80 | 127][..],
        &(i64::MAX as u64).to_be_bytes(),
        &[0; 4],
    ]
    .concat();
    let mut violations: Vec<(&str, Vec<u8>, u16)> = vec![
        ("1 no mask", vec![FINAL_TEXT, 2, b'{', b'}'], 1002),
        ("2 RSV1", frame(FINAL_TEXT | 0x40, b"{}"), 1002),
        ("2 RSV2", frame(FINAL_TEXT | 0x20, b"{}"), 1002),
        ("2 RSV3", frame(FINAL_TEXT | 0x10, b"{}"), 1002),
        ("4 a ping of 126 bytes", frame(FINAL_PING, &[0; 126]), 1002),
        ("5 a ping in pieces", frame(0x09, b""), 1002),
        ("6 a continuation of nothing", frame(LAST, b"{}"), 1002),
        (
            "7 a text inside a text",
            [frame(FIRST_TEXT, b"{"), frame(FINAL_TEXT, b"{}")].concat(),
            1002,
        ),
        ("8 an overlong NUL", frame(FINAL_TEXT, &[0xc0, 0x80]), 1007),
        (
            "8 a surrogate",
            frame(FINAL_TEXT, &[0xed, 0xa0, 0x80]),
            1007,
        ),
        (
            "8 beyond Unicode",
            frame(FINAL_TEXT, &[0xf4, 0x90, 0x80, 0x80]),
            1007,
        ),
        ("8 half a character", frame(FINAL_TEXT, &[0xe2, 0x82]), 1007),
        (
            "10 a frame that would fill the memory",
            announces_2_63_bytes,
            1009,
        ),
        (
            "11 one byte too many",
            frame(FINAL_TEXT, &vec![b' '; 262_145]),
            1009,
        ),
        (
            "11 one byte too many in pieces",
            [frame(FIRST_TEXT, &vec![b' '; 262_144]), frame(LAST, b" ")].concat(),
            1009,
        ),
        (
            "12 ten thousand empty fragments",
            [frame(FIRST_TEXT, b""), frame(MORE, b"").repeat(10_000)].concat(),
            1008,
        ),
        (
            "12 the 65th fragment",
            [frame(FIRST_TEXT, b""), frame(MORE, b"").repeat(64)].concat(),
            1008,
        ),
        ("13 a binary frame", frame(0x82, b"{}"), 1003),
        ("14 half a close code", frame(CLOSE, &[3]), 1002),
        (
            "14 a reason that is no text",
            frame(CLOSE, &[0x03, 0xe8, 0xc0, 0x80]),
            1007,
        ),
        (
            "16 ten thousand pings",
            frame(FINAL_PING, b"x").repeat(10_000),
            1008,
        ),
        ("16 thirty pings", frame(FINAL_PING, b"x").repeat(30), 1008),
        ("16 thirty pongs", frame(0x8a, b"x").repeat(30), 1008),
    ];
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        violations.push(("3 a reserved opcode", frame(0x80 | opcode, b""), 1002));
    }
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1100, 2000, 5000] {
        let close = frame(CLOSE, &code.to_be_bytes());
        violations.push(("14 a close code that nobody may send", close, 1002));
    }
    let named = violations.into_iter();
    named
        .map(|(input, bytes, code)| (format!("{input}: {:02x?}", bytes.get(..2)), bytes, code))
        .collect()
}

#[tokio::test]
async fn inputs_1_to_16_each_violation_of_the_websocket_protocol_has_its_close_code() {
    let server = TestServer::watched_demo(&[]).await;
    for (violation, bytes, code) in violations() {
        let mut client = RawClient::upgraded(server.address, "framing").await;
        client.send(&bytes).await;
        assert_eq!(client.close_code().await, code, "{violation}");
        server.takes_a_turn(&violation).await;
    }
    server.stop().await;
}

/// What the server says to these bytes, and to a close behind them.
async fn said_to(server: &TestServer, bytes: &[u8]) -> String {
    let mut client = RawClient::upgraded(server.address, "said").await;
    client.send(bytes).await;
    client.send(&frame(CLOSE, &1000_u16.to_be_bytes())).await;
    client.answer().await
}

#[tokio::test]
async fn input_9_a_character_may_be_cut_by_the_border_of_two_frames() {
    let server = TestServer::watched_demo(&[]).await;
    let euro = "€".as_bytes();
    let first = [br#"{"type":"ping","nonce":""#, euro.get(..1).unwrap()].concat();
    let second = [euro.get(1..).unwrap(), br#""}"#].concat();
    let both = [frame(FIRST_TEXT, &first), frame(LAST, &second)].concat();
    let answer = said_to(&server, &both).await;
    assert!(
        answer.contains(r#"{"type":"pong","nonce":"€"}"#),
        "{answer}"
    );
    server.takes_a_turn("input 9").await;
    server.stop().await;
}

#[tokio::test]
async fn inputs_11_and_12_the_largest_message_and_the_most_fragments_are_taken() {
    let server = TestServer::watched_demo(&[]).await;
    let ping = br#"{"type":"ping","nonce":"taken"}"#;
    let mut largest = ping.to_vec();
    largest.resize(262_144, b' ');
    let in_pieces = [
        frame(FIRST_TEXT, ping),
        frame(MORE, b"").repeat(62),
        frame(LAST, b""),
    ]
    .concat();
    for bytes in [frame(FINAL_TEXT, &largest), in_pieces.repeat(3)] {
        let answer = said_to(&server, &bytes).await;
        assert!(answer.contains(r#""nonce":"taken""#), "{answer}");
    }
    server.takes_a_turn("inputs 11 and 12").await;
    server.stop().await;
}

#[tokio::test]
async fn input_15_what_comes_after_a_close_is_not_read() {
    let server = TestServer::watched_demo(&[]).await;
    let mut client = RawClient::upgraded(server.address, "after-close").await;
    let close = frame(CLOSE, &1000_u16.to_be_bytes());
    let ping = frame(FINAL_TEXT, br#"{"type":"ping","nonce":"late"}"#);
    client.send(&[close, ping].concat()).await;
    let answer = client.answer().await;
    assert!(!answer.contains("late"), "{answer}");
    server.takes_a_turn("input 15").await;
    server.stop().await;
}

#[tokio::test]
async fn input_19_no_compression_is_granted_and_nothing_compressed_is_read() {
    let server = TestServer::watched_demo(&[]).await;
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    let (mut client, head) = RawClient::upgraded_with(server.address, "bomb", offer).await;
    let head = head.to_lowercase();
    assert!(!head.contains("sec-websocket-extensions"), "{head}");
    client.send(&frame(FINAL_TEXT | 0x40, &[0xaa; 1000])).await;
    assert_eq!(client.close_code().await, 1002);
    server.takes_a_turn("input 19").await;
    server.stop().await;
}

#[tokio::test]
async fn input_20_an_answer_is_stored_although_its_reader_has_half_closed() {
    let server = TestServer::watched_demo(&[("demo.delay_ms", "5")]).await;
    let mut client = RawClient::upgraded(server.address, "half").await;
    let say = br#"{"type":"user_message","id":"m1","content":"Hello."}"#;
    client.send(&frame(FINAL_TEXT, say)).await;
    // Until the message is taken, the session has nothing to answer.
    let path = server.url("/api/sessions/half/events?type=user_message,ai_response");
    let events = async || -> Value { reqwest::get(&path).await.unwrap().json().await.unwrap() };
    let count = async || events().await["events"].as_array().map_or(0, Vec::len);
    while count().await == 0 {
        sleep(Duration::from_millis(10)).await;
    }
    client.finish_sending().await;
    client.until_left().await;
    while count().await < 2 {
        sleep(Duration::from_millis(10)).await;
    }
    server.takes_a_turn("input 20").await;
    server.stop().await;
}
