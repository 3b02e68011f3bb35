//! A server that asks nobody who they are listens where others reach it only if somebody said so. The
//! configuration is checked for it when it is read; whoever embeds the server brings a listener of their own.

use tokio::net::TcpListener;

use crate::config::{AuthMode, Config};
use crate::error::ServerError;

/// # Errors
///
/// [`ServerError::OpenToAll`].
pub(crate) fn check_listener(config: &Config, listener: &TcpListener) -> Result<(), ServerError> {
    let asks_nobody = config.auth.mode == AuthMode::None && !config.is_set("auth.mode");
    match listener.local_addr() {
        Ok(address) if asks_nobody && !address.ip().to_canonical().is_loopback() => {
            Err(ServerError::OpenToAll { address })
        }
        _ => Ok(()),
    }
}
