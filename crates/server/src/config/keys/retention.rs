//! The key of what is kept, and for how long.

use super::super::key::{Key, Section};
use super::integer;

pub(super) const RETENTION: Section = Section {
    title: "Retention",
    keys: &[Key::new(
        "retention.days",
        integer(1, 36_500),
        "How many days a finalized session is kept, and one that was made and never opened; then it is \
         deleted with all its events. Everything is kept where nothing is given.",
    )
    .example("365")],
};
