//! Reads the body of an answer within limits, as it came and as it is without its encoding.

use std::io::Write;

use flate2::write::MultiGzDecoder;
use reqwest::Response;
use reqwest::header::CONTENT_ENCODING;

use super::WebLimits;
use crate::ToolError;

/// So much is decoded at a time: it grows a thousandfold at the most, and is measured then.
const DECODED_AT_ONCE: usize = 4 * 1024;

enum Decoder {
    Plain(Vec<u8>),
    Gzip(MultiGzDecoder<Vec<u8>>),
}

/// The whole body.
///
/// # Errors
///
/// [`ToolError::TooLarge`]; [`ToolError::Failed`] where it breaks off, or is encoded in a way that
/// nobody asked for.
pub(super) async fn read(mut response: Response, limits: WebLimits) -> Result<Vec<u8>, ToolError> {
    let encoding = response.headers().get_all(CONTENT_ENCODING).iter();
    let encoding: Vec<_> = encoding
        .map(|it| it.as_bytes().to_ascii_lowercase())
        .collect();
    let mut decoder = match encoding.as_slice() {
        [] => Decoder::Plain(Vec::new()),
        [one] if one == b"identity" => Decoder::Plain(Vec::new()),
        [one] if one == b"gzip" || one == b"x-gzip" => {
            Decoder::Gzip(MultiGzDecoder::new(Vec::new()))
        }
        _ => return Err(failed("it has an encoding that was not asked for")),
    };
    let mut received = 0;
    loop {
        let chunk = response.chunk().await;
        let Some(chunk) = chunk.map_err(|_| failed("its body broke off"))? else {
            break;
        };
        received += chunk.len();
        at_most(received, limits.max_received_bytes)?;
        for part in chunk.chunks(DECODED_AT_ONCE) {
            at_most(decoder.take(part)?, limits.max_decoded_bytes)?;
        }
    }
    let body = decoder.finish()?;
    at_most(body.len(), limits.max_decoded_bytes)?;
    Ok(body)
}

impl Decoder {
    /// Takes in a part, and gives how much there is now.
    fn take(&mut self, part: &[u8]) -> Result<usize, ToolError> {
        match self {
            Self::Plain(body) => {
                body.extend_from_slice(part);
                Ok(body.len())
            }
            Self::Gzip(decoder) => {
                let decoded = decoder.write_all(part);
                decoded.map_err(|_| failed("its body is broken gzip"))?;
                Ok(decoder.get_ref().len())
            }
        }
    }

    fn finish(self) -> Result<Vec<u8>, ToolError> {
        match self {
            Self::Plain(body) => Ok(body),
            Self::Gzip(decoder) => decoder
                .finish()
                .map_err(|_| failed("its body is broken gzip")),
        }
    }
}

fn at_most(bytes: usize, limit: usize) -> Result<(), ToolError> {
    if bytes > limit {
        return Err(ToolError::TooLarge { bytes, limit });
    }
    Ok(())
}

fn failed(why: &str) -> ToolError {
    ToolError::Failed(format!("cannot read the answer: {why}"))
}
