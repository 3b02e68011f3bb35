//! The binary: reads the command line and the configuration, and starts the server of the library.

mod signals;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use chrono::Utc;
use clap::Parser;
use patter_server::cli::{Cli, Command};
use patter_server::commands::{ModelsReport, RouteReport};
use patter_server::{Config, Server, telemetry};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use signals::Signals;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where nobody reads stderr there is nobody to tell.
            let _unread = writeln!(io::stderr(), "patter: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli) -> anyhow::Result<()> {
    let directory = std::env::current_dir().context("cannot tell the working directory")?;
    let config = Config::load(&cli.settings.sources(directory, std::env::vars_os()))?;
    match cli.command() {
        Command::Serve => serve(config).await,
        Command::Check => {
            Server::check_tools(&config)?;
            say("the configuration is fine")
        }
        Command::Config => say(config.describe().trim_end()),
        Command::Migrate => {
            Server::migrate(&config).await?;
            say("the tables are up to date")
        }
        Command::Models(arguments) => {
            let report = ModelsReport::new(&config, Utc::now().date_naive());
            say_report(&report, arguments.json)
        }
        Command::Route(arguments) => {
            let report = RouteReport::new(&config, &arguments.question()).await?;
            say_report(&report, arguments.json)
        }
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    Server::check_tools(&config)?;
    telemetry::start(&config.log)?;
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let address = (config.server.host.clone(), config.server.port);
    // A database may take its time, and whoever waits for its tables too: ten minutes at the most.
    let server = tokio::select! {
        server = Server::from_config(config) => server?,
        () = signals.next() => anyhow::bail!("stopped by a signal before it had started"),
    };
    let listener = TcpListener::bind(&address)
        .await
        .with_context(|| format!("cannot listen on {}:{}", address.0, address.1))?;
    let announced = say(&format!(
        "listening on http://{} ({} page)\n{}",
        listener.local_addr()?,
        Server::page(),
        server.description()
    ));
    if let Err(error) = announced {
        // As with `patter | head -1`; whoever is served does not mind.
        warn!("{error:#}");
    }
    let shutdown = CancellationToken::new();
    let two_signals = async {
        signals.next().await;
        shutdown.cancel();
        signals.next().await;
    };
    tokio::select! {
        stopped = server.run(listener, shutdown.clone()) => Ok(stopped?),
        () = two_signals => anyhow::bail!("stopped by a second signal before all was drained"),
    }
}

/// Prints a report as text or as JSON.
fn say_report(report: &(impl Display + Serialize), json: bool) -> anyhow::Result<()> {
    if json {
        say(&serde_json::to_string_pretty(report)?)
    } else {
        say(report.to_string().trim_end())
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{text}").context("cannot write to stdout")
}
