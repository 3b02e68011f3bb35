//! The command line.

mod sessions;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::{Map, Value};

use crate::commands::Question;
use crate::config::{Sources, is_table_name};

pub use sessions::{ListArgs, SessionsAction, SessionsArgs};

/// A realtime AI backend: streams a model's answers over one WebSocket, runs its tools, and keeps
/// every event.
#[derive(Debug, Clone, Parser)]
#[command(name = "patter", version)]
pub struct Cli {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// What to do; `serve` where nothing is said.
    #[command(subcommand)]
    command: Option<Command>,
}

/// What the binary does.
#[derive(Debug, Clone, PartialEq, Default, Subcommand)]
pub enum Command {
    /// Serve until SIGINT or SIGTERM (the default)
    #[default]
    Serve,
    /// Check the configuration: list every fault, with exit code 1, or say that there is none
    Check,
    /// Print the configuration in force and where each value comes from, with secrets masked
    Config,
    /// Bring the tables of the database up to date, and exit
    Migrate,
    /// List providers, models, their limits and prices, and which of them are used
    Models(ModelsArgs),
    /// List the tools that models may call, with their arguments and limits, or call one by hand
    Tools(ToolsArgs),
    /// Tell which route a message would take, and why; only --classify asks anybody
    Route(RouteArgs),
    /// Make a token for a service, and print what the configuration needs to know it
    Token(TokenArgs),
    /// List, show, export, delete and import what is stored
    Sessions(SessionsArgs),
}

/// What `patter models` prints.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct ModelsArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What `patter tools` does.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ToolsArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Instead of the list.
    #[command(subcommand)]
    pub action: Option<ToolsAction>,
}

/// What can be done with a tool.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum ToolsAction {
    /// Call a tool as a model would, and print its result as JSON
    Call {
        /// Its name
        name: String,
        /// Its arguments, a JSON object
        #[arg(default_value = "{}")]
        arguments: String,
    },
}

/// The token that `patter token` makes.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct TokenArgs {
    /// What the service is called: small letters, digits, `_` and `-`
    #[arg(value_parser = service_name)]
    pub name: String,
    /// What it may do
    #[arg(long, value_enum, default_value = "read")]
    pub scope: ScopeArg,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What a service may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScopeArg {
    /// Read everybody's sessions
    Read,
    /// Act in the name of any user, too
    Act,
}

impl ScopeArg {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Act => "act",
        }
    }
}

/// The message of `patter route`, and where it stands.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct RouteArgs {
    /// The text of the message
    text: String,
    /// Metadata of the session; numbers, true and false are such
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    session: Vec<(String, String)>,
    /// Metadata of the message
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    message: Vec<(String, String)>,
    /// Turns that the conversation had before
    #[arg(long, default_value_t = 0)]
    turns: u64,
    /// Ask the classifier where a route needs it, over the network
    #[arg(long)]
    classify: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl RouteArgs {
    /// What is asked.
    #[must_use]
    pub fn question(&self) -> Question {
        Question {
            text: self.text.clone(),
            session: metadata(&self.session),
            message: metadata(&self.message),
            turns: self.turns,
            classify: self.classify,
        }
    }
}

/// Flags that every command takes. Values are text here: the configuration checks them together
/// with all others, so that every fault is listed at once.
#[derive(Debug, Clone, Args)]
pub struct SettingsArgs {
    /// Read this file instead of patter.toml
    #[arg(long = "config", value_name = "FILE", global = true)]
    file: Option<PathBuf>,
    /// Listen on this address or host name
    #[arg(long, global = true)]
    host: Option<String>,
    /// Listen on this port; 0 takes any free one
    #[arg(long, global = true)]
    port: Option<String>,
    /// Set any key, such as llm.model=gpt-6-luna; secrets do not belong here, where every
    /// process of the machine can read them
    #[arg(long, value_name = "KEY=VALUE", global = true, value_parser = key_and_value)]
    set: Vec<(String, String)>,
}

impl Cli {
    /// What to do.
    #[must_use]
    pub fn command(&self) -> Command {
        self.command.clone().unwrap_or_default()
    }
}

impl SettingsArgs {
    /// What the configuration is read from: these flags, the files in `directory`, and
    /// `environment`, which is [`std::env::vars_os`] everywhere but in tests.
    #[must_use]
    pub fn sources(
        &self,
        directory: impl Into<PathBuf>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Sources {
        let mut sources = Sources::none()
            .directory(directory)
            .environment(environment);
        if let Some(file) = &self.file {
            sources = sources.file(file);
        }
        for (path, text) in &self.set {
            sources = sources.set(path, text);
        }
        for (flag, path, text) in [
            ("--host", "server.host", &self.host),
            ("--port", "server.port", &self.port),
        ] {
            if let Some(text) = text {
                sources = sources.flag(flag, path, text);
            }
        }
        sources
    }
}

/// Values as JSON where they are, such as `3` and `true`, and as text otherwise.
fn metadata(given: &[(String, String)]) -> Map<String, Value> {
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    let pairs = given.iter();
    pairs
        .map(|(key, text)| (key.clone(), value(text)))
        .collect()
}

fn service_name(text: &str) -> Result<String, String> {
    if is_table_name(text) {
        Ok(text.to_owned())
    } else {
        Err("expected small letters, digits, `_` and `-`, beginning with a letter".to_owned())
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}
