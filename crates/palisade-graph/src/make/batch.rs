//! Which fragments are made together.
//!
//! Everything in one job shares a database, and with it the standard library
//! and whatever else the crates have in common, which is most of the work for
//! a small crate.

use std::cmp::Reverse;

use palisade_project::{Plan, UnitId};

use super::work::{Piece, closure};

/// How much goes into one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BatchLimits {
    /// Fragments.
    pub(super) pieces: usize,
    /// Crates to load, dependencies included.
    pub(super) units: usize,
}

/// A dependency, the largest first: how much it brings along, and its unit.
type Heavy = Reverse<(usize, UnitId)>;

/// Groups pieces, those with the same large dependencies together.
pub(super) fn batches(
    plan: &Plan,
    pieces: &[Piece],
    wanted: Vec<usize>,
    limits: &BatchLimits,
) -> Vec<Vec<usize>> {
    let sizes: Vec<usize> = (0..plan.units.len())
        .map(|id| closure(plan, [UnitId(id)]).len())
        .collect();
    let mut order: Vec<(Vec<Heavy>, usize)> = wanted
        .into_iter()
        .map(|piece| {
            let mut heavy: Vec<Heavy> = pieces[piece]
                .units
                .iter()
                .flat_map(|unit| &plan.units[unit.0].deps)
                .map(|(_, dep)| Reverse((sizes[dep.0], *dep)))
                .collect();
            heavy.sort_unstable();
            heavy.dedup();
            (heavy, piece)
        })
        .collect();
    order.sort_unstable();
    let mut found: Vec<Vec<usize>> = Vec::new();
    let mut loaded = std::collections::BTreeSet::new();
    for (_, piece) in order {
        let own = closure(plan, pieces[piece].units.iter().copied());
        let more = own.difference(&loaded).count();
        let fits = found.last().is_some_and(|batch| {
            batch.len() < limits.pieces && loaded.len() + more <= limits.units
        });
        match found.last_mut() {
            Some(batch) if fits => batch.push(piece),
            _ => {
                found.push(vec![piece]);
                loaded.clear();
            }
        }
        loaded.extend(own);
    }
    found
}
