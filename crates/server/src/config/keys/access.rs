//! The keys of what those see who are let in.

use super::super::key::{Key, Section};
use super::super::kind::Kind;

pub(super) const ACCESS: Section = Section {
    title: "Access",
    keys: &[Key::new(
        "auth.open_lists",
        Kind::Flag,
        "Whether everybody may list, search and import sessions and see the figures of all of them, although \
         nobody is asked who they are. Otherwise only who is at this machine may; to others a session's id is \
         its only secret.",
    )
    .default("false")],
};
