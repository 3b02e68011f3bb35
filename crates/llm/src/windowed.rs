//! A request made to fit the window of its model.

use async_trait::async_trait;
use tokio::task::spawn_blocking;

use crate::catalog::{Catalog, ModelInfo};
use crate::error::LlmError;
use crate::message::Message;
use crate::model::{Answer, ChatModel};
use crate::request::ChatRequest;
use crate::tokens::TokenCounter;

/// What is kept free for an answer whose length the request does not limit, in tokens; but at most
/// a quarter of the window.
const RESERVE: u64 = 8_192;

/// How many tokens a model takes, and how they are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How many tokens a request and its answer may have together.
    pub tokens: u64,
    /// How many tokens a request may have, where that is less than the window.
    pub max_input_tokens: Option<u64>,
    /// Counts as the model does, or as near as can be.
    pub counter: TokenCounter,
}

impl Window {
    /// The window of a model, where it is known.
    #[must_use]
    pub fn of(model: &ModelInfo) -> Option<Self> {
        Some(Self {
            tokens: model.context_window?,
            max_input_tokens: model.max_input_tokens,
            counter: TokenCounter::of(model),
        })
    }

    /// Tokens that the messages of this request may have: what the window leaves after the
    /// answer, the system text and the tools.
    #[must_use]
    pub fn budget(&self, request: &ChatRequest) -> u64 {
        let input = self.input(request);
        input.saturating_sub(self.counter.preamble(request))
    }

    /// How many messages, from the oldest on, must go for the request to fit: whole turns, where
    /// a turn is what a person said with all answers to it. The last turn always stays, so that
    /// what is left can still be too large.
    ///
    /// Where something must go, a little more goes with it: mostly a tenth of the budget, never
    /// more than half. The next requests of the conversation then begin with the same message, and
    /// a provider that has the beginning of a request in its cache asks less for it.
    ///
    /// A request that may not fit has its text counted, which is work for a thread that may block:
    /// see [`TokenCounter`].
    #[must_use]
    pub fn overflow(&self, request: &ChatRequest) -> usize {
        if self.surely_holds(request) {
            return 0;
        }
        let budget = self.budget(request);
        let turns = turns(&request.messages);
        match first_that_fits(&turns, budget, self.counter) {
            0 => 0,
            first => turns
                .iter()
                .take(rounded_up(&turns, first, budget / 2, self.counter.bytes()))
                .map(|turn| turn.len())
                .sum(),
        }
    }

    /// Makes the counter ready for a conversation of so many bytes, without holding up the thread
    /// that asks: where it may have to be counted, what that takes is loaded elsewhere.
    ///
    /// # Cancel safety
    ///
    /// What is being loaded goes on being loaded.
    pub async fn prepare(&self, bytes: u64) {
        let room = self.max_input_tokens.unwrap_or(self.tokens);
        // The rest is left for system text, tools and the answer.
        if self.counter.has_to_be_loaded() && bytes > room / 4 {
            let counter = self.counter;
            // Nothing can go wrong that would not show in counting.
            let _ = spawn_blocking(move || counter.text("")).await;
        }
    }

    /// Whether the request fits however it is counted. Nearly every one does, and no text needs to
    /// be read to know.
    fn surely_holds(&self, request: &ChatRequest) -> bool {
        self.counter.upper_bound(request) <= self.input(request)
    }

    /// Tokens that a request may have, as far as this one limits its answer.
    fn input(&self, request: &ChatRequest) -> u64 {
        let reserve = request
            .max_output_tokens
            .map_or(RESERVE.min(self.tokens / 4), u64::from);
        let input = self.tokens.saturating_sub(reserve);
        self.max_input_tokens.map_or(input, |most| most.min(input))
    }
}

/// The turns of a conversation. What stands before the first thing that a person said is one too.
fn turns(messages: &[Message]) -> Vec<&[Message]> {
    messages
        .chunk_by(|_, next| !matches!(next, Message::User(_)))
        .collect()
}

/// How many of the oldest turns must go for the others to fit.
fn first_that_fits(turns: &[&[Message]], budget: u64, counter: TokenCounter) -> usize {
    let Some((last, older)) = turns.split_last() else {
        return 0;
    };
    let mut left = budget.saturating_sub(counter.messages(last));
    let fitting = older.iter().rev().take_while(|turn| {
        let tokens = counter.messages(turn);
        let fits = tokens <= left;
        left = left.saturating_sub(tokens);
        fits
    });
    older.len() - fitting.count()
}

/// How many of the oldest turns go if `first` must: as many as begin before the next multiple of
/// `step`, so that it is the same for some time while the conversation grows. Measured in bytes,
/// which are quick to find; a step has no more tokens than it has bytes.
fn rounded_up(turns: &[&[Message]], first: usize, step: u64, bytes: TokenCounter) -> usize {
    let gone = turns.iter().take(first).map(|turn| bytes.messages(turn));
    let mut gone: u64 = gone.sum();
    let limit = gone.next_multiple_of(step.max(1));
    let more = turns.iter().skip(first).take_while(|turn| {
        gone += bytes.messages(turn);
        gone <= limit
    });
    (first + more.count()).min(turns.len() - 1)
}

/// Gives a model only what fits into its window: the oldest turns of a conversation that has
/// outgrown it are left out.
///
/// System text and tools always go out, and so does the last turn, with every message of it; a
/// tool call is never parted from its result. If these alone are too much, they go out all the
/// same: the count may be too high, and the provider knows. It then answers with
/// [`LlmError::InvalidRequest`].
#[derive(Debug)]
pub struct Windowed<M> {
    model: M,
    window: Option<Window>,
}

impl<M: ChatModel> Windowed<M> {
    /// The model with the window that the catalog knows of. Where it knows of none, everything
    /// goes out as it is.
    pub fn new(model: M, catalog: &Catalog) -> Self {
        let info = catalog.find(model.provider(), model.model());
        let window = info.and_then(Window::of);
        Self { model, window }
    }
}

#[async_trait]
impl<M: ChatModel> ChatModel for Windowed<M> {
    fn provider(&self) -> &str {
        self.model.provider()
    }

    fn model(&self) -> &str {
        self.model.model()
    }

    fn window(&self) -> Option<&Window> {
        self.window.as_ref()
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Answer, LlmError> {
        let Some(window) = self.window.filter(|it| !it.surely_holds(request)) else {
            return self.model.stream(request).await;
        };
        let mut cut = request.clone();
        // Megabytes are counted, and for that a vocabulary may have to be loaded.
        let counting = spawn_blocking(move || {
            cut.messages.drain(..window.overflow(&cut));
            cut
        });
        match counting.await {
            Ok(request) => self.model.stream(&request).await,
            // What could not be counted may fit all the same.
            Err(_) => self.model.stream(request).await,
        }
    }
}
