//! The fake model: it says what the message asks for ([`Script`]), at the rate that it asks for, fails
//! in the way that it asks for, and keeps a log of who asked for what.

mod faults;

use std::time::Duration;

use patter_testkit::model_server::{Ending, Exchange, ModelServer, RecordedRequest, Reply, openai};
use serde_json::{Value, json};

use crate::history::{Asked, text};
use crate::moment::Moment;
use crate::script::Script;

pub use faults::FAULTS;

/// Where the tool `note` has its effect: whoever asks is noted.
const NOTES: &str = "/notes";
/// So long that takes: a process can be killed meanwhile.
const NOTE_TIME: Duration = Duration::from_millis(30);

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
        let exchanges = self.server.exchanges();
        let asked_for_answer = exchanges.iter().filter(|it| it.request.path != NOTES);
        asked_for_answer.map(asked).collect()
    }

    /// Settings that offer a tool `note`, which has an effect here. Models call it where it is offered.
    #[must_use]
    pub fn note_settings(&self) -> Vec<(&'static str, String)> {
        let base_url = self.server.base_url();
        let place = base_url.replace("http://", "");
        vec![
            (
                "PATTER_DATA_SOURCES__NOTE__URL",
                format!("{base_url}{NOTES}"),
            ),
            (
                "PATTER_DATA_SOURCES__NOTE__DESCRIPTION",
                "Takes a note.".to_owned(),
            ),
            (
                "PATTER_DATA_SOURCES__NOTE__PARAMETERS__WHAT",
                "What to note".to_owned(),
            ),
            ("PATTER_DATA_SOURCES__NOTE__METHOD", "post".to_owned()),
            ("PATTER_DATA_SOURCES__NOTE__APPROVAL", "never".to_owned()),
            ("PATTER_WEB__TRUSTED", place),
        ]
    }

    /// The `call_id` of each time that `note` had its effect.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let requests = self.server.requests().into_iter();
        let notes = requests.filter(|request| request.path == NOTES);
        let key = |request: RecordedRequest| {
            let key = request.headers.get("idempotency-key");
            let key = key.and_then(|key| key.to_str().ok()).unwrap_or_default();
            key.trim_matches('"').to_owned()
        };
        notes.map(key).collect()
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
    if request.path == NOTES {
        return Reply::json(200, &json!({"noted": true})).delay(NOTE_TIME);
    }
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
        let tools = request.body["tools"].as_array();
        let mut tools = tools.into_iter().flatten();
        let reply = if tools.any(|tool| tool["function"]["name"] == "note") {
            call(&script.id, step, "note", &json!({"what": step}))
        } else {
            let arguments = json!({"expression": format!("{step} + 1")});
            call(&script.id, step, "calculator", &arguments)
        };
        return reply.events_per_second(rate);
    }
    let pieces: Vec<String> = (0..script.tokens)
        .map(|index| script.token(index))
        .collect();
    openai::text(pieces.iter().map(String::as_str)).events_per_second(rate)
}

/// One call of a tool, with an id that no other call has.
fn call(message: &str, step: usize, tool: &str, arguments: &Value) -> Reply {
    openai::body([
        openai::delta(&json!({"tool_calls": [{
            "index": 0,
            "id": format!("call-{message}-{step}"),
            "type": "function",
            "function": {"name": tool, "arguments": arguments.to_string()},
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
