//! Headers as `OTEL_EXPORTER_OTLP_HEADERS` has them: `NAME=VALUE`, separated by commas, with values in
//! percent encoding where they need it.

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

/// The headers, which do not print; `None` if one of them is none.
pub(crate) fn parse(text: &str) -> Option<HeaderMap> {
    let pairs = text
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty());
    pairs.map(header).collect()
}

fn header(pair: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = pair.split_once('=')?;
    let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
    let mut value = HeaderValue::from_str(&value).ok()?;
    value.set_sensitive(true);
    Some((name.trim().parse().ok()?, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_read_as_the_specification_says() {
        let headers = parse("authorization=Bearer%20a=b, X-Tenant = 7 ,").unwrap();
        assert_eq!(headers.len(), 2);
        assert_eq!(headers["authorization"], "Bearer a=b");
        assert_eq!(headers["x-tenant"], "7");
        assert!(!format!("{headers:?}").contains("Bearer"));
        for wrong in ["authorization", "a b=c", "=c", "a=%0A", "a=%ff"] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
