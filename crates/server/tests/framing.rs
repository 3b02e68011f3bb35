//! WebSocket frames as no client should send them: each violation has its close code.

mod common;

use common::{FINAL_PING, FINAL_TEXT, RawClient, TestServer, frame};

#[tokio::test]
async fn each_violation_of_the_websocket_protocol_has_its_close_code() {
    let server = TestServer::demo().await;
    let unmasked = vec![FINAL_TEXT, 2, b'{', b'}'];
    let announces_2_63_bytes = [
        &[FINAL_TEXT, 0x80 | 127][..],
        &(i64::MAX as u64).to_be_bytes(),
        &[0; 4],
    ]
    .concat();
    let violations: Vec<(&str, Vec<u8>, u16)> = vec![
        ("a frame without a mask", unmasked, 1002),
        ("a reserved bit", frame(FINAL_TEXT | 0x40, b"{}"), 1002),
        ("a reserved data opcode", frame(0x83, b"{}"), 1002),
        ("a reserved control opcode", frame(0x8b, b""), 1002),
        ("a ping of 126 bytes", frame(FINAL_PING, &[0; 126]), 1002),
        ("a ping in pieces", frame(0x09, b""), 1002),
        ("a continuation of nothing", frame(0x80, b"{}"), 1002),
        (
            "a text inside a text",
            [frame(0x01, b"{"), frame(FINAL_TEXT, b"{}")].concat(),
            1002,
        ),
        ("a close with half a code", frame(0x88, &[3]), 1002),
        (
            "a close with a reserved code",
            frame(0x88, &1005_u16.to_be_bytes()),
            1002,
        ),
        (
            "a close whose reason is no text",
            frame(0x88, &[0x03, 0xe8, 0xc0, 0x80]),
            1007,
        ),
        ("an overlong NUL", frame(FINAL_TEXT, &[0xc0, 0x80]), 1007),
        ("a surrogate", frame(FINAL_TEXT, &[0xed, 0xa0, 0x80]), 1007),
        (
            "beyond Unicode",
            frame(FINAL_TEXT, &[0xf4, 0x90, 0x80, 0x80]),
            1007,
        ),
        ("half a character", frame(FINAL_TEXT, &[0xe2, 0x82]), 1007),
        ("a binary frame", frame(0x82, b"{}"), 1003),
        (
            "a frame that would fill the memory",
            announces_2_63_bytes,
            1009,
        ),
        (
            "one byte too many",
            frame(FINAL_TEXT, &vec![b' '; 262_145]),
            1009,
        ),
        (
            "one byte too many in pieces",
            [frame(0x01, &vec![b' '; 262_144]), frame(0x80, b" ")].concat(),
            1009,
        ),
        ("a flood of pings", frame(FINAL_PING, b"x").repeat(30), 1008),
        ("a flood of pongs", frame(0x8a, b"x").repeat(30), 1008),
    ];
    for (violation, bytes, code) in violations {
        let mut client = RawClient::upgraded(server.address, "framing").await;
        client.send(&bytes).await;
        assert_eq!(client.close_code().await, code, "{violation}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_character_may_be_cut_by_the_border_of_two_frames() {
    let server = TestServer::demo().await;
    let mut client = RawClient::upgraded(server.address, "fragments").await;
    let euro = "€".as_bytes();
    let first = [br#"{"type":"ping","nonce":""#, &euro[..1]].concat();
    let second = [&euro[1..], br#""}"#].concat();
    client
        .send(&[frame(0x01, &first), frame(0x80, &second)].concat())
        .await;
    client.send(&frame(0x88, &1000_u16.to_be_bytes())).await;
    let answer = client.answer().await;
    assert!(
        answer.contains(r#"{"type":"pong","nonce":"€"}"#),
        "{answer}"
    );
    server.stop().await;
}

#[tokio::test]
async fn what_comes_after_a_close_is_not_read() {
    let server = TestServer::demo().await;
    let mut client = RawClient::upgraded(server.address, "after-close").await;
    let close = frame(0x88, &1000_u16.to_be_bytes());
    let ping = frame(FINAL_TEXT, br#"{"type":"ping","nonce":"late"}"#);
    client.send(&[close, ping].concat()).await;
    let answer = client.answer().await;
    assert!(!answer.contains("late"), "{answer}");
    server.stop().await;
}
