# Names for everyday commands. Nothing needs just: each recipe is one line that can be typed.

# List the recipes.
default:
    @just --list

# Build and start the server.
run *arguments:
    cargo run --release -- {{arguments}}

# Every test: Rust, both stores, browser, other people's servers. Or one part: rust, postgres, web, interop.
test *part:
    cargo xtask test {{part}}

# Format, layers, tidiness, clippy, docs. Or one check: format, layers, tidy, clippy, doc.
lint *check:
    cargo xtask lint {{check}}

# Format the Rust code.
format:
    cargo fmt --all

# Write the committed files that are made from the code.
codegen:
    cargo xtask codegen

# What floods cost those who talk, in figures.
floods:
    cargo xtask floods

# The WebSocket against Autobahn's fuzzing client; needs Python 2.7.
autobahn:
    cargo xtask autobahn

# Licences and advisories of the dependencies, by cargo-deny.
audit:
    cargo xtask audit

# What must hold before a change goes in.
ci:
    .ci/run

# The documentation of the crates, in a browser.
doc:
    cargo doc --workspace --no-deps --open

# The server and PostgreSQL in containers.
up:
    docker compose up --build
