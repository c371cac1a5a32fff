//! Named functions of packages that bind a foreign library.
//!
//! What such a package declares is defined in C, and any other function of
//! that library may call it: a program that only asks libgit2 for a status
//! runs `git_index_add`, which no Rust code of it calls. So a function of such
//! a package is *not reached* only when nothing of the library is.

use palisade_engine::Outcome;
use palisade_model::{BlindSpot, BlindSpotCause, Context, Hop, Location, Package};
use palisade_project::{Plan, UnitId};

/// Whether these units belong to a package that links a foreign library: its
/// manifest says so with `links`.
pub(crate) fn is_binding(plan: &Plan, units: &[UnitId]) -> bool {
    let Some(unit) = units.first().map(|id| &plan.units[id.0]) else {
        return false;
    };
    let manifest = unit.package_dir.join("Cargo.toml");
    std::fs::read_to_string(manifest)
        .ok()
        .and_then(|text| text.parse::<toml::Table>().ok())
        .is_some_and(|table| {
            table
                .get("package")
                .and_then(|package| package.get("links"))
                .is_some()
        })
}

/// The way into a foreign library, when a walk found one.
pub(crate) struct Entered {
    /// When it is taken.
    pub(crate) context: Context,
    /// From an entry point, or from a blind spot, to one of its functions.
    pub(crate) path: Vec<Hop>,
}

impl Entered {
    /// Reads the answer to the question whether the package is reached at all.
    pub(crate) fn of(outcome: &Outcome) -> Option<Entered> {
        let (context, path) = match outcome {
            Outcome::Reached { context, paths, .. } => (*context, paths.first()?.clone()),
            Outcome::Possible { context, path, .. } => (*context, path.clone()),
            Outcome::NotReached => return None,
        };
        Some(Entered { context, path })
    }

    /// What cannot be followed from there.
    pub(crate) fn blind_spot(&self, package: &Package) -> BlindSpot {
        let last = self.path.last();
        let location = last.and_then(|hop| hop.function.location.clone());
        BlindSpot {
            location: location.unwrap_or_else(|| Location {
                file: "Cargo.toml".to_owned(),
                line: 1,
            }),
            cause: BlindSpotCause::ForeignCode,
            detail: format!(
                "what the foreign library behind {} calls by itself",
                package.name
            ),
            may_reach: last
                .map(|hop| hop.function.crate_name.clone())
                .into_iter()
                .collect(),
        }
    }
}
