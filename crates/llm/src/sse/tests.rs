//! How long a body is waited for.

use std::time::Duration;

use futures_util::stream;
use tokio::time::sleep;

use super::*;

const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(1),
    headers: Duration::from_secs(1),
    first_token: Duration::from_secs(45),
    next_token: Duration::from_secs(30),
    whole_answer: Duration::from_secs(300),
};
const NEVER: Duration = Duration::from_secs(100_000);

/// An answer that says each of these after a wait, again and again.
fn trickle(texts: &'static [(Duration, &'static str)]) -> Pieces {
    let texts = stream::iter(texts.iter().cycle());
    let body = texts.then(|(wait, text)| async {
        sleep(*wait).await;
        Ok(Bytes::from_static(text.as_bytes()))
    });
    let whole = Deadline::new(
        TimeoutPhase::WholeAnswer,
        TIMEOUTS.whole_answer,
        Instant::now(),
    );
    Pieces::new(body, TIMEOUTS, whole, Reporter::new("p".into(), None))
}

/// How many pieces come before the error, the error, and after how long.
async fn until_error(mut pieces: Pieces) -> (usize, LlmError, Duration) {
    let begun = Instant::now();
    let mut count = 0;
    loop {
        match pieces.next().await.unwrap() {
            Ok(_) => {
                count += 1;
                pieces.answer_has_begun();
            }
            Err(error) => return (count, error, begun.elapsed()),
        }
    }
}

async fn expect_timeout(pieces: Pieces, count: usize, phase: TimeoutPhase, elapsed: Duration) {
    let (found, error, time) = until_error(pieces).await;
    let LlmError::Timeout { phase: missed, .. } = error else {
        panic!("{error:?}");
    };
    // A timer goes off up to a millisecond late.
    let off = time.saturating_sub(elapsed);
    assert!(
        time >= elapsed && off < Duration::from_millis(5),
        "{time:?}"
    );
    assert_eq!((found, missed), (count, phase));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_trickles_for_ever_ends_at_its_deadline() {
    const WAIT: Duration = Duration::from_secs(7);
    let whole = TimeoutPhase::WholeAnswer;
    let limit = TIMEOUTS.whole_answer;
    expect_timeout(trickle(&[(WAIT, ": wait\n\n")]), 0, whole, limit).await;
    expect_timeout(
        trickle(&[(WAIT, "d"), (WAIT, "ata: x\n\n")]),
        21,
        whole,
        limit,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_always_there_do_not_outrun_the_deadline() {
    const FIRST: &[(Duration, &str)] = &[(Duration::ZERO, ": wait\n\n")];
    let mut pieces = trickle(FIRST);
    sleep(TIMEOUTS.whole_answer).await;
    let error = pieces.next().await.unwrap().unwrap_err();
    let LlmError::Timeout { phase, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(phase, TimeoutPhase::WholeAnswer);
}

#[tokio::test(start_paused = true)]
async fn silence_ends_at_the_deadline_of_what_is_missing() {
    const SECOND: Duration = Duration::from_secs(1);
    let comments = trickle(&[(SECOND, ": wait\n"), (NEVER, "")]);
    let first = TimeoutPhase::FirstToken;
    expect_timeout(comments, 0, first, SECOND + TIMEOUTS.first_token).await;
    let begun = trickle(&[(SECOND, "data: x\n\n"), (SECOND, ": wait\n"), (NEVER, "")]);
    let next = TimeoutPhase::NextToken;
    expect_timeout(begun, 1, next, 2 * SECOND + TIMEOUTS.next_token).await;
}

#[tokio::test(start_paused = true)]
async fn the_time_that_a_reader_takes_is_not_the_silence_of_the_provider() {
    const SECOND: Duration = Duration::from_secs(1);
    let mut pieces = trickle(&[(SECOND, "data: x\n\n")]);
    for _ in 0..3 {
        assert_eq!(pieces.next().await.unwrap(), Ok("x"));
        sleep(TIMEOUTS.next_token * 2).await;
    }
}
