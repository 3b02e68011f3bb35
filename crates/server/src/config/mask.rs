//! Showing values without their secrets.

use url::Url;

/// What is shown instead of a secret.
pub(crate) const MASK: &str = "***";

/// So much of a long value is shown.
const SHOWN_CHARS: usize = 100;

/// The value on one line, cut where it is long.
pub(crate) fn shorten(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(SHOWN_CHARS) {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    if text.chars().nth(SHOWN_CHARS).is_some() {
        shown.push_str("...");
    }
    shown
}

/// A URL without its password. What cannot be told apart is left out as a whole: a password with
/// a `/` or `@` in it that was not escaped makes a URL that reads otherwise than was meant.
pub(crate) fn url(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else {
        let is_plain = !text.contains("://") && !text.contains(['@', '=']);
        return if is_plain { shorten(text) } else { MASK.into() };
    };
    let is_doubtful = url.path().contains('@')
        || url.query().is_some_and(|query| query.contains('@'))
        || url.fragment().is_some()
        || (url.cannot_be_a_base() && url.scheme() != "sqlite");
    if is_doubtful {
        return MASK.into();
    }
    let original = url.clone();
    mask_user(&mut url);
    mask_query(&mut url);
    // The text as it was written, rather than its normal form, if there was nothing to hide.
    shorten(if url == original { text } else { url.as_str() })
}

fn mask_user(url: &mut Url) {
    // Both fail only for a URL without a host, which has nobody to mask.
    if url.password().is_some() {
        let _ = url.set_password(Some(MASK));
    } else if matches!(url.scheme(), "http" | "https") && !url.username().is_empty() {
        let _ = url.set_username(MASK);
    }
}

fn mask_query(url: &mut Url) {
    let is_secret = |name: &str| {
        let name = name.to_lowercase();
        ["pass", "key", "secret", "token"]
            .iter()
            .any(|part| name.contains(part))
    };
    if !url.query_pairs().any(|(name, _)| is_secret(&name)) {
        return;
    }
    let pairs: Vec<String> = url
        .query_pairs()
        .map(|(name, value)| {
            if is_secret(&name) {
                format!("{name}={MASK}")
            } else {
                format!("{name}={value}")
            }
        })
        .collect();
    url.set_query(Some(&pairs.join("&")));
}
