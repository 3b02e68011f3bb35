//! How long a provider asks to wait: in a header, in a field, or in the words of its message.
//!
//! Who asks for more than a day gets a day: it comes to the same, and no sum overflows.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, RETRY_AFTER};

const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What the headers of an answer ask for: `retry-after-ms`, which OpenAI and Azure send, else
/// `Retry-After` in seconds, which may have a fraction, or as a date
/// (<https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>).
pub(crate) fn in_headers(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let finer = text(HeaderName::from_static("retry-after-ms")).and_then(milliseconds);
    if finer.is_some() {
        return finer;
    }
    let value = text(RETRY_AFTER)?;
    seconds(value).or_else(|| {
        let date = chrono::DateTime::parse_from_rfc2822(value).ok()?;
        let wait = date
            .signed_duration_since(chrono::Utc::now())
            .to_std()
            .ok()?;
        Some(wait.min(LONGEST))
    })
}

/// What a message asks for: "Please retry in 51.6s.", "try again in 6m5.04s", "retry after 20
/// seconds".
pub(super) fn in_words(message: &str) -> Option<Duration> {
    ["retry in ", "again in ", "retry after "]
        .iter()
        .find_map(|words| length(message.split_once(words)?.1))
}

/// A number of seconds.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    bounded(text.trim().parse().ok()?)
}

fn milliseconds(text: &str) -> Option<Duration> {
    bounded(text.trim().parse::<f64>().ok()? / 1000.0)
}

/// The length of time at the beginning of a text: numbers, each with its unit.
fn length(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut sum = None;
    loop {
        let (number, after) = split_while(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split_while(after.trim_start(), char::is_alphabetic);
        let unit = match unit {
            "ms" => 0.001,
            "s" | "sec" | "second" | "seconds" => 1.0,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3600.0,
            _ => break,
        };
        let Ok(number) = number.parse::<f64>() else {
            break;
        };
        sum = Some(sum.unwrap_or(0.0) + number * unit);
        rest = after;
    }
    bounded(sum?)
}

fn split_while(text: &str, is_in: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !is_in(c)).unwrap_or(text.len());
    text.split_at(end)
}

/// `None` for what is no length of time.
fn bounded(seconds: f64) -> Option<Duration> {
    let longest = LONGEST.as_secs_f64();
    Duration::try_from_secs_f64(if seconds > longest { longest } else { seconds }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &'static str, value: &str) -> Option<Duration> {
        let headers = [(HeaderName::from_static(name), value.parse().unwrap())];
        in_headers(&headers.into_iter().collect())
    }

    #[test]
    fn a_header_says_seconds_milliseconds_or_a_date() {
        let after = |value: &str| header("retry-after", value);
        assert_eq!(after("1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(after("-1"), None);
        assert_eq!(after("soon"), None);
        assert_eq!(after("NaN"), None);
        assert_eq!(after("Wed, 21 Oct 2015 07:28:00 GMT"), None);
        let in_a_minute = chrono::Utc::now() + chrono::TimeDelta::seconds(60);
        let wait = after(&in_a_minute.to_rfc2822()).unwrap();
        assert!(
            wait > Duration::ZERO && wait <= Duration::from_secs(60),
            "{wait:?}"
        );
        let finer = |value: &str| header("retry-after-ms", value);
        assert_eq!(finer("250"), Some(Duration::from_millis(250)));
        assert_eq!(finer("120000.5"), Some(Duration::from_micros(120_000_500)));
    }

    #[test]
    fn the_finer_header_counts_if_it_can_be_read() {
        let both = |finer: &str| {
            let headers = [
                (
                    HeaderName::from_static("retry-after-ms"),
                    finer.parse().unwrap(),
                ),
                (RETRY_AFTER, "7".parse().unwrap()),
            ];
            in_headers(&headers.into_iter().collect())
        };
        assert_eq!(both("20"), Some(Duration::from_millis(20)));
        assert_eq!(both("soon"), Some(Duration::from_secs(7)));
    }

    #[test]
    fn nobody_has_to_wait_for_more_than_a_day() {
        for value in ["1e300", "inf", "172800", "Mon, 21 Oct 2250 07:28:00 GMT"] {
            assert_eq!(header("retry-after", value), Some(LONGEST), "{value}");
        }
        let most = u64::MAX.to_string();
        assert_eq!(header("retry-after-ms", &most), Some(LONGEST));
        assert_eq!(in_words("try again in 9000h"), Some(LONGEST));
    }

    #[test]
    fn words_say_how_long_in_any_unit() {
        for (message, milliseconds) in [
            ("Please retry in 51.6s.", 51_600),
            ("try again in 250ms", 250),
            ("try again in 90000ms.", 90_000),
            ("Used 99. Please try again in 6m5.04s. Visit us", 365_040),
            ("try again in 1h0m1s", 3_601_000),
            ("Please retry after 26 seconds.", 26_000),
            ("try again in 1 minute", 60_000),
        ] {
            let expected = Some(Duration::from_millis(milliseconds));
            assert_eq!(in_words(message), expected, "{message}");
        }
        for message in [
            "try again in a while",
            "retry in 5 lives",
            "again in .s",
            "later",
        ] {
            assert_eq!(in_words(message), None, "{message}");
        }
    }
}
