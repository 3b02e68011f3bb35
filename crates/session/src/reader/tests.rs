//! The queue by itself: what it bounds, joins, and says at its end.

use patter_protocol::{LiveEvent, Pong, ResponseId, ServerMessage};

use super::*;

fn frame(bytes: usize) -> Frame {
    Frame::live(LiveEvent::Pong(Pong {
        nonce: Some("x".repeat(bytes)),
    }))
}

fn piece(response_id: ResponseId, index: u64) -> Token {
    Token {
        response_id,
        index,
        content: format!("{index} "),
        count: None,
    }
}

fn push_piece(reader: &Reader, token: &Token) -> bool {
    reader.push_piece(token, Instant::now(), &mut None)
}

async fn next_piece(queue: &mut ReaderQueue) -> Token {
    match queue.next().await.unwrap().message().unwrap() {
        ServerMessage::Live(LiveEvent::Token(token)) => token,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_closed_by_frames_and_by_bytes() {
    let (reader, _gone, mut queue) = queue();
    for _ in 0..MAX_QUEUED_FRAMES {
        assert!(reader.push(&frame(1)));
    }
    assert!(!reader.push(&frame(1)));
    assert_eq!(queue.next().await, Err(CloseCode::TooSlow));

    let (reader, _gone, mut queue) = super::queue();
    assert!(reader.push(&frame(MAX_QUEUED_BYTES / 2)));
    assert!(!reader.push(&frame(MAX_QUEUED_BYTES / 2)));
    assert_eq!(queue.next().await, Err(CloseCode::TooSlow));
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_closed_by_the_bytes_of_text() {
    let (reader, _gone, mut queue) = queue();
    let response_id = ResponseId::generate();
    let mut bytes = 0;
    let mut index = 0;
    while push_piece(&reader, &piece(response_id, index)) {
        bytes += piece(response_id, index).content.len();
        index += 1;
    }
    assert!(bytes > MAX_QUEUED_BYTES * 3 / 4, "{bytes} bytes of text");
    assert!(bytes <= MAX_QUEUED_BYTES, "{bytes} bytes of text");
    assert_eq!(queue.next().await, Err(CloseCode::TooSlow));
}

#[tokio::test]
async fn pieces_of_one_answer_are_joined_for_a_reader_that_lags() {
    let (reader, _gone, mut queue) = queue();
    let (one, two) = (ResponseId::generate(), ResponseId::generate());
    let mut expected = String::new();
    for index in 0..1_000 {
        assert!(push_piece(&reader, &piece(one, index)));
        expected.push_str(&format!("{index} "));
    }
    assert!(push_piece(&reader, &piece(two, 0)));
    assert!(reader.push(&frame(1)));
    assert!(push_piece(&reader, &piece(two, 1)));
    let (mut told, mut frames) = (String::new(), 0);
    let mut pieces = 0;
    while pieces < 1_000 {
        let token = next_piece(&mut queue).await;
        told.push_str(&token.content);
        pieces += token.count.unwrap_or(1);
        frames += 1;
        assert_eq!(
            (token.response_id, token.index),
            (one, u64::from(pieces) - 1)
        );
    }
    assert_eq!(told, expected);
    assert!(frames < 700, "{frames} frames");
    assert_eq!(next_piece(&mut queue).await, piece(two, 0));
    assert_eq!(queue.next().await, Ok(frame(1)));
    assert_eq!(next_piece(&mut queue).await, piece(two, 1));
    assert_eq!(lock(&queue.queue).bytes, 0);
}

#[tokio::test]
async fn pieces_are_not_joined_for_a_reader_that_keeps_up() {
    let (reader, _gone, mut queue) = queue();
    let response_id = ResponseId::generate();
    for index in 0..10 {
        assert!(push_piece(&reader, &piece(response_id, index)));
    }
    for index in 0..10 {
        assert_eq!(next_piece(&mut queue).await, piece(response_id, index));
    }
}

#[tokio::test]
async fn a_piece_is_made_into_a_frame_once_for_all_readers() {
    let ((one, _one_gone, mut first), (two, _two_gone, mut second)) = (queue(), queue());
    let token = piece(ResponseId::generate(), 0);
    let mut frame = None;
    assert!(one.push_piece(&token, Instant::now(), &mut frame));
    assert!(two.push_piece(&token, Instant::now(), &mut frame));
    let (first, second) = (first.next().await.unwrap(), second.next().await.unwrap());
    assert_eq!(first.bytes().as_ptr(), second.bytes().as_ptr());
}

#[tokio::test]
async fn one_frame_may_be_larger_than_the_queue() {
    let (reader, _gone, mut queue) = queue();
    assert!(reader.push(&frame(2 * MAX_QUEUED_BYTES)));
    assert!(queue.next().await.is_ok());
    assert!(reader.push(&frame(1)));
}

#[tokio::test]
async fn what_waits_is_delivered_before_the_close_code() {
    let (reader, _gone, mut queue) = queue();
    assert!(reader.push(&frame(1)));
    reader.close(CloseCode::Normal);
    drop(reader);
    assert!(queue.next().await.is_ok());
    assert_eq!(queue.next().await, Err(CloseCode::Normal));
}

#[tokio::test]
async fn a_reader_that_waits_is_woken_by_a_frame_and_by_the_end() {
    let (reader, _gone, mut queue) = queue();
    let told = async {
        tokio::task::yield_now().await;
        assert!(reader.push(&frame(1)));
        tokio::task::yield_now().await;
        reader.close(CloseCode::Moved);
        drop(reader);
    };
    let heard = async {
        assert_eq!(queue.next().await, Ok(frame(1)));
        assert_eq!(queue.next().await, Err(CloseCode::Moved));
    };
    tokio::join!(heard, told);
}

#[tokio::test]
async fn a_reader_that_left_is_noticed() {
    let (reader, gone, queue) = queue();
    drop(queue);
    assert!(gone.await.is_err());
    assert!(reader.is_gone());
    assert!(!reader.push(&frame(1)));
}
