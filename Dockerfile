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
# copied out because a cache is not part of the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/var/cache/npm \
    --mount=type=cache,target=/source/target \
    cargo build --locked --profile dist --package patter-server \
    && install target/dist/patter /usr/local/bin/patter

FROM debian:bookworm-slim
# The providers' certificates are checked against the system's. Their newest list is the wanted one.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=10001 --group=10001 /data
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
