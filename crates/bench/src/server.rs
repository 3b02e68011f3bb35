//! The servers that are compared.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

/// Who is between the provider and the users.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Server {
    /// Nobody: what measuring costs.
    Direct,
    /// The relay that does nothing.
    Floor,
    /// The relay that reads what it relays, and does nothing else.
    Translator,
    /// patter, with `PostgreSQL`.
    Patter,
    /// patter, with the embedded store.
    PatterSqlite,
    /// patter, with `PostgreSQL` and a provider that speaks as Gemini does.
    PatterGemini,
    /// Node with `ws`, the `openai` client and `pg`.
    Node,
    /// `FastAPI` on uvicorn with uvloop, the `openai` client and asyncpg.
    Fastapi,
}

/// Where the programs are that are not this one.
#[derive(Debug, Clone, Args)]
pub struct Programs {
    /// patter's binary.
    #[arg(long)]
    pub patter: PathBuf,
    /// Python, with the packages that the `FastAPI` server needs.
    #[arg(long)]
    pub python: PathBuf,
    /// Folder of the `FastAPI` server.
    #[arg(long)]
    pub fastapi: PathBuf,
    /// Folder of the Node server, its packages installed.
    #[arg(long)]
    pub node: PathBuf,
}

impl Server {
    /// Whether it gets a database.
    #[must_use]
    pub fn has_postgres(self) -> bool {
        !matches!(
            self,
            Self::Direct | Self::Floor | Self::Translator | Self::PatterSqlite
        )
    }

    /// What starts it. It learns from variables where it listens, and where provider and database are.
    ///
    /// # Errors
    ///
    /// If this program does not know where it is.
    pub fn command(self, programs: &Programs) -> anyhow::Result<Command> {
        Ok(match self {
            Self::Direct | Self::Floor | Self::Translator => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("floor");
                if self == Self::Translator {
                    command.arg("--translates");
                }
                command
            }
            Self::Patter | Self::PatterSqlite | Self::PatterGemini => {
                Command::new(&programs.patter)
            }
            Self::Node => {
                let mut command = Command::new("node");
                command.arg(programs.node.join("server.mjs"));
                command
            }
            Self::Fastapi => {
                let mut command = Command::new(&programs.python);
                command.arg(programs.fastapi.join("server.py"));
                command
            }
        })
    }

    /// What it is told besides. Of patter, nothing that is measured here is to be refused.
    #[must_use]
    pub fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Patter | Self::PatterSqlite | Self::PatterGemini => &[
                ("PATTER_LLM__MODEL", "bench"),
                ("PATTER_SERVER__MAX_CONNECTIONS", "1000000"),
                ("PATTER_LIMITS__TURNS", "1000000"),
                ("PATTER_BUDGETS__TURN_USD", "0"),
                ("PATTER_BUDGETS__SESSION_USD", "0"),
                ("PATTER_BUDGETS__USER_DAY_USD", "0"),
                ("RUST_LOG", "warn"),
            ],
            Self::Node => &[("NODE_ENV", "production")],
            Self::Direct | Self::Floor | Self::Translator | Self::Fastapi => &[],
        }
    }

    /// How much disk the program takes, in MB, without the names of its functions, where it is one file.
    ///
    /// # Errors
    ///
    /// If the file is not there, or `strip` (of binutils) is not.
    pub fn binary_mb(self, programs: &Programs, work: &Path) -> anyhow::Result<Option<f64>> {
        let file: &Path = match self {
            Self::Patter | Self::PatterSqlite | Self::PatterGemini => &programs.patter,
            _ => return Ok(None),
        };
        let stripped = work.join("stripped");
        let status = std::process::Command::new("strip")
            .arg("-o")
            .args([&stripped, file])
            .status()
            .context("could not start `strip`")?;
        ensure!(status.success(), "could not strip `{}`", file.display());
        Ok(Some(stripped.metadata()?.len() as f64 / 1e6))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Direct => "no server",
            Self::Floor => "floor",
            Self::Translator => "floor that translates",
            Self::Patter => "patter",
            Self::PatterSqlite => "patter, embedded store",
            Self::PatterGemini => "patter, Gemini",
            Self::Node => "Node",
            Self::Fastapi => "FastAPI",
        })
    }
}
