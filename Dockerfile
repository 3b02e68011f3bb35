# syntax=docker/dockerfile:1

# Node builds the page; it is not in the image that runs.
FROM node:24-bookworm-slim AS node

FROM rust:1.95.0-bookworm AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
# The compiler of this image, without the components that rust-toolchain.toml asks for.
ENV RUSTUP_TOOLCHAIN=1.95.0
# A page that does not build is an error here, not a plainer page.
ENV PATTER_WEB=require
ENV npm_config_cache=/var/cache/npm
WORKDIR /source
COPY . .
# The caches keep crates, packages and compiled dependencies between builds; the binary is
# copied out because a cache is not part of the image. `auditable` writes into the binary which crates
# it is made of, so that whoever has the image can ask for advisories: `cargo audit bin patter`, or any
# scanner of images.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/var/cache/npm \
    --mount=type=cache,target=/source/target \
    cargo install --locked --version 0.7.7 cargo-auditable \
    && cargo auditable build --locked --profile dist --package patter-server \
    && install target/dist/patter /usr/local/bin/patter \
    && install --directory /image/data

# The C library, the certificates of the providers' authorities, and nothing else: no shell, no package
# manager, nothing that whoever gets in could go on with. (Plug-ins that are programs, `mcp.NAME.command`, need
# an image that has them: copy the binary into it.)
FROM gcr.io/distroless/cc-debian12
COPY --from=build --chown=10001:10001 /image/data /data
COPY --from=build /usr/local/bin/patter /usr/local/bin/patter
# Where nothing else is configured, the data is kept in `./data`: /data, seen from here.
WORKDIR /
VOLUME /data
# Others reach the container, so it starts only where it is said who may use it: `PATTER_AUTH__MODE` is
# `jwt`, `token`, or `none` for everybody (docs/authentication.md).
ENV HOST=0.0.0.0 PORT=8000
EXPOSE 8000
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
# SIGTERM drains: give it the time that `docker stop --time` and its kin allow.
ENTRYPOINT ["patter"]
