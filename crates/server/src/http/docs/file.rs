//! A file of the page, which is the same as long as the process runs. It is asked for each time, and sent
//! again only where the asker has another one.

use std::io::Read;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::http::{Body, Problem, Reply, body, wants, weak_etag};

/// What the page may load and do: its own files and its own server, as the other page. Trusted types are
/// not asked for, because Swagger UI gives the descriptions to the page as text that it has cleaned, and
/// shows nothing where it may not. A `style` attribute in a description would break this, and be left out.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// A file, and how it is kept.
#[derive(Debug)]
pub(super) struct File {
    content_type: &'static str,
    bytes: Bytes,
    /// Whether `bytes` are compressed.
    gzipped: bool,
    /// Weak, so that it is right for the compressed form and the plain one.
    etag: String,
}

impl File {
    /// One that is kept as it is sent.
    pub(super) fn plain(content_type: &'static str, text: &'static str) -> Self {
        Self::new(content_type, text.into(), false)
    }

    /// One that is kept compressed with gzip.
    pub(super) fn gzipped(content_type: &'static str, bytes: Bytes) -> Self {
        Self::new(content_type, bytes, true)
    }

    fn new(content_type: &'static str, bytes: Bytes, gzipped: bool) -> Self {
        let etag = weak_etag(&bytes);
        Self {
            content_type,
            bytes,
            gzipped,
            etag,
        }
    }

    /// Answers a request with these headers; 304 where it has this already.
    ///
    /// # Errors
    ///
    /// Where what is kept cannot be decompressed: a defect.
    pub(super) fn answer(&self, request: &HeaderMap) -> Reply {
        let mut response = Response::new(Body::default());
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(CONTENT_SECURITY_POLICY, POLICY);
        if let Ok(etag) = HeaderValue::from_str(&self.etag) {
            headers.insert(ETAG, etag);
        }
        if self.gzipped {
            headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
        if wants(request, IF_NONE_MATCH, &self.etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        let content = if !self.gzipped {
            self.bytes.clone()
        } else if wants(request, ACCEPT_ENCODING, "gzip") {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            self.bytes.clone()
        } else {
            // Every browser takes gzip, so this is rare enough to be done anew each time.
            decompressed(&self.bytes)?
        };
        *response.body_mut() = body::whole(content);
        Ok(response)
    }
}

fn decompressed(gzip: &[u8]) -> Result<Bytes, Problem> {
    let mut bytes = Vec::new();
    GzDecoder::new(gzip)
        .read_to_end(&mut bytes)
        .map_err(|_corrupt| Problem::internal())?;
    Ok(bytes.into())
}
