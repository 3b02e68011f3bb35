//! A test that starts itself a second time, as the process to which something happens: a test binary is the one
//! program that is sure to be there.
#![expect(
    clippy::expect_used,
    reason = "a test ends where its preparation fails"
)]

use std::env;
use std::process::{Command, Output};

/// The test with this path again, as another process.
pub(crate) fn again(test: &str) -> Command {
    let program = env::current_exe().expect("a test has a program");
    let mut command = Command::new(program);
    command.args([test, "--exact", "--nocapture"]);
    command
}

/// Makes sure that the test was found in the other process, and passed there.
pub(crate) fn assert_passed(output: &Output) {
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.contains("test result: ok. 1 passed"),
        "{told}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
