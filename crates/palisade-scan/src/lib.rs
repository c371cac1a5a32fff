//! Is a crate malicious, does it leak a secret, does its name imitate another
//! one, and how well is it kept?
//!
//! A package is read from its archive or directory as hostile input. Its Rust
//! files become tokens, the tokens become facts (what code can do), and
//! detectors look at facts that come together: a lone capability is no alert.
//! Nothing of a package is ever executed, and nothing is asked of a network.
//!
//! This crate is *not* a call-graph analysis: which function calls which is
//! guessed from names, within one package. It prints nothing; findings carry
//! the excerpts that a report shows.
//!
//! The main types are [`Scanner`], [`Workers`] (the same in processes that a
//! hostile package can break without harm), [`Input`] and [`Request`] (what to
//! scan), [`Report`] and [`Finding`]; [`rules`] lists the detectors with their
//! documentation.
//!
//! ```
//! use palisade_scan::{Input, Scanner, ScannerOptions};
//!
//! let scanner = Scanner::new(ScannerOptions::default());
//! let error = scanner.scan(&Input::Archive("missing-1.0.0.crate".into()));
//! assert!(error.is_err());
//! ```

pub mod audit;
mod detectors;
mod diff;
mod documentation;
mod facts;
mod finding;
mod input;
mod limits;
mod names;
mod profile;
mod provenance;
mod request;
mod rule;
mod scan;
mod score;
mod secrets;
mod source;
mod subject;
mod suppress;
mod surroundings;
pub mod watch;
mod workers;

pub use detectors::{IMITATION, imitation};
pub use diff::{Change, ChangeKind, Diff};
pub use documentation::detectors_page;
pub use finding::{Category, Confidence, Finding, Place, Reach, Severity};
pub use input::{Input, InputError, Inputs};
pub use limits::Limits;
pub use names::NameCorpus;
pub use profile::{Measures, Profile, ProfileDependency};
pub use provenance::{
    DifferenceKind, FetchError, FetchOptions, FileDifference, FileRole, Provenance,
    ProvenanceClass, ProvenanceError, Repositories, Repository, RepositoryLimits, Revision, Source,
    fetch, repository_address,
};
pub use request::Request;
pub use rule::{Lifecycle, Rule};
pub use scan::{Outcome, Published, Report, ScanError, Scanned, Scanner, ScannerOptions};
pub use score::{Check, Hygiene, risk};
pub use suppress::{Suppression, suppress};
pub use surroundings::{Advisories, Concern, DependencyVerdict, Events, Flagged, Surroundings};
pub use workers::{DataPaths, Workers, WorkersOptions, serve_worker};

/// Every rule, in the order of the documentation.
pub fn rules() -> Vec<&'static Rule> {
    let detectors = detectors::ALL.iter().map(|detector| detector.rule());
    let around = detectors::AROUND.iter().map(|(_, rule)| *rule);
    let provenance = detectors::PROVENANCE.iter().copied();
    let secrets = secrets::rules().map(|rule| &rule.rule);
    detectors
        .chain(around)
        .chain(provenance)
        .chain(secrets)
        .chain([secrets::file_rule()])
        .collect()
}
