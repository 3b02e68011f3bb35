//! Arithmetic with dates of the calendar, as in `2024-02-28 + 2 days`, `2024-12-24 - 2024-02-29` and `weekday of
//! 2024-02-29`. By chrono: fend adds days one by one, and cannot be interrupted while it does.

use chrono::{Datelike, Days, Months, NaiveDate};

use crate::ToolError;

/// The value of an expression about dates; `None` for any other, a date alone among them, which may as well
/// be a difference of numbers.
///
/// # Errors
///
/// [`ToolError::InvalidArguments`] for a date that there is not, or one that is out of range.
pub(super) fn evaluate(expression: &str) -> Option<Result<String, ToolError>> {
    let words = words(expression);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["weekday", "of", date] if has_form(date) => {
            Some(read(date).map(|date| date.format("%A").to_string()))
        }
        [date, "-", other] if has_form(date) && has_form(other) => {
            Some(read(date).and_then(|date| Ok(days_between(read(other)?, date))))
        }
        [date, steps @ ..] if has_form(date) => {
            let steps = steps_of(steps)?;
            Some(read(date).and_then(|date| moved(date, &steps)))
        }
        _ => None,
    }
}

/// How far, forward or back.
struct Step {
    is_forward: bool,
    count: u32,
    unit: Unit,
}

enum Unit {
    Days(u64),
    Months(u32),
}

/// Signs stand alone, but for those within a date; the rest is small.
fn words(expression: &str) -> Vec<String> {
    let spaced = expression.replace('−', "-").replace('+', " + ");
    let mut words = Vec::new();
    for word in spaced.split_whitespace() {
        // `2024-02-28-1 day` and `-1 day`.
        let (date, rest) = word.split_at(word.floor_char_boundary(DATE_LENGTH));
        if has_form(date) && rest.starts_with('-') {
            words.extend([date, "-"].map(str::to_owned));
            words.extend(
                rest.strip_prefix('-')
                    .filter(|rest| !rest.is_empty())
                    .map(str::to_owned),
            );
        } else if let Some(rest) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            words.extend(["-", rest].map(str::to_owned));
        } else {
            words.push(word.to_lowercase());
        }
    }
    words
}

const DATE_LENGTH: usize = "2024-02-28".len();

/// Whether a word is written as a date, which it need not be.
fn has_form(word: &str) -> bool {
    word.len() == DATE_LENGTH
        && word.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

fn read(word: &str) -> Result<NaiveDate, ToolError> {
    NaiveDate::parse_from_str(word, "%Y-%m-%d")
        .map_err(|_| ToolError::InvalidArguments(format!("`expression`: there is no date {word}")))
}

fn days_between(from: NaiveDate, to: NaiveDate) -> String {
    match (to - from).num_days() {
        days @ (1 | -1) => format!("{days} day"),
        days => format!("{days} days"),
    }
}

fn steps_of(words: &[&str]) -> Option<Vec<Step>> {
    let steps = words.chunks(3).map(|words| match words {
        [sign @ ("+" | "-"), count, unit] => Some(Step {
            is_forward: *sign == "+",
            count: count.parse().ok()?,
            unit: unit_of(unit)?,
        }),
        _ => None,
    });
    let steps: Vec<_> = steps.collect::<Option<_>>()?;
    (!steps.is_empty()).then_some(steps)
}

fn unit_of(word: &str) -> Option<Unit> {
    match word {
        "day" | "days" => Some(Unit::Days(1)),
        "week" | "weeks" => Some(Unit::Days(7)),
        "month" | "months" => Some(Unit::Months(1)),
        "year" | "years" => Some(Unit::Months(12)),
        _ => None,
    }
}

/// A month from 31 January is the last day of February.
fn moved(date: NaiveDate, steps: &[Step]) -> Result<String, ToolError> {
    let mut date = Some(date);
    for step in steps {
        date = date.and_then(|date| match (&step.unit, step.is_forward) {
            (Unit::Days(days), is_forward) => {
                let days = Days::new(u64::from(step.count) * days);
                if is_forward {
                    date.checked_add_days(days)
                } else {
                    date.checked_sub_days(days)
                }
            }
            (Unit::Months(months), is_forward) => {
                let months = Months::new(step.count.checked_mul(*months)?);
                if is_forward {
                    date.checked_add_months(months)
                } else {
                    date.checked_sub_months(months)
                }
            }
        });
    }
    date.filter(|date| (0..=9999).contains(&date.year()))
        .map(|date| date.to_string())
        .ok_or_else(|| {
            let why = "`expression`: the date is not between the years 0 and 9999";
            ToolError::InvalidArguments(why.to_owned())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are Python's (`datetime`, `dateutil.relativedelta`).
    #[test]
    fn dates_are_computed_as_the_calendar_has_them() {
        for (expression, value) in [
            ("2024-02-28 + 2 days", "2024-03-01"),
            ("2023-02-28 + 2 days", "2023-03-02"),
            ("2024-03-01-1 day", "2024-02-29"),
            ("2024-03-01 -1 day", "2024-02-29"),
            ("2024-01-31 + 1 month", "2024-02-29"),
            ("2024-02-29 + 1 year", "2025-02-28"),
            ("2024-02-29 + 1 year - 2 weeks", "2025-02-14"),
            ("2000-01-01 + 100000 DAYS", "2273-10-16"),
            ("2024-12-24 - 2024-02-29", "299 days"),
            ("2024-03-01 - 2024-02-29", "1 day"),
            ("2024-02-29 − 2024-03-01", "-1 day"),
            ("1900-01-01 - 2000-01-01", "-36524 days"),
            ("weekday of 2024-02-29", "Thursday"),
        ] {
            assert_eq!(
                evaluate(expression),
                Some(Ok(value.to_owned())),
                "{expression}"
            );
        }
    }

    #[test]
    fn a_date_that_there_is_not_is_told() {
        for expression in [
            "2023-02-29 + 1 day",
            "2024-13-01 - 2024-01-01",
            "weekday of 2024-00-10",
            "9999-12-31 + 1 day",
            "0000-01-01 - 1 day",
            "2024-01-01 + 4294967295 years",
            "2024-01-01 + 4294967295 weeks",
        ] {
            let error = evaluate(expression).unwrap().unwrap_err();
            assert!(
                matches!(error, ToolError::InvalidArguments(_)),
                "{expression}"
            );
        }
    }

    #[test]
    fn what_is_not_about_dates_is_left_to_arithmetic() {
        for expression in [
            "2024-02-28",
            "2024 - 02 - 28",
            "2024-02-28 + 2",
            "2024-02-28 + 2 km",
            "2024-02-28 - 1 - 1",
            "5 days to hours",
            "weekday of",
            "",
            "ä-ä-ä 2024-02-2ä",
        ] {
            assert_eq!(evaluate(expression), None, "{expression}");
        }
    }
}
