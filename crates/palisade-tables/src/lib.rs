//! The compacted call graph of an ecosystem.
//!
//! The tables hold what the fragments of many crate versions say, so that a
//! question reads only what it needs: names in order, functions, and who calls
//! whom in both directions, in files that are mapped into memory. They are made
//! of immutable *segments*: new crates become a new segment, small segments are
//! merged, and one manifest, which is replaced in one step, says which count.
//! A writer that is killed at any moment leaves the tables as they were.
//!
//! Everything has a number: a *library* (a package's crate, whatever the
//! version), a *symbol* (a path in a library), a *site* (a trait's method on a
//! type), a *crate* (one version of a library) and a *node* (a function of a
//! crate). Calls lead from nodes to symbols and sites. Which version is meant is
//! decided by a [`View`] when a question is asked, so that nothing has to be
//! written again when a new version comes out.
//!
//! It is *not* where fragments are made or read, and it knows nothing of
//! advisories; it prints nothing.

mod back;
mod builder;
mod callers;
mod error;
mod facts;
mod names;
mod raw;
mod segment;
mod tables;
mod view;
mod write;
mod writer;

pub use builder::{BuildLimits, Unit, has_body};
pub use callers::{Hop, Reached, Search, Start};
pub use error::TablesError;
pub use facts::OwnedUnit;
pub use segment::{Counts, Link, Role, flag};
pub use tables::{FORMAT, Tables};
pub use view::{Versions, View};
pub use writer::{Batch, Source, Writer};

impl Tables {
    /// The line of the call by which one node leads to another, as far as it
    /// is known: that of the first call of a target which `to` answers.
    pub fn call_line(&self, from: u32, to: u32) -> u32 {
        let symbol = self.node_symbol(to);
        let answered: Vec<u32> = self
            .segments
            .iter()
            .flat_map(|segment| segment.declares.seconds(symbol))
            .filter_map(|site| self.site_of(site))
            .map(|(method, _)| method)
            .collect();
        let calls = self.calls(from);
        let named = calls.iter().find(|call| call.target == symbol);
        let through = || {
            calls.iter().find(|call| {
                let method = self.site_of(call.target).map(|it| it.0);
                method.is_some_and(|it| it == symbol || answered.contains(&it))
            })
        };
        named.or_else(through).map_or(0, |call| call.line)
    }

    /// How many different callees a node has.
    pub fn call_count(&self, node: u32) -> usize {
        self.calls(node).len()
    }
}
