//! P19: the process does not die of bad input. Hundreds of malformed frames, handshakes and requests go
//! in by raw sockets; then a fresh session completes a turn, and nothing has grown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use patter_faults::process;
use patter_faults::raw::{self, RawSocket, TEXT, frame};
use tokio::time::sleep;

use super::p15_overload::one_turn;
use crate::runner::{Outcome, World};
use crate::scene::{SOON, Stage, Store};

/// What is sent on an open WebSocket, and the codes that may close it; none where it may stay open.
fn frames() -> Vec<(&'static str, Vec<u8>, &'static [u16])> {
    let masked = |first: u8, payload: &[u8]| frame(first, payload);
    let long_header = |length: u64| {
        let mut header = vec![TEXT, 0x80 | 127];
        header.extend(length.to_be_bytes());
        header.extend([0; 4]);
        header
    };
    let mut list = vec![
        ("an unmasked frame", vec![TEXT, 2, b'{', b'}'], &[1002][..]),
        ("a ping of 126 bytes", masked(0x89, &[b'x'; 126]), &[1002]),
        ("a fragmented ping", masked(0x09, b"x"), &[1002]),
        ("a continuation of nothing", masked(0x80, b"x"), &[1002]),
        (
            "a message within a message",
            [masked(0x01, b"a"), masked(0x81, b"b")].concat(),
            &[1002],
        ),
        ("an overlong character", masked(TEXT, b"\xc0\x80"), &[1007]),
        ("a surrogate", masked(TEXT, b"\xed\xa0\x80"), &[1007]),
        (
            "a character beyond the last",
            masked(TEXT, b"\xf4\x90\x80\x80"),
            &[1007],
        ),
        ("half a character", masked(TEXT, b"\xe2\x82"), &[1007]),
        (
            "2^63-1 bytes to come",
            long_header(i64::MAX as u64),
            &[1009, 1002],
        ),
        (
            "a byte too many",
            masked(TEXT, &vec![b' '; 262_145]),
            &[1009],
        ),
        ("binary", masked(0x82, b"{}"), &[1003]),
        ("a close with one byte", masked(0x88, b"\x03"), &[1002]),
        (
            "a close whose reason is no text",
            masked(0x88, b"\x03\xe8\xff\xff"),
            &[1007, 1002, 1000],
        ),
        (
            "not JSON, twenty times",
            masked(TEXT, b"{").repeat(20),
            &[1008],
        ),
        (
            "twenty unknown types",
            masked(TEXT, b"{\"type\":\"dance\"}").repeat(20),
            &[1008],
        ),
        ("a flood of pings", masked(0x89, b"").repeat(1_000), &[1008]),
        (
            "deep JSON, twenty times",
            masked(TEXT, &b"[".repeat(100_000)).repeat(20),
            &[1008],
        ),
    ];
    for rsv in [0x40, 0x20, 0x10] {
        list.push(("a reserved bit", masked(TEXT | rsv, b"{}"), &[1002]));
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        list.push(("a reserved opcode", masked(0x80 | opcode, b"x"), &[1002]));
    }
    for code in [0_u16, 999, 1004, 1005, 1006, 1100, 2000, 2999, 5000, 65535] {
        let close = masked(0x88, &code.to_be_bytes());
        list.push(("a close code that may not be sent", close, &[1002]));
    }
    list
}

/// JSON that is refused by one `error`, with the connection left open.
const REFUSED: &[&str] = &[
    "",
    "{",
    "null",
    "[]",
    "7",
    "\"x\"",
    "{}",
    "{\"type\":null}",
    "{\"type\":7}",
    "{\"type\":\"user_message\"}",
    "{\"type\":\"user_message\",\"content\":\"\"}",
    "{\"type\":\"user_message\",\"content\":\"   \"}",
    "{\"type\":\"user_message\",\"content\":7}",
    "{\"type\":\"user_message\",\"content\":\"a\\u0000b\"}",
    "{\"type\":\"user_message\",\"content\":\"a\",\"content\":\"b\"}",
    "{\"type\":\"user_message\",\"content\":\"a\",\"id\":\"\"}",
    "{\"type\":\"user_message\",\"content\":\"a\",\"metadata\":[]}",
    "{\"type\":\"user_message\",\"content\":\"\\ud800\"}",
    "{\"type\":\"cancel\"}",
    "{\"type\":\"regenerate\"}",
    "{\"type\":\"tool_approval\",\"call_id\":\"x\",\"approve\":true}",
    "{\"type\":\"user_message\",\"content\":1e999}",
];

/// Requests, as a person would write their lines, and the statuses that answer them.
const REQUESTS: &[(&str, &[u16])] = &[
    ("GET /ws/session/a HTTP/1.1\nHost: localhost\n\n", &[426]),
    (
        "POST /ws/session/a HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n",
        &[405],
    ),
    (
        "GET /ws/session/a HTTP/1.1\nHost: localhost\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 8\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n",
        &[426],
    ),
    (
        "GET /ws/session/a HTTP/1.1\nHost: localhost\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n\n",
        &[400],
    ),
    (
        "GET /ws/session/a HTTP/1.1\nHost: localhost\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: short\n\n",
        &[400],
    ),
    (
        "GET /ws/session/a HTTP/1.1\nHost: localhost\nOrigin: https://evil.example\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n",
        &[403],
    ),
    (
        "GET /ws/session/..%2f..%2fetc HTTP/1.1\nHost: localhost\n\n",
        &[400, 404],
    ),
    ("GET /ws/session/%00 HTTP/1.1\nHost: localhost\n\n", &[400]),
    ("GET /ws/session/-x HTTP/1.1\nHost: localhost\n\n", &[400]),
    (
        "GET /ws/session/a%0d%0aSet-Cookie:x HTTP/1.1\nHost: localhost\n\n",
        &[400],
    ),
    (
        "GET /ws/session/%c0%ae HTTP/1.1\nHost: localhost\n\n",
        &[400],
    ),
    (
        "GET /ws/session/a?after=-1 HTTP/1.1\nHost: localhost\n\n",
        &[400, 426],
    ),
    (
        "GET /ws/session/a?after=1e3 HTTP/1.1\nHost: localhost\n\n",
        &[400, 426],
    ),
    (
        "GET /ws/session/a?after=9223372036854775808 HTTP/1.1\nHost: localhost\n\n",
        &[400, 426],
    ),
    (
        "GET /api/sessions/nobody HTTP/1.1\nHost: localhost\n\n",
        &[404],
    ),
    (
        "GET /api/sessions/a/events?limit=0 HTTP/1.1\nHost: localhost\n\n",
        &[400],
    ),
    ("GET /health HTTP/1.1\n\n", &[200, 400]),
    ("GET /health HTTP/1.1\nHost: a\nHost: b\n\n", &[200, 400]),
    ("GET /health HTTP/1.1\nHost : a\n\n", &[400]),
    (
        "GET /health HTTP/1.1\nHost: localhost\n folded\n\n",
        &[200, 400],
    ),
    (
        "POST /health HTTP/1.1\nHost: localhost\nContent-Length: +5\n\nhello",
        &[400, 405],
    ),
    (
        "POST /health HTTP/1.1\nHost: localhost\nContent-Length: 5\nContent-Length: 6\n\nhello",
        &[400, 405],
    ),
    (
        "POST /health HTTP/1.1\nHost: localhost\nContent-Length: 5\nTransfer-Encoding: chunked\n\n0\n\n",
        &[400, 405],
    ),
    (
        "POST /health HTTP/1.1\nHost: localhost\nTransfer-Encoding: xchunked\n\n0\n\n",
        &[400, 405, 501],
    ),
    (
        "POST /health HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n-1\n\n",
        &[400, 405],
    ),
    ("GET /health HTTP/3.7\nHost: localhost\n\n", &[400, 505]),
    ("get /health HTTP/1.1\nHost: localhost\n\n", &[400, 405]),
    (
        "CONNECT x:80 HTTP/1.1\nHost: localhost\n\n",
        &[400, 404, 405],
    ),
    ("TRACE / HTTP/1.1\nHost: localhost\n\n", &[404, 405]),
    (
        "OPTIONS * HTTP/1.1\nHost: localhost\n\n",
        &[200, 204, 400, 404, 405],
    ),
    ("\u{0}\u{1}\u{2}\n\n", &[400]),
    ("PRI * HTTP/2.0\n\nSM\n\n", &[400, 505]),
];

pub(crate) async fn malformed(world: Arc<World>) -> Outcome {
    let store = Store::shared(&world).await?;
    let mut scene = Stage::new(&world, store).start(1).await?;
    let address = scene.nodes[0].address();
    let pid = scene.nodes[0].pid().unwrap();
    one_turn(&mut scene, "p19-before").await?;
    // Once to warm up, so that what is kept for good is there.
    let mut sent = all(address, 0).await?;
    sleep(Duration::from_secs(2)).await;
    let before = process::usage(pid)?;
    for time in 1..=world.loops(3, 200) {
        sent += all(address, time).await?;
    }
    one_turn(&mut scene, "p19-after").await?;
    sleep(Duration::from_secs(3)).await;
    let after = process::usage(pid)?;
    ensure!(
        after.resident_kib < before.resident_kib + 24 * 1_024,
        "memory grew from {} to {} KiB",
        before.resident_kib,
        after.resident_kib
    );
    ensure!(
        after.files <= before.files + 8 && after.threads <= before.threads + 4,
        "files grew from {} to {}, threads from {} to {}",
        before.files,
        after.files,
        before.threads,
        after.threads
    );
    ensure!(
        scene.nodes[0].pid() == Some(pid),
        "the process was another one"
    );
    scene.figures.add("malformed inputs", sent);
    scene.finalized(2 * SOON).await?;
    // Sessions of malformed clients have no client log, and no message either.
    scene.verdict(true).await
}

async fn all(address: SocketAddr, time: usize) -> anyhow::Result<usize> {
    let frames = frames();
    let on_sockets = frames
        .iter()
        .enumerate()
        .map(|(number, (name, bytes, codes))| async move {
            let rest = format!("p19-{time}-{number}");
            let mut socket = RawSocket::upgraded(address, &rest, None).await?;
            // A server that has closed already does not take the rest.
            let _closed = socket.send(bytes).await;
            let code = socket
                .close_code(SOON)
                .await
                .with_context(|| format!("after {name}"))?;
            ensure!(
                code.is_some_and(|code| codes.contains(&code)),
                "{name} was closed by {code:?} instead of {codes:?}"
            );
            anyhow::Ok(())
        });
    try_join_all(on_sockets).await?;
    refused(address, time).await?;
    let requests = REQUESTS.iter().map(|(text, statuses)| async move {
        let mut socket = RawSocket::connect(address, None).await?;
        let bytes = text.replace('\n', "\r\n");
        socket.send(bytes.as_bytes()).await?;
        socket.half_close().await?;
        let answer = socket
            .rest(SOON)
            .await
            .with_context(|| format!("{text:?}"))?;
        // Nothing at all is an answer to what is no HTTP, and HTTP/2 one to its preface.
        if answer.is_empty() || (text.starts_with("PRI") && !answer.starts_with(b"HTTP/1")) {
            return Ok(());
        }
        let status = raw::parse(&answer)
            .with_context(|| format!("{text:?} was answered by {answer:?}"))?
            .status;
        ensure!(
            statuses.contains(&status),
            "{text:?} was answered by {status} instead of {statuses:?}"
        );
        anyhow::Ok(())
    });
    try_join_all(requests).await?;
    let long = too_long(address).await?;
    Ok(frames.len() + REFUSED.len() + REQUESTS.len() + long)
}

/// Each is answered by one `error`, and a ping in between keeps the count of refusals from closing.
async fn refused(address: SocketAddr, time: usize) -> anyhow::Result<()> {
    let mut socket = RawSocket::upgraded(address, &format!("p19-refused-{time}"), None).await?;
    for text in REFUSED {
        socket.send(&frame(TEXT, text.as_bytes())).await?;
        socket.send(&frame(TEXT, b"{\"type\":\"ping\"}")).await?;
        let mut errors = 0;
        loop {
            let next = socket.frame(SOON).await?;
            let (_, payload) = next.with_context(|| format!("{text:?} ended the connection"))?;
            let event: serde_json::Value = serde_json::from_slice(&payload)?;
            match event["type"].as_str() {
                Some("error") => errors += 1,
                Some("pong") => break,
                _ => {}
            }
        }
        ensure!(errors == 1, "{text:?} was answered by {errors} errors");
    }
    Ok(())
}

/// Requests that are longer than any may be. Answers with how many there were.
async fn too_long(address: SocketAddr) -> anyhow::Result<usize> {
    let long = [
        format!(
            "GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "a".repeat(70_000)
        ),
        format!(
            "GET /health HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
            "a".repeat(600_000)
        ),
        format!(
            "GET /health HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
            "X: y\r\n".repeat(1_000)
        ),
        format!(
            "GET /ws/session/{} HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "a".repeat(129)
        ),
    ];
    for request in &long {
        let mut socket = RawSocket::connect(address, None).await?;
        let _closed = socket.send(request.as_bytes()).await;
        let _closed = socket.half_close().await;
        let answer = socket.rest(SOON).await?;
        let is_refusal = answer.is_empty() || (400..500).contains(&raw::parse(&answer)?.status);
        ensure!(is_refusal, "a request that is too long was granted");
    }
    Ok(long.len())
}
