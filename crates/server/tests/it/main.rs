//! The server as its clients and those who run it meet it: in this process by its HTTP API and its WebSocket, and as
//! the real binary.

mod access;
mod access_oracle;
mod admin;
mod auth_keys;
mod auth_services;
mod auth_sockets;
mod auth_tokens;
mod canary;
mod command_line;
mod commands;
mod configuration;
mod configuration_models;
mod configuration_reference;
mod configuration_routes;
mod documents;
mod end_to_end;
mod end_to_end_failover;
#[cfg(feature = "needs-postgres")]
mod end_to_end_postgres;
mod framing;
mod fuzz;
mod hostile_requests;
mod http;
mod injection;
mod limits;
mod logs;
mod metrics;
mod metrics_documents;
#[cfg(feature = "needs-postgres")]
mod metrics_postgres;
mod model_settings;
mod openapi;
mod plugins;
mod provider_faults;
mod refused_upgrades;
mod resilience;
mod sessions_api;
mod sessions_command;
mod sessions_ended;
#[cfg(feature = "needs-postgres")]
mod sql_source;
mod support;
mod telemetry;
mod tls;
mod traces;
mod turn_over_http;
mod usage;
mod websocket;
