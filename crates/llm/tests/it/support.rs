//! What the tests share: backends at a local server, and whole answers to compare.

use std::time::Duration;

use patter_llm::{
    Answer, Api, ChatModel, ChatRequest, FinishReason, Gemini, LlmError, ModelEvent, OpenAi,
    ProviderData, Settings, Timeouts, ToolCall, Usage,
};
use patter_testkit::model_server::{ModelServer, Reply, gemini, openai, openai_responses};
use serde_json::{Map, Value, json};

/// Long enough for anything on this machine, short enough for a test that hangs.
pub(crate) const PATIENT: Timeouts = Timeouts {
    connect: Duration::from_secs(10),
    headers: Duration::from_secs(10),
    first_token: Duration::from_secs(10),
    next_token: Duration::from_secs(10),
    whole_answer: Duration::from_secs(60),
};

/// Which of the three wire formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Gemini,
    OpenAi,
    Responses,
}

impl Wire {
    pub(crate) const ALL: [Self; 3] = [Self::Gemini, Self::OpenAi, Self::Responses];

    pub(crate) fn settings(self, server: &ModelServer) -> Settings {
        let model = match self {
            Self::Gemini => Gemini::DEFAULT_MODEL,
            Self::OpenAi | Self::Responses => OpenAi::DEFAULT_MODEL,
        };
        let settings = Settings::new(model)
            .base_url(server.base_url())
            .timeouts(PATIENT);
        match self {
            Self::Responses => settings.api(Api::Responses),
            // Chat Completions is what such a base URL stands for.
            Self::Gemini | Self::OpenAi => settings,
        }
    }

    pub(crate) fn model(self, settings: Settings) -> Box<dyn ChatModel> {
        match self {
            Self::Gemini => Box::new(Gemini::new(settings).unwrap()),
            Self::OpenAi | Self::Responses => Box::new(OpenAi::new(settings).unwrap()),
        }
    }

    /// How many events of [`Wire::text`] there are up to its first piece, that one included.
    pub(crate) fn events_to_first_piece(self) -> usize {
        match self {
            Self::Gemini | Self::OpenAi => 1,
            Self::Responses => 3,
        }
    }

    /// A reply that says this.
    pub(crate) fn text<'a>(self, pieces: impl IntoIterator<Item = &'a str>) -> Reply {
        match self {
            Self::Gemini => gemini::text(pieces),
            Self::OpenAi => openai::text(pieces),
            Self::Responses => openai_responses::text(pieces),
        }
    }
}

/// All that came of a question.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) text: String,
    pub(crate) reasoning: String,
    pub(crate) calls: Vec<ToolCall>,
    pub(crate) finish: Option<(FinishReason, Usage, Option<ProviderData>)>,
    pub(crate) error: Option<LlmError>,
}

impl Outcome {
    pub(crate) fn of(error: LlmError) -> Self {
        Self {
            error: Some(error),
            ..Self::default()
        }
    }

    pub(crate) async fn collect(mut answer: Answer) -> Self {
        let mut outcome = Self::default();
        while let Some(event) = answer.next().await {
            assert!(
                outcome.finish.is_none() && outcome.error.is_none(),
                "{event:?} after the end"
            );
            match event {
                Ok(ModelEvent::Text(text)) => {
                    assert!(!text.is_empty(), "an empty piece of text");
                    outcome.text.push_str(&text);
                }
                Ok(ModelEvent::Reasoning(text)) => {
                    assert!(!text.is_empty(), "an empty piece of reasoning");
                    outcome.reasoning.push_str(&text);
                }
                Ok(ModelEvent::ToolCall(call)) => outcome.calls.push(call),
                Ok(ModelEvent::Finish {
                    reason,
                    usage,
                    provider_data,
                }) => {
                    outcome.finish = Some((reason, usage, provider_data));
                }
                Ok(event @ ModelEvent::Restarted { .. }) => panic!("{event:?} of one model"),
                Err(error) => outcome.error = Some(error),
            }
        }
        assert!(
            outcome.finish.is_some() || outcome.error.is_some(),
            "an answer without an end"
        );
        outcome
    }

    pub(crate) fn reason(&self) -> Option<FinishReason> {
        self.finish.as_ref().map(|(reason, ..)| *reason)
    }

    /// The outcome in the form of the `.expected.json` files. Ids that the service did not
    /// give, and the usage of an answer that ended with an error, are left out.
    pub(crate) fn to_json(&self) -> Value {
        let calls: Vec<Value> = self
            .calls
            .iter()
            .map(|call| json!({"name": call.name, "arguments": call.arguments}))
            .collect();
        let finish = match (self.reason(), &self.error) {
            (Some(FinishReason::Stop), _) => "stop",
            (Some(FinishReason::Length), _) => "length",
            (Some(FinishReason::ToolCalls), _) => "tool_calls",
            (Some(FinishReason::ContentFilter), _) | (_, Some(LlmError::Blocked { .. })) => {
                "content_filter"
            }
            (_, Some(LlmError::Truncated { .. })) => "truncated",
            _ => "error",
        };
        json!({
            "text": self.text,
            "reasoning": if self.reasoning.is_empty() { Value::Null } else { json!(self.reasoning) },
            "tool_calls": calls,
            "finish": finish,
        })
    }
}

/// One server and all backends at it, for many questions: backends take long to set up.
pub(crate) struct Asker {
    server: ModelServer,
    gemini: Box<dyn ChatModel>,
    openai: Box<dyn ChatModel>,
    responses: Box<dyn ChatModel>,
}

impl Asker {
    pub(crate) async fn new() -> Self {
        let server = ModelServer::start([]).await;
        let model = |wire: Wire| wire.model(wire.settings(&server));
        let [gemini, openai, responses] = Wire::ALL.map(model);
        Self {
            server,
            gemini,
            openai,
            responses,
        }
    }

    /// Asks a question that gets the given reply.
    pub(crate) async fn ask(&self, wire: Wire, reply: Reply) -> Outcome {
        self.server.push(reply);
        ask_model(match wire {
            Wire::Gemini => &*self.gemini,
            Wire::OpenAi => &*self.openai,
            Wire::Responses => &*self.responses,
        })
        .await
    }
}

/// Asks one question that gets the given reply.
pub(crate) async fn ask(wire: Wire, reply: Reply) -> Outcome {
    Asker::new().await.ask(wire, reply).await
}

/// Asks a question of the model.
pub(crate) async fn ask_model(model: &dyn ChatModel) -> Outcome {
    match model.stream(&ChatRequest::new().user("Well?")).await {
        Ok(answer) => Outcome::collect(answer).await,
        Err(error) => Outcome::of(error),
    }
}

/// The name that the recordings have for an error.
pub(crate) fn kind(error: &LlmError) -> &'static str {
    match error {
        LlmError::Auth { .. } => "auth",
        LlmError::RateLimited { .. } => "rate_limited",
        LlmError::Quota { .. } => "quota",
        LlmError::InvalidRequest { .. } => "invalid_request",
        LlmError::NotFound { .. } => "not_found",
        LlmError::Blocked { .. } => "blocked",
        LlmError::Malformed { .. } => "malformed",
        LlmError::Server { .. }
        | LlmError::Truncated { .. }
        | LlmError::Connection { .. }
        | LlmError::Timeout { .. } => "server",
        other => panic!("{other:?} comes from no server"),
    }
}

/// How the outcome differs from an expected record; empty where it does not.
pub(crate) fn differences(expected: &Value, outcome: &Outcome) -> Vec<String> {
    let found = outcome.to_json();
    let mut differences = Vec::new();
    let mut check = |what: &str, found: &Value, expected: &Value| {
        if found != expected {
            differences.push(format!("{what}: {found} instead of {expected}"));
        }
    };
    check("text", &found["text"], &expected["text"]);
    check("reasoning", &found["reasoning"], &expected["reasoning"]);
    let also = expected["finish_also"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    if !also.contains(&found["finish"]) {
        check("finish", &found["finish"], &expected["finish"]);
    }
    let malformed = matches!(outcome.error, Some(LlmError::Malformed { .. }));
    if !malformed {
        check(
            "calls",
            &found["tool_calls"],
            &calls_without_ids(&expected["tool_calls"]),
        );
    }
    for (call, expected) in outcome
        .calls
        .iter()
        .zip(expected["tool_calls"].as_array().unwrap())
    {
        if let Some(id) = expected["id"].as_str() {
            check("id", &json!(call.id), &json!(id));
        }
    }
    if let Some((_, usage, _)) = &outcome.finish {
        check("usage", &usage_json(usage), &expected["usage"]);
    }
    if let (Some(error), Value::Object(expected)) = (&outcome.error, &expected["error"]) {
        check("kind", &json!(kind(error)), &expected["kind"]);
        check(
            "retryable",
            &json!(error.is_retryable()),
            &expected["retryable"],
        );
        let wait = error.retry_after().map(|wait| wait.as_millis());
        check("retry_after_ms", &json!(wait), &expected["retry_after_ms"]);
    }
    differences
}

fn calls_without_ids(calls: &Value) -> Value {
    let strip = |call: &Value| {
        let mut call: Map<String, Value> = call.as_object().cloned().unwrap();
        call.remove("id");
        Value::Object(call)
    };
    calls.as_array().unwrap().iter().map(strip).collect()
}

fn usage_json(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_input_tokens": usage.cached_input_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    })
}
