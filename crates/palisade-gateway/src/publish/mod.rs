//! What may be published, and how its index line is made.
//!
//! Everything that the index will say is taken from the `Cargo.toml` in the
//! archive. What the client says beside it has to agree: otherwise people who
//! read the one and tools that read the other would see two crates.

mod body;
mod line;
mod rules;

use jiff::Timestamp;
use palisade_archive::{ArchiveError, CrateArchive, CrateName, Limits, ReadOptions, checksum};
use palisade_index::{Dependency, Manifest};
use palisade_model::Checksum;
use semver::Version;

use crate::config::Config;
use crate::failure::Failure;

pub(crate) use body::Body;
pub(crate) use line::version_identity;

/// A crate that passes every rule that needs nothing but itself.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) name: String,
    pub(crate) version: Version,
    pub(crate) checksum: Checksum,
    /// The dependencies, with the registry as index lines give it: none for
    /// this one.
    pub(crate) dependencies: Vec<Dependency>,
    manifest: Manifest,
}

impl Candidate {
    /// Reads what was sent and applies the rules; the archive may have so many
    /// bytes.
    pub(crate) fn read(
        body: &Body<'_>,
        config: &Config,
        archive_bytes: usize,
    ) -> Result<Candidate, Failure> {
        let name = rules::name(&body.metadata.name)?;
        let version = rules::version(&body.metadata.vers)?;
        let limits = Limits {
            compressed_bytes: archive_bytes as u64,
            ..Limits::default()
        };
        let expected = CrateName {
            name: name.clone(),
            version: version.clone(),
        };
        let options = ReadOptions {
            limits,
            ..ReadOptions::strict()
        };
        let archive =
            CrateArchive::from_bytes("the archive", body.archive, &options.expecting(expected))
                .map_err(|error| Failure::bad(refused(&error)))?;
        let text = archive
            .tree()
            .text("Cargo.toml")
            .ok_or_else(|| Failure::bad("the archive has no Cargo.toml that is UTF-8"))?;
        let manifest = Manifest::parse(text)
            .map_err(|reason| Failure::bad(format!("the archive's Cargo.toml: {reason}")))?;
        rules::manifest(&manifest, &name, &version, config)?;
        let dependencies = rules::dependencies(&manifest, &body.metadata.deps, config)?;
        Ok(Candidate {
            name,
            version,
            checksum: checksum(body.archive),
            dependencies,
            manifest,
        })
    }

    /// The line of the index.
    pub(crate) fn line(&self, now: Timestamp) -> String {
        line::line(self, &self.manifest, now)
    }
}

/// What is wrong with an archive, with the first places.
fn refused(error: &ArchiveError) -> String {
    let mut text = crate::catalogue::chain(error);
    if let ArchiveError::Refused { findings, .. } = error {
        for finding in findings.iter().take(3) {
            text.push_str(&format!("; `{}`: {}", finding.path, finding.kind.message()));
        }
    }
    text
}
