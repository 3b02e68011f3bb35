//! The keys of routes, and of the model that may be asked which one to take.

use super::super::key::{Key, Section};
use super::super::kind::{Items, Kind};
use super::{integer, seconds};

const MAX_CHARS: u64 = 1_000_000;
const MAX_TURNS: u64 = 1_000_000;

/// Conditions first; then what the route leads to.
pub(super) const ROUTES: Section = Section {
    title: "Routes",
    keys: &[
        Key::new(
            "routes.N.name",
            Kind::Text,
            "What `response_started` calls it; needed.",
        )
        .example("code"),
        Key::new(
            "routes.N.words",
            Kind::List(Items::SomeTexts),
            "Taken where the message has one of these words or phrases.",
        )
        .example("rust,stack trace"),
        Key::new(
            "routes.N.pattern",
            Kind::List(Items::Patterns),
            "Taken where one of these regular expressions is found in the message.",
        ),
        Key::new(
            "routes.N.min_length",
            integer(0, MAX_CHARS),
            "Taken where the message has at least so many characters.",
        ),
        Key::new(
            "routes.N.max_length",
            integer(0, MAX_CHARS),
            "Taken where the message has at most so many characters.",
        ),
        Key::new(
            "routes.N.script",
            Kind::List(Items::SomeTexts),
            "Taken where most letters of the message are in one of these scripts, such as `Latin`, \
             `Cyrillic` or `Han`.",
        ),
        Key::new(
            "routes.N.tool",
            Kind::List(Items::SomeTexts),
            "Taken where the message asks for one of these tools, in its metadata or by name.",
        ),
        Key::new(
            "routes.N.metadata.NAME",
            Kind::List(Items::Scalars),
            "Taken where this key of the metadata, of the message or else of the session, has this \
             value or one of these.",
        ),
        Key::new(
            "routes.N.min_turns",
            integer(0, MAX_TURNS),
            "Taken where the conversation had at least so many turns before.",
        ),
        Key::new(
            "routes.N.max_turns",
            integer(0, MAX_TURNS),
            "Taken where the conversation had at most so many turns before.",
        ),
        Key::new(
            "routes.N.class",
            Kind::List(Items::SomeTexts),
            "Taken where the classifier gives one of these labels; it is asked last.",
        ),
        Key::new(
            "routes.N.offered",
            Kind::Flag,
            "Whether the page lets people choose it, which they do by its `metadata`: whoever may talk to \
             the server is told that.",
        ),
        Key::new(
            "routes.N.provider",
            Kind::Provider,
            "Who answers; by default the provider that answers without routes.",
        )
        .example("openai"),
        Key::new(
            "routes.N.model",
            Kind::Text,
            "The model; by default the provider's.",
        )
        .example("gpt-5.6-terra"),
        Key::new(
            "routes.N.system_prompt",
            Kind::Text,
            "Instead of `llm.system_prompt`.",
        ),
        Key::new(
            "routes.N.tools",
            Kind::List(Items::Texts),
            "The tools that are offered, by their names; by default all.",
        )
        .example("calculator"),
        Key::new(
            "routes.N.temperature",
            Kind::Decimal { min: 0.0, max: 2.0 },
            "Instead of `llm.temperature`.",
        ),
        Key::new(
            "routes.N.max_output_tokens",
            integer(1, 10_000_000),
            "Instead of `llm.max_output_tokens`.",
        ),
    ],
};

/// There is a classifier where it has labels.
pub(super) const CLASSIFIER: Section = Section {
    title: "The classifier",
    keys: &[
        Key::new(
            "classifier.labels.NAME",
            Kind::Text,
            "A label that it may give, and what that means; without labels nobody is asked.",
        )
        .example("questions about orders and invoices"),
        Key::new(
            "classifier.prompt",
            Kind::Text,
            "What it is to go by; the labels and the form of the answer are added.",
        )
        .example("Say which label fits the message best."),
        Key::new(
            "classifier.provider",
            Kind::Provider,
            "Who is asked; by default the provider that answers without routes.",
        )
        .example("openai"),
        Key::new(
            "classifier.model",
            Kind::Text,
            "The model, a cheap one; by default the provider's.",
        )
        .example("gpt-6-luna"),
        Key::new(
            "classifier.timeout",
            seconds(0.1, 60.0),
            "How long it may take; the answer waits for it.",
        )
        .default("2"),
        Key::new(
            "classifier.on_failure",
            Kind::Text,
            "The label that stands in where it fails; by default none, and no route that asks for \
             one is taken.",
        )
        .example("work"),
        Key::new(
            "classifier.temperature",
            Kind::Decimal { min: 0.0, max: 2.0 },
            "Its sampling temperature; not sent unless set.",
        )
        .example("0"),
        Key::new(
            "classifier.max_output_tokens",
            integer(1, 100_000),
            "Tokens of its answer; a model that thinks before it answers needs more.",
        )
        .default("64"),
    ],
};
