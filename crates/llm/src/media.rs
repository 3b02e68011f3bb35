//! An image or another file that is shown to a model.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

/// A file, whole and in memory. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Media {
    /// What it is, such as `image/png` or `application/pdf`.
    pub mime_type: String,
    /// What the person calls it, if anything.
    pub file_name: Option<String>,
    /// Its bytes, as they stand in the file.
    pub data: Bytes,
}

impl Media {
    /// A file of this type without a name.
    pub fn new(mime_type: impl Into<String>, data: impl Into<Bytes>) -> Self {
        Self {
            mime_type: mime_type.into(),
            file_name: None,
            data: data.into(),
        }
    }

    /// Gives the file a name.
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// Whether it is a picture, which the APIs of OpenAI take in another form than other files.
    pub(crate) fn is_image(&self) -> bool {
        self.mime_type.starts_with("image/")
    }

    /// Its bytes in base64 (RFC 4648, section 4), as every provider takes them.
    pub(crate) fn base64(&self) -> String {
        STANDARD.encode(&self.data)
    }

    /// A `data:` URL (RFC 2397), as the APIs of OpenAI take it.
    pub(crate) fn data_url(&self) -> String {
        format!("data:{};base64,{}", self.mime_type, self.base64())
    }
}

/// Without the bytes: nobody reads them, and they may be private.
impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media")
            .field("mime_type", &self.mime_type)
            .field("file_name", &self.file_name)
            .field("bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}
