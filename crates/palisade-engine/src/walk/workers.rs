//! The threads that visit nodes.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread::Scope,
};

use parking_lot::{Condvar, Mutex};

use ra_ap_base_db::Crate;
use ra_ap_hir_ty::attach_db;
use ra_ap_ide_db::RootDatabase;
use rustc_hash::FxHashMap;

use super::{
    node::{Node, Visit},
    prune::Prune,
    store::FactStore,
    visit::Visitor,
};
use crate::api::Limits;

/// Stack of one worker. Trait solving and body lowering recurse as deep as the
/// types and expressions of the analysed code are nested; the pages are only
/// committed when touched.
pub(crate) const STACK_BYTES: usize = 1 << 30;

/// Most nodes that a worker takes at once. Fewer when the queue is short, so
/// that all workers have something to do.
const BATCH: usize = 64;

/// Nodes to visit, with their index in the walk.
#[derive(Default)]
struct Queue {
    state: Mutex<QueueState>,
    changed: Condvar,
}

#[derive(Default)]
struct QueueState {
    nodes: VecDeque<(usize, Node)>,
    closed: bool,
}

impl Queue {
    /// The next nodes, once there are any; `None` when there will be no more.
    fn take(&self, workers: usize) -> Option<Vec<(usize, Node)>> {
        let mut state = self.state.lock();
        while state.nodes.is_empty() && !state.closed {
            self.changed.wait(&mut state);
        }
        if state.closed {
            return None;
        }
        let count = (state.nodes.len() / (4 * workers)).clamp(1, BATCH);
        Some(state.nodes.drain(..count).collect())
    }
}

type Visited = Vec<(usize, Visit)>;

/// Threads that each hold a handle on the database. They end when this is
/// dropped, whatever is left in the queue.
pub(crate) struct Workers<'scope> {
    queue: Arc<Queue>,
    results: mpsc::Receiver<Visited>,
    _scope: std::marker::PhantomData<&'scope ()>,
}

impl Drop for Workers<'_> {
    fn drop(&mut self) {
        self.queue.state.lock().closed = true;
        self.queue.changed.notify_all();
    }
}

impl<'scope> Workers<'scope> {
    /// Starts `count` workers that solve traits as seen from `krate`.
    ///
    /// # Errors
    /// When the system refuses to start a thread.
    pub(crate) fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        db: &RootDatabase,
        krate: Crate,
        store: &'env FactStore,
        limits: &'env Limits,
        prune: &'env Prune,
        count: usize,
    ) -> std::io::Result<Self> {
        let (result_sender, results) = mpsc::channel();
        let workers = Self {
            queue: Arc::default(),
            results,
            _scope: std::marker::PhantomData,
        };
        let count = count.max(1);
        for _ in 0..count {
            let queue = workers.queue.clone();
            let db = db.clone();
            let results = result_sender.clone();
            std::thread::Builder::new()
                .name("palisade-walk".to_owned())
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, move || {
                    let visitor = || Visitor::new(&db, krate, store, limits, prune);
                    attach_db(&db, || work(visitor, count, &queue, &results));
                })?;
        }
        Ok(workers)
    }

    /// Queues nodes, the first of which has the index `first` in the walk.
    pub(crate) fn send(&self, first: usize, nodes: &[Node]) {
        if !nodes.is_empty() {
            let indexed = (first..).zip(nodes.iter().cloned());
            self.queue.state.lock().nodes.extend(indexed);
            self.queue.changed.notify_all();
        }
    }

    /// Waits until node `wanted` is visited, and takes everything else that is
    /// ready by then.
    pub(crate) fn receive(&self, wanted: usize, visits: &mut FxHashMap<usize, Visit>) {
        while !visits.contains_key(&wanted) {
            match self.results.recv() {
                Ok(part) => visits.extend(part),
                // Every worker is gone: as bad as a panic on this node.
                Err(_) => {
                    let panicked = true;
                    let visit = Visit {
                        panicked,
                        ..Visit::default()
                    };
                    visits.insert(wanted, visit);
                }
            }
        }
        visits.extend(self.results.try_iter().flatten());
    }
}

fn work<'a, 'db: 'a>(
    visitor: impl Fn() -> Visitor<'a, 'db>,
    workers: usize,
    queue: &Queue,
    results: &mpsc::Sender<Visited>,
) {
    let mut current = visitor();
    while let Some(nodes) = queue.take(workers) {
        let visit = |(index, node)| {
            let visit = catch_unwind(AssertUnwindSafe(|| current.visit(&node)));
            let visit = visit.unwrap_or_else(|_| {
                // The library's panic costs this node only. The visitor may
                // hold half a visit: start afresh.
                current = visitor();
                Visit {
                    panicked: true,
                    ..Visit::default()
                }
            });
            (index, visit)
        };
        if results
            .send(nodes.into_iter().map(visit).collect())
            .is_err()
        {
            break;
        }
    }
}
