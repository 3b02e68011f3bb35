//! What goes out as JSON: its text, and its length without the text.

use std::io;

use serde::Serialize;

/// The value as JSON; empty if it cannot be, which no value that was JSON before can.
pub(super) fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Bytes of the value as JSON.
pub(super) fn bytes(value: &impl Serialize) -> u64 {
    let mut length = Length(0);
    // As above; and this writer takes everything.
    let _ = serde_json::to_writer(&mut length, value);
    length.0
}

struct Length(u64);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
