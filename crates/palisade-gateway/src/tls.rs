//! TLS, so that cargo uses HTTP/2: over HTTP/1.1 it has two requests in flight.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::GatewayError;
use crate::config::Tls;

/// How long a client may take to agree on keys.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Connections that are ready before anybody serves them.
const READY: usize = 64;

pub(crate) fn acceptor(tls: &Tls) -> Result<TlsAcceptor, GatewayError> {
    let failed = |reason: String| GatewayError::Tls { reason };
    let chain = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| failed(format!("`{}`: {error}", tls.certificate)))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key)
        .map_err(|error| failed(format!("`{}`: {error}", tls.key)))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| failed(error.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Accepts connections and agrees on keys, each on a task of its own: one
/// client that says nothing must not keep the others waiting.
pub(crate) struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: io::Result<SocketAddr>,
}

impl TlsListener {
    pub(crate) fn new(listener: TcpListener, acceptor: TlsAcceptor) -> TlsListener {
        let (send, ready) = mpsc::channel(READY);
        let address = listener.local_addr();
        tokio::spawn(async move {
            loop {
                let connection = tokio::select! {
                    () = send.closed() => return,
                    connection = listener.accept() => connection,
                };
                let Ok((stream, from)) = connection else {
                    // Out of file descriptors, for example; that passes.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                let (send, acceptor) = (send.clone(), acceptor.clone());
                tokio::spawn(async move {
                    let agreed = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await;
                    if let Ok(Ok(stream)) = agreed {
                        let _ = send.send((stream, from)).await;
                    }
                });
            }
        });
        TlsListener { ready, address }
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The task ends only when this is dropped.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        match &self.address {
            Ok(address) => Ok(*address),
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        }
    }
}
