//! The processes of the benchmark, each a subcommand; `cargo xtask bench` runs `run`, which starts the rest.

use std::io::{Write, stdout};
use std::net::{Ipv4Addr, SocketAddr};

use clap::Parser;
use http::Uri;
use patter_bench::floor::{self, Relay};
use patter_bench::load::Load;
use patter_bench::run::Run;
use patter_bench::upstream;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

#[derive(Debug, Parser)]
#[command(about = "The processes of patter's benchmark.")]
enum Command {
    /// The fake provider.
    Upstream {
        /// Where it answers as a provider does.
        #[arg(long)]
        port: u16,
        /// Where it answers over a WebSocket, with no server in between.
        #[arg(long)]
        direct_port: u16,
    },
    /// The relay that does nothing, or next to nothing.
    Floor {
        /// Tells answers in events of its own.
        #[arg(long)]
        translates: bool,
        /// Where it listens.
        #[arg(long, env = "PORT")]
        port: u16,
        /// Where the API is that it asks.
        #[arg(long, env = "OPENAI_BASE_URL")]
        provider: String,
    },
    /// The load generator: plays one scenario and prints its figures.
    Load(Load),
    /// The benchmark.
    Run(Run),
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::Upstream { port, direct_port } => {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let provider = listen(port).await?;
                upstream::serve(provider, listen(direct_port).await?).await
            })
        }
        Command::Floor {
            translates,
            port,
            provider,
        } => {
            let how = if translates {
                Relay::Translated
            } else {
                Relay::AsItComes
            };
            let runtime = Builder::new_multi_thread().enable_all().build()?;
            let url: Uri = format!("{provider}/chat/completions").parse()?;
            runtime.block_on(async { floor::serve(listen(port).await?, url, how).await })
        }
        Command::Load(load) => {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let figures = LocalSet::new().block_on(&runtime, load.play())?;
            writeln!(stdout(), "{}", serde_json::to_string(&figures)?)?;
            Ok(())
        }
        Command::Run(run) => {
            let runtime = Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(run.run())
        }
    }
}

async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Ok(TcpListener::bind(address).await?)
}
