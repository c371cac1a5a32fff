//! The vocabulary of Palisade: packages, functions, verdicts and findings.
//!
//! This crate is *not* a place for behaviour: it does no I/O, it knows nothing
//! of cargo, of rust-analyzer or of any output format. Every other crate
//! speaks in these terms, so that text, JSON, SARIF and OpenVEX agree.
//!
//! The main types are [`Package`], [`Function`], [`Verdict`], [`Finding`] and
//! [`BlindSpot`]; [`facts`] is what a crate's source says about calls.
//!
//! ```
//! use palisade_model::{Level, Verdict};
//! assert!(Level::Reached > Level::Required);
//! assert_eq!(Verdict::NotReached.as_str(), "not-reached");
//! ```

mod checksum;
pub mod facts;
mod finding;
mod function;
mod package;

pub use checksum::{Checksum, ChecksumError};
pub use finding::{
    BlindSpot, BlindSpotCause, Context, Finding, Kind, Level, Remedy, Report, Summary, Verdict,
};
pub use function::{Function, Hop, Location};
pub use package::{Package, PackageSource};
