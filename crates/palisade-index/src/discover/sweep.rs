//! Asking for one crate after the other, at most so many a second, with the
//! conditions of the last round: mostly "not modified".

use std::sync::Arc;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::{Batch, changes};
use crate::http::Asked;
use crate::http::{Cached, IndexCache, SparseRegistry};
use crate::{IndexError, IndexFile};

/// A sweep over the crates of a registry. It keeps what it has seen apart from
/// what the registry's other users fetch, so that no change passes unseen.
#[derive(Debug)]
pub struct Sweep<'r> {
    registry: &'r SparseRegistry,
    seen: IndexCache,
    checkpoint: Checkpoint,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    /// The name behind which to go on; none at the start of a round.
    after: Option<String>,
}

impl<'r> Sweep<'r> {
    /// A sweep that remembers in `checkpoint` how far it has come.
    pub fn new(registry: &'r SparseRegistry, checkpoint: &Utf8Path) -> Sweep<'r> {
        let subject = format!("a sweep of {}", registry.address());
        Sweep {
            registry,
            seen: IndexCache::new(registry.directory().join("swept")),
            checkpoint: Checkpoint::new(checkpoint, subject),
        }
    }

    /// Asks for the next `most` of `names`, which are sorted; after the last,
    /// the next call begins a new round. A crate that is seen for the first
    /// time is all new.
    ///
    /// # Errors
    /// The registry cannot be asked, or what was seen cannot be read. What was
    /// confirmed stays.
    pub fn next(&self, names: &[String], most: usize) -> Result<Batch, IndexError> {
        let state: State = self.checkpoint.load()?;
        let from = match &state.after {
            Some(after) => names.partition_point(|name| name <= after),
            None => 0,
        };
        let some = &names[from..names.len().min(from.saturating_add(most))];
        let mut found = Vec::new();
        let mut fresh: Vec<(String, Option<Cached>)> = Vec::new();
        for name in some {
            let cached = self.seen.get(name)?;
            let conditions = cached.as_ref().map(|cached| cached.conditions.clone());
            let old = cached
                .map(|cached| IndexFile::parse(name, &cached.text))
                .unwrap_or_default();
            match self.registry.ask(name, &conditions.unwrap_or_default())? {
                Asked::Same => {}
                Asked::New(new) => {
                    found.extend(changes(name, &old, &IndexFile::parse(name, &new.text)));
                    fresh.push((name.clone(), Some(new)));
                }
                Asked::Missing => {
                    found.extend(changes(name, &old, &IndexFile::default()));
                    fresh.push((name.clone(), None));
                }
            }
        }
        let more = from + some.len() < names.len();
        let after = some.last().filter(|_| more).cloned();
        let (seen, checkpoint) = (Arc::new(self.seen.clone()), self.checkpoint.clone());
        Ok(Batch {
            changes: found,
            gap: false,
            more,
            confirm: Box::new(move || {
                for (name, new) in &fresh {
                    match new {
                        Some(new) => seen.put(name, new)?,
                        None => seen.remove(name)?,
                    }
                }
                checkpoint.save(&State { after })
            }),
        })
    }
}
