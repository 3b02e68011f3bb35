//! Rounds what fend computes. fend itself takes the zeros off a truncated value before it rounds the last
//! digit up: it writes 2.645751312 for the square root of 7, which is 2.64575131106.

/// So many digits more are asked for than are shown.
pub(super) const MORE_DIGITS: usize = 10;

/// How many digits stand behind the point, if the text begins with one number: `3.14 m` has 2.
pub(super) fn decimals(text: &str) -> Option<usize> {
    let (number, rest) = split(text);
    let (_, decimals) = number.split_once('.')?;
    let is_complex = rest.contains(|it: char| it.is_ascii_digit()) || rest.starts_with('i');
    (!is_complex && !decimals.is_empty()).then_some(decimals.len())
}

/// The same with so many digits behind the point, half rounded away from zero, and no zeros at the end.
pub(super) fn round(text: &str, decimals: usize) -> Option<String> {
    let (number, rest) = split(text);
    let (whole, fraction) = number.split_once('.')?;
    let (kept, dropped) = fraction.split_at_checked(decimals)?;
    let mut digits = format!("{whole}{kept}").into_bytes();
    if dropped.bytes().next().is_some_and(|first| first >= b'5') {
        increment(&mut digits);
    }
    let digits = String::from_utf8(digits).ok()?;
    let (whole, fraction) = digits.split_at_checked(digits.len().checked_sub(decimals)?)?;
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{whole}{point}{fraction}{rest}"))
}

fn split(text: &str) -> (&str, &str) {
    let is_part = |it: char| it.is_ascii_digit() || matches!(it, '.' | '-');
    text.split_at(text.find(|it| !is_part(it)).unwrap_or(text.len()))
}

/// Adds one to the last digit.
fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        match digit {
            b'9' => *digit = b'0',
            b'0'..=b'8' => {
                *digit += 1;
                return;
            }
            _ => break,
        }
    }
    // Nothing but nines: one digit more, behind the sign.
    let begin = digits.iter().take_while(|it| **it == b'-').count();
    digits.insert(begin, b'1');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_at_the_digit_that_is_asked_for() {
        for (text, decimals, expected) in [
            ("2.64575131106", 9, "2.645751311"),
            ("2.64575131106", 10, "2.6457513111"),
            ("-0.14112000805", 9, "-0.141120008"),
            ("0.99999", 3, "1"),
            ("-9.996", 2, "-10"),
            ("1.05000 m", 1, "1.1 m"),
            ("3.10001", 3, "3.1"),
        ] {
            assert_eq!(round(text, decimals).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(round("1.5", 5), None);
        assert_eq!(round("15", 0), None);
    }

    #[test]
    fn the_digits_behind_the_point_are_counted_where_there_is_one_number() {
        assert_eq!(decimals("3.14 m"), Some(2));
        assert_eq!(decimals("-0.5"), Some(1));
        for none in ["3", "1.5i", "1.5 - 2.5i", "ff", "", "1."] {
            assert_eq!(decimals(none), None, "{none}");
        }
    }
}
