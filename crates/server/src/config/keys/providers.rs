//! The keys of the providers.

use super::super::key::{Key, Section};
use super::super::kind::Kind;
use super::integer;

const API: Kind = Kind::Choice(&["chat", "responses"]);
const TOOL_SCHEMA: Kind = Kind::Choice(&["json_schema", "open_api"]);
const TOOL_SCHEMA_HELP: &str = "How tools are described to it; `open_api` is the older form, for \
                                proxies that know nothing else.";

const MAX_TOKENS: u64 = 100_000_000;
const PRICE: Kind = Kind::Decimal {
    min: 0.0,
    max: 100_000.0,
};

pub(super) const GEMINI: Section = Section {
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
        Key::new("gemini.tool_schema", TOOL_SCHEMA, TOOL_SCHEMA_HELP).default("json_schema"),
    ],
};

pub(super) const OPENAI: Section = Section {
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
        Key::new(
            "openai.api",
            API,
            "Which API it speaks; by default `responses` at OpenAI itself and `chat` elsewhere.",
        )
        .example("responses"),
    ],
};

pub(super) const PROVIDERS: Section = Section {
    title: "Providers of your own",
    keys: &[
        Key::new(
            "providers.NAME.kind",
            Kind::Choice(&["gemini", "openai"]),
            "Whose API it speaks; most servers speak that of `openai`.",
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
            "providers.NAME.api",
            API,
            "Which of OpenAI's two APIs it speaks, if its kind is `openai`; by default `chat`.",
        )
        .example("chat"),
        Key::new(
            "providers.NAME.tool_schema",
            TOOL_SCHEMA,
            "As `gemini.tool_schema`, if its kind is `gemini`.",
        ),
        Key::new(
            "providers.NAME.api_key_env",
            Kind::VariableName,
            "The variable that holds its key, if it wants one.",
        )
        .example("OLLAMA_API_KEY"),
    ],
};

pub(super) const DEMO: Section = Section {
    title: "The demo model",
    keys: &[Key::new(
        "demo.delay_ms",
        Kind::Milliseconds { max: 10_000 },
        "Pause before each piece of an answer.",
    )
    .default("25")],
};

/// Only what differs from the built-in table must be given.
pub(super) const MODELS: Section = Section {
    title: "What is known about a model",
    keys: &[
        Key::new(
            "models.N.provider",
            Kind::Provider,
            "Whose model it is: `gemini`, `openai` or the NAME of a `[providers.NAME]`; needed.",
        )
        .example("ollama"),
        Key::new("models.N.name", Kind::Text, "The model; needed.").example("qwen3"),
        Key::new(
            "models.N.context_window",
            integer(1, MAX_TOKENS),
            "Tokens that a request and its answer may have together.",
        )
        .example("32768"),
        Key::new(
            "models.N.max_output_tokens",
            integer(1, MAX_TOKENS),
            "Tokens that an answer may have.",
        )
        .example("8192"),
        Key::new(
            "models.N.input_price",
            PRICE,
            "USD for a million tokens of the request.",
        )
        .example("0.1"),
        Key::new(
            "models.N.output_price",
            PRICE,
            "USD for a million tokens of the answer.",
        )
        .example("0.5"),
        Key::new(
            "models.N.cached_input_price",
            PRICE,
            "USD for a million tokens of the request that the provider had cached.",
        )
        .example("0.01"),
    ],
};
