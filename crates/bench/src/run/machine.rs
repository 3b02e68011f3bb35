//! Where and when figures were found: without that they say nothing.

use std::fs;
use std::path::Path;
use std::thread::available_parallelism;

use anyhow::Context;
use chrono::Utc;
use serde::{Deserialize, Serialize};

/// A machine at a time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Machine {
    /// Day, by UTC.
    pub date: String,
    /// What the processor calls itself.
    pub processor: String,
    /// Its cores that may be used.
    pub cores: usize,
    /// Memory in GiB.
    pub memory_gib: u64,
    /// The kernel's version.
    pub kernel: String,
}

impl Machine {
    /// This one, now.
    ///
    /// # Errors
    ///
    /// If it is not Linux.
    pub fn look() -> anyhow::Result<Self> {
        let kib = field("/proc/meminfo", "MemTotal")?;
        let kib: u64 = kib.trim_end_matches(" kB").parse()?;
        Ok(Self {
            date: Utc::now().format("%Y-%m-%d").to_string(),
            processor: field("/proc/cpuinfo", "model name")
                .unwrap_or_else(|_| "unknown".to_owned()),
            cores: available_parallelism()?.get(),
            memory_gib: kib.div_ceil(1 << 20),
            kernel: read("/proc/sys/kernel/osrelease")?.trim().to_owned(),
        })
    }
}

fn field(file: &str, name: &str) -> anyhow::Result<String> {
    let text = read(file)?;
    let value = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)
        .with_context(|| format!("no `{name}` in {file}"))?
        .1;
    Ok(value.trim().to_owned())
}

fn read(file: &str) -> anyhow::Result<String> {
    fs::read_to_string(Path::new(file)).with_context(|| format!("could not read {file}"))
}
