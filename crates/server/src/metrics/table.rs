//! What the server counts itself, and what it asks the models, the tools and the store for, with what it
//! means and what to do about it.

use patter_metrics::Metric;

/// What the server tells, besides what the sessions and the writer of their events tell.
pub(super) const METRICS: &[&[&Metric]] =
    &[WEBSOCKETS, HTTP, LIMITS, CIRCUITS, TOOLS, POOL, PROCESS];

const WEBSOCKETS: &[&Metric] = &[
    &CONNECTIONS,
    &CONNECTIONS_OPENED,
    &CONNECTIONS_CLOSED,
    &CONNECTIONS_REFUSED,
    &FRAMES_RECEIVED,
    &FRAMES_SENT,
    &FRAMES_REFUSED,
    &DELIVERY,
];
const HTTP: &[&Metric] = &[&HTTP_REQUESTS, &HTTP_TIME, &CREDENTIALS_REFUSED];
const LIMITS: &[&Metric] = &[&CALLER_LIMITS, &CALLERS_UNREMEMBERED];
pub(super) const CIRCUITS: &[&Metric] = &[
    &CIRCUIT_STATE,
    &CIRCUIT_OPENED,
    &WINDOW_REQUESTS,
    &WINDOW_FAILURES,
    &MODEL_REQUESTS,
    &MODEL_REJECTED,
    &MODEL_FAILURES,
];
pub(super) const TOOLS: &[&Metric] = &[&TOOL_CALLS, &TOOL_FAILURES];
pub(super) const POOL: &[&Metric] = &[
    &POOL_CONNECTIONS,
    &POOL_MAX,
    &POOL_ACQUIRED,
    &POOL_FAILED,
    &POOL_WAITED,
];
pub(super) const PROCESS: &[&Metric] = &[&BUILD, &START, &UPTIME];

pub(super) const CONNECTIONS: Metric = Metric::gauge(
    "patter_connections",
    &[],
    "WebSockets that are open.",
    "At `server.max_connections` others are refused, see `patter_connections_refused_total`.",
);
pub(super) const CONNECTIONS_OPENED: Metric = Metric::counter(
    "patter_connections_opened_total",
    &[],
    "WebSockets that were opened.",
    "Far more than people: clients come back again and again; see with which code they are closed.",
);
pub(super) const CONNECTIONS_CLOSED: Metric = Metric::counter(
    "patter_connections_closed_total",
    &["code"],
    "WebSockets that were closed, by the code that the server closed with, or `client`, `gone` (without a goodbye), `no_upgrade`.",
    "4413: readers that were dropped because they were too slow. 1011: a defect, see the log. 1008: floods or nonsense. 4409: sessions that moved. 1012: a restart.",
);
pub(super) const CONNECTIONS_REFUSED: Metric = Metric::counter(
    "patter_connections_refused_total",
    &["how"],
    "Connections for which there was no room: told so, or dropped.",
    "More clients than `server.max_connections`: raise it, add a process, or find out who opens so many.",
);
pub(super) const FRAMES_RECEIVED: Metric = Metric::counter(
    "patter_frames_received_total",
    &[],
    "Messages of clients over WebSockets.",
    "None while connections are open: clients only read, or something between them and the server is broken.",
);
pub(super) const FRAMES_SENT: Metric = Metric::counter(
    "patter_frames_sent_total",
    &[],
    "Events that were written to WebSockets, those of a replay included.",
    "Far more than answers explain: clients come back without `after` and read everything again.",
);
pub(super) const FRAMES_REFUSED: Metric = Metric::counter(
    "patter_frames_refused_total",
    &["code"],
    "Messages of clients that were refused, by the code of the error that they got.",
    "`invalid_*`, `unknown_type`: a client is wrong. `busy`: people write faster than answers come. `rate_limited`: a flood. `store_unavailable`: the database and the spool.",
);
pub(super) const DELIVERY: Metric = Metric::histogram(
    "patter_delivery_seconds",
    &[],
    &[
        0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0,
    ],
    "Added by us between tokens: from when a piece of text came from the model until it is written to the socket of a reader; of what is written together, the oldest.",
    "Long for all: too little CPU time. Long for some: their network takes no more; see 4413 in `patter_connections_closed_total`.",
);
pub(super) const HTTP_REQUESTS: Metric = Metric::counter(
    "patter_http_requests_total",
    &["route", "status"],
    "HTTP requests, by route and class of status. What is no route of the API is `other`. An upgrade to a WebSocket is a 1xx.",
    "5xx: a dependency is away, or a defect; `/health` tells which. 4xx: a client is wrong.",
);
pub(super) const HTTP_TIME: Metric = Metric::histogram(
    "patter_http_request_seconds",
    &["route"],
    &[
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0,
    ],
    "From the head of an HTTP request to that of its answer.",
    "Long: the store is slow, see `patter_store_pool_wait_seconds_total` and `patter_store_batch_seconds`.",
);
pub(super) const CREDENTIALS_REFUSED: Metric = Metric::counter(
    "patter_credentials_refused_total",
    &["reason"],
    "Credentials that were not taken, of requests, `auth_refresh` and wishes for tickets, and requests without one: missing, several, no_protocol, expired, refused, no_user, not_yours, keys_unavailable.",
    "`refused`, many: somebody tries tokens out, or the provider signs with a key that is not configured. `keys_unavailable`: `auth.jwks_url` does not answer. `expired`: a client does not renew its token.",
);
pub(super) const CALLER_LIMITS: Metric = Metric::counter(
    "patter_caller_limits_hit_total",
    &["limit"],
    "How often a caller was refused for taking too much: connections_of_address, connections_of_user, new_sessions, unknown_sessions, messages, frames.",
    "Each is a key of `limits`. All at once and for everybody: a proxy is not named in `server.trusted_proxies`. `unknown_sessions`: somebody guesses ids.",
);
pub(super) const CALLERS_UNREMEMBERED: Metric = Metric::counter(
    "patter_callers_unremembered_total",
    &[],
    "What callers did that was not counted against their limits, as more callers came than are remembered.",
    "A flood from very many addresses: hold it off before it reaches this server.",
);
pub(super) const CIRCUIT_STATE: Metric = Metric::gauge(
    "patter_circuit_state",
    &["provider", "model", "state"],
    "1 for the state that the circuit of a model is in, 0 for the others: closed, open, half_open.",
    "`open`: the model failed so often that it is not asked. See `patter_model_failures_total` for why, and the provider's status page.",
);
pub(super) const CIRCUIT_OPENED: Metric = Metric::counter(
    "patter_circuit_opened_total",
    &["provider", "model"],
    "How often the circuit of a model opened.",
    "Again and again: the model comes back and fails. Consider `llm.fallbacks`.",
);
pub(super) const WINDOW_REQUESTS: Metric = Metric::gauge(
    "patter_circuit_window_requests",
    &["provider", "model"],
    "Requests that ended within the window by which the circuit decides.",
    "For context: with fewer than ten the circuit stays closed.",
);
pub(super) const WINDOW_FAILURES: Metric = Metric::gauge(
    "patter_circuit_window_failures",
    &["provider", "model"],
    "Those of them that failed.",
    "At half of the requests the circuit opens.",
);
pub(super) const MODEL_REQUESTS: Metric = Metric::counter(
    "patter_model_requests_total",
    &["provider", "model"],
    "Requests that were sent to a model, those that were tried again and those for summaries included.",
    "Far more than turns: steps with tools, or requests that are tried again.",
);
pub(super) const MODEL_REJECTED: Metric = Metric::counter(
    "patter_model_rejected_total",
    &["provider", "model"],
    "Requests that were not sent because the circuit of the model was open.",
    "Answers fail, or come from a fallback: see `patter_failovers_total` and `patter_turns_total`.",
);
pub(super) const MODEL_FAILURES: Metric = Metric::counter(
    "patter_model_failures_total",
    &["provider", "model", "kind"],
    "Requests that a model failed, by the kind of failure.",
    "`auth`: the key. `rate_limited`, `quota`: the allowance at the provider. `timeout`, `server`, `connection`: the provider. `malformed`: a defect of one of the two.",
);
pub(super) const TOOL_CALLS: Metric = Metric::counter(
    "patter_tool_calls_total",
    &["tool"],
    "Calls of a tool that ended, in whichever way.",
    "Far more than turns: the model tries again and again; see the failures.",
);
pub(super) const TOOL_FAILURES: Metric = Metric::counter(
    "patter_tool_failures_total",
    &["tool", "kind"],
    "Those of them that failed, by the kind of failure.",
    "`invalid_arguments`: the model does not understand the tool's schema. `timeout`, `failed`: what the tool asks. `blocked_address`: the rules of `web`.",
);
pub(super) const POOL_CONNECTIONS: Metric = Metric::gauge(
    "patter_store_pool_connections",
    &["state"],
    "Connections to the database, by state: idle, in_use. PostgreSQL only.",
    "All in use and waits that grow: raise `store.max_connections`, if the database has room.",
);
pub(super) const POOL_MAX: Metric = Metric::gauge(
    "patter_store_pool_connections_max",
    &[],
    "The most that there may be.",
    "Is `store.max_connections`.",
);
pub(super) const POOL_ACQUIRED: Metric = Metric::counter(
    "patter_store_pool_acquires_total",
    &[],
    "How often a connection to the database was asked for.",
    "For context: with it the wait for one can be told.",
);
pub(super) const POOL_FAILED: Metric = Metric::counter(
    "patter_store_pool_acquires_failed_total",
    &[],
    "How often there was none in time.",
    "The database is away, or the pool is too small for what is asked.",
);
pub(super) const POOL_WAITED: Metric = Metric::counter(
    "patter_store_pool_wait_seconds_total",
    &[],
    "How long connections were waited for, all together.",
    "Divided by `patter_store_pool_acquires_total`, more than some milliseconds: the pool is too small, or statements take too long.",
);
pub(super) const BUILD: Metric = Metric::gauge(
    "patter_build_info",
    &["version"],
    "1, with the version that runs.",
    "Several at a time for long: an upgrade got stuck.",
);
pub(super) const START: Metric = Metric::gauge(
    "patter_start_time_seconds",
    &[],
    "When the server was started, in seconds since 1970.",
    "Changes often: the process dies and is started again.",
);
pub(super) const UPTIME: Metric = Metric::gauge(
    "patter_uptime_seconds",
    &[],
    "For how long it runs.",
    "See `patter_start_time_seconds`.",
);
