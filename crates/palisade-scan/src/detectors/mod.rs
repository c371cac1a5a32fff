//! The detectors, one file each.
//!
//! A new one is a file here, a line in the registry and a fixture below
//! `tests/detectors`, which a test insists on.

mod analysis_evasion;
mod archive_anomaly;
mod around;
mod bidirectional_text;
mod build_time_network;
mod build_time_tls_off;
mod clipboard_wallets;
mod code_before_main;
mod coin_miner;
mod collection_endpoint;
mod credential_exfiltration;
mod difference;
mod download_and_run;
mod embedded_program;
mod file_sweep;
mod hidden_text;
mod host_reconnaissance;
mod input_capture;
mod invisible_text;
mod name_look_alike;
mod not_fully_scanned;
mod obfuscated_names;
mod persistence;
pub(crate) mod provenance;
mod reverse_shell;
mod source_code_theft;
mod version_confusion;
mod walk_out_of_build;

pub use name_look_alike::{IMITATION, imitation};

use crate::Rule;
use crate::subject::{Findings, Subject};
use crate::surroundings::Around;

/// Looks for one thing in one package.
pub(crate) trait Detector: Sync {
    /// What it says about itself.
    fn rule(&self) -> &'static Rule;
    /// Looks.
    fn detect(&self, subject: &Subject<'_>, findings: &mut Findings);
}

macro_rules! registry {
    ($($name:path,)+) => {
        /// Every detector, in the order of the documentation.
        pub(crate) const ALL: &[&dyn Detector] = &[$(&Adapter(<$name>::detect, &<$name>::RULE),)+];
    };
}

/// A detector from its function.
struct Adapter(fn(&Subject<'_>, &mut Findings), &'static Rule);

impl Detector for Adapter {
    fn rule(&self) -> &'static Rule {
        self.1
    }

    fn detect(&self, subject: &Subject<'_>, findings: &mut Findings) {
        (self.0)(subject, findings);
    }
}

registry! {
    build_time_network::BuildTimeNetwork,
    build_time_tls_off::BuildTimeTlsOff,
    walk_out_of_build::WalkOutOfBuild,
    download_and_run::DownloadAndRun,
    reverse_shell::ReverseShell,
    credential_exfiltration::CredentialExfiltration,
    file_sweep::FileSweep,
    source_code_theft::SourceCodeTheft,
    host_reconnaissance::HostReconnaissance,
    collection_endpoint::CollectionEndpoint,
    clipboard_wallets::ClipboardWallets,
    input_capture::InputCapture,
    hidden_text::HiddenText,
    embedded_program::EmbeddedProgram,
    persistence::Persistence,
    code_before_main::CodeBeforeMain,
    analysis_evasion::AnalysisEvasion,
    coin_miner::CoinMiner,
    bidirectional_text::BidirectionalText,
    invisible_text::InvisibleText,
    obfuscated_names::ObfuscatedNames,
    name_look_alike::NameLookAlike,
    version_confusion::VersionConfusion,
    difference::first_build_script::FirstBuildScript,
    difference::first_dependency::FirstDependency,
    difference::look_alike_dependency::LookAlikeDependency,
    difference::new_capability::NewCapability,
    difference::size_jump::SizeJump,
    difference::manifest_only_change::ManifestOnlyChange,
    difference::yanked_around_publish::YankedAroundPublish,
    difference::publisher_change::PublisherChange,
    difference::dormancy::Dormancy,
    provenance::manifest_disagreement::ManifestDisagreement,
    archive_anomaly::ArchiveAnomaly,
    not_fully_scanned::NotFullyScanned,
}

/// A detector that looks at a package's surroundings.
pub(crate) type AroundDetector = (fn(&Around<'_>, &mut Findings), &'static Rule);

macro_rules! around {
    ($($name:path,)+) => {
        /// The detectors that look at a package's surroundings, in the order
        /// of the documentation. Each sees what those before it found in the
        /// package itself, and nothing of each other.
        pub(crate) const AROUND: &[AroundDetector] = &[$((<$name>::detect, &<$name>::RULE),)+];
    };
}

around! {
    around::known_malicious::KnownMalicious,
    around::carrier::Carrier,
    around::young_dependency::YoungDependency,
    around::mass_yank::MassYank,
    around::look_alike_publisher::LookAlikePublisher,
    around::name_burst::NameBurst,
    around::new_owner::NewOwner,
    around::trusted_publishing_dropped::TrustedPublishingDropped,
    around::trusted_commit::TrustedCommit,
    around::vulnerable_dependency::VulnerableDependency,
    around::yanked_dependency::YankedDependency,
    around::unmaintained_dependency::UnmaintainedDependency,
}

/// What comparing a package with its repository can find.
pub(crate) const PROVENANCE: &[&Rule] = &[
    &provenance::source_mismatch::SourceMismatch::RULE,
    &provenance::source_unverified::SourceUnverified::RULE,
];

pub(crate) use around::trusted_publishing_dropped::by_machine;

/// The rule whose findings wait for a call graph's verdict.
pub(crate) const VULNERABLE_DEPENDENCY: &Rule =
    &around::vulnerable_dependency::VulnerableDependency::RULE;
