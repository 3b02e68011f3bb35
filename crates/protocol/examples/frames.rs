//! Reads frames from the lines of standard input, or a few of its own where there are none, and
//! prints what each becomes.
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::io::{IsTerminal, stdin};

use patter_protocol::ClientMessage;

const SAMPLES: [&str; 4] = [
    r#"{"type":"user_message","content":"What is 15% of 240?","id":"m-1"}"#,
    r#"{"type":"user_message","content":""}"#,
    r#"{"type":"launch"}"#,
    "not JSON",
];

fn main() -> std::io::Result<()> {
    if stdin().is_terminal() {
        SAMPLES.iter().for_each(|frame| show(frame));
        return Ok(());
    }
    for line in stdin().lines() {
        show(&line?);
    }
    Ok(())
}

fn show(frame: &str) {
    match ClientMessage::parse(frame) {
        Ok(message) => println!("{frame}\n  {message:?}"),
        Err(error) => println!("{frame}\n  {:?}: {error}", error.code()),
    }
}
