//! What the guard lets through, whatever the reads are cut into.

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::{Instant, timeout};

use super::*;

/// A frame with a mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match u16::try_from(payload.len()) {
        Ok(short @ 0..126) => frame.push(0x80 | u8::try_from(short).unwrap()),
        Ok(medium) => {
            frame.push(0x80 | 126);
            frame.extend(medium.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

fn violation(error: &io::Error) -> Violation {
    *error.get_ref().unwrap().downcast_ref().unwrap()
}

/// Sends `bytes` in pieces of `size`; what came through before the first error, and the error.
async fn through(bytes: &[u8], size: usize) -> (Vec<u8>, Option<Violation>) {
    let (mut client, server) = duplex(bytes.len() + 1);
    let mut guard = FrameGuard::new(server, 64);
    let mut came = Vec::new();
    let mut buffer = [0; 8192];
    for piece in bytes.chunks(size) {
        client.write_all(piece).await.unwrap();
        match guard.read(&mut buffer).await {
            Ok(count) => came.extend(&buffer[..count]),
            Err(error) => return (came, Some(violation(&error))),
        }
    }
    drop(client);
    match guard.read_to_end(&mut came).await {
        Ok(_) => (came, None),
        Err(error) => (came, Some(violation(&error))),
    }
}

#[tokio::test]
async fn as_many_fragments_pass_as_a_message_may_have_and_no_more() {
    let fragmented = |count: usize| {
        let mut bytes = frame(0x81, b"whole");
        bytes.extend(frame(0x01, b"first"));
        for _ in 1..count - 1 {
            bytes.extend(frame(0x89, b"a ping counts for nothing"));
            bytes.extend(frame(0x00, b""));
        }
        bytes.extend(frame(0x80, &[b'x'; 70_000]));
        bytes
    };
    for size in [1, 2, 7, 100, 4096] {
        let twice = fragmented(64).repeat(2);
        let (came, found) = through(&twice, size).await;
        assert_eq!((came == twice, found), (true, None), "{size}");
        let (came, found) = through(&fragmented(65), size).await;
        assert_eq!(found, Some(Violation::TooManyFragments), "{size}");
        let last = fragmented(65).len() - frame(0x80, &[b'x'; 70_000]).len();
        assert!(
            (last..last + 14).contains(&came.len()),
            "{size}: {}",
            came.len()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_complete_in_time_is_given_up_however_it_dribbles() {
    for dribble in [&frame(0x81, &[b' '; 100])[..], &frame(0x01, b"").repeat(50)] {
        let (mut client, server) = duplex(1024);
        let mut guard = FrameGuard::new(server, 64);
        let begun = Instant::now();
        let mut bytes = dribble.iter();
        let mut buffer = [0; 64];
        let error = loop {
            client.write_all(&[*bytes.next().unwrap()]).await.unwrap();
            let second = async {
                loop {
                    let _read = guard.read(&mut buffer).await?;
                }
            };
            match timeout(Duration::from_secs(1), second).await {
                Ok(Ok::<(), io::Error>(())) => unreachable!(),
                Ok(Err(error)) => break error,
                Err(_elapsed) => {}
            }
        };
        assert_eq!(violation(&error), Violation::TooSlow);
        assert_eq!(begun.elapsed().as_secs(), 30);
    }
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_between_messages_has_all_the_time() {
    let (mut client, server) = duplex(1024);
    let mut guard = FrameGuard::new(server, 64);
    let mut buffer = [0; 64];
    for _ in 0..3 {
        let message = [frame(0x01, b"a"), frame(0x80, b"b")].concat();
        for half in [&message[..3], &message[3..]] {
            client.write_all(half).await.unwrap();
            assert!(guard.read(&mut buffer).await.unwrap() > 0);
            let silence = timeout(Duration::from_secs(20), guard.read(&mut buffer));
            assert!(silence.await.is_err());
        }
    }
    let silence = timeout(Duration::from_secs(3600), guard.read(&mut buffer));
    assert!(silence.await.is_err());
}
