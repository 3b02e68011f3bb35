//! A model that answers by a script, and checks that what it is asked is well formed.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream;
use patter_llm::{
    Answer, ChatModel, ChatRequest, FinishReason, LlmError, Message, ModelEvent, ToolCall, Usage,
};
use serde_json::Value;
use tokio::sync::Semaphore;

/// Answers one request after the other as its script says. A request for a summary (its
/// instructions begin with `Summarize`) takes nothing from the script.
#[derive(Debug, Clone)]
pub struct ScriptedModel {
    provider: String,
    model: String,
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    replies: Mutex<VecDeque<Reply>>,
    summaries: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<ChatRequest>>,
    broken_off: AtomicUsize,
}

/// The answer to one request.
#[derive(Debug, Clone)]
pub struct Reply {
    steps: Vec<Step>,
}

/// What a [`Reply`] does next.
#[derive(Debug, Clone)]
pub enum Step {
    /// Says this.
    Say(ModelEvent),
    /// Fails; as the first step: does not accept the request.
    Fail(LlmError),
    /// Waits until the gate is opened.
    Wait(Gate),
    /// Waits for a time of tokio's clock.
    Pause(Duration),
    /// Never goes on.
    Hang,
    /// Panics.
    Panic,
}

/// Holds an answer back until a test says otherwise.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Semaphore>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }
}

impl Gate {
    /// Lets everybody through, now and later.
    pub fn open(&self) {
        self.0.close();
    }

    async fn wait(&self) {
        // A closed semaphore is an open gate.
        let _closed = self.0.acquire().await;
    }
}

/// A call with arguments, as a model makes it.
pub fn call(id: &str, name: &str, arguments: Value) -> ToolCall {
    let Value::Object(arguments) = arguments else {
        panic!("arguments are an object")
    };
    ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments,
    }
}

/// An error as a provider that is overloaded gives it.
pub fn overloaded() -> LlmError {
    LlmError::Server {
        provider: "scripted".to_owned(),
        message: "overloaded".to_owned(),
        retry_after: None,
    }
}

impl Reply {
    /// An answer of the given steps; it is cut off unless one of them says that it is finished.
    pub fn of(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: steps.into_iter().collect(),
        }
    }

    /// A whole answer of these pieces of text.
    pub fn text<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Self {
        Self::of(pieces.into_iter().map(text)).then(finish(FinishReason::Stop))
    }

    /// A step in which tools are called.
    pub fn calls(calls: impl IntoIterator<Item = ToolCall>) -> Self {
        Self::of(
            calls
                .into_iter()
                .map(|call| Step::Say(ModelEvent::ToolCall(call))),
        )
        .then(finish(FinishReason::ToolCalls))
    }

    /// A request that is not accepted.
    pub fn refused(error: LlmError) -> Self {
        Self::of([Step::Fail(error)])
    }

    /// And then this.
    #[must_use]
    pub fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

/// A piece of text.
pub fn text(piece: &str) -> Step {
    Step::Say(ModelEvent::Text(piece.to_owned()))
}

/// The end of an answer, with a usage of 10 tokens in and 5 out.
pub fn finish(reason: FinishReason) -> Step {
    let usage = Usage {
        input_tokens: Some(10),
        output_tokens: Some(5),
        ..Usage::default()
    };
    Step::Say(ModelEvent::Finish {
        reason,
        usage,
        provider_data: None,
    })
}

impl Default for ScriptedModel {
    fn default() -> Self {
        Self::new([])
    }
}

impl ScriptedModel {
    /// A model that gives these answers in this order.
    pub fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self {
            provider: "scripted".to_owned(),
            model: "script-1".to_owned(),
            inner: Arc::new(Inner {
                replies: Mutex::new(replies.into_iter().collect()),
                ..Inner::default()
            }),
        }
    }

    /// Calls provider and model this, and not `scripted` and `script-1`.
    #[must_use]
    pub fn named(mut self, provider: &str, model: &str) -> Self {
        provider.clone_into(&mut self.provider);
        model.clone_into(&mut self.model);
        self
    }

    /// Adds an answer to the end of the script.
    pub fn push(&self, reply: Reply) {
        self.inner.replies.lock().unwrap().push_back(reply);
    }

    /// Gives this for the next summary; without it a summary is `A summary.`
    #[must_use]
    pub fn with_summary(self, reply: Reply) -> Self {
        self.inner.summaries.lock().unwrap().push_back(reply);
        self
    }

    /// Everything that was asked, summaries included.
    pub fn requests(&self) -> Vec<ChatRequest> {
        self.inner.requests.lock().unwrap().clone()
    }

    /// Whether every answer of the script was given.
    pub fn is_spent(&self) -> bool {
        self.inner.replies.lock().unwrap().is_empty()
    }

    /// How many answers were dropped before their end, those that had not begun included.
    pub fn broken_off(&self) -> usize {
        self.inner.broken_off.load(Ordering::SeqCst)
    }

    fn next_reply(&self, request: &ChatRequest) -> Reply {
        let is_summary = request
            .system
            .as_deref()
            .is_some_and(|it| it.starts_with("Summarize"));
        if is_summary {
            let reply = self.inner.summaries.lock().unwrap().pop_front();
            return reply.unwrap_or_else(|| Reply::text(["A summary."]));
        }
        let reply = self.inner.replies.lock().unwrap().pop_front();
        reply.unwrap_or_else(|| panic!("the script has no answer to {request:#?}"))
    }
}

#[async_trait]
impl ChatModel for ScriptedModel {
    fn provider(&self) -> &str {
        &self.provider
    }

    fn model(&self) -> &str {
        &self.model
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Answer, LlmError> {
        check(request);
        self.inner.requests.lock().unwrap().push(request.clone());
        let steps = VecDeque::from(self.next_reply(request).steps);
        if let Some(Step::Fail(error)) = steps.front() {
            return Err(error.clone());
        }
        let mut playing = Playing {
            steps,
            inner: Arc::clone(&self.inner),
        };
        loop {
            match playing.steps.front() {
                Some(Step::Wait(gate)) => gate.clone().wait().await,
                Some(Step::Pause(time)) => tokio::time::sleep(*time).await,
                _ => break,
            }
            playing.steps.pop_front();
        }
        Ok(Answer::new(stream::unfold(
            playing,
            |mut playing| async move {
                let event = playing.next().await?;
                Some((event, playing))
            },
        )))
    }
}

struct Playing {
    steps: VecDeque<Step>,
    inner: Arc<Inner>,
}

impl Playing {
    async fn next(&mut self) -> Option<Result<ModelEvent, LlmError>> {
        loop {
            // The step stays in front until it is over, so that a wait that is broken off and
            // taken up again waits again.
            match self.steps.front()?.clone() {
                Step::Wait(gate) => gate.wait().await,
                Step::Pause(time) => tokio::time::sleep(time).await,
                Step::Hang => std::future::pending().await,
                Step::Panic => panic!("the scripted model panics, as it was told to"),
                Step::Say(event) => {
                    self.steps.pop_front();
                    return Some(Ok(event));
                }
                Step::Fail(error) => {
                    self.steps.clear();
                    return Some(Err(error));
                }
            }
            self.steps.pop_front();
        }
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        if !self.steps.is_empty() {
            self.inner.broken_off.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// What every provider demands of a conversation.
fn check(request: &ChatRequest) {
    let messages = &request.messages;
    assert!(
        matches!(
            messages.last(),
            Some(Message::User(_) | Message::ToolResults(_))
        ),
        "the model has the last word: {messages:#?}"
    );
    for (at, message) in messages.iter().enumerate() {
        let calls: Vec<&str> = match message {
            Message::Assistant(step) => step.tool_calls().map(|call| call.id.as_str()).collect(),
            Message::User(_) | Message::ToolResults(_) => continue,
        };
        let results: Vec<&str> = match messages.get(at + 1) {
            Some(Message::ToolResults(results)) => results
                .iter()
                .map(|result| result.call_id.as_str())
                .collect(),
            _ => Vec::new(),
        };
        assert_eq!(calls, results, "calls and results differ: {messages:#?}");
    }
}
