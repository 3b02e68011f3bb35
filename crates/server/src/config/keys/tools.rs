//! The keys of tools: which there are, what each may do, and the plug-ins that bring more.

use super::super::key::{Key, Section};
use super::super::kind::{Items, Kind};
use super::{integer, seconds};

const MAX_RESULT_BYTES: Kind = integer(1024, 1024 * 1024);

pub(super) const TOOLS: Section = Section {
    title: "Tools",
    keys: &[
        Key::new(
            "tools.enabled",
            Kind::List(Items::Known(&["calculator", "data_fetcher"])),
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
};

pub(super) const TOOL: Section = Section {
    title: "Single tools",
    keys: &[
        Key::new(
            "tool.NAME.approval",
            Kind::Choice(&["never", "writes", "always"]),
            "Which calls of the tool NAME wait until a person agrees; with `writes` those that may change \
             something.",
        )
        .example("always"),
        Key::new(
            "tool.NAME.timeout",
            seconds(0.1, 3600.0),
            "How long one call may take, in place of `tools.timeout`.",
        )
        .example("5"),
        Key::new(
            "tool.NAME.max_calls",
            integer(0, 1000),
            "How many calls one answer may have.",
        )
        .example("3"),
        Key::new(
            "tool.NAME.max_parallel",
            integer(1, 1000),
            "How many calls may run at the same time in this process; others wait.",
        )
        .example("1"),
        Key::new(
            "tool.NAME.max_result_bytes",
            MAX_RESULT_BYTES,
            "The largest result, in bytes of JSON, in place of 262144.",
        )
        .example("65536"),
    ],
};

pub(super) const MCP: Section = Section {
    title: "Plug-ins: servers of the Model Context Protocol",
    keys: &[
        Key::new(
            "mcp.NAME.command",
            Kind::Text,
            "A program that is started here and spoken to by its standard input and output. This or `url` \
             is needed.",
        )
        .example("uvx"),
        Key::new(
            "mcp.NAME.args",
            Kind::List(Items::Texts),
            "Its arguments.",
        )
        .default(""),
        Key::new(
            "mcp.NAME.env",
            Kind::List(Items::Variables),
            "The names of the variables that it gets, beside `PATH`, `HOME` and the like. Those whose name has \
             `KEY`, `TOKEN`, `SECRET`, `PASS`, `AUTH`, `CRED`, `URL` or `DSN` in it are kept out of its answers.",
        )
        .default(""),
        Key::new(
            "mcp.NAME.url",
            Kind::Text,
            "A server that is asked over HTTP. One that is not public must be in `web.trusted`.",
        )
        .example("https://mcp.example.org/mcp"),
        Key::new(
            "mcp.NAME.secret_env",
            Kind::VariableName,
            "The variable that holds what a header of each request says, such as `Bearer KEY`.",
        )
        .example("EXAMPLE_MCP_AUTHORIZATION"),
        Key::new("mcp.NAME.secret_header", Kind::Text, "That header.").default("authorization"),
        Key::new(
            "mcp.NAME.tools",
            Kind::List(Items::Texts),
            "Only these of its tools are offered; by default all, each as `NAME__TOOL`.",
        )
        .default(""),
        Key::new(
            "mcp.NAME.approval",
            Kind::Choice(&["never", "writes", "always"]),
            "Which calls wait until a person agrees; with `writes` those of tools that do not say that they \
             only read, which is believed: `always` for a server that you do not trust.",
        )
        .default("writes"),
        Key::new(
            "mcp.NAME.timeout",
            seconds(0.1, 3600.0),
            "How long one call may take, in place of `tools.timeout`.",
        )
        .example("60"),
        Key::new(
            "mcp.NAME.max_result_bytes",
            MAX_RESULT_BYTES,
            "The largest result, in bytes of JSON, in place of 262144.",
        )
        .example("65536"),
    ],
};
