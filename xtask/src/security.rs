//! `docs/security.md`: which test answers which of the numbered inputs that the program must stand.
//!
//! The inputs are those of `security/inputs.tsv`: number, section, input, and why no test is needed where
//! that is so. A test says itself what it answers, in a line of its doc comment that begins with
//! `/// Input 47` or `/// Inputs 47, 48` (in the tests of the page `// Input 90`); whatever follows the
//! numbers is for people. The name of a test can say it too: `inputs_1_to_3_are_refused`. An input that nothing answers is a fault.

mod marks;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, bail, ensure};

use crate::lint::tidy;

const INPUTS: &str = include_str!("security/inputs.tsv");
const DOCUMENT: &str = "docs/security.md";
const BEGIN: &str = "<!-- begin of what `cargo xtask codegen` writes -->\n";
const END: &str = "<!-- end of what `cargo xtask codegen` writes -->\n";

/// Where tests are.
const FOLDERS: [&str; 3] = ["crates/", "web/test/", "interop/"];

struct Input<'a> {
    number: u32,
    section: &'a str,
    text: &'a str,
    reason: &'a str,
}

/// The tests that answer each input.
type Answers = BTreeMap<u32, Vec<String>>;

/// Writes the table.
///
/// # Errors
///
/// When a file cannot be read or written.
pub(crate) fn write() -> anyhow::Result<()> {
    let (document, _) = documents()?;
    fs::write(DOCUMENT, document).with_context(|| format!("could not write `{DOCUMENT}`"))
}

/// Makes sure that the table is what the tests say, and that no input is left without an answer. As with all
/// that is generated, it is written where `UPDATE_GENERATED` is `1`.
///
/// # Errors
///
/// When it is not, or one is; all of them are listed.
pub(crate) fn check() -> anyhow::Result<()> {
    if std::env::var_os("UPDATE_GENERATED").is_some_and(|it| it == "1") {
        write()?;
    }
    let (document, unanswered) = documents()?;
    ensure!(
        fs::read_to_string(DOCUMENT)? == document,
        "`{DOCUMENT}` is not what the tests say: `cargo xtask codegen`"
    );
    ensure!(
        unanswered.is_empty(),
        "no test answers these inputs of `xtask/src/security/inputs.tsv`: {unanswered:?}"
    );
    Ok(())
}

/// The document as it should be, and the inputs without an answer.
fn documents() -> anyhow::Result<(String, Vec<u32>)> {
    let inputs = inputs(INPUTS)?;
    let answers = answers(&inputs)?;
    let is_open =
        |input: &&Input<'_>| input.reason.is_empty() && !answers.contains_key(&input.number);
    let unanswered = inputs.iter().filter(is_open);
    let unanswered = unanswered.map(|input| input.number).collect();
    let old =
        fs::read_to_string(DOCUMENT).with_context(|| format!("could not read `{DOCUMENT}`"))?;
    let (head, rest) = old.split_once(BEGIN).context("the table has no begin")?;
    let (_, tail) = rest.split_once(END).context("the table has no end")?;
    let table = table(&inputs, &answers)?;
    Ok((format!("{head}{BEGIN}{table}{END}{tail}"), unanswered))
}

fn inputs(text: &str) -> anyhow::Result<Vec<Input<'_>>> {
    let mut inputs = Vec::new();
    for line in text.lines() {
        let mut parts = line.split('\t');
        let (Some(number), Some(section), Some(text), Some(reason), None) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            bail!("`{line}` has not four parts");
        };
        inputs.push(Input {
            number: number.parse()?,
            section,
            text,
            reason,
        });
    }
    Ok(inputs)
}

fn answers(inputs: &[Input<'_>]) -> anyhow::Result<Answers> {
    let mut answers = Answers::new();
    for path in tidy::files()? {
        if !FOLDERS.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for (numbers, test) in marks::of(&path, &text)? {
            for number in numbers {
                ensure!(
                    inputs.iter().any(|input| input.number == number),
                    "{path}: there is no input {number}"
                );
                answers.entry(number).or_default().push(test.clone());
            }
        }
    }
    Ok(answers)
}

fn table(inputs: &[Input<'_>], answers: &Answers) -> anyhow::Result<String> {
    let mut table = String::new();
    let mut section = "";
    for input in inputs {
        if input.section != section {
            section = input.section;
            writeln!(
                table,
                "\n### {section}\n\n| # | input | answered by |\n| --- | --- | --- |"
            )?;
        }
        let tests = match answers.get(&input.number) {
            Some(tests) => tests.join("<br>"),
            None if input.reason.is_empty() => "**nothing yet**".to_owned(),
            None => input.reason.to_owned(),
        };
        let text = input.text.replace('|', "\\|");
        writeln!(table, "| {} | {text} | {tests} |", input.number)?;
    }
    table.push('\n');
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inputs_are_numbered_without_gaps() {
        let inputs = inputs(INPUTS).unwrap();
        let numbers: Vec<_> = inputs.iter().map(|input| input.number).collect();
        assert_eq!(numbers, (1..=121).collect::<Vec<_>>());
    }

    #[test]
    fn an_input_without_an_answer_stands_out() {
        let inputs = inputs("1\ts\ta|b\t\n2\ts\tc\tnot here\n3\ts\td\t").unwrap();
        let answers = Answers::from([(1, vec!["t".to_owned(), "u".to_owned()])]);
        let table = table(&inputs, &answers).unwrap();
        assert!(table.contains("| 1 | a\\|b | t<br>u |"), "{table}");
        assert!(table.contains("| 2 | c | not here |"), "{table}");
        assert!(table.contains("| 3 | d | **nothing yet** |"), "{table}");
    }
}
