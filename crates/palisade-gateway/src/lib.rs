//! A Cargo registry in front of another one.
//!
//! It pulls through what cargo asks for, keeps back what a policy objects to
//! until time is up or a person decides, hosts crates of its own, and lets a
//! token do only what it is for. It is *not* the scanner: what looks into
//! archives is behind [`Scanner`], and a version that it gave no answer about
//! is held. It prints nothing.
//!
//! The main types are [`Config`], [`Gateway`], [`policy::Policy`] and, for
//! those who run it, [`admin`].

pub mod admin;
mod advisories;
mod archives;
mod caller;
mod catalogue;
mod clock;
pub mod config;
mod error;
mod failure;
mod http;
pub mod identity;
mod jobs;
mod line;
mod look;
mod mail;
mod metrics;
mod pattern;
pub mod policy;
mod publish;
mod scanner;
mod scope;
mod server;
mod tls;
pub mod token;
mod upstream;

pub use advisories::Advisory;
pub use clock::{Clock, SystemClock};
pub use config::{Config, ConfigError};
pub use error::GatewayError;
pub use http::{Declared, Need, declared};
pub use look::{Exposed, Look, look};
pub use pattern::{Pattern, PatternError};
pub use scanner::{Answer, ScanError, Scanner, Subject, Verdict};
pub use scope::Scope;
pub use server::{Gateway, Parts};
