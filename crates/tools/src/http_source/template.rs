//! A URL with places for parameters. Only its path and its query have such places, and what is put there
//! stays there: it neither ends its part of the URL nor goes up in the path.

use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::ToolError;

/// All but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

pub(super) struct Template {
    pieces: Vec<Piece>,
}

enum Piece {
    Text(String),
    Place(String),
}

impl Template {
    /// Reads `https://host/path/{name}?key={other}`.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.chars().any(|it| it.is_control() || it.is_whitespace()) {
            return Err("it has white space".to_owned());
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').ok_or("a `{` without its `}`")?;
            let is_name = |it: char| it.is_ascii_alphanumeric() || it == '_';
            if name.is_empty() || !name.chars().all(is_name) {
                return Err(format!("`{{{name}}}` names no parameter"));
            }
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Place(name.to_owned()));
            rest = behind;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let template = Self { pieces };
        template.check()?;
        Ok(template)
    }

    /// Each way to fill it leads to the same host, and no parameter is lost in a fragment.
    fn check(&self) -> Result<(), String> {
        let with = |value: &str| {
            let filled = self.expand(|_| Some(value.to_owned())).unwrap_or_default();
            Url::parse(&filled).map_err(|error| error.to_string())
        };
        let (one, other) = (with("a")?, with("b")?);
        if one[..url::Position::BeforePath] != other[..url::Position::BeforePath] {
            return Err("a parameter may stand in the path and the query only".to_owned());
        }
        if !matches!(one.scheme(), "http" | "https") {
            return Err(format!("`{}` is not http or https", one.scheme()));
        }
        if one.fragment().is_some() {
            return Err("it has a fragment".to_owned());
        }
        Ok(())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Place(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The parameters that stand before the query.
    fn names_in_path(&self) -> impl Iterator<Item = &str> {
        let is_path = |piece: &&Piece| !matches!(piece, Piece::Text(text) if text.contains('?'));
        self.pieces
            .iter()
            .take_while(is_path)
            .filter_map(|piece| match piece {
                Piece::Place(name) => Some(name.as_str()),
                Piece::Text(_) => None,
            })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names().any(|it| it == name)
    }

    /// The URL with these values.
    ///
    /// # Errors
    ///
    /// [`ToolError::InvalidArguments`] for a value that would lead to another path.
    pub(super) fn fill(&self, values: &BTreeMap<String, String>) -> Result<String, ToolError> {
        let encoded = |name: &str| {
            let value = values.get(name)?;
            Some(utf8_percent_encode(value, ENCODED).to_string())
        };
        let filled = self.expand(encoded).unwrap_or_default();
        // The parser takes such segments out of a path, and with them what stands before.
        let path = filled.split(['?', '#']).next().unwrap_or_default();
        if path.split('/').any(|segment| matches!(segment, "." | "..")) {
            let why = "`.` and `..` are no values for a path";
            return Err(ToolError::InvalidArguments(why.to_owned()));
        }
        if let Some(name) = self
            .names_in_path()
            .find(|name| values.get(*name).is_some_and(String::is_empty))
        {
            return Err(ToolError::InvalidArguments(format!("`{name}`: empty")));
        }
        Ok(filled)
    }

    /// The text with something in each place; `None` if there is nothing for one.
    fn expand(&self, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Place(name) => text.push_str(&value(name)?),
            }
        }
        Some(text)
    }
}

/// Without its text: a key may stand in the query.
impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str, value: &str) -> Result<String, ToolError> {
        let values = [("a".to_owned(), value.to_owned())].into_iter().collect();
        Template::parse(template).unwrap().fill(&values)
    }

    /// Input 119.
    #[test]
    fn what_is_put_into_a_place_stays_there() {
        for (value, encoded) in [
            ("plain", "plain"),
            ("a b", "a%20b"),
            ("a/b?c#d&e=f", "a%2Fb%3Fc%23d%26e%3Df"),
            ("../../etc", "..%2F..%2Fetc"),
            ("%2e%2e", "%252e%252e"),
            ("\r\nX: y", "%0D%0AX%3A%20y"),
            ("日本", "%E6%97%A5%E6%9C%AC"),
            ("...", "..."),
            ("@evil.example", "%40evil.example"),
        ] {
            let expected = format!("https://h.example/x/{encoded}?q=1");
            assert_eq!(fill("https://h.example/x/{a}?q=1", value), Ok(expected));
            let expected = format!("https://h.example/x?q={encoded}&r=1");
            assert_eq!(fill("https://h.example/x?q={a}&r=1", value), Ok(expected));
        }
    }

    /// Input 119.
    #[test]
    fn a_value_does_not_go_up_in_the_path() {
        for value in [".", ".."] {
            for template in ["https://h.example/x/{a}", "https://h.example/x/{a}/y"] {
                assert!(fill(template, value).is_err(), "{template} {value}");
            }
            assert!(fill("https://h.example/x?q={a}", value).is_ok());
        }
        assert!(fill("https://h.example/{a}{a}", ".").is_err());
        assert!(fill("https://h.example/x/{a}", "").is_err());
        assert!(fill("https://h.example/x?q={a}", "").is_ok());
    }

    #[test]
    fn a_place_anywhere_else_is_refused() {
        for template in [
            "{a}",
            "{a}://h.example/",
            "https://{a}/",
            "https://{a}.example/",
            "https://h.example:{a}/",
            "https://h.example{a}/",
            "https://{a}@h.example/",
            "https://h.example/#{a}",
            "https://h.example/{",
            "https://h.example/{}",
            "https://h.example/{a b}",
            "no URL",
            "ftp://h.example/{a}",
            "https://h.example/a b/{a}",
        ] {
            assert!(Template::parse(template).is_err(), "{template}");
        }
    }
}
