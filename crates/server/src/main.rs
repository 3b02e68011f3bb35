//! The binary: reads the command line and the configuration, and starts the server of the library.

mod signals;

use std::convert::Infallible;
use std::fmt::Display;
use std::future::pending;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use chrono::Utc;
use clap::Parser;
use mimalloc::MiMalloc;
use patter_server::cli::{Cli, Command, SessionsAction, SessionsArgs, ToolsAction, ToolsArgs};
use patter_server::commands::{
    ModelsReport, NewToken, RouteReport, ToolsReport, call_tool, sessions,
};
use patter_server::plain::{PlainWriter, plain};
use patter_server::telemetry::LogLevel;
use patter_server::{Certificates, Config, Server, Shutdown, telemetry};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tracing::{info, warn};

use signals::{HangUps, Signal, Signals};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where nobody reads stderr there is nobody to tell.
            let error = format!("patter: {error:#}");
            let _unread = writeln!(io::stderr(), "{}", plain(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli) -> anyhow::Result<()> {
    // Before the configuration, which may be waiting for just this token.
    if let Command::Token(arguments) = cli.command() {
        let token = NewToken::new(&arguments).context("the system has no randomness")?;
        return say_report(&token, arguments.json);
    }
    let config = load(cli)?;
    match cli.command() {
        Command::Serve => serve(cli, config).await,
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
        // Answered above.
        Command::Token(_) => Ok(()),
        Command::Tools(arguments) => tools(&config, &arguments).await,
        Command::Route(arguments) => {
            let report = RouteReport::new(&config, &arguments.question()).await?;
            say_report(&report, arguments.json)
        }
        Command::Sessions(arguments) => stored(&config, &arguments).await,
    }
}

fn load(cli: &Cli) -> anyhow::Result<Config> {
    let directory = std::env::current_dir().context("cannot tell the working directory")?;
    let sources = cli.settings.sources(directory, std::env::vars_os());
    Ok(Config::load(&sources)?)
}

/// An export that goes into a file is the file; all else is for a terminal.
async fn stored(config: &Config, arguments: &SessionsArgs) -> anyhow::Result<()> {
    let is_file = matches!(arguments.action, SessionsAction::Export { .. });
    let mut out = io::stdout();
    if is_file && !out.is_terminal() {
        sessions(config, arguments, &mut out).await?;
    } else {
        sessions(config, arguments, &mut PlainWriter(out)).await?;
    }
    Ok(())
}

/// Plug-ins that run meanwhile are stopped with it when a signal comes.
async fn tools(config: &Config, arguments: &ToolsArgs) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let work = async {
        match &arguments.action {
            None => say_report(&ToolsReport::new(config).await?, arguments.json),
            Some(ToolsAction::Call { name, arguments }) => {
                let result = call_tool(config, name, arguments).await?;
                say(&serde_json::to_string_pretty(&result)?)
            }
        }
    };
    tokio::select! {
        done = work => done,
        _ = signals.next() => anyhow::bail!("stopped by a signal"),
    }
}

async fn serve(cli: &Cli, config: Config) -> anyhow::Result<()> {
    Server::check_tools(&config)?;
    let telemetry = telemetry::start(&config)?;
    // It is large, and this is the place where it is kept.
    let served = Box::pin(serve_with(cli, config, telemetry.log_level())).await;
    telemetry.shutdown().await;
    served
}

async fn serve_with(cli: &Cli, config: Config, log_level: &LogLevel) -> anyhow::Result<()> {
    let mut hang_ups = HangUps::listen().context("cannot listen for signals")?;
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let address = (config.server.host.clone(), config.server.port);
    let admin_address = config
        .admin
        .port
        .map(|port| (config.admin.host.clone(), port));
    let drain_delay = config.server.drain_delay;
    // A database may take its time, and whoever waits for its tables too: ten minutes at the most.
    let mut server = tokio::select! {
        server = Server::from_config(config) => server?,
        _ = signals.next() => anyhow::bail!("stopped by a signal before it had started"),
    };
    let listener = listen(&address).await?;
    let certificates = server.certificates();
    let scheme = if certificates.is_some() {
        "https"
    } else {
        "http"
    };
    let mut announcement = format!(
        "listening on {scheme}://{} ({} page)\n{}",
        listener.local_addr()?,
        Server::page(),
        server.description()
    );
    if let Some(address) = &admin_address {
        let listener = listen(address).await?;
        announcement += &format!("\nadmin port: http://{}", listener.local_addr()?);
        server = server.admin(listener, Some(log_level.clone()));
    }
    let announced = say(&announcement);
    if let Err(error) = announced {
        // As with `patter | head -1`; whoever is served does not mind.
        let error = format!("{error:#}");
        warn!(error, "cannot say where the server listens");
    }
    let shutdown = Shutdown::default();
    tokio::select! {
        stopped = server.run(listener, shutdown.clone()) => Ok(stopped?),
        never = stop_on_signals(signals, &shutdown, drain_delay) => match never {},
        never = read_again(cli, &mut hang_ups, log_level, certificates) => match never {},
    }
}

async fn listen(address: &(String, u16)) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {}:{}", address.0, address.1))
}

/// On SIGHUP the certificate is read again, and the filter of the logs, and nothing else of the configuration.
async fn read_again(
    cli: &Cli,
    hang_ups: &mut HangUps,
    log_level: &LogLevel,
    certificates: Option<Certificates>,
) -> Infallible {
    loop {
        hang_ups.next().await;
        if let Some(certificates) = &certificates {
            match certificates.reload().await.map_err(anyhow::Error::from) {
                Ok(()) => info!("the certificate was read again"),
                Err(error) => warn!(error = format!("{error:#}"), "the certificate is as it was"),
            }
        }
        let changed = load_aside(cli)
            .await
            .and_then(|config| Ok(log_level.set(&config.log.filter)?));
        match changed {
            Ok(()) => info!("the filter of the logs was read again"),
            // Every fault of the configuration, each on a line of its own.
            Err(error) => warn!(
                error = format!("{error:#}"),
                "the filter of the logs is as it was"
            ),
        }
    }
}

/// The configuration, read where nobody is kept waiting: a file may hang.
async fn load_aside(cli: &Cli) -> anyhow::Result<Config> {
    const PATIENCE: Duration = Duration::from_secs(10);
    let cli = cli.clone();
    let loading = tokio::task::spawn_blocking(move || load(&cli));
    let loaded = timeout(PATIENCE, loading).await;
    loaded.context("the configuration could not be read in time")??
}

/// The first signal begins to stop the server; each further one makes it faster.
async fn stop_on_signals(
    mut signals: Signals,
    shutdown: &Shutdown,
    drain_delay: Duration,
) -> Infallible {
    if signals.next().await == Signal::Terminate {
        shutdown.announce();
        // Whoever sends traffic here is as slow as that to notice. Nobody sends any to Ctrl-C.
        let _in_a_hurry = timeout(drain_delay, signals.next()).await;
    }
    shutdown.drain();
    signals.next().await;
    shutdown.hurry();
    pending().await
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
    writeln!(io::stdout(), "{}", plain(text)).context("cannot write to stdout")
}
