//! `patter sessions` on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use patter_protocol::SessionId;

use crate::export::ExportFormat;

/// What `patter sessions` does.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct SessionsArgs {
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub action: SessionsAction,
}

/// What can be done with stored sessions.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum SessionsAction {
    /// List sessions, the newest first
    List(ListArgs),
    /// Show what is known of a session
    Show {
        /// Its name
        id: SessionId,
    },
    /// Write a session to stdout
    Export {
        /// Its name
        id: SessionId,
        /// How; jsonl is what `import` takes
        #[arg(long, value_enum, default_value_t = ExportFormat::Markdown)]
        format: ExportFormat,
    },
    /// Delete a session with all its events, unless a server runs it
    Delete {
        /// Its name
        id: SessionId,
    },
    /// Delete sessions that are over for long, or tell how many there are
    Prune {
        /// Ended more than so many days ago, or made then and never opened
        #[arg(long, value_name = "DAYS")]
        older_than: u32,
        /// Delete them, and do not only count them
        #[arg(long)]
        yes: bool,
    },
    /// Take over a session from a file that `export --format jsonl` has written
    Import {
        // Not called `file`: that is the name of `--config` among the flags.
        /// The file; - is stdin
        #[arg(value_name = "FILE")]
        path: PathBuf,
        /// Give it this name instead of its old one
        #[arg(long)]
        id: Option<SessionId>,
    },
}

/// Which sessions `patter sessions list` lists.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct ListArgs {
    /// Only those of this user
    #[arg(long)]
    pub user: Option<String>,
    /// Only those that are not finalized
    #[arg(long, conflicts_with = "ended")]
    active: bool,
    /// Only those that are
    #[arg(long)]
    ended: bool,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    pub limit: u32,
}

impl ListArgs {
    pub(crate) fn active(&self) -> Option<bool> {
        match (self.active, self.ended) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }
}
