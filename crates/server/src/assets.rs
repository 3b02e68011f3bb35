//! The web page, embedded in the binary by the build script.
//!
//! Either the full page, bundled from `web/`, or the plain one of `web/plain`, where the build had
//! no Node; see `build.rs`. What is here never changes while the process runs.

use std::sync::LazyLock;

use crate::http::weak_etag;

/// What the build script writes: path, content, and its brotli form where there is one.
type File = (&'static str, &'static [u8], Option<&'static [u8]>);

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// A file of the page, with what HTTP needs to serve it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asset {
    /// Its path in a URL, like `/index.html`.
    pub(crate) path: &'static str,
    /// Its content.
    pub(crate) bytes: &'static [u8],
    /// Its content compressed with brotli (`Content-Encoding: br`), where the build made that.
    pub(crate) brotli: Option<&'static [u8]>,
    /// The value of `Content-Type`.
    pub(crate) content_type: &'static str,
    /// See [`weak_etag`].
    pub(crate) etag: String,
    /// Whether its name changes with its content, so that a browser may keep it for ever. What is
    /// not immutable has to be asked for each time (`Cache-Control: no-cache`).
    pub(crate) immutable: bool,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| FILES.iter().map(asset).collect());

/// The file at `path`; `/` is the page itself. `None` if there is none.
#[must_use]
pub(crate) fn find(path: &str) -> Option<&'static Asset> {
    let path = if path == "/" { "/index.html" } else { path };
    // The build script sorts the table by path.
    let index = ASSETS.binary_search_by(|asset| asset.path.cmp(path)).ok()?;
    ASSETS.get(index)
}

/// Which page was embedded: `full` or `plain`.
#[must_use]
pub(crate) const fn kind() -> &'static str {
    KIND
}

fn asset(&(path, bytes, brotli): &File) -> Asset {
    Asset {
        path,
        bytes,
        brotli,
        content_type: content_type(path),
        etag: weak_etag(bytes),
        // Only the bundler puts files here, and it writes a hash into their names.
        immutable: path.starts_with("/assets/"),
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_page() {
        let page = find("/").unwrap();
        assert_eq!(page.path, "/index.html");
        assert_eq!(page.content_type, "text/html; charset=utf-8");
        assert!(page.bytes.starts_with(b"<!doctype html>"));
        assert!(!page.immutable);
    }

    #[test]
    fn whatever_the_page_refers_to_is_there() {
        let html = std::str::from_utf8(find("/").unwrap().bytes).unwrap();
        let references: Vec<&str> = html
            .split('"')
            .filter(|value| {
                value.starts_with('/') && (value.ends_with(".js") || value.ends_with(".css"))
            })
            .collect();
        // The full page also has a small script that sets its theme before anything is drawn.
        let expected = if kind() == "full" { 3 } else { 2 };
        assert_eq!(
            references.len(),
            expected,
            "scripts and a style sheet: {references:?}"
        );
        for reference in references {
            let asset = find(reference).unwrap();
            assert_ne!(asset.content_type, "application/octet-stream");
            assert_eq!(asset.immutable, kind() == "full");
            assert_eq!(asset.brotli.is_some(), kind() == "full");
        }
    }

    #[test]
    fn every_file_is_found_by_its_path() {
        for asset in ASSETS.iter() {
            assert_eq!(find(asset.path), Some(asset));
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        for path in [
            "",
            "/nothing",
            "/assets",
            "/../Cargo.toml",
            "/index.html.br",
        ] {
            assert_eq!(find(path), None, "{path}");
        }
    }
}
