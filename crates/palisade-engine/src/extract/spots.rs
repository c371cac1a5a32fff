//! What could not be followed, by crate.

use palisade_model::{BlindSpot, BlindSpotCause, Location, facts::SpotFact};
use palisade_project::Unit;
use ra_ap_base_db::{Crate, relevant_crates};
use ra_ap_ide_db::RootDatabase;
use rustc_hash::{FxHashMap, FxHashSet};

use super::crates::relative;
use crate::{
    blind::{macro_spot, unparsed},
    load::Loaded,
    names::Names,
};

/// The blind spots of some crates. Macros are on record when their uses have
/// been met, so this is made after the crates are read.
#[derive(Default)]
pub(super) struct Spots {
    of_crate: FxHashMap<Crate, Vec<(Option<Location>, BlindSpotCause, String)>>,
}

impl Spots {
    pub(super) fn find(
        db: &RootDatabase,
        loaded: &Loaded,
        names: &Names<'_>,
        wanted: &FxHashSet<Crate>,
    ) -> Self {
        let mut spots = Self::default();
        // Many more crates may be loaded than are wanted.
        let wanted = |file| {
            let crates = relevant_crates(db, file).iter().copied();
            crates.filter(|krate| wanted.contains(krate)).collect()
        };
        for used in loaded.macro_log.uses() {
            let crates: Vec<Crate> = wanted(used.site.anchor.file_id.file_id());
            if crates.is_empty() {
                continue;
            }
            let (cause, detail) = macro_spot(&used);
            let location = names.span(used.site);
            for krate in crates {
                let list = spots.of_crate.entry(krate).or_default();
                list.push((location.clone(), cause, detail.clone()));
            }
        }
        let generated = loaded.files.generated().map(|path| BlindSpot {
            location: Location {
                file: path.to_string(),
                line: 1,
            },
            cause: BlindSpotCause::GeneratedSource,
            detail: "includes what a build script writes".to_owned(),
            may_reach: Vec::new(),
        });
        for spot in loaded.files.broken.iter().cloned().chain(generated) {
            let path = names.absolute(&spot.location.file);
            let Some(file) = loaded.files.id(&path) else {
                continue;
            };
            for krate in wanted(file) {
                let list = spots.of_crate.entry(krate).or_default();
                list.push((Some(spot.location.clone()), spot.cause, spot.detail.clone()));
            }
        }
        spots
    }

    /// The blind spots of one crate.
    pub(super) fn of(
        &self,
        db: &RootDatabase,
        loaded: &Loaded,
        names: &Names<'_>,
        krate: Crate,
        unit: &Unit,
    ) -> Vec<SpotFact> {
        let mut found: Vec<SpotFact> = Vec::new();
        let broken = unparsed(db, loaded, names, krate)
            .into_iter()
            .map(|module| {
                (
                    Some(module.location),
                    BlindSpotCause::BrokenSource,
                    module.detail,
                )
            });
        let known = self.of_crate.get(&krate).into_iter().flatten().cloned();
        for (location, cause, detail) in broken.chain(known) {
            let place = location.as_ref().and_then(|location| {
                let file = relative(names, unit, &location.file)?;
                Some((file, location.line))
            });
            let (file, line) = place.unwrap_or_default();
            found.push(SpotFact {
                cause,
                detail,
                file,
                line,
            });
        }
        for flag in &unit.unknown_cfgs {
            found.push(SpotFact {
                cause: BlindSpotCause::BuildScriptCfg,
                detail: format!("the build script may set `{flag}`"),
                file: String::new(),
                line: 0,
            });
        }
        found
    }
}
