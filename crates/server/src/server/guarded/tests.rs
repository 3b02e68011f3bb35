//! What the parser gets to see, whatever the reads are cut into.

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::{Instant, timeout};

use super::*;

/// What comes through of `bytes`, sent in pieces of `size`; with what was refused, or that a body was broken.
async fn through(bytes: &[u8], size: usize) -> (String, Option<RefusedHead>, bool) {
    let (mut client, server) = duplex(1 << 20);
    let mut guarded = Guarded::new(server);
    let mut came = Vec::new();
    let mut buffer = [0; 700];
    let mut is_broken = false;
    let mut pieces = bytes.chunks(size);
    while !is_broken {
        match timeout(Duration::from_millis(1), guarded.read(&mut buffer)).await {
            Ok(Ok(count)) => came.extend(&buffer[..count]),
            Ok(Err(_)) => is_broken = true,
            // It waits for more.
            Err(_elapsed) => match pieces.next() {
                Some(piece) => client.write_all(piece).await.unwrap(),
                None => break,
            },
        }
    }
    let refused = guarded.word().refused();
    (String::from_utf8(came).unwrap(), refused, is_broken)
}

const GOOD: &str = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n\
    POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe\r\no\r\n\
    POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
    5;x=y\r\nGET /\r\n0\r\nX: y\r\n\r\nGET /d HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn good_requests_come_through_as_they_are() {
    for size in [1, 3, 50, 10_000] {
        let (came, refused, is_broken) = through(GOOD.as_bytes(), size).await;
        assert_eq!(came, GOOD, "{size}");
        assert_eq!((refused, is_broken), (None, false), "{size}");
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_place_of_a_bad_one_stands_a_head_that_says_so_and_nothing_after_it() {
    let bad = "POST /e HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let sent = format!("{GOOD}{bad}0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    for size in [1, 3, 50, 10_000] {
        let (came, refused, _) = through(sent.as_bytes(), size).await;
        let said = str::from_utf8(REFUSED_HEAD).unwrap();
        assert_eq!(came, format!("{GOOD}{said}"), "{size}");
        assert!(matches!(refused, Some(RefusedHead::Malformed(_))), "{size}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_body_ends_the_connection_before_what_is_behind_it() {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for size in [1, 3, 50, 10_000] {
        let sent = format!("{head}3\nabc\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        let (came, refused, is_broken) = through(sent.as_bytes(), size).await;
        assert!(
            came.starts_with(head) && !came.contains("smuggled"),
            "{came}"
        );
        assert_eq!((refused, is_broken), (None, true));
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_after_an_upgrade_is_nobodys_business() {
    let sent = "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n\0\n\n any \r bytes\n\n";
    for size in [1, 3, 50, 10_000] {
        let (came, refused, is_broken) = through(sent.as_bytes(), size).await;
        assert_eq!(came, sent, "{size}");
        assert_eq!((refused, is_broken), (None, false), "{size}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_due_is_waited_for_ten_seconds_and_who_rests_between_two_is_not_hurried() {
    for begun in ["", "GET / HTTP/1.1\r\nHost: a\r\nX: "] {
        let (mut client, server) = duplex(1000);
        let mut guarded = Guarded::new(server);
        client.write_all(begun.as_bytes()).await.unwrap();
        let start = Instant::now();
        let mut buffer = [0; 100];
        let error = guarded.read(&mut buffer).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), 10);
    }
    let (mut client, server) = duplex(1000);
    let mut guarded = Guarded::new(server);
    let mut buffer = [0; 1000];
    for _ in 0..2 {
        client.write_all(GOOD.as_bytes()).await.unwrap();
        let mut left = GOOD.len();
        while left > 0 {
            left -= guarded.read(&mut buffer).await.unwrap();
        }
        let rest = timeout(Duration::from_secs(60), guarded.read(&mut buffer));
        assert!(rest.await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn who_takes_no_answer_for_ten_seconds_is_left() {
    let (mut client, server) = duplex(1000);
    let mut guarded = Guarded::new(server);
    let begun = Instant::now();
    let answer = [b'x'; 4000];
    let (written, ()) = tokio::join!(guarded.write_all(&answer), async {
        let mut some = [0; 900];
        for _ in 0..3 {
            sleep(Duration::from_secs(9)).await;
            client.read_exact(&mut some).await.unwrap();
        }
    });
    assert_eq!(written.unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(begun.elapsed().as_secs(), 37);
}

#[tokio::test(start_paused = true)]
async fn to_ask_for_another_protocol_buys_no_patience_but_to_get_it_does() {
    const ASKED: &[u8] = b"GET /export HTTP/1.1\r\nHost: a\r\nUpgrade: any\r\n\r\n";
    for is_granted in [false, true] {
        let (mut client, server) = duplex(1000);
        let mut guarded = Guarded::new(server);
        client.write_all(ASKED).await.unwrap();
        guarded.read_exact(&mut [0; ASKED.len()]).await.unwrap();
        if is_granted {
            guarded.word().upgraded();
        }
        let written = timeout(Duration::from_secs(60), guarded.write_all(&[b'x'; 4000])).await;
        match written {
            Ok(written) => assert!(!is_granted && written.is_err()),
            Err(_elapsed) => assert!(is_granted, "who takes nothing is waited for"),
        }
    }
}
