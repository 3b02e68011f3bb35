//! Writes `web/src/protocol.ts` from the types of this crate, and fails when the committed file is
//! another one. `UPDATE_GENERATED=1 cargo test -p patter-protocol` (or `cargo xtask codegen`) mends it.

use std::fmt::Write;
use std::path::Path;

use ts_rs::{Config, TS};

use crate::{
    Accepted, AiResponse, CallId, ClientMessage, Durability, DurableEvent, EndReason, ErrorCode,
    ErrorEvent, EventBody, EventId, FinishReason, Limits, LiveEvent, LogEpoch, MessageId, Metrics,
    Notice, NoticeCode, Part, Pong, Reasoning, ResponseFinished, ResponseId, ResponseSnapshot,
    ResponseStarted, ServerMessage, SessionEnded, SessionId, SessionReady, SessionStarted,
    SessionSummary, SummaryRange, Timestamp, Timing, Token, ToolApproved, ToolCall, ToolError,
    ToolErrorCode, ToolProgress, ToolResult, Usage, UserInput, UserMessage,
};

const HEADER: &str = "\
// The wire protocol of patter, version 1. Generated from crates/protocol by `cargo xtask codegen`;
// change the Rust types instead of this file.
";

#[test]
fn the_committed_typescript_is_what_the_types_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/src/protocol.ts");
    let generated = generate();
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "web/src/protocol.ts is out of date: run `cargo xtask codegen`"
    );
}

fn generate() -> String {
    let mut text = HEADER.to_owned();
    macro_rules! declare {
        ($($name:ident),* $(,)?) => { $( declare::<$name>(&mut text); )* };
    }
    declare!(
        SessionId,
        MessageId,
        EventId,
        ResponseId,
        CallId,
        LogEpoch,
        Timestamp,
        ClientMessage,
        UserInput,
        ServerMessage,
        DurableEvent,
        EventBody,
        SessionStarted,
        UserMessage,
        ToolCall,
        ToolApproved,
        ToolResult,
        ToolError,
        ToolErrorCode,
        AiResponse,
        Part,
        FinishReason,
        Usage,
        Timing,
        SessionEnded,
        EndReason,
        Metrics,
        SessionSummary,
        SummaryRange,
        LiveEvent,
        SessionReady,
        Limits,
        Accepted,
        Durability,
        ResponseStarted,
        Token,
        Reasoning,
        ToolProgress,
        ResponseSnapshot,
        ResponseFinished,
        ErrorEvent,
        ErrorCode,
        Notice,
        NoticeCode,
        Pong,
    );
    text
}

fn declare<T: TS>(text: &mut String) {
    let config = Config::default();
    let docs = T::docs().unwrap_or_default();
    writeln!(text, "\n{docs}export {}", T::decl(&config)).unwrap();
}
