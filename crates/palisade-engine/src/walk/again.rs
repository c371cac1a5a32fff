//! What the build reaches and the program possibly reaches as well.
//!
//! The build is walked before the blind spots of the program, whose walk ends
//! at every node that it finds known. Were that all, a function that a build
//! script calls would count as *reached at build time* only, although an
//! unexpanded macro of the program may call it too. So such a node changes its
//! origin, and with it everything that it leads to.

use std::collections::VecDeque;

use ra_ap_base_db::Crate;
use ra_ap_ide_db::RootDatabase;
use rustc_hash::FxHashSet;

use super::{Origin, Pass, Walk};

impl Walk<'_> {
    /// Takes note that a known node was met once more.
    pub(super) fn meet_again(&mut self, db: &RootDatabase, known: u32, origin: Origin) {
        if origin.pass != Pass::PossibleRun {
            return;
        }
        let mut changed = FxHashSet::default();
        let mut queue = VecDeque::from([(known, origin)]);
        while let Some((id, origin)) = queue.pop_front() {
            let at = &mut self.origins[id as usize];
            if at.pass != Pass::Build {
                continue;
            }
            self.at_build.insert(id, *at);
            *at = origin;
            changed.insert(id);
            self.hit_goals(db, id, Pass::PossibleRun);
            queue.extend(
                self.successors[id as usize]
                    .iter()
                    .map(|&(to, site, dispatch)| {
                        let parent = Some(id);
                        let origin = Origin {
                            parent,
                            site,
                            dispatch,
                            pass: Pass::PossibleRun,
                            blind_spot: None,
                        };
                        (to, origin)
                    }),
            );
        }
        // What they could not resolve is open in the program, too.
        if !changed.is_empty() {
            let open = self.unresolved.iter();
            let open: Vec<_> = open
                .filter(|(_, node)| changed.contains(node))
                .copied()
                .collect();
            self.unresolved.extend(open);
        }
    }

    /// How far the walk got: grows with every new node and every new origin.
    pub(crate) fn extent(&self) -> usize {
        self.nodes.len() + self.at_build.len()
    }

    /// Whether a node was met in one of these passes.
    pub(crate) fn is_in(&self, node: u32, passes: &[Pass]) -> bool {
        passes.contains(&self.origins[node as usize].pass)
            || passes.contains(&Pass::Build) && self.at_build.contains_key(&node)
    }

    /// The origin of a node that makes it reached for certain, if one does.
    pub(crate) fn certain_origin(&self, node: u32) -> &Origin {
        let last = &self.origins[node as usize];
        self.at_build.get(&node).unwrap_or(last)
    }

    /// The crates of what was left out in these passes.
    pub(crate) fn left_out_in(&self, passes: &[Pass]) -> Vec<Crate> {
        // Which node of the build left a crate out is not kept.
        let from_build = passes.contains(&Pass::PossibleRun) && !self.at_build.is_empty();
        self.left_out
            .iter()
            .filter(|(_, pass)| passes.contains(pass) || from_build && *pass == Pass::Build)
            .map(|(krate, _)| *krate)
            .collect()
    }

    /// Takes note of crates that were left out.
    pub(crate) fn leave_out(&mut self, crates: impl IntoIterator<Item = Crate>, pass: Pass) {
        self.left_out
            .extend(crates.into_iter().map(|krate| (krate, pass)));
    }
}
