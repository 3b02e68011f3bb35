// The wire protocol of patter, version 1. Generated from crates/protocol by `cargo xtask codegen`;
// change the Rust types instead of this file.

/**
 * Names a session: 1 to 128 characters, `[A-Za-z0-9][A-Za-z0-9._~:-]*`.
 */
export type SessionId = string;

/**
 * Names a user message within its session: chosen by the client, else a `UUIDv7`.
 * 1 to 64 characters, no U+0000.
 */
export type MessageId = string;

/**
 * Names a durable event: a write that is tried twice is stored once.
 */
export type EventId = string;

/**
 * Names an answer of the model.
 */
export type ResponseId = string;

/**
 * Names a tool call within its session.
 */
export type CallId = string;

/**
 * Names an incarnation of a session's log: it changes when the log was not merely continued,
 * and what a client holds of the old one is void.
 */
export type LogEpoch = string;

/**
 * A point in time in whole milliseconds, so that what is sent, what is stored, and what is read
 * again are the same. On the wire: `2026-11-21T09:30:00.123Z`.
 */
export type Timestamp = string;

/**
 * One frame from a client.
 */
export type ClientMessage = { "type": "user_message" } & UserInput | { "type": "cancel", 
/**
 * Only if it is this one.
 */
response_id?: ResponseId, } | { "type": "regenerate" } | { "type": "tool_approval", 
/**
 * The call.
 */
call_id: CallId, 
/**
 * Whether it may run.
 */
approve: boolean, 
/**
 * Why, for the log and the model.
 */
reason?: string, } | { "type": "end" } | { "type": "auth_refresh", 
/**
 * The credential.
 */
token: string, } | { "type": "ping", 
/**
 * Comes back with the `pong`; up to 64 characters.
 */
nonce?: string, };

/**
 * See [`ClientMessage::UserMessage`].
 */
export type UserInput = { 
/**
 * What is said: 1 to [`MAX_CONTENT_BYTES`] bytes after trimming, no U+0000.
 */
content: string, 
/**
 * Names the message, so that it can be sent again and is answered once.
 */
id?: MessageId, 
/**
 * Kept with the message; up to [`MAX_METADATA_BYTES`] bytes of JSON.
 */
metadata?: Record<string, unknown>, 
/**
 * Cancel the answer in flight first, and go ahead of the queue.
 */
interrupt?: boolean, 
/**
 * An edit: the last user message, whose place this one takes.
 */
replaces?: MessageId, };

/**
 * One frame from the server.
 */
export type ServerMessage = DurableEvent | LiveEvent;

/**
 * A row of a session's log.
 */
export type DurableEvent = { 
/**
 * Its place in the log: 1, 2, 3, without gaps.
 */
seq: number, 
/**
 * Names the event.
 */
event_id: EventId, 
/**
 * When it happened.
 */
at: Timestamp, } & ({ "type": "session_started" } & SessionStarted | { "type": "user_message" } & UserMessage | { "type": "tool_call" } & ToolCall | { "type": "tool_approved" } & ToolApproved | { "type": "tool_result" } & ToolResult | { "type": "ai_response" } & AiResponse | { "type": "session_ended" } & SessionEnded | { "type": "session_summary" } & SessionSummary);

/**
 * What a durable event tells.
 */
export type EventBody = { "type": "session_started" } & SessionStarted | { "type": "user_message" } & UserMessage | { "type": "tool_call" } & ToolCall | { "type": "tool_approved" } & ToolApproved | { "type": "tool_result" } & ToolResult | { "type": "ai_response" } & AiResponse | { "type": "session_ended" } & SessionEnded | { "type": "session_summary" } & SessionSummary;

/**
 * See [`EventBody::SessionStarted`].
 */
export type SessionStarted = { 
/**
 * The authenticated user, if any.
 */
user_id: string | null, 
/**
 * What was given when the session was made.
 */
metadata: Record<string, unknown>, };

/**
 * See [`EventBody::UserMessage`].
 */
export type UserMessage = { 
/**
 * Names the message: the client's, or one that the server made.
 */
id: MessageId, 
/**
 * What was said, trimmed.
 */
content: string, 
/**
 * What the client gave with it.
 */
metadata: Record<string, unknown>, 
/**
 * The earlier message that this one takes the place of.
 */
replaces: MessageId | null, };

/**
 * See [`EventBody::ToolCall`].
 */
export type ToolCall = { 
/**
 * The answer in which it was made.
 */
response_id: ResponseId, 
/**
 * Names the call.
 */
call_id: CallId, 
/**
 * Name of the tool.
 */
name: string, 
/**
 * Arguments that the model gave.
 */
arguments: Record<string, unknown>, 
/**
 * Whether it waits until somebody approves.
 */
needs_approval: boolean, };

/**
 * See [`EventBody::ToolApproved`]. It is stored before the tool runs; where somebody refused the call, its
 * result says so.
 */
export type ToolApproved = { 
/**
 * The answer in which the call was made.
 */
response_id: ResponseId, 
/**
 * The call, with the arguments that its event has.
 */
call_id: CallId, };

/**
 * See [`EventBody::ToolResult`].
 */
export type ToolResult = { 
/**
 * The answer in which the call was made.
 */
response_id: ResponseId, 
/**
 * The call that ended.
 */
call_id: CallId, 
/**
 * Name of the tool.
 */
name: string, 
/**
 * Whether the tool did what was asked.
 */
ok: boolean, 
/**
 * What it gave, where `ok`.
 */
content?: unknown, 
/**
 * What went wrong, where not `ok`.
 */
error?: ToolError, 
/**
 * How long it took, in milliseconds.
 */
duration_ms: number, };

/**
 * Why a tool did not do what was asked.
 */
export type ToolError = { 
/**
 * For programs.
 */
code: ToolErrorCode, 
/**
 * For people and models.
 */
message: string, };

/**
 * The kinds of [`ToolError`].
 */
export type ToolErrorCode = "invalid_arguments" | "unknown_tool" | "timeout" | "too_large" | "blocked_address" | "not_approved" | "invalid_output" | "interrupted" | "failed";

/**
 * See [`EventBody::AiResponse`].
 */
export type AiResponse = { 
/**
 * Names the answer.
 */
response_id: ResponseId, 
/**
 * The user message that it answers.
 */
message_id: MessageId, 
/**
 * All the text of the answer, joined.
 */
content: string, 
/**
 * Where the tools stood in it; empty, and left out, where none was called.
 */
parts?: Array<Part>, 
/**
 * How it ended.
 */
finish_reason: FinishReason, 
/**
 * Name of the model.
 */
model: string, 
/**
 * Name of the provider.
 */
provider: string, 
/**
 * Name of the route that chose them; left out where none did.
 */
route?: string, 
/**
 * Tokens of all its steps.
 */
usage: Usage, 
/**
 * What it cost, in US dollars; `null` where that is not known.
 */
cost_usd: number | null, 
/**
 * How long it took.
 */
timing: Timing, 
/**
 * The answer whose place it takes.
 */
supersedes: ResponseId | null, 
/**
 * Whether another answer counts although it came to the log earlier; left out where not. This
 * one was given while the store was away, and kept on local disk.
 */
superseded?: boolean, };

/**
 * A piece of an answer: text, or a tool call.
 */
export type Part = { 
/**
 * The text.
 */
text: string, } | { 
/**
 * Names the call.
 */
call_id: CallId, };

/**
 * How an answer ended.
 */
export type FinishReason = "stop" | "length" | "cancelled" | "content_filter" | "tool_limit" | "error" | "interrupted";

/**
 * Tokens of an answer; `null` where the provider did not say.
 */
export type Usage = { 
/**
 * Tokens of the requests, cached ones included.
 */
input_tokens: number | null, 
/**
 * Tokens of the answer, reasoning included.
 */
output_tokens: number | null, 
/**
 * Of the input, those that the provider had cached.
 */
cached_input_tokens: number | null, 
/**
 * Of the output, those spent on thinking.
 */
reasoning_tokens: number | null, };

/**
 * How long an answer took, in milliseconds from the moment its message was taken up.
 */
export type Timing = { 
/**
 * To the first piece of text; `null` if none came.
 */
first_token_ms: number | null, 
/**
 * To the end.
 */
total_ms: number, };

/**
 * See [`EventBody::SessionEnded`].
 */
export type SessionEnded = { 
/**
 * Why.
 */
reason: EndReason, 
/**
 * What was talked about; `null` where no summary could be had in time.
 */
summary: string | null, 
/**
 * What it came to.
 */
metrics: Metrics, };

/**
 * Why a session ended.
 */
export type EndReason = "client" | "disconnect" | "idle" | "shutdown" | "recovered";

/**
 * What a session came to, counted over its whole log.
 */
export type Metrics = { 
/**
 * How long it was open, in milliseconds: from each `session_started` to its `session_ended`.
 */
duration_ms: number, 
/**
 * Messages of clients.
 */
user_messages: number, 
/**
 * Answers, however they ended.
 */
ai_responses: number, 
/**
 * Tool calls.
 */
tool_calls: number, 
/**
 * Tool calls that went wrong.
 */
tool_errors: number, 
/**
 * Tokens of all requests.
 */
input_tokens: number, 
/**
 * Tokens of all answers.
 */
output_tokens: number, 
/**
 * Cost of the answers in US dollars; `null` where that of one is not known.
 */
cost_usd: number | null, 
/**
 * Mean time to the first token; `null` if there was none.
 */
mean_first_token_ms: number | null, };

/**
 * See [`EventBody::SessionSummary`].
 */
export type SessionSummary = { 
/**
 * What was talked about.
 */
summary: string, 
/**
 * The part of the log that it covers.
 */
covers: SummaryRange, };

/**
 * A part of a log, both ends included.
 */
export type SummaryRange = { 
/**
 * The first event.
 */
from_seq: number, 
/**
 * The last event.
 */
to_seq: number, };

/**
 * An event that is told and not kept.
 */
export type LiveEvent = { "type": "session_ready" } & SessionReady | { "type": "accepted" } & Accepted | { "type": "response_started" } & ResponseStarted | { "type": "token" } & Token | { "type": "reasoning" } & Reasoning | { "type": "tool_progress" } & ToolProgress | { "type": "response_snapshot" } & ResponseSnapshot | { "type": "response_finished" } & ResponseFinished | { "type": "error" } & ErrorEvent | { "type": "notice" } & Notice | { "type": "pong" } & Pong;

/**
 * See [`LiveEvent::SessionReady`].
 */
export type SessionReady = { 
/**
 * [`VERSION`](crate::VERSION).
 */
protocol: number, 
/**
 * The session.
 */
session_id: SessionId, 
/**
 * Names the log that `seq` counts in.
 */
epoch: LogEpoch, 
/**
 * The highest `seq` stored when the connection was attached.
 */
last_seq: number, 
/**
 * What the client said it holds is void: the whole log follows.
 */
reset: boolean, 
/**
 * The session had been finalized and was opened again.
 */
reopened: boolean, 
/**
 * Name of the model.
 */
model: string, 
/**
 * Name of the provider.
 */
provider: string, 
/**
 * Names of the tools.
 */
tools: Array<string>, 
/**
 * What the client must keep to.
 */
limits: Limits, };

/**
 * What a client must keep to; told in `session_ready`.
 */
export type Limits = { 
/**
 * The longest frame, in bytes.
 */
max_frame_bytes: number, 
/**
 * The longest `content`, in bytes of UTF-8.
 */
max_content_bytes: number, 
/**
 * The longest `metadata`, in bytes of JSON.
 */
max_metadata_bytes: number, 
/**
 * How many messages may wait behind the answer in flight.
 */
max_queued_messages: number, };

/**
 * See [`LiveEvent::Accepted`].
 */
export type Accepted = { 
/**
 * The message.
 */
id: MessageId, 
/**
 * How safe it is.
 */
durability: Durability, };

/**
 * How safe a message is that is not stored yet.
 */
export type Durability = "spooled";

/**
 * See [`LiveEvent::ResponseStarted`].
 */
export type ResponseStarted = { 
/**
 * Names the answer.
 */
response_id: ResponseId, 
/**
 * The user message that it answers.
 */
message_id: MessageId, 
/**
 * Name of the model.
 */
model: string, 
/**
 * Name of the provider.
 */
provider: string, 
/**
 * Name of the route that chose them; `null` where none did.
 */
route: string | null, };

/**
 * See [`LiveEvent::Token`].
 */
export type Token = { 
/**
 * The answer.
 */
response_id: ResponseId, 
/**
 * 0, 1, 2, ... within the answer; of joined pieces, the last one's.
 */
index: number, 
/**
 * The text.
 */
content: string, 
/**
 * How many pieces were joined for a reader that lags; left out where it is one.
 */
count?: number, };

/**
 * See [`LiveEvent::Reasoning`].
 */
export type Reasoning = { 
/**
 * The answer.
 */
response_id: ResponseId, 
/**
 * The text.
 */
content: string, };

/**
 * See [`LiveEvent::ToolProgress`]. Few tools tell it, and what they tell too fast is left out.
 */
export type ToolProgress = { 
/**
 * The answer.
 */
response_id: ResponseId, 
/**
 * The call.
 */
call_id: CallId, 
/**
 * How much is done, in a unit of the tool's own; it grows.
 */
done: number, 
/**
 * How much there is to do, where that is known.
 */
total?: number, 
/**
 * What is being done, where the tool says so.
 */
message?: string, };

/**
 * See [`LiveEvent::ResponseSnapshot`].
 */
export type ResponseSnapshot = { 
/**
 * The answer.
 */
response_id: ResponseId, 
/**
 * The user message that it answers.
 */
message_id: MessageId, 
/**
 * The index of the last token in `content`; -1 if there is none. The next `token` has this + 1.
 */
index: number, 
/**
 * All its text so far.
 */
content: string, 
/**
 * Where the tools stand in it so far; empty where none was called.
 */
parts: Array<Part>, };

/**
 * See [`LiveEvent::ResponseFinished`].
 */
export type ResponseFinished = { 
/**
 * The answer.
 */
response_id: ResponseId, 
/**
 * How it ended.
 */
finish_reason: FinishReason, };

/**
 * See [`LiveEvent::Error`].
 */
export type ErrorEvent = { 
/**
 * For programs.
 */
code: ErrorCode, 
/**
 * For people.
 */
message: string, 
/**
 * Whether the same may succeed later.
 */
retryable: boolean, 
/**
 * The message it belongs to.
 */
message_id?: MessageId, 
/**
 * The answer it belongs to.
 */
response_id?: ResponseId, 
/**
 * What the code says is here.
 */
details?: Record<string, unknown>, };

/**
 * Why something that was asked for did not happen.
 */
export type ErrorCode = "invalid_json" | "unknown_type" | "invalid_field" | "busy" | "rate_limited" | "limit_reached" | "nothing_to_cancel" | "nothing_to_regenerate" | "unknown_call" | "provider_error" | "provider_timeout" | "provider_rate_limited" | "provider_auth" | "content_filtered" | "store_unavailable" | "internal";

/**
 * See [`LiveEvent::Notice`].
 */
export type Notice = { 
/**
 * For programs.
 */
code: NoticeCode, 
/**
 * For people.
 */
message: string, };

/**
 * What a person would want to know.
 */
export type NoticeCode = "store_degraded" | "store_recovered" | "provider_failover" | "draining" | "demo_model";

/**
 * See [`LiveEvent::Pong`].
 */
export type Pong = { 
/**
 * What the `ping` carried.
 */
nonce?: string, };
