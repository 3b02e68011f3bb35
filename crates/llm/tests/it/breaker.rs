//! A circuit, by the clock.

use std::iter::repeat_n;
use std::time::Duration;

use patter_llm::{ChatModel, Circuit, CircuitBreaker, CircuitState, LlmError};
use patter_testkit::scripted_model::{Gate, Reply, ScriptedModel, Step, overloaded, text};
use tokio::time::{advance, timeout};

use crate::wrappers::{
    accepted_then, broken, error, every_error, filtered, question, rest_of, transcript, whole,
};

/// A model behind a circuit, and its script.
struct Bench {
    script: ScriptedModel,
    model: CircuitBreaker<ScriptedModel>,
    circuit: Circuit,
}

impl Bench {
    fn new() -> Self {
        let script = ScriptedModel::default();
        let model = CircuitBreaker::new(script.clone());
        let circuit = model.circuit();
        Self {
            script,
            model,
            circuit,
        }
    }

    /// One whose circuit has just opened.
    async fn open() -> Self {
        let bench = Self::new();
        bench.ask(repeat_n(Reply::refused(overloaded()), 10)).await;
        assert!(matches!(bench.state(), CircuitState::Open { .. }));
        bench
    }

    /// Asks once for each reply, and reads the answer to its end.
    async fn ask(&self, replies: impl IntoIterator<Item = Reply>) {
        for reply in replies {
            self.script.push(reply);
            transcript(&self.model).await;
        }
    }

    /// Asks when nobody is let through; how long is one to wait?
    async fn turned_away(&self) -> Duration {
        let asked = self.script.requests().len();
        let error = self.model.stream(&question()).await.unwrap_err();
        assert_eq!(self.script.requests().len(), asked, "the model was asked");
        match error {
            LlmError::CircuitOpen {
                provider,
                retry_after,
            } => {
                assert_eq!(provider, "scripted");
                retry_after
            }
            other => panic!("{other:?} instead of an open circuit"),
        }
    }

    fn state(&self) -> CircuitState {
        self.circuit.status().state
    }

    /// Requests and failures that count.
    fn counts(&self) -> (u32, u32) {
        let status = self.circuit.status();
        (status.requests, status.failures)
    }
}

fn failures(count: usize) -> impl Iterator<Item = Reply> {
    repeat_n(Reply::refused(overloaded()), count)
}

fn successes(count: usize) -> impl Iterator<Item = Reply> {
    repeat_n(whole("Yes."), count)
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn it_stays_closed_for_fewer_than_ten_requests() {
    let bench = Bench::new();
    bench.ask(failures(9)).await;
    assert_eq!(bench.state(), CircuitState::Closed);
    bench.ask(failures(1)).await;
    assert_eq!(
        bench.state(),
        CircuitState::Open {
            retry_after: seconds(10)
        }
    );
}

#[tokio::test(start_paused = true)]
async fn it_opens_when_half_of_the_requests_failed() {
    let bench = Bench::new();
    bench.ask(successes(6).chain(failures(5))).await;
    assert_eq!(bench.counts(), (11, 5));
    assert_eq!(bench.state(), CircuitState::Closed);
    bench.ask(failures(1)).await;
    assert_eq!(
        bench.state(),
        CircuitState::Open {
            retry_after: seconds(10)
        }
    );
}

#[tokio::test(start_paused = true)]
async fn what_ended_thirty_seconds_ago_does_not_count() {
    let bench = Bench::new();
    bench.ask(failures(9)).await;
    advance(seconds(29)).await;
    assert_eq!(bench.counts(), (9, 9));
    advance(seconds(1)).await;
    assert_eq!(bench.counts(), (0, 0));
    bench.ask(failures(9)).await;
    assert_eq!(bench.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_window_slides() {
    let bench = Bench::new();
    for _ in 0..6 {
        bench.ask(failures(1).chain(successes(2))).await;
        advance(seconds(10)).await;
    }
    assert_eq!(bench.counts(), (6, 2));
    assert_eq!(bench.circuit.status().totals.requests, 18);
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_answers_at_once_and_asks_nobody() {
    let bench = Bench::open().await;
    assert_eq!(bench.turned_away().await, seconds(10));
    advance(seconds(7)).await;
    assert_eq!(bench.turned_away().await, seconds(3));
    assert_eq!(
        bench.state(),
        CircuitState::Open {
            retry_after: seconds(3)
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_probe_goes_out_after_10_20_40_and_then_every_60_seconds() {
    let bench = Bench::open().await;
    for wait in [10, 20, 40, 60, 60] {
        advance(seconds(wait) - Duration::from_millis(1)).await;
        assert_eq!(bench.turned_away().await, Duration::from_millis(1));
        advance(Duration::from_millis(1)).await;
        assert_eq!(bench.state(), CircuitState::HalfOpen);
        bench.ask(failures(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_succeeds_closes_the_circuit() {
    let bench = Bench::open().await;
    advance(seconds(10)).await;
    bench.ask(failures(1)).await;
    advance(seconds(20)).await;
    bench.ask(successes(1)).await;
    assert_eq!(bench.state(), CircuitState::Closed);
    assert_eq!(bench.counts(), (0, 0), "it begins afresh");
    bench.ask(failures(10)).await;
    assert_eq!(
        bench.state(),
        CircuitState::Open {
            retry_after: seconds(10)
        }
    );
}

#[tokio::test(start_paused = true)]
async fn there_is_one_probe_at_a_time() {
    let bench = Bench::open().await;
    advance(seconds(10)).await;
    bench.script.push(whole("Yes."));
    let probe = bench.model.stream(&question()).await.unwrap();
    assert_eq!(bench.state(), CircuitState::HalfOpen);
    bench.turned_away().await;
    assert_eq!(rest_of(probe).await, ["text Yes.", "finish Stop"]);
    assert_eq!(bench.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_in_mid_answer_opens_the_circuit_for_longer() {
    let bench = Bench::open().await;
    advance(seconds(10)).await;
    bench
        .ask([broken("Ye", error("scripted", "truncated"))])
        .await;
    assert_eq!(
        bench.state(),
        CircuitState::Open {
            retry_after: seconds(20)
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_makes_room_for_the_next() {
    let bench = Bench::open().await;
    advance(seconds(10)).await;

    // Before the request is accepted.
    let gate = Gate::default();
    bench.script.push(Reply::of([Step::Wait(gate)]));
    timeout(seconds(1), bench.model.stream(&question()))
        .await
        .unwrap_err();

    // In the middle of its answer.
    bench.script.push(Reply::text(["Y", "es."]));
    let mut probe = bench.model.stream(&question()).await.unwrap();
    probe.next().await.unwrap().unwrap();
    bench.turned_away().await;
    drop(probe);

    assert_eq!(bench.state(), CircuitState::HalfOpen);
    bench.ask(successes(1)).await;
    assert_eq!(bench.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_request_was_at_fault_makes_room_for_the_next() {
    let bench = Bench::open().await;
    advance(seconds(10)).await;
    bench
        .ask([Reply::refused(error("scripted", "invalid_request"))])
        .await;
    assert_eq!(bench.state(), CircuitState::HalfOpen);
    bench.ask(successes(1)).await;
    assert_eq!(bench.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_keeps_others_away_for_a_minute_and_still_counts() {
    let bench = Bench::open().await;
    advance(seconds(10)).await;
    bench.script.push(Reply::of([text("Y"), Step::Hang]));
    let hanging = bench.model.stream(&question()).await.unwrap();
    advance(seconds(59)).await;
    bench.turned_away().await;
    advance(seconds(1)).await;

    bench.script.push(whole("Yes."));
    let second = bench.model.stream(&question()).await.unwrap();
    drop(hanging);
    bench.turned_away().await;
    rest_of(second).await;
    assert_eq!(bench.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn each_fault_of_the_provider_counts_wherever_it_comes_and_no_other() {
    let neither = ["settings", "invalid_request", "blocked", "circuit_open"];
    for error in every_error("scripted") {
        let bench = Bench::new();
        let places = [
            Reply::refused(error.clone()),
            accepted_then(error.clone()),
            broken("Ye", error.clone()),
        ];
        bench.ask(places).await;
        let expected = if neither.contains(&error.kind()) {
            (0, 0)
        } else {
            (3, 3)
        };
        assert_eq!(bench.counts(), expected, "{error}");
        let totals = bench.circuit.status().totals;
        assert_eq!(totals.requests, 3);
        assert_eq!(
            totals.failures.get(error.kind()).copied(),
            Some(u64::from(expected.1)).filter(|count| *count > 0)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_succeeds_with_its_finish_and_fails_without_one() {
    let bench = Bench::new();
    bench.ask([whole("Yes."), filtered("Ye")]).await;
    assert_eq!(bench.counts(), (2, 0));
    bench.ask([Reply::of([text("Ye")])]).await;
    assert_eq!(bench.counts(), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_dropped_counts_as_neither() {
    let bench = Bench::new();
    bench.script.push(Reply::text(["Y", "es."]));
    let mut answer = bench.model.stream(&question()).await.unwrap();
    answer.next().await.unwrap().unwrap();
    drop(answer);
    assert_eq!(bench.counts(), (0, 0));
    assert_eq!(bench.script.broken_off(), 1, "and closes the request");
}

#[tokio::test(start_paused = true)]
async fn what_began_before_a_change_does_not_count_after_it() {
    let bench = Bench::new();
    let started = |reply| async {
        bench.script.push(reply);
        bench.model.stream(&question()).await.unwrap()
    };
    let slow_success = started(whole("Yes.")).await;
    let slow_failure = started(broken("Ye", overloaded())).await;
    bench.ask(failures(10)).await;
    rest_of(slow_success).await;
    assert_eq!(
        bench.state(),
        CircuitState::Open {
            retry_after: seconds(10)
        }
    );

    advance(seconds(10)).await;
    bench.ask(successes(1)).await;
    rest_of(slow_failure).await;
    assert_eq!(bench.counts(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_totals_tell_what_has_happened() {
    let bench = Bench::open().await;
    bench.turned_away().await;
    bench.turned_away().await;
    advance(seconds(10)).await;
    bench
        .ask([Reply::refused(error("scripted", "timeout"))])
        .await;
    advance(seconds(20)).await;
    bench.ask(successes(1)).await;

    assert_eq!(
        (bench.circuit.provider(), bench.circuit.model()),
        ("scripted", "script-1")
    );
    let totals = bench.circuit.status().totals;
    assert_eq!(
        (totals.requests, totals.rejected, totals.opened),
        (12, 2, 1)
    );
    assert_eq!(totals.failures, [("server", 10), ("timeout", 1)].into());
}
