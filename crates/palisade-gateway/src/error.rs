//! What keeps the gateway from starting or from doing its work.

use camino::Utf8PathBuf;
use palisade_index::IndexError;
use palisade_store::StoreError;

/// Why the gateway cannot do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// A file or directory could not be used.
    #[error("cannot {operation} `{path}`")]
    File {
        /// What was to be done.
        operation: &'static str,
        /// The file or directory.
        path: Utf8PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The database failed.
    #[error("the gateway's state cannot be read or changed")]
    Store(#[from] StoreError),
    /// The upstream failed, and nothing is known that could stand in.
    #[error("the registry that is pulled through cannot be asked")]
    Upstream {
        /// What it said.
        #[source]
        source: IndexError,
    },
    /// This build does not know the default registry.
    #[error("this build does not know the address of the default registry")]
    NoDefaultRegistry,
    /// The address could not be listened at.
    #[error("cannot listen at {address}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("the certificate or key of gateway.tls cannot be used: {reason}")]
    Tls {
        /// Why not.
        reason: String,
    },
    /// Issuers of identities cannot be asked as this build is.
    #[error("issuers of identities cannot be asked: {reason}")]
    Issuers {
        /// Why not.
        reason: String,
    },
    /// Mails cannot be sent as they are set up.
    #[error("gateway.mail cannot be used: {reason}")]
    Mail {
        /// Why not.
        reason: String,
    },
    /// The policy asks for a scanner that is not there.
    #[error("gateway.policy.scan is on, and this build has no scanner")]
    NoScanner,
    /// The database of advisories cannot be read.
    #[error("the database of gateway.advisories cannot be read")]
    Advisories {
        /// Why not.
        #[source]
        source: palisade_advisory::DatabaseError,
    },
    /// An upstream's file is not one.
    #[error("the index file of `{name}` cannot be understood: {reason}")]
    Index {
        /// The crate.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A command does not fit what is there.
    #[error("{0}")]
    Refused(String),
}

impl GatewayError {
    /// What to do about it, in one sentence without a full stop.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            GatewayError::File { .. } => {
                Some("check that it exists and belongs to the service, and the free space")
            }
            GatewayError::Store(error) => error.hint(),
            GatewayError::Upstream { source } => source.hint(),
            GatewayError::NoDefaultRegistry => {
                Some("give the address of an index as gateway.upstream.index")
            }
            GatewayError::Listen { .. } => {
                Some("choose another gateway.listen, or stop what listens there")
            }
            GatewayError::Tls { .. } => {
                Some("both are PEM files; the chain begins with the server")
            }
            GatewayError::Advisories { .. } => Some(
                "name a copy of the RustSec advisory database; `palisade db update` fetches one",
            ),
            GatewayError::Mail { .. } => Some("docs/gateway.md shows how mails are set up"),
            GatewayError::NoScanner => Some("set gateway.policy.scan.mode to `off`"),
            GatewayError::Index { .. }
            | GatewayError::Issuers { .. }
            | GatewayError::Refused(_) => None,
        }
    }
}
