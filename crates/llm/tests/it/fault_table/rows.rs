//! The rows of the table.

use std::time::Duration;

use patter_llm::{FinishReason, TimeoutPhase};
use patter_testkit::model_server::{Release, Reply};

use crate::fault_table::SHORT;
use crate::fault_table::speech::Speech;

const TOKENS: [&str; 6] = ["one ", "two ", "three ", "four ", "five ", "six"];
const FIVE_TOKENS: &str = "one two three four five ";

/// One fault and all that must come of it.
pub(super) struct Row {
    pub(super) fault: &'static str,
    pub(super) happens: Happens,
    /// The one deadline that is [`SHORT`]; without one the end must come at once.
    pub(super) awaits: Option<TimeoutPhase>,
    /// Text that the caller gets all the same.
    pub(super) text: &'static str,
    pub(super) calls: &'static [&'static str],
    pub(super) ends: Ends,
}

pub(super) enum Happens {
    /// Nobody listens.
    Refused,
    /// A server that speaks no TLS is asked by `https`.
    NoTls,
    /// The server says this.
    Says(fn(&Speech) -> Reply),
}

pub(super) enum Ends {
    With(FinishReason),
    In {
        error: &'static str,
        retryable: bool,
        retry_after: Option<Duration>,
        /// Must stand in the message.
        says: &'static str,
    },
}

/// An error that asking again does not mend.
const fn fatal(error: &'static str) -> Ends {
    Ends::In {
        error,
        retryable: false,
        retry_after: None,
        says: "",
    }
}

/// An error that may pass.
const fn passing(error: &'static str) -> Ends {
    passing_that_says(error, "")
}

const fn passing_that_says(error: &'static str, says: &'static str) -> Ends {
    Ends::In {
        error,
        retryable: true,
        retry_after: None,
        says,
    }
}

/// An error that passes after so many seconds.
const fn passing_after(error: &'static str, seconds: u64) -> Ends {
    Ends::In {
        error,
        retryable: true,
        retry_after: Some(Duration::from_secs(seconds)),
        says: "",
    }
}

/// A row of a fault that leaves nothing of the answer.
const fn row(fault: &'static str, happens: Happens, ends: Ends) -> Row {
    Row {
        fault,
        happens,
        awaits: None,
        text: "",
        calls: &[],
        ends,
    }
}

/// A row of an answer that the server says in this way.
const fn says(fault: &'static str, reply: fn(&Speech) -> Reply, ends: Ends) -> Row {
    row(fault, Happens::Says(reply), ends)
}

impl Row {
    const fn awaits(self, phase: TimeoutPhase) -> Self {
        Self {
            awaits: Some(phase),
            ..self
        }
    }

    const fn text(self, text: &'static str) -> Self {
        Self { text, ..self }
    }

    const fn calls(self, calls: &'static [&'static str]) -> Self {
        Self { calls, ..self }
    }
}

pub(super) const CONNECTION: &[Row] = &[
    row("refused", Happens::Refused, passing("Connection")),
    row("TLS error", Happens::NoTls, passing("Connection")),
];

pub(super) const REFUSALS: &[Row] = &[
    says("400", |wire| (wire.refusal)(400), fatal("InvalidRequest")),
    says("401", |wire| (wire.refusal)(401), fatal("Auth")),
    says("403", |wire| (wire.refusal)(403), fatal("Auth")),
    says("404", |wire| (wire.refusal)(404), fatal("NotFound")),
    says(
        "429, to be asked again after 1 s",
        |wire| (wire.refusal)(429).header("retry-after", "1"),
        passing_after("RateLimited", 1),
    ),
    says(
        "429, to be asked again after an hour",
        |wire| (wire.refusal)(429).header("retry-after", "3600"),
        passing_after("RateLimited", 3600),
    ),
    says(
        "429, to be asked again after junk",
        |wire| (wire.refusal)(429).header("retry-after", "when I like"),
        passing("RateLimited"),
    ),
    says("500", |wire| (wire.refusal)(500), passing("Server")),
    says("503", |wire| (wire.refusal)(503), passing("Server")),
    says(
        "503 in a body that is compressed",
        |wire| (wire.refusal)(503).header("content-encoding", "br"),
        passing_that_says("Server", "status 503"),
    ),
];

pub(super) const SILENCES: &[Row] = &[
    says("no headers", |_| Reply::silence(), passing("Timeout")).awaits(TimeoutPhase::Headers),
    says(
        "no headers, and an answer that must be quick",
        |_| Reply::silence(),
        passing("Timeout"),
    )
    .awaits(TimeoutPhase::WholeAnswer),
    says(
        "silence after headers",
        |wire| (wire.text)(&TOKENS).stalled_after(0, &Release::default()),
        passing("Timeout"),
    )
    .awaits(TimeoutPhase::FirstToken),
    says(
        "silence after what stands before the first token",
        |wire| (wire.text)(&["six"]).stalled_at("six", &Release::default()),
        passing("Timeout"),
    )
    .awaits(TimeoutPhase::FirstToken),
    says(
        "silence after 5 tokens",
        |wire| (wire.text)(&TOKENS).stalled_at("six", &Release::default()),
        passing("Timeout"),
    )
    .awaits(TimeoutPhase::NextToken)
    .text(FIVE_TOKENS),
    says(
        "comments for ever",
        |_| {
            Reply::sse(": still here\n\n".repeat(100_000))
                .in_pieces([14])
                .delay(SHORT / 10)
        },
        passing("Timeout"),
    )
    .awaits(TimeoutPhase::WholeAnswer),
];

pub(super) const RUBBISH: &[Row] = &[
    says(
        "a chunk that is no JSON",
        |wire| said_and(wire, b"{\"choices\": nonsense}"),
        passing("Malformed"),
    )
    .text("Hi"),
    says(
        "a chunk of half the JSON",
        |wire| said_and(wire, b"{\"choices\": ["),
        passing("Truncated"),
    )
    .text("Hi"),
    says(
        "a chunk that is no UTF-8",
        |wire| said_and(wire, b"{\"x\": \"\xff\xfe\"}"),
        passing("Malformed"),
    )
    .text("Hi"),
    says(
        "a line without end",
        |wire| said_and(wire, &[b'x'; 17 * 1024 * 1024]),
        passing("Malformed"),
    )
    .text("Hi"),
    says("no body", |_| Reply::sse(""), passing("Truncated")),
    says(
        "gzip",
        |wire| (wire.text)(&TOKENS).header("content-encoding", "gzip"),
        passing_that_says("Malformed", "compressed (gzip)"),
    ),
    says(
        "a tool call with broken JSON",
        |wire| (wire.broken_call)(),
        passing("Malformed"),
    ),
];

pub(super) const ODDITIES: &[Row] = &[
    says(
        "two finish reasons: the last one counts",
        |wire| (wire.two_finishes)(),
        Ends::With(FinishReason::Length),
    )
    .text("Hi"),
    says(
        "an answer of no text",
        |wire| (wire.text)(&[]),
        Ends::With(FinishReason::Stop),
    ),
    says(
        "a call of a tool that nobody offered",
        |wire| (wire.call)("no_such_tool"),
        Ends::With(FinishReason::ToolCalls),
    )
    .calls(&["no_such_tool"]),
];

/// An answer that says "Hi" and then this.
fn said_and(wire: &Speech, data: &[u8]) -> Reply {
    let body = format!("data: {}\n\ndata: ", (wire.piece)("Hi"));
    Reply::sse([body.as_bytes(), data, b"\n\n"].concat())
}
