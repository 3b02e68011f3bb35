//! What the tests of the wrappers share: errors, answers, and transcripts to compare.

use std::time::Duration;

use async_trait::async_trait;
use patter_llm::{
    Answer, ChatModel, ChatRequest, CircuitBreaker, Failover, FinishReason, LlmError, ModelEvent,
    Retry, RetryBudget, TimeoutPhase, TokenCounter, Window,
};
use patter_testkit::scripted_model::{Reply, Step, finish, text};

/// One error of each kind, by the given provider.
pub(crate) fn every_error(provider: &str) -> Vec<LlmError> {
    let provider = || provider.to_owned();
    let message = || "no".to_owned();
    vec![
        LlmError::Settings {
            provider: provider(),
            message: message(),
        },
        LlmError::Auth {
            provider: provider(),
            message: message(),
        },
        LlmError::RateLimited {
            provider: provider(),
            message: message(),
            retry_after: None,
        },
        LlmError::Quota {
            provider: provider(),
            message: message(),
        },
        LlmError::InvalidRequest {
            provider: provider(),
            message: message(),
        },
        LlmError::NotFound {
            provider: provider(),
            message: message(),
        },
        LlmError::Blocked {
            provider: provider(),
            message: message(),
        },
        LlmError::Server {
            provider: provider(),
            message: message(),
            retry_after: None,
        },
        LlmError::Connection {
            provider: provider(),
            message: message(),
        },
        LlmError::Timeout {
            provider: provider(),
            phase: TimeoutPhase::NextToken,
            limit: Duration::from_secs(30),
        },
        LlmError::CircuitOpen {
            provider: provider(),
            retry_after: Duration::from_secs(1),
        },
        LlmError::Truncated {
            provider: provider(),
        },
        LlmError::Malformed {
            provider: provider(),
            message: message(),
        },
    ]
}

/// The error of this [`LlmError::kind`].
pub(crate) fn error(provider: &str, kind: &str) -> LlmError {
    let mut errors = every_error(provider).into_iter();
    errors.find(|error| error.kind() == kind).unwrap()
}

/// An error of a provider that asks to wait.
pub(crate) fn asks_to_wait(seconds: u64) -> LlmError {
    LlmError::RateLimited {
        provider: "scripted".to_owned(),
        message: "slow down".to_owned(),
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

/// A whole answer.
pub(crate) fn whole(piece: &str) -> Reply {
    Reply::text([piece])
}

/// A request that is accepted and then fails before it says anything.
pub(crate) fn accepted_then(error: LlmError) -> Reply {
    Reply::of([Step::Pause(Duration::ZERO), Step::Fail(error)])
}

/// An answer that fails in the middle.
pub(crate) fn broken(piece: &str, error: LlmError) -> Reply {
    Reply::of([text(piece), Step::Fail(error)])
}

/// An answer that the provider's filter ended.
pub(crate) fn filtered(piece: &str) -> Reply {
    Reply::of([text(piece), finish(FinishReason::ContentFilter)])
}

pub(crate) fn question() -> ChatRequest {
    ChatRequest::new().user("Well?")
}

/// Asks, and writes down all that comes, in order: `text hello`, `restarted b/b-1 server`,
/// `finish Stop`, `error server of a`.
pub(crate) async fn transcript(model: &dyn ChatModel) -> Vec<String> {
    match model.stream(&question()).await {
        Ok(answer) => rest_of(answer).await,
        Err(error) => vec![format!("refused {}", told(&error))],
    }
}

/// All that is still to come of an answer.
pub(crate) async fn rest_of(mut answer: Answer) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(event) = answer.next().await {
        lines.push(line(&event));
    }
    assert!(answer.next().await.is_none(), "something behind the end");
    lines
}

/// One event as [`transcript`] has it.
pub(crate) fn line(event: &Result<ModelEvent, LlmError>) -> String {
    match event {
        Ok(ModelEvent::Text(piece)) => format!("text {piece}"),
        Ok(ModelEvent::Restarted {
            provider,
            model,
            error,
        }) => {
            format!("restarted {provider}/{model} {}", told(error))
        }
        Ok(ModelEvent::Finish { reason, .. }) => format!("finish {reason:?}"),
        Ok(other) => panic!("{other:?} was in no script"),
        Err(error) => format!("error {}", told(error)),
    }
}

/// Kind of the error and who made it.
fn told(error: &LlmError) -> String {
    let message = error.to_string();
    let known = ["scripted", "a", "b", "c", "d"];
    let provider = message
        .split(' ')
        .find_map(|word| known.iter().find(|it| **it == word.trim_end_matches(':')));
    format!("{} of {}", error.kind(), provider.unwrap())
}

const WINDOW: Window = Window {
    tokens: 1_000,
    max_input_tokens: None,
    counter: TokenCounter::estimate(),
};

/// A model that is never asked.
#[derive(Debug)]
struct Silent;

#[async_trait]
impl ChatModel for Silent {
    fn provider(&self) -> &str {
        "somebody"
    }

    fn model(&self) -> &str {
        "some-1"
    }

    fn window(&self) -> Option<&Window> {
        Some(&WINDOW)
    }

    async fn stream(&self, _request: &ChatRequest) -> Result<Answer, LlmError> {
        panic!("nobody asked for this")
    }
}

#[test]
fn a_wrapper_has_the_name_and_the_window_of_its_model() {
    let wrappers: [Box<dyn ChatModel>; 3] = [
        Box::new(Retry::new(Silent, RetryBudget::default())),
        Box::new(CircuitBreaker::new(Silent)),
        Box::new(Failover::new(Silent).then(patter_llm::Demo::new())),
    ];
    for wrapper in wrappers {
        assert_eq!(wrapper.provider(), "somebody");
        assert_eq!(wrapper.model(), "some-1");
        assert_eq!(wrapper.window(), Some(&WINDOW));
    }
}
