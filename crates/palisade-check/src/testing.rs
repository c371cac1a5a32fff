//! What the unit tests of several modules share.

use palisade_model::{Context, Finding, Kind, Level, Package, PackageSource, Remedy, Verdict};

/// A package of the public registry, from `name version`.
pub(crate) fn package(text: &str) -> Package {
    let (name, version) = text.split_once(' ').expect("a name and a version");
    Package {
        name: name.to_owned(),
        version: version.parse().expect("a version"),
        source: PackageSource::CratesIo,
    }
}

/// A vulnerability that is imported and not reached.
pub(crate) fn finding(id: &str, of: &str, target: &str) -> Finding {
    Finding {
        id: id.to_owned(),
        aliases: Vec::new(),
        title: "A title".to_owned(),
        url: None,
        kind: Kind::Vulnerability,
        package: package(of),
        target: target.to_owned(),
        level: Level::Imported,
        verdict: Verdict::NotReached,
        context: Context::Run,
        reason: "a reason".to_owned(),
        functions: Vec::new(),
        missing_functions: Vec::new(),
        paths: Vec::new(),
        blind_spots: Vec::new(),
        remedy: Remedy::None,
        ignored: None,
    }
}
