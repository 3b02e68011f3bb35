//! What the processes of a scenario use: the server, the fake provider, and this one, which makes the load.

use std::time::Duration;

use clap::Args;
use patter_faults::process::{self, Usage};

use crate::figures::Figures;

/// Of a tick of the kernel's clocks, in µs: `USER_HZ` is 100 everywhere.
const TICK_US: f64 = 10_000.0;

/// The processes that are watched, besides this one.
#[derive(Debug, Clone, Copy, Args)]
pub struct Watched {
    /// The server.
    #[arg(long)]
    pub server_pid: u32,
    /// The fake provider.
    #[arg(long)]
    pub upstream_pid: u32,
}

impl Watched {
    /// What they have used so far.
    ///
    /// # Errors
    ///
    /// If one is gone.
    pub fn usage(self) -> anyhow::Result<AllUsage> {
        Ok(AllUsage {
            server: process::usage(self.server_pid)?,
            upstream: process::usage(self.upstream_pid)?,
            load: process::usage(std::process::id())?,
        })
    }
}

/// What all of them use.
#[derive(Debug, Clone, Copy)]
pub struct AllUsage {
    server: Usage,
    upstream: Usage,
    load: Usage,
}

/// What all of them have used in some time.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    server_user_us: f64,
    server_system_us: f64,
    upstream_us: f64,
    load_us: f64,
    server_bytes: f64,
}

impl AllUsage {
    /// What was used since then.
    #[must_use]
    pub fn since(&self, before: &Self) -> Used {
        let us = |after: u64, before: u64| (after - before) as f64 * TICK_US;
        let all = |after: Usage, before: Usage| us(after.cpu_ticks(), before.cpu_ticks());
        Used {
            server_user_us: us(self.server.user_ticks, before.server.user_ticks),
            server_system_us: us(self.server.system_ticks, before.server.system_ticks),
            upstream_us: all(self.upstream, before.upstream),
            load_us: all(self.load, before.load),
            server_bytes: 1024.0
                * (self.server.resident_kib as f64 - before.server.resident_kib as f64),
        }
    }
}

impl Used {
    /// The time of the server on processors.
    #[must_use]
    pub fn server_us(&self) -> f64 {
        self.server_user_us + self.server_system_us
    }

    /// Tells the time on a processor for each of so many things, and how busy each process was. A process
    /// of one thread that is busy all the time is what limits.
    pub fn tell_for_each(&self, things: u64, took: Duration, figures: &mut Figures) {
        let things = things.max(1) as f64;
        let took_us = took.as_secs_f64() * 1e6;
        figures.set("server_user_us", self.server_user_us / things);
        figures.set("server_system_us", self.server_system_us / things);
        let server_us = self.server_us();
        figures.set("server_us", server_us / things);
        figures.set("upstream_us", self.upstream_us / things);
        figures.set("load_us", self.load_us / things);
        figures.set("server_busy", server_us / took_us);
        figures.set("upstream_busy", self.upstream_us / took_us);
        figures.set("load_busy", self.load_us / took_us);
    }

    /// Tells the memory of the server for each of so many users.
    pub fn tell_memory_for_each(&self, users: u32, figures: &mut Figures) {
        figures.set("kb_per_user", self.server_bytes / 1e3 / f64::from(users));
    }
}
