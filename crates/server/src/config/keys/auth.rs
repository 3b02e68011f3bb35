//! The keys of authentication: whose tokens are believed, and the tokens of services.

use super::super::key::{Key, Section};
use super::super::kind::Kind;

pub(super) const AUTH: Section = Section {
    title: "Authentication",
    keys: &[
        Key::new(
            "auth.mode",
            Kind::Choice(&["none", "jwt", "token"]),
            "Who is let in: everybody (`none`), users with a JWT of an identity provider (`jwt`), or \
             services alone (`token`); services have their tokens with `jwt` too. A server that listens on \
             something else than this machine starts only where this is said, even if it is `none`.",
        )
        .default("none"),
        Key::new(
            "auth.supabase_url",
            Kind::HttpUrl,
            "Address of a Supabase project, from which `auth.jwks_url` and `auth.issuer` follow.",
        )
        .aliases(&["SUPABASE_URL"])
        .example("https://abcdefghijklmnopqrst.supabase.co"),
        Key::new(
            "auth.jwks_url",
            Kind::HttpUrl,
            "Where the provider publishes its keys: https, or http on this machine. ES256 and RS256 are \
             understood.",
        )
        .example("https://id.example.org/.well-known/jwks.json"),
        Key::new(
            "auth.hs256_secret",
            Kind::Secret,
            "A secret shared with the provider, of at least 32 characters, by which tokens are signed with \
             HS256. Both may be set while a provider changes from one to the other.",
        )
        .aliases(&["SUPABASE_JWT_SECRET"]),
        Key::new(
            "auth.issuer",
            Kind::Text,
            "What `iss` must be, to the letter.",
        )
        .example("https://id.example.org/"),
        Key::new(
            "auth.audience",
            Kind::Text,
            "What `aud` must be, or hold.",
        )
        .default("authenticated"),
        Key::new(
            "auth.role",
            Kind::Text,
            "What `role` must be; `any` where the provider says none. The roles `anon` and `service_role` \
             are never users.",
        )
        .default("authenticated"),
        Key::new(
            "auth.subject",
            Kind::Choice(&["uuid", "any"]),
            "What `sub` may be, under which a user's sessions are kept: a UUID in small letters, or any \
             text of up to 256 characters.",
        )
        .default("uuid"),
        Key::new(
            "auth.open_lists",
            Kind::Flag,
            "Whether everybody may list, search and import sessions, see the figures of all of them, begin them under any \
             id and in the name of any user, although nobody is asked who they are. Otherwise only who is at this \
             machine may; to others a session's id is its only secret.",
        )
        .default("false"),
    ],
};

pub(super) const TOKENS: Section = Section {
    title: "Tokens of services",
    keys: &[
        Key::new(
            "tokens.NAME.sha256",
            Kind::Sha256,
            "The SHA-256 of a service's token, in hexadecimal digits; `patter token NAME` makes a token and \
             prints this line. NAME stands in logs.",
        )
        .example("b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"),
        Key::new(
            "tokens.NAME.scope",
            Kind::Choice(&["read", "act"]),
            "Whether the service reads everybody's sessions, or also acts in the name of any user.",
        )
        .default("read"),
    ],
};
