//! Asking the next one, and what the consumer sees of it.

mod any_script;
mod outage;

use std::sync::Arc;
use std::time::Duration;

use patter_llm::{ChatModel, ChatRequest, Failover, LlmError};
use patter_testkit::scripted_model::{Gate, Reply, ScriptedModel, Step, text};
use tokio::time::timeout;

use crate::wrappers::{
    accepted_then, broken, error, every_error, filtered, line, question, rest_of, transcript, whole,
};

/// A model named `a/a-1` or so that gives this answer.
fn model(name: &str, reply: Reply) -> ScriptedModel {
    ScriptedModel::new([reply]).named(name, &format!("{name}-1"))
}

fn server(name: &str) -> LlmError {
    error(name, "server")
}

#[tokio::test(start_paused = true)]
async fn nobody_else_is_asked_where_the_first_answers() {
    let second = model("b", whole("From b."));
    let failover = Failover::new(model("a", whole("From a."))).then(second.clone());
    assert_eq!(transcript(&failover).await, ["text From a.", "finish Stop"]);
    assert_eq!(second.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn wherever_the_first_fails_the_second_answers_afresh() {
    let restarted = ["restarted b/b-1 server of a", "text From b.", "finish Stop"];
    for (reply, before) in [
        (Reply::refused(server("a")), None),
        (accepted_then(server("a")), None),
        (broken("From", server("a")), Some("text From")),
    ] {
        let failover = Failover::new(model("a", reply)).then(model("b", whole("From b.")));
        let expected: Vec<_> = before.into_iter().chain(restarted).collect();
        assert_eq!(transcript(&failover).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_finish_is_an_answer_that_failed() {
    for reply in [Reply::of([]), Reply::of([text("From")])] {
        let failover = Failover::new(model("a", reply.clone())).then(model("b", whole("From b.")));
        let lines = transcript(&failover).await;
        assert!(
            lines.contains(&"restarted b/b-1 truncated of a".to_owned()),
            "{lines:?}"
        );
        let alone = Failover::new(model("a", reply));
        let lines = transcript(&alone).await;
        assert!(
            lines.last().unwrap().ends_with("truncated of a"),
            "{lines:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn every_error_but_a_blocked_answer_makes_the_next_one_answer() {
    for error in every_error("a") {
        for reply in [
            Reply::refused(error.clone()),
            accepted_then(error.clone()),
            broken("From", error.clone()),
        ] {
            let second = model("b", whole("From b."));
            let failover = Failover::new(model("a", reply)).then(second.clone());
            let lines = transcript(&failover).await;
            if error.kind() == "blocked" {
                assert!(lines.last().unwrap().ends_with("blocked of a"), "{lines:?}");
                assert_eq!(second.requests().len(), 0);
            } else {
                assert_eq!(lines.last().unwrap(), "finish Stop", "{error}");
                assert_eq!(second.requests().len(), 1);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_blocked_answer_of_the_second_ends_the_matter_too() {
    let third = model("c", whole("From c."));
    let failover = Failover::new(model("a", broken("From", server("a"))))
        .then(model("b", Reply::refused(error("b", "blocked"))))
        .then(third.clone());
    assert_eq!(
        transcript(&failover).await,
        ["text From", "error blocked of b"]
    );
    assert_eq!(third.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_a_filter_ended_is_an_answer() {
    let second = model("b", whole("From b."));
    let failover = Failover::new(model("a", filtered("Fr"))).then(second.clone());
    assert_eq!(
        transcript(&failover).await,
        ["text Fr", "finish ContentFilter"]
    );
    assert_eq!(second.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn those_who_fail_without_a_word_are_passed_over() {
    let failover = Failover::new(model("a", broken("From", server("a"))))
        .then(model("b", Reply::refused(error("b", "circuit_open"))))
        .then(model("c", accepted_then(error("c", "auth"))))
        .then(model("d", whole("From d.")));
    assert_eq!(
        transcript(&failover).await,
        [
            "text From",
            "restarted d/d-1 server of a",
            "text From d.",
            "finish Stop"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn each_answer_that_was_begun_is_declared_void() {
    let failover = Failover::new(model("a", broken("From a", server("a"))))
        .then(model("b", broken("From b", error("b", "malformed"))))
        .then(model("c", whole("From c.")));
    assert_eq!(
        transcript(&failover).await,
        [
            "text From a",
            "restarted b/b-1 server of a",
            "text From b",
            "restarted c/c-1 malformed of b",
            "text From c.",
            "finish Stop",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn when_nobody_is_left_the_error_is_the_one_that_says_most() {
    for (errors, telling) in [
        (
            ["rate_limited", "circuit_open", "circuit_open"],
            "rate_limited of a",
        ),
        (
            ["circuit_open", "rate_limited", "server"],
            "rate_limited of b",
        ),
        (
            ["circuit_open", "auth", "circuit_open"],
            "circuit_open of a",
        ),
        (["auth", "server", "invalid_request"], "server of b"),
        (["quota", "auth", "not_found"], "quota of a"),
    ] {
        let [a, b, c] = [("a", errors[0]), ("b", errors[1]), ("c", errors[2])]
            .map(|(name, kind)| model(name, Reply::refused(error(name, kind))));
        let failover = Failover::new(a).then(b).then(c);
        assert_eq!(transcript(&failover).await, [format!("refused {telling}")]);
    }
}

#[tokio::test(start_paused = true)]
async fn when_nobody_is_left_what_was_said_stays() {
    let failover = Failover::new(model("a", broken("From a", error("a", "timeout"))))
        .then(model("b", Reply::refused(server("b"))));
    assert_eq!(
        transcript(&failover).await,
        ["text From a", "error timeout of a"]
    );
}

#[tokio::test(start_paused = true)]
async fn when_nobody_is_left_the_error_is_not_of_an_answer_that_is_void() {
    let failover = Failover::new(model("a", broken("From a", server("a"))))
        .then(model("b", broken("From b", error("b", "quota"))))
        .then(model("c", Reply::refused(error("c", "auth"))));
    assert_eq!(
        transcript(&failover).await,
        [
            "text From a",
            "restarted b/b-1 server of a",
            "text From b",
            "error quota of b"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_void_before_the_next_one_has_begun() {
    let gate = Gate::default();
    let slow = Reply::of([Step::Wait(gate.clone())]).then(text("From b."));
    let failover = Failover::new(model("a", broken("From a", server("a")))).then(model("b", slow));
    let mut answer = failover.stream(&question()).await.unwrap();
    answer.next().await.unwrap().unwrap();
    // A wait that is given up loses nothing either.
    timeout(Duration::from_secs(60), answer.next())
        .await
        .unwrap_err();
    gate.open();
    assert_eq!(
        line(&answer.next().await.unwrap()),
        "restarted b/b-1 server of a"
    );
    assert_eq!(line(&answer.next().await.unwrap()), "text From b.");
}

#[tokio::test(start_paused = true)]
async fn the_next_one_gets_the_same_request_when_the_first_is_gone() {
    let second = model("b", whole("From b."));
    let failover = Failover::new(model("a", broken("From a", server("a")))).then(second.clone());
    let request = ChatRequest::new().system("Be terse.").user("Well?");
    let answer = failover.stream(&request).await.unwrap();
    drop(failover);
    let sent = format!("{request:?}");
    drop(request);
    rest_of(answer).await;
    assert_eq!(format!("{:?}", second.requests()[0]), sent);
}

#[tokio::test(start_paused = true)]
async fn dropping_closes_whatever_is_open() {
    let hanging = Reply::of([Step::Pause(Duration::ZERO), Step::Hang]);
    let second = model("b", hanging.clone());
    let failover = Failover::new(model("a", broken("From a", server("a")))).then(second.clone());
    let mut answer = failover.stream(&question()).await.unwrap();
    answer.next().await.unwrap().unwrap();
    timeout(Duration::from_secs(1), answer.next())
        .await
        .unwrap_err();
    assert_eq!(second.broken_off(), 0);
    drop(answer);
    assert_eq!(second.broken_off(), 1);

    let second = model("b", hanging);
    let failover = Failover::new(model("a", Reply::refused(server("a")))).then(second.clone());
    timeout(Duration::from_secs(1), failover.stream(&question()))
        .await
        .unwrap_err();
    assert_eq!(second.broken_off(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failover_may_be_one_of_the_models_of_another() {
    let inner =
        Failover::new(model("b", broken("From b", server("b")))).then(model("c", whole("From c.")));
    let failover = Failover::new(model("a", Reply::refused(server("a")))).then(inner);
    assert_eq!(
        transcript(&failover).await,
        [
            "restarted b/b-1 server of a",
            "text From b",
            "restarted c/c-1 server of b",
            "text From c.",
            "finish Stop",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn models_that_others_share_can_be_asked() {
    let shared: Arc<dyn ChatModel> = Arc::new(model("a", whole("From a.")));
    let failover = Failover::new(Arc::clone(&shared)).then(shared);
    assert_eq!(transcript(&failover).await, ["text From a.", "finish Stop"]);
}
