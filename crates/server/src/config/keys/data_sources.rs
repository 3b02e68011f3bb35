//! The keys of data sources, each of which is a tool, and of the web that tools may ask.

use super::super::key::{Key, Section};
use super::super::kind::{Items, Kind};
use super::{integer, seconds};

pub(super) const DATA_SOURCES: Section = Section {
    title: "Data sources",
    keys: &[
        Key::new(
            "data_sources.NAME.url",
            Kind::Text,
            "Where it is; `{KEY}` in the path or the query stands for a parameter. Or `file:PATH`: a CSV file \
             with a line of names, or a JSON array of objects, whose rows are found by their columns. Needed.",
        )
        .example("https://api.example.org/rates/{base}"),
        Key::new(
            "data_sources.NAME.description",
            Kind::Text,
            "What it has and when to ask it, for the model. Needed.",
        )
        .example("Exchange rates of today."),
        Key::new(
            "data_sources.NAME.parameters.NAME",
            Kind::Text,
            "What a parameter is, for the model, which must give each of them.",
        )
        .example("ISO code of a currency"),
        Key::new(
            "data_sources.NAME.method",
            Kind::Choice(&["get", "post"]),
            "How it is asked; by `post` with the parameters that the URL has no place for, as JSON.",
        )
        .default("get"),
        Key::new(
            "data_sources.NAME.approval",
            Kind::Choice(&["never", "writes", "always"]),
            "Which calls wait until a person agrees; with `writes` those by `post`.",
        )
        .default("writes"),
        Key::new(
            "data_sources.NAME.pointer",
            Kind::Text,
            "The part of a JSON answer that is wanted, as a JSON Pointer.",
        )
        .example("/rates"),
        Key::new(
            "data_sources.NAME.cache",
            seconds(0.0, 86_400.0),
            "How long an answer may be given again.",
        )
        .default("0"),
        Key::new(
            "data_sources.NAME.secret_env",
            Kind::VariableName,
            "The variable that holds what a header of each request says, such as `Bearer KEY`.",
        )
        .example("RATES_AUTHORIZATION"),
        Key::new(
            "data_sources.NAME.secret_header",
            Kind::Text,
            "That header.",
        )
        .default("authorization"),
    ],
};

pub(super) const SQL_SOURCES: Section = Section {
    title: "Data sources in a PostgreSQL database",
    keys: &[
        Key::new(
            "sql_sources.NAME.query",
            Kind::Text,
            "A `select`; `{KEY}` in it stands for a parameter, which is a text: `{KEY}::date` where another \
             type is needed. It runs in a transaction that can only read. Needed.",
        )
        .example("select id, total from orders where customer = {customer} order by id"),
        Key::new(
            "sql_sources.NAME.description",
            Kind::Text,
            "What it has and when to ask it, for the model. Needed.",
        )
        .example("The orders of a customer."),
        Key::new(
            "sql_sources.NAME.parameters.NAME",
            Kind::Text,
            "What a parameter is, for the model, which must give each of them.",
        )
        .example("Name of the customer"),
        Key::new(
            "sql_sources.NAME.database_env",
            Kind::VariableName,
            "The variable that holds the URL of the database, as `DATABASE_URL` is written. A role that may \
             read no more than this is best. Needed.",
        )
        .example("ORDERS_DATABASE_URL"),
        Key::new(
            "sql_sources.NAME.approval",
            Kind::Choice(&["never", "writes", "always"]),
            "Which calls wait until a person agrees; with `writes` none, for it only reads.",
        )
        .default("writes"),
        Key::new(
            "sql_sources.NAME.max_rows",
            integer(1, 10_000),
            "The most rows that are given; of 200 KiB of JSON no more either.",
        )
        .default("100"),
        Key::new(
            "sql_sources.NAME.timeout",
            seconds(0.1, 600.0),
            "How long the database may work at it. `tools.timeout` holds too.",
        )
        .default("10"),
    ],
};

pub(super) const WEB: Section = Section {
    title: "The web that tools may ask",
    keys: &[
        Key::new(
            "web.ports",
            Kind::List(Items::Ports),
            "The ports that may be asked.",
        )
        .default("80,443"),
        Key::new(
            "web.hosts",
            Kind::List(Items::Texts),
            "Only these hosts may be asked, `*.example.org` for all below one; by default any public \
             one.",
        )
        .default(""),
        Key::new(
            "web.trusted",
            Kind::List(Items::Texts),
            "`HOST:PORT` that may be asked in any case, though it is private or this server's own, such as its \
             database.",
        )
        .default(""),
    ],
};
