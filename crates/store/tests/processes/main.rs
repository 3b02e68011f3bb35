//! What happens to processes: they are killed, have a folder or a limit of their own, or stand between a store and
//! its database.
//!
//! Apart from the other tests, which look at locks of files: a process that is being started holds, for a moment, all
//! that is open in the one that starts it, and with that its locks.

mod again;
mod kill;
#[cfg(feature = "needs-pgbouncer")]
mod pgbouncer;
mod relative_paths;
#[cfg(all(unix, feature = "spool"))]
mod spool_faults;
