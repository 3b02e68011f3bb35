//! The table of all keys. Reading, checking, `.env.example` and the reference in
//! `docs/configuration.md` are made from it; `lookup.rs` finds keys in it. A key stands here only
//! if it has an effect.

use super::key::{Key, Section};
use super::kind::Kind;

const fn seconds(min: f64, max: f64) -> Kind {
    Kind::Seconds { min, max }
}

const fn integer(min: u64, max: u64) -> Kind {
    Kind::Integer { min, max }
}

/// Every key, in the order of the documentation.
pub(crate) static SECTIONS: &[Section] = &[
    Section {
        title: "The server",
        keys: &[
            Key::new(
                "server.host",
                Kind::Host,
                "Address or host name to listen on; `0.0.0.0` for every network.",
            )
            .default("127.0.0.1")
            .aliases(&["HOST"]),
            Key::new(
                "server.port",
                integer(0, 65_535),
                "Port to listen on; 0 takes any free one.",
            )
            .default("8000")
            .aliases(&["PORT"]),
            Key::new(
                "server.max_connections",
                integer(1, 1_000_000),
                "Connections served at the same time; more are refused.",
            )
            .default("10000"),
            Key::new(
                "server.drain_timeout",
                seconds(0.0, 3600.0),
                "How long answers in flight may take to finish after SIGTERM or SIGINT.",
            )
            .default("25"),
        ],
    },
    Section {
        title: "The store",
        keys: &[
            Key::new(
                "store.url",
                Kind::StoreUrl,
                "Where sessions are kept: a file for the embedded store, or a Postgres URL.",
            )
            .default("sqlite:data/patter.db")
            .aliases(&["DATABASE_URL"]),
            Key::new(
                "store.max_connections",
                integer(1, 1000),
                "Connections to Postgres at the same time.",
            )
            .default("16"),
        ],
    },
    Section {
        title: "The model",
        keys: &[
            Key::new(
                "llm.provider",
                Kind::ProviderName,
                "Who answers: `gemini`, `openai`, `demo`, the NAME of a `[providers.NAME]`, or \
                 `auto`: gemini if it has a key, else openai if it has one, else demo.",
            )
            .default("auto"),
            Key::new(
                "llm.model",
                Kind::Text,
                "The model; by default the provider's.",
            )
            .example("gemini-3.5-flash-lite"),
            Key::new(
                "llm.system_prompt",
                Kind::Text,
                "What the model is told before everything.",
            )
            .default(
                "You are a helpful assistant. Answer in the language of the user. \
                     Use the tools where they give a better answer than memory.",
            ),
            Key::new(
                "llm.max_output_tokens",
                integer(1, 10_000_000),
                "Tokens of one step of an answer; by default the model's own limit.",
            )
            .example("8192"),
            Key::new(
                "llm.temperature",
                Kind::Decimal { min: 0.0, max: 2.0 },
                "Sampling temperature; not sent unless set, as several models refuse it.",
            )
            .example("0.7"),
            Key::new(
                "llm.connect_timeout",
                seconds(0.1, 600.0),
                "For a connection to a provider.",
            )
            .default("5"),
            Key::new(
                "llm.headers_timeout",
                seconds(0.1, 600.0),
                "From the request to the head of the provider's answer, connecting included.",
            )
            .default("20"),
            Key::new(
                "llm.first_token_timeout",
                seconds(0.1, 3600.0),
                "From the head of the answer to its first piece; models that think need more.",
            )
            .default("45"),
            Key::new(
                "llm.next_token_timeout",
                seconds(0.1, 3600.0),
                "From one piece of the answer to the next.",
            )
            .default("30"),
            Key::new(
                "llm.answer_timeout",
                seconds(1.0, 86_400.0),
                "From the request to the end of one step of the answer.",
            )
            .default("300"),
        ],
    },
    Section {
        title: "Gemini",
        keys: &[
            Key::new("gemini.api_key", Kind::Secret, "The key.")
                .aliases(&["GOOGLE_API_KEY", "GEMINI_API_KEY"]),
            Key::new(
                "gemini.base_url",
                Kind::HttpUrl,
                "Where the API is, if not at Google.",
            )
            .aliases(&["GEMINI_BASE_URL"])
            .example("https://generativelanguage.googleapis.com"),
        ],
    },
    Section {
        title: "OpenAI",
        keys: &[
            Key::new("openai.api_key", Kind::Secret, "The key.").aliases(&["OPENAI_API_KEY"]),
            Key::new(
                "openai.base_url",
                Kind::HttpUrl,
                "Where the API is, `/v1` included, if not at OpenAI.",
            )
            .aliases(&["OPENAI_BASE_URL"])
            .example("https://api.openai.com/v1"),
        ],
    },
    Section {
        title: "Providers of your own",
        keys: &[
            Key::new(
                "providers.NAME.kind",
                Kind::Choice(&["gemini", "openai"]),
                "Which API it speaks; `openai` is Chat Completions.",
            )
            .default("openai"),
            Key::new(
                "providers.NAME.base_url",
                Kind::HttpUrl,
                "Where it is; needed.",
            )
            .example("http://127.0.0.1:11434/v1"),
            Key::new("providers.NAME.model", Kind::Text, "Its model; needed.").example("qwen3"),
            Key::new(
                "providers.NAME.api_key_env",
                Kind::VariableName,
                "The variable that holds its key, if it wants one.",
            )
            .example("OLLAMA_API_KEY"),
        ],
    },
    Section {
        title: "The demo model",
        keys: &[Key::new(
            "demo.delay_ms",
            Kind::Milliseconds { max: 10_000 },
            "Pause before each piece of an answer.",
        )
        .default("25")],
    },
    Section {
        title: "Sessions",
        keys: &[
            Key::new(
                "session.linger",
                seconds(0.0, 86_400.0),
                "How long a session waits for its client to come back before it is finalized.",
            )
            .default("30"),
            Key::new(
                "session.max_queued_messages",
                integer(0, 1000),
                "Messages that may wait behind the answer in flight; more are refused as `busy`.",
            )
            .default("8"),
            Key::new(
                "session.max_readers",
                integer(1, 1000),
                "Connections attached to one session at the same time.",
            )
            .default("10"),
            Key::new(
                "session.max_steps",
                integer(1, 100),
                "Calls of the model in one answer.",
            )
            .default("8"),
            Key::new(
                "session.max_tool_calls",
                integer(0, 1000),
                "Calls of tools in one answer.",
            )
            .default("16"),
            Key::new(
                "session.max_parallel_tools",
                integer(1, 100),
                "Tools of one step that run at the same time.",
            )
            .default("4"),
            Key::new(
                "session.turn_timeout",
                seconds(1.0, 86_400.0),
                "How long one answer may take, tools included.",
            )
            .default("300"),
            Key::new(
                "session.summary_timeout",
                seconds(0.0, 3600.0),
                "How long the summary may take before a session is finalized without it.",
            )
            .default("30"),
        ],
    },
    Section {
        title: "Tools",
        keys: &[
            Key::new(
                "tools.enabled",
                Kind::List(&["calculator", "data_fetcher"]),
                "The built-in tools that the model may call.",
            )
            .default("calculator,data_fetcher"),
            Key::new(
                "tools.timeout",
                seconds(0.1, 120.0),
                "How long one call may take.",
            )
            .default("30"),
        ],
    },
    Section {
        title: "Logs",
        keys: &[
            Key::new(
                "log.format",
                Kind::Choice(&["auto", "text", "json"]),
                "How logs are written to stderr; `auto` is text for a terminal, else JSON.",
            )
            .default("auto"),
            Key::new(
                "log.filter",
                Kind::LogFilter,
                "What is logged, as in `RUST_LOG`.",
            )
            .default("info")
            .aliases(&["RUST_LOG"]),
        ],
    },
];
