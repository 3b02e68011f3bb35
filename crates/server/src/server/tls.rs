//! TLS of our own: the certificate and its key from files, read again when they change, and the handshake.
//! Connections that are open keep what they began with.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// A client has so long to agree on keys.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// Whether the files have changed is looked at so often.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);
/// A file may hang.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file is not there, or is no PEM.
    #[error("cannot read `{file}`")]
    File {
        /// Which.
        file: String,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// The file of certificates has none.
    #[error("there is no certificate in `{file}`")]
    NoCertificate {
        /// Which.
        file: String,
    },
    /// The key is not that of the certificate, or is of no use.
    #[error("the certificate and the key cannot be used together")]
    Mismatch(#[from] rustls::Error),
    /// A disk does not answer.
    #[error("the files could not be read in time")]
    TooSlow,
}

/// The certificate that the server shows, and its key. Cloning gives another handle of the same.
#[derive(Clone)]
pub struct Certificates {
    files: Arc<Files>,
    shown: Arc<Shown>,
    acceptor: TlsAcceptor,
    /// Of the files, before they were read for the first time.
    stamp: Option<Stamp>,
}

/// Length and time of the last change, of both files.
type Stamp = [(u64, SystemTime); 2];

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificates").field(&self.files).finish()
    }
}

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// What new handshakes get.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shown = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&shown))
    }
}

impl Certificates {
    /// Reads both files.
    pub(crate) async fn open(certificate: &str, key: &str) -> Result<Self, TlsError> {
        let files = Arc::new(Files {
            certificate: certificate.into(),
            key: key.into(),
        });
        let provider = Arc::new(aws_lc_rs::default_provider());
        let stamp = files.stamp_aside().await;
        let read = files.read_aside().await?;
        let shown = Arc::new(Shown(RwLock::new(Arc::new(read))));
        let resolver = Arc::clone(&shown);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            files,
            shown,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            stamp,
        })
    }

    /// Reads both files again. If they cannot be used, what was shown is shown on.
    ///
    /// # Errors
    ///
    /// [`TlsError`].
    pub async fn reload(&self) -> Result<(), TlsError> {
        let read = Arc::new(self.files.read_aside().await?);
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }

    /// Reads them again whenever they have changed, until `stop`.
    pub(super) async fn watch(&self, stop: &CancellationToken) {
        let mut seen = self.stamp;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(LOOK_INTERVAL) => {}
            }
            // Before they are read: what is written meanwhile is another change.
            let now = self.files.stamp_aside().await;
            if now == seen {
                continue;
            }
            seen = now;
            match self.reload().await {
                Ok(()) => info!("the certificate was read again"),
                // They are seldom written in one go.
                Err(error) => {
                    warn!(error = %in_full(&error), "the certificate is as it was");
                }
            }
        }
    }

    /// Agrees on keys with a client; `None` where it does not come to that in time.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
    ) -> Option<io::Result<TlsStream<TcpStream>>> {
        timeout(HANDSHAKE_TIMEOUT, self.acceptor.accept(stream))
            .await
            .ok()
    }
}

impl Files {
    fn read(&self) -> Result<CertifiedKey, TlsError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .map_err(|source| fault(&self.certificate, source))?;
        if chain.is_empty() {
            let file = self.certificate.display().to_string();
            return Err(TlsError::NoCertificate { file });
        }
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|it| fault(&self.key, it))?;
        Ok(CertifiedKey::from_der(
            chain,
            key,
            &aws_lc_rs::default_provider(),
        )?)
    }

    async fn read_aside(self: &Arc<Self>) -> Result<CertifiedKey, TlsError> {
        let files = Arc::clone(self);
        let reading = timeout(READ_TIMEOUT, spawn_blocking(move || files.read()));
        match reading.await {
            Ok(Ok(read)) => read,
            Ok(Err(_)) | Err(_) => Err(TlsError::TooSlow),
        }
    }

    /// What changes when they do; `None` while they cannot be looked at.
    async fn stamp_aside(self: &Arc<Self>) -> Option<Stamp> {
        let files = Arc::clone(self);
        let looking = spawn_blocking(move || {
            let stamp = |file: &Path| -> io::Result<_> {
                let data = file.metadata()?;
                Ok((data.len(), data.modified()?))
            };
            let both: io::Result<_> = (|| Ok([stamp(&files.certificate)?, stamp(&files.key)?]))();
            both.ok()
        });
        timeout(READ_TIMEOUT, looking).await.ok()?.ok()?
    }
}

fn fault(file: &Path, source: pem::Error) -> TlsError {
    TlsError::File {
        file: file.display().to_string(),
        source,
    }
}

/// An error and what is behind it.
fn in_full(error: &TlsError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}
