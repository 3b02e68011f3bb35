//! What tests say about themselves.

use std::path::Path;

use anyhow::{Context, ensure};

/// The name of a test stands at most so many lines below its mark: the rest of the comment, attributes.
const FAR: usize = 15;

/// The marks of a file: numbers, and the test as a link to it.
///
/// # Errors
///
/// When a mark has no number, or no test below it.
pub(super) fn of(path: &str, text: &str) -> anyhow::Result<Vec<(Vec<u32>, String)>> {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let mut marks = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        if let Some(numbers) = numbers_in_name(line) {
            let name = name(line).unwrap_or_default();
            marks.push((numbers, format!("[{name}](../{path})")));
            continue;
        }
        let Some(told) = told(path, line) else {
            continue;
        };
        let numbers = numbers(told);
        let at = format!("{path}:{}", place + 1);
        ensure!(!numbers.is_empty(), "{at}: no number in `{line}`");
        let below = lines.iter().skip(place + 1).take(FAR);
        let name = below.into_iter().find_map(|line| name(line));
        let name = name.with_context(|| format!("{at}: no test below `{line}`"))?;
        marks.push((numbers, format!("[{name}](../{path})")));
    }
    Ok(marks)
}

/// Those of a test that has them in its name: `inputs_1_to_3_and_5_are_refused`.
fn numbers_in_name(line: &str) -> Option<Vec<u32>> {
    let name = name(line)?;
    let told = name
        .strip_prefix("inputs_")
        .or_else(|| name.strip_prefix("input_"))?;
    Some(numbers(&told.replace('_', " "))).filter(|numbers| !numbers.is_empty())
}

/// What follows the word.
fn told<'a>(path: &str, line: &'a str) -> Option<&'a str> {
    let extension = Path::new(path).extension()?.to_str()?;
    let comment = match extension {
        "rs" => line.strip_prefix("/// ")?,
        "mjs" | "ts" => line.strip_prefix("// ")?,
        "py" => line.strip_prefix("# ")?,
        _ => return None,
    };
    comment
        .strip_prefix("Inputs ")
        .or_else(|| comment.strip_prefix("Input "))
        .filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// `47, 48 and 50 to 52: more` is 47, 48, 50, 51, 52.
fn numbers(told: &str) -> Vec<u32> {
    let mut numbers: Vec<u32> = Vec::new();
    let mut is_range = false;
    for word in told.split_whitespace() {
        let digits = word.trim_end_matches(|last: char| !last.is_ascii_digit());
        match (word, digits.parse::<u32>()) {
            ("and", _) => {}
            ("to", _) => is_range = true,
            (_, Ok(number)) => {
                let first = match numbers.last() {
                    Some(last) if is_range => last + 1,
                    _ => number,
                };
                numbers.extend(first..=number);
                is_range = false;
                if word.len() > digits.len() && !word.ends_with(',') {
                    break;
                }
            }
            _ => break,
        }
    }
    numbers
}

/// The name of a test whose first line this is.
fn name(line: &str) -> Option<&str> {
    if let Some((before, after)) = line.split_once("fn ")
        && matches!(
            before.trim_end(),
            "" | "async" | "pub" | "pub async" | "pub(crate) async"
        )
    {
        return after.split(['(', '<']).next();
    }
    if let Some(python) = line
        .strip_prefix("def ")
        .or_else(|| line.strip_prefix("async def "))
    {
        return python.split('(').next();
    }
    let quoted = line
        .strip_prefix("test(")
        .or_else(|| line.strip_prefix("it("))?;
    let quote = quoted
        .chars()
        .next()
        .filter(|it| matches!(it, '\'' | '"' | '`'))?;
    quoted.split(quote).nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_has_numbers_and_a_test() {
        let text = "/// Inputs 1, 2 and 4 to 6: framing.\n/// More.\n#[tokio::test]\nasync fn a_test() {\n\
                    \n    /// Input 9.\n    fn b(c: d) {\n/// Input is no mark.\n/// Input 3, by x that 4\npub async fn e(";
        let marks = of("crates/a/tests/b.rs", text).unwrap();
        let link = |name: &str| format!("[{name}](../crates/a/tests/b.rs)");
        assert_eq!(
            marks,
            [
                (vec![1, 2, 4, 5, 6], link("a_test")),
                (vec![9], link("b")),
                (vec![3], link("e")),
            ]
        );
        let marks = of(
            "web/test/a.mjs",
            "// Input 90.\ntest('nothing runs', () => {",
        )
        .unwrap();
        assert_eq!(
            marks,
            [(vec![90], "[nothing runs](../web/test/a.mjs)".to_owned())]
        );
    }

    #[test]
    fn a_name_can_have_the_numbers_too() {
        let text = "async fn inputs_1_to_3_and_5_are_refused() {\nfn inputs(text: &str) {\n";
        let marks = of("crates/a/tests/b.rs", text).unwrap();
        assert_eq!(marks.len(), 1, "{marks:?}");
        assert_eq!(marks[0].0, [1, 2, 3, 5]);
    }

    #[test]
    fn a_mark_without_a_test_is_a_fault() {
        assert!(of("a.rs", "/// Input 1.\nlet x = 1;\n").is_err());
        assert!(of("a.md", "/// Input 1.\n").unwrap().is_empty());
    }
}
