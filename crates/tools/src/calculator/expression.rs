//! What is let into fend: reads the ways in which people write arithmetic, and refuses what is not.
//!
//! Why each fence stands:
//!
//! - Recursion without end (`f = x: x x; f f`) needs `:`, `=>`, `\` or `λ`. Only characters of
//!   plain arithmetic are let in; assignments, texts and dates are not among them.
//! - fend's parser calls itself for every level of parentheses, every sign and every power. 1 KiB
//!   bounds that.
//! - fend's parser cannot be interrupted, and reads the inside of `(` three times after a number
//!   or a percentage, twice after a name, so `1(1(1(...` takes time exponential in the depth: 12
//!   levels took 18 s. The sign of multiplication is written out for it, and 8 levels are the most.
//! - Fractions of very long numbers (`1e-99999`) and shifts (`1 << 99999999999`) are computed in
//!   steps that cannot be interrupted: an exponent of a number has 3 digits, and `<` and `>` are
//!   not let in.

use super::percent;
use crate::ToolError;

const MAX_BYTES: usize = 1024;
const MAX_DEPTH: usize = 8;
const MAX_EXPONENT_DIGITS: usize = 3;

/// The expression as fend reads it.
///
/// # Errors
///
/// [`ToolError::InvalidArguments`] for an expression that is empty, too long, nests too deeply,
/// or has something in it that is not arithmetic.
pub(super) fn prepare(expression: &str) -> Result<String, ToolError> {
    if expression.len() > MAX_BYTES {
        return Err(invalid(format!("longer than {MAX_BYTES} bytes")));
    }
    let spelled = respell(expression.trim())?;
    if spelled.is_empty() {
        return Err(invalid("empty"));
    }
    check_parentheses(&spelled)?;
    let spelled = percent::apply_to_what_stands_before(&spelled);
    check_parentheses(&spelled)?;
    write_out_products(&join_thousands(&spelled)?)
}

fn invalid(reason: impl std::fmt::Display) -> ToolError {
    ToolError::InvalidArguments(format!("`expression`: {reason}"))
}

/// Puts the signs of print in terms of the keyboard's, and refuses what is not arithmetic.
fn respell(expression: &str) -> Result<String, ToolError> {
    let mut spelled = String::with_capacity(expression.len());
    for character in expression.chars() {
        match character {
            '×' | '·' | '⋅' | '∙' | '✕' => spelled.push('*'),
            '÷' | '∕' | '⁄' => spelled.push('/'),
            '−' | '–' => spelled.push('-'),
            '√' => spelled.push_str(" sqrt "),
            '²' => spelled.push_str("^2"),
            '³' => spelled.push_str("^3"),
            'λ' => return Err(invalid("`λ` is not arithmetic")),
            '+' | '-' | '*' | '/' | '^' | '!' | '%' | '(' | ')' | '.' | ',' | '&' | '|' | '_'
            | '$' | '€' | '£' | '¥' | '°' => spelled.push(character),
            _ if character.is_whitespace() => spelled.push(' '),
            _ if character.is_alphanumeric() => spelled.push(character),
            _ => {
                return Err(invalid(format_args!(
                    "{character:?} is not arithmetic; write one expression without assignments"
                )));
            }
        }
    }
    Ok(spelled)
}

fn check_parentheses(expression: &str) -> Result<(), ToolError> {
    let mut depth = 0_usize;
    for character in expression.chars() {
        match character {
            '(' => depth += 1,
            ')' => {
                depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| invalid("a `)` has no `(` before it"))?;
            }
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(invalid(format_args!(
                "parentheses nest deeper than {MAX_DEPTH} levels; compute the parts one by one"
            )));
        }
    }
    if depth > 0 {
        return Err(invalid("a `(` is not closed"));
    }
    Ok(())
}

/// Takes the commas out of numbers such as `1,234,567.8`; any other comma is refused, since it
/// may be meant as a decimal point.
fn join_thousands(expression: &str) -> Result<String, ToolError> {
    if !expression.contains(',') {
        return Ok(expression.to_owned());
    }
    let mut joined = String::with_capacity(expression.len());
    for (word, separator) in words(expression, |character| {
        character.is_alphanumeric() || matches!(character, '.' | ',' | '_')
    }) {
        if word.contains(',') {
            let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
            let mut groups = whole.split(',');
            let first_fits = groups
                .next()
                .is_some_and(|group| (1..=3).contains(&group.len()));
            let are_digits = whole
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b',');
            if !first_fits
                || !are_digits
                || groups.any(|group| group.len() != 3)
                || fraction.contains(',')
            {
                return Err(invalid(format_args!(
                    "`{word}`: a comma stands only between groups of three digits, a decimal \
                     point is `.`, and functions take one argument"
                )));
            }
        }
        joined.extend(word.chars().filter(|character| *character != ','));
        joined.push_str(separator);
    }
    Ok(joined)
}

/// Writes `2 (3)` as `2 *(3)`: fend would read `2.5(3)` as a recurring decimal, and see above.
fn write_out_products(expression: &str) -> Result<String, ToolError> {
    if has_long_exponent(expression) {
        return Err(invalid(format_args!(
            "the exponent of a number has at most {MAX_EXPONENT_DIGITS} digits"
        )));
    }
    let mut written = String::with_capacity(expression.len());
    for (word, separator) in words(expression, |character| {
        character.is_alphanumeric() || matches!(character, '.' | '_')
    }) {
        if is_die(word) {
            return Err(invalid(format_args!("`{word}`: dice are not arithmetic")));
        }
        written.push_str(word);
        if is_number(word) && separator.trim_start().starts_with('(') {
            written.push('*');
        }
        if separator
            .split('%')
            .skip(1)
            .any(|after| after.trim_start().starts_with('('))
        {
            return Err(invalid(
                "`%(` may mean a percentage or a remainder; write `% of (` or ` mod (`",
            ));
        }
        written.push_str(separator);
    }
    Ok(written)
}

/// Splits `text` into words and what stands between them: either part of a pair may be empty.
fn words(text: &str, is_word: impl Fn(char) -> bool) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest
            .find(|character| !is_word(character))
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let end = after.find(&is_word).unwrap_or(after.len());
        let (separator, after) = after.split_at(end);
        rest = after;
        Some((word, separator))
    })
}

/// Digits with a point or an exponent, or a number with the prefix of its base: no unit after it.
fn is_number(word: &str) -> bool {
    let has_base = ["0x", "0o", "0b"]
        .iter()
        .any(|prefix| word.starts_with(prefix));
    has_base
        || (word.starts_with(|first: char| first.is_ascii_digit() || first == '.')
            && word
                .trim_end_matches(|last: char| last.is_ascii_digit())
                .len()
                < word.len()
            && word
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '.' | '_' | 'e' | 'E')))
}

/// Whether a number such as `1e99999` or `1e-99999` has more digits of exponent than are let in.
fn has_long_exponent(expression: &str) -> bool {
    expression.split(['e', 'E']).skip(1).any(|after| {
        let digits = after.strip_prefix(['+', '-']).unwrap_or(after);
        let is_digit = |c: char| c.is_ascii_digit() || c == '_';
        digits.chars().take_while(|c| is_digit(*c)).count() > MAX_EXPONENT_DIGITS
    })
}

/// `d6` and `2d6`, which fend reads as dice and so as a distribution.
fn is_die(word: &str) -> bool {
    let after_count = word.trim_start_matches(|first: char| first.is_ascii_digit() || first == '_');
    !word.starts_with("0x")
        && after_count
            .strip_prefix('d')
            .is_some_and(|faces| faces.starts_with(|first: char| first.is_ascii_digit()))
}
