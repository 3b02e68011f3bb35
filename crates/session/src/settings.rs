//! The limits and deadlines of a session. Each default is a considered figure; see the fields.

use std::time::Duration;

/// How sessions behave.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionSettings {
    /// How long a session waits for somebody to come back after the last reader has left. (For
    /// the first reader it waits for 10 s at least.)
    pub linger: Duration,
    /// How long a process that runs a session may be silent before another one may take the session
    /// over. It is renewed three times as often.
    pub lease: Duration,
    /// How often it is looked for sessions that nobody runs, and for summaries that are missing;
    /// give or take a fifth.
    pub sweep_interval: Duration,
    /// How many messages may wait behind the answer in flight; more are refused as `busy`.
    pub max_queued_messages: usize,
    /// How often the model may be asked within one answer; once more, without tools, where it would
    /// call tools to the last.
    pub max_steps: usize,
    /// How many tools may be called within one answer.
    pub max_tool_calls: usize,
    /// How many tools of one step run at the same time.
    pub max_parallel_tools: usize,
    /// How many answers all sessions together may have in flight; more are refused as `busy`.
    pub max_turns: usize,
    /// How many of them for one of those who ask; see
    /// [`SessionHandle::counted_for`](crate::SessionHandle::counted_for).
    pub max_turns_of_one: usize,
    /// How long one answer may take, tools included.
    pub turn_timeout: Duration,
    /// How long a summary may take before the session is finalized without one.
    pub summary_timeout: Duration,
    /// How many readers may be attached to one session.
    pub max_readers: usize,
    /// At most so many tokens of one step of an answer; the provider's own limit where `None`.
    pub max_output_tokens: Option<u32>,
    /// Sampling temperature; sent only where it is set.
    pub temperature: Option<f32>,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            linger: Duration::from_secs(30),
            lease: Duration::from_secs(15),
            sweep_interval: Duration::from_secs(5),
            max_queued_messages: 8,
            max_steps: 8,
            max_tool_calls: 16,
            max_parallel_tools: 4,
            max_turns: 500,
            max_turns_of_one: 3,
            turn_timeout: Duration::from_secs(300),
            summary_timeout: Duration::from_secs(30),
            max_readers: 10,
            max_output_tokens: None,
            temperature: None,
        }
    }
}
