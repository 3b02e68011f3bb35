//! The keys of what is asked of the model, and how patiently.

use super::super::key::{Key, Section};
use super::super::kind::{Items, Kind};
use super::{integer, seconds};

pub(super) const MODEL: Section = Section {
    title: "The model",
    keys: &[
        Key::new(
            "llm.provider",
            Kind::ProviderOrAuto,
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
            "llm.fallbacks",
            Kind::List(Items::Models),
            "Who answers where that model cannot, tried in order: `PROVIDER` or `PROVIDER/MODEL`.",
        )
        .example("openai/gpt-6-luna"),
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
            "llm.reasoning_effort",
            Kind::Choice(&["none", "minimal", "low", "medium", "high", "xhigh"]),
            "How much a model is to think; by default as its maker has it, and nothing is sent.",
        )
        .example("low"),
        Key::new(
            "llm.retries",
            integer(0, 10),
            "How often a request that failed before its first token is tried again; 0: never.",
        )
        .default("2"),
        Key::new(
            "llm.retry_max_wait",
            seconds(0.0, 300.0),
            "Longest wait that a provider may ask for before such a try; who asks for more is given up.",
        )
        .default("20"),
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
};
