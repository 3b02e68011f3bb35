//! Asking again, by the clock.

use std::iter::repeat_n;
use std::time::Duration;

use futures_util::future::join_all;
use patter_llm::{ChatModel, Retry, RetryBudget, RetryPolicy};
use patter_testkit::scripted_model::{Reply, ScriptedModel, Step, overloaded};
use tokio::time::{Instant, timeout};

use crate::wrappers::{
    accepted_then, asks_to_wait, broken, error, every_error, question, transcript, whole,
};

fn retrying(replies: impl IntoIterator<Item = Reply>) -> (ScriptedModel, Retry<ScriptedModel>) {
    with_policy(replies, RetryPolicy::default())
}

fn with_policy(
    replies: impl IntoIterator<Item = Reply>,
    policy: RetryPolicy,
) -> (ScriptedModel, Retry<ScriptedModel>) {
    let script = ScriptedModel::new(replies);
    let model = Retry::with_policy(script.clone(), RetryBudget::default(), policy);
    (script, model)
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[tokio::test(start_paused = true)]
async fn a_model_that_fails_is_asked_two_more_times() {
    let refused = Reply::refused(overloaded());
    let (script, model) = retrying([refused.clone(), refused.clone(), whole("Hello.")]);
    assert_eq!(transcript(&model).await, ["text Hello.", "finish Stop"]);
    assert_eq!(script.requests().len(), 3);

    let (script, model) = retrying(repeat_n(refused, 3));
    assert_eq!(transcript(&model).await, ["refused server of scripted"]);
    assert_eq!(script.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_fails_before_its_first_event_is_a_try_that_failed() {
    let nothing = Reply::of([]);
    let (script, model) = retrying([accepted_then(overloaded()), nothing, whole("Hello.")]);
    assert_eq!(transcript(&model).await, ["text Hello.", "finish Stop"]);
    assert_eq!(script.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_error_behind_the_first_event_passes() {
    let (script, model) = retrying([broken("Hel", overloaded())]);
    assert_eq!(
        transcript(&model).await,
        ["text Hel", "error server of scripted"]
    );
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_what_may_pass_is_tried_again_and_never_an_open_circuit() {
    for error in every_error("scripted") {
        let tries = match error.kind() {
            "circuit_open" => 1,
            _ if error.is_retryable() => 3,
            _ => 1,
        };
        let (script, model) = retrying(repeat_n(Reply::refused(error.clone()), 3));
        assert_eq!(model.stream(&question()).await.unwrap_err(), error);
        assert_eq!(script.requests().len(), tries, "{error}");
    }
}

/// How long it takes until so many tries have failed.
async fn time_to_fail(retries: usize) -> Duration {
    let policy = RetryPolicy {
        retries,
        tries_begin_within: Duration::from_secs(3600),
        ..RetryPolicy::default()
    };
    let (script, model) = with_policy(repeat_n(Reply::refused(overloaded()), retries + 1), policy);
    let began = Instant::now();
    model.stream(&question()).await.unwrap_err();
    assert_eq!(script.requests().len(), retries + 1);
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn the_delays_double_up_to_a_limit_and_half_of_each_is_chance() {
    // Longest delays: 0.5, 1, 2, 4, 8, 8, 8 seconds.
    for (retries, longest) in [(1, 0.5), (2, 1.5), (3, 3.5), (5, 15.5), (7, 31.5)] {
        let mut times = Vec::new();
        for _ in 0..20 {
            times.push(time_to_fail(retries).await);
        }
        // The timer of tokio counts in whole milliseconds.
        let rounding = seconds(0.001 * retries as f64);
        let range = seconds(longest / 2.0)..=seconds(longest) + rounding;
        assert!(times.iter().all(|time| range.contains(time)), "{times:?}");
        assert!(times.iter().any(|time| *time != times[0]), "{times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_given_the_time_that_it_asks_for() {
    let (_, model) = retrying([Reply::refused(asks_to_wait(20)), whole("Hello.")]);
    let began = Instant::now();
    model.stream(&question()).await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_asks_for_too_much_time_is_not_asked_again() {
    for asked in [21, 3600, u64::MAX] {
        let (script, model) = retrying([Reply::refused(asks_to_wait(asked))]);
        let began = Instant::now();
        let error = model.stream(&question()).await.unwrap_err();
        assert_eq!(error, asks_to_wait(asked));
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert_eq!(script.requests().len(), 1);
    }
}

/// A model that fails after a time.
fn failing_after(seconds: u64) -> Reply {
    let time = Duration::from_secs(seconds);
    Reply::of([Step::Pause(time), Step::Fail(error("scripted", "timeout"))])
}

#[tokio::test(start_paused = true)]
async fn no_try_begins_when_thirty_seconds_have_passed_since_the_first_began() {
    for (each, tries) in [(45, 1), (31, 1), (20, 2), (9, 3)] {
        let (script, model) = retrying(repeat_n(failing_after(each), 3));
        let began = Instant::now();
        model.stream(&question()).await.unwrap_err();
        assert_eq!(script.requests().len(), tries, "{each} s each");
        let waited = began.elapsed() - Duration::from_secs(each) * u32::try_from(tries).unwrap();
        assert!(waited < Duration::from_secs(2), "nobody waits for no try");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_try_that_would_begin_too_late() {
    let slow = Reply::of([
        Step::Pause(Duration::from_secs(15)),
        Step::Fail(asks_to_wait(20)),
    ]);
    let (script, model) = retrying([slow]);
    let began = Instant::now();
    model.stream(&question()).await.unwrap_err();
    assert_eq!(began.elapsed().as_secs(), 15);
    assert_eq!(script.requests().len(), 1);
}

/// Asks so many times at once, and tells how often the model was asked again.
async fn retries_of(
    script: &ScriptedModel,
    model: &Retry<ScriptedModel>,
    requests: usize,
) -> usize {
    let before = script.requests().len();
    let question = question();
    join_all((0..requests).map(|_| model.stream(&question))).await;
    script.requests().len() - before - requests
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_not_multiplied() {
    let (script, model) = retrying(repeat_n(Reply::refused(overloaded()), 1000));
    // Ten, and one for each five requests.
    assert_eq!(retries_of(&script, &model, 100).await, 10 + 20);
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_shared_by_all_models_of_a_process() {
    let budget = RetryBudget::default();
    let replies = || repeat_n(Reply::refused(overloaded()), 1000);
    let [first, second] = [ScriptedModel::new(replies()), ScriptedModel::new(replies())];
    let model = Retry::new(first.clone(), budget.clone());
    assert_eq!(retries_of(&first, &model, 50).await, 10 + 10);
    let model = Retry::new(second.clone(), budget);
    assert_eq!(retries_of(&second, &model, 50).await, 10);
}

#[tokio::test(start_paused = true)]
async fn with_an_empty_budget_the_error_goes_back_at_once() {
    let (script, model) = retrying(repeat_n(Reply::refused(overloaded()), 1000));
    retries_of(&script, &model, 100).await;
    let began = Instant::now();
    model.stream(&question()).await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_budget_fills_again() {
    let (script, model) = retrying(repeat_n(Reply::refused(overloaded()), 1000));
    retries_of(&script, &model, 100).await;
    tokio::time::advance(Duration::from_secs(12)).await;
    assert_eq!(retries_of(&script, &model, 5).await, 10);
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_while_waiting_asks_for_nothing_more() {
    let (script, model) = retrying(repeat_n(Reply::refused(overloaded()), 3));
    timeout(Duration::from_millis(1), model.stream(&question()))
        .await
        .unwrap_err();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn dropping_closes_the_request() {
    let (script, model) = retrying([
        Reply::text(["Hello", ", you."]),
        Reply::of([Step::Pause(Duration::ZERO), Step::Hang]),
    ]);
    let mut answer = model.stream(&question()).await.unwrap();
    answer.next().await.unwrap().unwrap();
    drop(answer);
    assert_eq!(script.broken_off(), 1);

    timeout(Duration::from_secs(1), model.stream(&question()))
        .await
        .unwrap_err();
    assert_eq!(script.broken_off(), 2);
}
