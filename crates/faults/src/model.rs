//! The fake model: it says what the message asks for ([`Script`]), at the rate that it asks for, fails
//! in the way that it asks for, and keeps a log of who asked for what.

mod faults;

use patter_testkit::model_server::{Ending, Exchange, ModelServer, RecordedRequest, Reply, openai};
use serde_json::{Value, json};

use crate::history::{Asked, text};
use crate::moment::Moment;
use crate::script::Script;

pub use faults::FAULTS;

/// A model that speaks Chat Completions.
#[derive(Debug)]
pub struct FakeModel {
    server: ModelServer,
}

impl FakeModel {
    /// Starts it on a free port.
    pub async fn start() -> Self {
        Self {
            server: ModelServer::start_with(answer).await,
        }
    }

    /// Where it listens, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.server.base_url()
    }

    /// All that it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.server.exchanges().iter().map(asked).collect()
    }
}

/// What is asked for: the last message of the user, and how many results of tools follow it.
fn wanted(request: &RecordedRequest) -> Option<(&str, usize)> {
    let messages = request.body["messages"].as_array()?;
    let system = messages
        .first()
        .filter(|message| message["role"] == "system");
    if system.is_some_and(|message| text(message, "content").starts_with("Summarize")) {
        return None;
    }
    let last = messages
        .iter()
        .rposition(|message| message["role"] == "user")?;
    let results = messages[last..]
        .iter()
        .filter(|message| message["role"] == "tool")
        .count();
    Some((text(&messages[last], "content"), results))
}

fn answer(request: &RecordedRequest) -> Reply {
    let Some((content, step)) = wanted(request) else {
        return openai::text(["They talked."]);
    };
    let Some(script) = Script::parse(content) else {
        return openai::text(["What?"]);
    };
    let rate = f64::from(script.rate.max(1));
    if let Some(reply) = faults::reply(&script) {
        return reply;
    }
    if step < script.tools {
        let arguments = json!({"expression": format!("{step} + 1")});
        return call(&script.id, step, &arguments).events_per_second(rate);
    }
    let pieces: Vec<String> = (0..script.tokens)
        .map(|index| script.token(index))
        .collect();
    openai::text(pieces.iter().map(String::as_str)).events_per_second(rate)
}

/// One call of the calculator, with an id that no other call has.
fn call(message: &str, step: usize, arguments: &Value) -> Reply {
    openai::body([
        openai::delta(&json!({"tool_calls": [{
            "index": 0,
            "id": format!("call-{message}-{step}"),
            "type": "function",
            "function": {"name": "calculator", "arguments": arguments.to_string()},
        }]})),
        openai::finish("tool_calls"),
    ])
}

fn asked(exchange: &Exchange) -> Asked {
    let wanted = wanted(&exchange.request);
    let script = wanted.and_then(|(content, _)| Script::parse(content));
    Asked {
        message: script.map(|script| script.id),
        step: wanted.map_or(0, |(_, step)| step),
        at: Moment::of(exchange.came_at),
        left_at: exchange
            .ended
            .filter(|(_, ending)| *ending == Ending::ClientLeft)
            .map(|(at, _)| Moment::of(at)),
        is_over: exchange.ended.is_some(),
    }
}
