//! What is counted of sessions, with what it means and what to do about it.

use patter_metrics::{Metric, Sample};
use patter_store::SpoolUsage;

/// Whole requests to models, in seconds.
const ANSWER_BOUNDS: &[f64] = &[
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
];
/// What a person waits for before something is seen, in seconds.
const FIRST_BOUNDS: &[f64] = &[
    0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0,
];
/// Between pieces of an answer, in seconds. A person sees gaps from a tenth of a second on.
const GAP_BOUNDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];
/// What should take no time at all, in seconds.
const OWN_BOUNDS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
];

const OF_MODEL: &[&str] = &["provider", "model"];

/// Everything that the sessions of a process tell, see
/// [`SessionManager::register_metrics`](crate::SessionManager::register_metrics).
pub const METRICS: &[&Metric] = &[
    &SESSIONS,
    &OPENED,
    &ENDED,
    &LEASES_LOST,
    &SWEPT,
    &SWEEPS,
    &MESSAGES_WAITING,
    &INBOX_COMMANDS,
    &EVENTS_UNSTORED,
    &TURNS,
    &TURN_TIME,
    &PREPARATION,
    &FIRST_TOKEN,
    &FIRST_PIECE,
    &PIECE_GAP,
    &TOKENS,
    &COST,
    &UNPRICED,
    &FAILOVERS,
    &TOOL_TIME,
    &SUMMARIES,
    &LIMITS,
    &SPOOL_EVENTS,
    &SPOOL_BYTES,
    &SPOOL_CAPACITY,
    &SPOOL_AGE,
    &SPOOL_MAX_AGE,
];

pub(super) const SESSIONS: Metric = Metric::gauge(
    "patter_sessions",
    &["state"],
    "Sessions that are live in this process, by state: opening, answering, idle (somebody reads), lingering (nobody does), ending.",
    "Many in `opening`: the store is slow. Many in `ending`: summaries take long, see `patter_summaries_total`.",
);
pub(super) const OPENED: Metric = Metric::counter(
    "patter_sessions_opened_total",
    &[],
    "Sessions that were opened here, new ones and ones that are continued.",
    "Far more than connections: clients do not stay; see `patter_connections_closed_total`.",
);
pub(super) const ENDED: Metric = Metric::counter(
    "patter_sessions_ended_total",
    &["reason"],
    "Sessions that were finalized here, by reason: client, disconnect, idle, shutdown, recovered.",
    "`recovered` counts sessions whose process died: look for crashes and for processes that were killed.",
);
pub(super) const LEASES_LOST: Metric = Metric::counter(
    "patter_leases_lost_total",
    &[],
    "Sessions that another process took over while they ran here.",
    "This process could not renew its leases in time: look at the store's latency, at pauses of the machine, and at its clock.",
);
pub(super) const SWEPT: Metric = Metric::counter(
    "patter_sessions_swept_total",
    &[],
    "Sessions that had no owner any more and were taken over here to be finalized.",
    "Some after each restart are usual. A steady rate: processes die, or cannot reach the store.",
);
pub(super) const SWEEPS: Metric = Metric::counter(
    "patter_sweeps_total",
    &["outcome"],
    "Looks for sessions without an owner and for missing summaries, by outcome: ok, failed.",
    "`failed`: the store does not answer. None at all: the process is stuck or draining.",
);
pub(super) const MESSAGES_WAITING: Metric = Metric::gauge(
    "patter_messages_waiting",
    &[],
    "Messages that wait for the answer before theirs, all sessions together.",
    "Grows: answers take longer than people write; see `patter_turn_seconds` and the models' circuits.",
);
pub(crate) const INBOX_COMMANDS: Metric = Metric::gauge(
    "patter_inbox_commands",
    &[],
    "Commands that wait for the tasks of their sessions, all sessions together.",
    "Is about zero. If it stays above: the process has too little CPU time.",
);
pub(super) const EVENTS_UNSTORED: Metric = Metric::gauge(
    "patter_events_unstored",
    &[],
    "Events of live sessions that the store does not have yet.",
    "Grows: the store is away or slow; see `patter_store_batch_seconds` and, where it is away, the spool.",
);
pub(super) const TURNS: Metric = Metric::counter(
    "patter_turns_total",
    &["route", "finish_reason"],
    "Answers that came to their end, by route (`none`: the default) and by how: stop, length, cancelled, content_filter, tool_limit, error, interrupted.",
    "`error`: see `patter_model_failures_total` for whose. `interrupted`: answers were cut off by a stop; give `server.drain_timeout` more time.",
);
pub(super) const TURN_TIME: Metric = Metric::histogram(
    "patter_turn_seconds",
    &[],
    ANSWER_BOUNDS,
    "From when an answer was begun to its end, tools and people that approve calls included.",
    "Long: see `patter_first_token_seconds`, `patter_model_piece_gap_seconds` and `patter_tool_call_seconds` for where it goes.",
);
pub(super) const PREPARATION: Metric = Metric::histogram(
    "patter_turn_preparation_seconds",
    &[],
    OWN_BOUNDS,
    "Added by us before the first token: from when an answer was begun until its first request goes to the model, the choice of the route included.",
    "Long: the classifier of routes is slow, if one is asked; else the process has too little CPU time.",
);
pub(super) const FIRST_TOKEN: Metric = Metric::histogram(
    "patter_first_token_seconds",
    OF_MODEL,
    FIRST_BOUNDS,
    "From when an answer was begun to its first text, tools that ran before it included: what a person waits. By the model that answered last.",
    "Compare with `patter_model_first_piece_seconds`, the provider's part, and `patter_turn_preparation_seconds`, ours.",
);
pub(super) const FIRST_PIECE: Metric = Metric::histogram(
    "patter_model_first_piece_seconds",
    OF_MODEL,
    FIRST_BOUNDS,
    "Upstream: from a request to the first piece of its answer, being asked again included. Steps in which another model took over are left out.",
    "The provider is slow, or is asked again and again: see `patter_model_failures_total`. Consider a fallback or another model.",
);
pub(super) const PIECE_GAP: Metric = Metric::histogram(
    "patter_model_piece_gap_seconds",
    OF_MODEL,
    GAP_BOUNDS,
    "Upstream: between one piece of text or reasoning and the next, as they come in from the provider.",
    "Pieces stutter at the provider. If clients see stutter and this is fine, see `patter_delivery_seconds`.",
);
pub(super) const TOKENS: Metric = Metric::counter(
    "patter_tokens_total",
    &["provider", "model", "kind"],
    "Tokens of answers as the provider counted them: input, output; of which cached_input and reasoning. Requests for summaries and routes are not among them.",
    "Much input for little output: conversations are long, or tools return much.",
);
pub(super) const COST: Metric = Metric::counter(
    "patter_cost_dollars_total",
    OF_MODEL,
    "What the tokens of answers cost, where the price of the model is known.",
    "Too fast: see which model, and limit `llm.max_output_tokens` or route less to it.",
);
pub(super) const UNPRICED: Metric = Metric::counter(
    "patter_unpriced_steps_total",
    OF_MODEL,
    "Steps of answers whose cost is not known: no price, no count of tokens, or broken off.",
    "While this grows, `patter_cost_dollars_total` is too low. Set the prices of the model in the configuration.",
);
pub(super) const FAILOVERS: Metric = Metric::counter(
    "patter_failovers_total",
    OF_MODEL,
    "How often another model took over in the middle of answering, by the one that failed.",
    "The provider has trouble. Answers go on, perhaps dearer or worse: see its status page and its circuit.",
);
pub(super) const TOOL_TIME: Metric = Metric::histogram(
    "patter_tool_call_seconds",
    &["tool"],
    FIRST_BOUNDS,
    "From when a call of a tool may run to its end. Tools that there are not are `other`.",
    "Long: what the tool asks is slow. Calls that fail are in `patter_tool_failures_total`.",
);
pub(super) const SUMMARIES: Metric = Metric::counter(
    "patter_summaries_total",
    &["kind", "outcome"],
    "Summaries, by kind: final (at the end), late (made up for), running (of a long conversation that goes on); and by outcome: made, failed.",
    "`failed`: the model does not answer or takes too long, see `session.summary_timeout`. One of a session that ended is tried again twice.",
);
pub(super) const LIMITS: Metric = Metric::counter(
    "patter_session_limits_hit_total",
    &["limit"],
    "How often a limit of sessions was met: readers, queued_messages, steps, tool_calls, calls_of_tool, turn_time, turns, turns_of_user, spool, budget.",
    "Each is a key of the configuration. `spool`: messages are refused while the database is away. `budget`: `[budgets]`, see docs/budgets.md.",
);
const SPOOL_EVENTS: Metric = Metric::gauge(
    "patter_spool_events",
    &[],
    "Events that are kept on local disk because the store is away.",
    "More than none for minutes: the database is away. Nothing is lost; do not delete the disk.",
);
const SPOOL_BYTES: Metric = Metric::gauge(
    "patter_spool_bytes",
    &[],
    "How much that is.",
    "See `patter_spool_capacity_bytes`: from there on no message is taken.",
);
const SPOOL_CAPACITY: Metric = Metric::gauge(
    "patter_spool_capacity_bytes",
    &[],
    "From so much on no new message is taken.",
    "Is `store.spool_max_bytes`.",
);
const SPOOL_AGE: Metric = Metric::gauge(
    "patter_spool_age_seconds",
    &[],
    "For how long the spool has not been empty.",
    "See `patter_spool_max_age_seconds`: after so long no message is taken.",
);
const SPOOL_MAX_AGE: Metric = Metric::gauge(
    "patter_spool_max_age_seconds",
    &[],
    "After so long no new message is taken.",
    "Is `store.spool_max_age`.",
);

/// What is told of the spool.
pub(crate) const SPOOL_METRICS: &[&Metric] = &[
    &SPOOL_EVENTS,
    &SPOOL_BYTES,
    &SPOOL_CAPACITY,
    &SPOOL_AGE,
    &SPOOL_MAX_AGE,
];

#[expect(
    clippy::cast_precision_loss,
    reason = "Prometheus has only floating point, and these stay far below 2^52"
)]
pub(crate) fn spool_samples(usage: SpoolUsage) -> Vec<Sample> {
    let age = usage.filled_for.unwrap_or_default();
    vec![
        SPOOL_EVENTS.sample(&[], usage.events as f64),
        SPOOL_BYTES.sample(&[], usage.bytes as f64),
        SPOOL_CAPACITY.sample(&[], usage.max_bytes as f64),
        SPOOL_AGE.sample(&[], age.as_secs_f64()),
        SPOOL_MAX_AGE.sample(&[], usage.max_age.as_secs_f64()),
    ]
}
