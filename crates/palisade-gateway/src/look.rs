//! Looking into an archive without any opinion about its code.

use memchr::memmem;
use palisade_archive::{ArchiveError, CrateArchive, CrateName, ReadOptions, SourceTree};
use palisade_index::Manifest;
use palisade_model::Checksum;
use serde::{Deserialize, Serialize};

use crate::token;

/// What is seen in an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Why a registry would refuse it today.
    pub defect: Option<String>,
    /// The licence that its manifest names; empty where it names none, `None`
    /// where the manifest cannot be read.
    pub licence: Option<String>,
    /// Texts that look like tokens of this gateway. Which of them are in force,
    /// only the state knows.
    pub tokens: Vec<Exposed>,
}

/// A text that looks like a token of this gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposed {
    /// Its hash, as the state keeps it.
    pub hash: String,
    /// The file that it is in.
    pub path: String,
}

/// The most texts of one archive that are looked up as tokens.
const TOKENS: usize = 256;

/// Looks into an archive.
pub fn look(name: &str, version: &semver::Version, checksum: Checksum, archive: &[u8]) -> Look {
    let expected = || CrateName {
        name: name.to_owned(),
        version: version.clone(),
    };
    let strict = ReadOptions {
        checksum: Some(checksum),
        ..ReadOptions::strict()
    };
    let mut found = Look::default();
    let read = CrateArchive::from_bytes("the archive", archive, &strict.expecting(expected()));
    let read = match read {
        Ok(read) => Ok(read),
        Err(ArchiveError::Refused { findings, .. }) => {
            found.defect = findings
                .first()
                .map(|finding| format!("{} ({})", finding.kind.message(), finding.kind.code()))
                .or_else(|| Some("it is refused".to_owned()));
            // A token in an archive that is not served is exposed as well.
            CrateArchive::from_bytes("the archive", archive, &ReadOptions::lenient())
        }
        Err(error) => Err(error),
    };
    match read {
        Ok(read) => {
            let tree = read.tree();
            found.licence = licence(tree);
            found.tokens = tokens(tree);
        }
        Err(error) => {
            found
                .defect
                .get_or_insert_with(|| crate::catalogue::chain(&error));
        }
    }
    found
}

fn licence(tree: &SourceTree) -> Option<String> {
    let text = tree.text(tree.manifest_path()?)?;
    let manifest = Manifest::parse(text).ok()?;
    let package = manifest.table().get("package")?;
    let named = package.get("license").and_then(|value| value.as_str());
    Some(named.unwrap_or_default().to_owned())
}

/// What looks like our tokens, in any file, text or not.
fn tokens(tree: &SourceTree) -> Vec<Exposed> {
    let mut found: Vec<Exposed> = Vec::new();
    let finder = memmem::Finder::new(token::PREFIX);
    for (path, bytes) in tree.files() {
        for at in finder.find_iter(bytes) {
            let text = bytes.get(at..at + token::LENGTH);
            let Some(secret) = text
                .and_then(|text| std::str::from_utf8(text).ok())
                .and_then(token::Secret::from_header)
            else {
                continue;
            };
            let hash = secret.hash();
            if found.iter().all(|known| known.hash != hash) {
                found.push(Exposed {
                    hash,
                    path: path.to_owned(),
                });
            }
            if found.len() == TOKENS {
                return found;
            }
        }
    }
    found
}
