//! One line before and one after each part of a run, with the seconds it took.

use std::time::Instant;

use anyhow::Context;

/// Runs one part of a command under a name; a failure carries the name.
///
/// # Errors
///
/// Whatever `work` returns, with the name of the phase in front.
#[expect(
    clippy::disallowed_methods,
    reason = "xtask has no async runtime whose clock to follow"
)]
pub(crate) fn phase<T>(name: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    println!("==> {name}");
    let start = Instant::now();
    let value = work().with_context(|| format!("failed: {name}"))?;
    println!("==> {name}: ok, {:.1} s", start.elapsed().as_secs_f64());
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_carries_the_name_of_its_phase() {
        let error = phase::<()>("the moon landing", || anyhow::bail!("no fuel")).unwrap_err();
        assert_eq!(format!("{error:#}"), "failed: the moon landing: no fuel");
    }
}
