//! Reads query strings strictly: a parameter that must not be repeated is refused when it is,
//! because two readers would disagree about which one counts.

use std::borrow::Cow;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use patter_protocol::Timestamp;
use url::form_urlencoded;

use crate::http::problem::Problem;

/// The parameters of a request.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Query<'a> {
    /// Reads what stands behind the `?`, if there is anything.
    pub(crate) fn parse(query: Option<&'a str>) -> Self {
        Self {
            pairs: form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect(),
        }
    }

    /// The value of a parameter.
    ///
    /// # Errors
    ///
    /// Where it stands there more than once.
    pub(crate) fn single(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        let mut values = self.pairs.iter().filter(|(key, _)| key == name);
        let first = values.next();
        if values.next().is_some() {
            return Err(Problem::invalid_field(name, "must not be given twice"));
        }
        Ok(first.map(|(_, value)| value.as_ref()))
    }

    /// The value of a parameter as something else than text.
    ///
    /// # Errors
    ///
    /// Where it stands there more than once or cannot be read; `expected` says what can.
    pub(crate) fn parsed<T: FromStr>(
        &self,
        name: &'static str,
        expected: &str,
    ) -> Result<Option<T>, Problem> {
        self.single(name)?
            .map(|text| {
                text.parse()
                    .map_err(|_unread| Problem::invalid_field(name, expected))
            })
            .transpose()
    }

    /// Whose sessions are wanted; everybody's where nothing is said.
    ///
    /// # Errors
    ///
    /// Where it stands there more than once or cannot be a user.
    pub(crate) fn user_id(&self) -> Result<Option<String>, Problem> {
        let user_id = self.single("user_id")?;
        user_id.map(str::to_owned).map(checked_user_id).transpose()
    }

    /// A point in time.
    ///
    /// # Errors
    ///
    /// Where it stands there more than once or is something else.
    pub(crate) fn time(&self, name: &'static str) -> Result<Option<Timestamp>, Problem> {
        let time: Option<DateTime<Utc>> = self.parsed(
            name,
            "must be a time by RFC 3339, such as `2026-11-21T09:30:00Z`",
        )?;
        Ok(time.map(Timestamp::from))
    }

    /// How many entries a page may have: 1 to `max`.
    ///
    /// # Errors
    ///
    /// Where it stands there more than once or is something else.
    pub(crate) fn limit(&self, default: u32, max: u32) -> Result<u32, Problem> {
        let Some(text) = self.single("limit")? else {
            return Ok(default);
        };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|limit| digits && (1..=max).contains(limit))
            .ok_or_else(|| {
                Problem::invalid_field("limit", format!("must be an integer from 1 to {max}"))
            })
    }

    /// A place in a log: an integer from 0 to 2^63 - 1, in digits and nothing else.
    ///
    /// # Errors
    ///
    /// Where it stands there more than once or is something else.
    pub(crate) fn seq(&self, name: &'static str) -> Result<Option<u64>, Problem> {
        self.single(name)?.map(|text| seq(name, text)).transpose()
    }
}

/// What can be the name of a user: 1 to 256 characters, no U+0000.
///
/// # Errors
///
/// Where it cannot.
pub(crate) fn checked_user_id(user_id: String) -> Result<String, Problem> {
    let length = user_id.chars().count();
    if (1..=256).contains(&length) && !user_id.contains('\0') {
        Ok(user_id)
    } else {
        let expected = "must have 1 to 256 characters and no U+0000";
        Err(Problem::invalid_field("user_id", expected))
    }
}

/// A place in a log, as [`Query::seq`] reads it; `name` is where it stands.
///
/// # Errors
///
/// Where it is something else.
pub(crate) fn seq(name: &'static str, text: &str) -> Result<u64, Problem> {
    const EXPECTED: &str = "must be an integer from 0 to 9223372036854775807";
    // `parse` alone would take `+1`.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u64>() {
        Ok(seq) if digits && seq <= i64::MAX.unsigned_abs() => Ok(seq),
        _ => Err(Problem::invalid_field(name, EXPECTED)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_log_is_digits_within_64_bits() {
        for (query, expected) in [
            ("after=0", Some(0)),
            ("after=9223372036854775807", Some(i64::MAX.unsigned_abs())),
            ("other=1", None),
        ] {
            assert_eq!(
                Query::parse(Some(query)).seq("after").unwrap(),
                expected,
                "{query}"
            );
        }
        for query in [
            "after=",
            "after=-1",
            "after=%2B1",
            "after=1e3",
            "after=abc",
            "after=9223372036854775808",
            "after=99999999999999999999999",
            "after=1&after=1",
        ] {
            assert!(Query::parse(Some(query)).seq("after").is_err(), "{query}");
        }
    }
}
