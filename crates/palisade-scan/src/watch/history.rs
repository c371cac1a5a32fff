//! What happened in a registry, in the order in which it happened.

use jiff::Timestamp;
use palisade_index::discover::{Change, ChangeKind};
use palisade_index::{IndexError, Registry};

use crate::NameCorpus;

/// A change, and when it happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// What.
    pub change: Change,
}

/// What happened to these crates, oldest first, and the versions whose time of
/// publication nobody says.
///
/// Times of publication are the index's, or the database dump's. When a
/// version was withdrawn only a dump says, by when it last changed; what was
/// withdrawn at an unknown time is never seen being withdrawn.
///
/// # Errors
/// The registry cannot be read.
pub fn history(
    registry: &dyn Registry,
    names: &[String],
    corpus: Option<&NameCorpus>,
) -> Result<(Vec<Moment>, Vec<String>), IndexError> {
    let mut moments = Vec::new();
    let mut timeless = Vec::new();
    for name in names {
        let Some(index) = registry.index_file(name)? else {
            continue;
        };
        let dumped = corpus.and_then(|corpus| corpus.get(name));
        for version in &index.versions {
            let known = dumped.and_then(|dumped| {
                let versions = dumped.versions.iter();
                versions
                    .into_iter()
                    .find(|known| known.version == version.version)
            });
            let published = version
                .published
                .or_else(|| known.and_then(|known| known.created));
            let moment = |kind, at| Moment {
                at,
                change: Change {
                    name: version.name.clone(),
                    version: Some(version.version.clone()),
                    kind,
                    published,
                },
            };
            match published {
                Some(at) => moments.push(moment(ChangeKind::Published, at)),
                None => timeless.push(format!("{}@{}", version.name, version.version)),
            }
            let withdrawn = known.and_then(|known| known.updated.filter(|_| known.yanked));
            if let Some(at) = withdrawn.filter(|_| version.yanked) {
                moments.push(moment(ChangeKind::Yanked, at));
            }
        }
    }
    moments.sort();
    Ok((moments, timeless))
}
