//! The facts of whole crates, for the call graph of an ecosystem.
//!
//! The walk instantiates the facts of the bodies that it meets. Here every
//! body of a crate is met once, and its facts are written down as they are: a
//! call of a trait's method on a type parameter stays one.

mod bodies;
mod crates;
mod order;
mod spots;
mod tables;

use std::panic::{AssertUnwindSafe, catch_unwind};

use palisade_model::{
    BlindSpotCause,
    facts::{CrateFacts, CrateKind, SpotFact},
};
use palisade_project::{Unit, UnitId, UnitKind};
use ra_ap_base_db::Crate;
use ra_ap_ide_db::RootDatabase;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{Engine, EngineError, kept::Kept, names::Names, roots};
use crates::{Context, Extractor};
use spots::Spots;

impl Engine {
    /// Takes the facts of each of these units, in their order; `None` for one
    /// whose root file could not be read. Nothing is instantiated, so the
    /// answer for a unit depends on it and its dependencies alone.
    ///
    /// # Errors
    /// [`EngineError::Thread`] when the analysis thread cannot be started.
    pub fn extract(&self, units: &[UnitId]) -> Result<Vec<Option<CrateFacts>>, EngineError> {
        self.with_database(|db| {
            let names = Names::new(&self.loaded, db, &self.workspace);
            let mut unit_of: FxHashMap<Crate, usize> = FxHashMap::default();
            for (index, krate) in self.loaded.crates.iter().enumerate() {
                if let Some(krate) = krate {
                    unit_of.entry(*krate).or_insert(index);
                }
            }
            let wanted = units.iter().filter_map(|unit| self.loaded.crates[unit.0]);
            let wanted: FxHashSet<Crate> = wanted.collect();
            let kept = Kept::of(db, &self.loaded.files, wanted.clone());
            let context = Context {
                units: &self.units,
                unit_of: &unit_of,
                kept: &kept,
                most: self.options.limits.inferred_expressions,
            };
            let mut found: Vec<Option<CrateFacts>> = units
                .iter()
                .map(|&unit| self.extract_unit(db, &names, &context, unit))
                .collect();
            let spots = Spots::find(db, &self.loaded, &names, &wanted);
            for (&unit, facts) in units.iter().zip(&mut found) {
                if let (Some(krate), Some(facts)) = (self.loaded.crates[unit.0], facts) {
                    let more = spots.of(db, &self.loaded, &names, krate, &self.units[unit.0]);
                    facts.blind_spots.extend(more);
                    facts.blind_spots.sort();
                    facts.blind_spots.dedup();
                }
            }
            found
        })
    }

    fn extract_unit(
        &self,
        db: &RootDatabase,
        names: &Names<'_>,
        context: &Context<'_>,
        id: UnitId,
    ) -> Option<CrateFacts> {
        let krate = self.loaded.crates[id.0]?;
        let unit = &self.units[id.0];
        let mut extractor = Extractor::new(db, names, context, krate, id);
        // A panic of the analysis library outside of a body ends the reading of
        // this crate, and is on record.
        let run = AssertUnwindSafe(|| {
            extractor.run(roots::declared(db, krate, unit.kind), kind(unit));
        });
        let panicked = catch_unwind(run).is_err();
        let mut facts = extractor.finish();
        order::canonical(&mut facts);
        if panicked {
            facts.blind_spots.push(SpotFact {
                cause: BlindSpotCause::AnalysisPanic,
                detail: PANICKED.to_owned(),
                file: String::new(),
                line: 0,
            });
        }
        Some(facts)
    }
}

/// How a panic outside of a body is recorded.
const PANICKED: &str = "the crate's items";

fn kind(unit: &Unit) -> CrateKind {
    match unit.kind {
        UnitKind::Sysroot => CrateKind::Sysroot,
        UnitKind::Lib => CrateKind::Library,
        UnitKind::ProcMacro => CrateKind::ProcMacro,
        UnitKind::BuildScript => CrateKind::BuildScript,
        UnitKind::Bin | UnitKind::Test | UnitKind::Bench | UnitKind::Example => CrateKind::Binary,
    }
}
