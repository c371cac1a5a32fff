//! The threads that visit nodes.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread::Scope,
};

use ra_ap_base_db::Crate;
use ra_ap_hir_ty::{attach_db, db::HirDatabase};
use ra_ap_ide_db::RootDatabase;

use super::{
    node::{Node, Visit},
    visit::{FactStore, Visitor},
};
use crate::api::Limits;

/// Stack of one worker. Trait solving and body lowering recurse as deep as the
/// types and expressions of the analysed code are nested; the pages are only
/// committed when touched.
pub(crate) const STACK_BYTES: usize = 1 << 30;

/// One layer of the walk, visited by all workers together.
struct Layer {
    nodes: Vec<Node>,
    next: AtomicUsize,
}

type Visited = Vec<(usize, Visit)>;

/// Threads that each hold a handle on the database.
pub(crate) struct Workers<'scope> {
    inputs: Vec<mpsc::Sender<Arc<Layer>>>,
    results: mpsc::Receiver<Visited>,
    _scope: std::marker::PhantomData<&'scope ()>,
}

impl<'scope> Workers<'scope> {
    /// Starts `count` workers that solve traits as seen from `krate`. With
    /// `prune` they leave out what can only lead to more of the standard
    /// library.
    ///
    /// # Errors
    /// When the system refuses to start a thread.
    pub(crate) fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        db: &RootDatabase,
        krate: Crate,
        store: &'env FactStore,
        limits: &'env Limits,
        prune: bool,
        count: usize,
    ) -> std::io::Result<Self> {
        let (result_sender, results) = mpsc::channel();
        let mut inputs = Vec::new();
        for _ in 0..count.max(1) {
            let (input, layers) = mpsc::channel::<Arc<Layer>>();
            let db = db.clone();
            let results = result_sender.clone();
            std::thread::Builder::new()
                .name("palisade-walk".to_owned())
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, move || {
                    work(&db, krate, store, limits, prune, &layers, &results)
                })?;
            inputs.push(input);
        }
        Ok(Self {
            inputs,
            results,
            _scope: std::marker::PhantomData,
        })
    }

    /// Visits every node of a layer; the results are in the layer's order.
    pub(crate) fn visit(&self, nodes: Vec<Node>) -> Vec<Visit> {
        let count = nodes.len();
        let layer = Arc::new(Layer {
            nodes,
            next: AtomicUsize::new(0),
        });
        let mut busy = 0;
        for input in &self.inputs {
            busy += usize::from(input.send(layer.clone()).is_ok());
        }
        let mut visits: Vec<Visit> = Vec::new();
        visits.resize_with(count, || Visit {
            panicked: true,
            ..Visit::default()
        });
        for _ in 0..busy {
            let Ok(part) = self.results.recv() else { break };
            for (index, visit) in part {
                visits[index] = visit;
            }
        }
        visits
    }
}

fn work(
    db: &RootDatabase,
    krate: Crate,
    store: &FactStore,
    limits: &Limits,
    prune: bool,
    layers: &mpsc::Receiver<Arc<Layer>>,
    results: &mpsc::Sender<Visited>,
) {
    attach_db(db, || {
        let hir: &dyn HirDatabase = db;
        let mut visitor = Visitor::new(hir, krate, store, limits, prune);
        while let Ok(layer) = layers.recv() {
            let mut part = Vec::new();
            loop {
                let index = layer.next.fetch_add(1, Ordering::Relaxed);
                let Some(node) = layer.nodes.get(index) else {
                    break;
                };
                let visit = catch_unwind(AssertUnwindSafe(|| visitor.visit(node)));
                let visit = match visit {
                    Ok(visit) => visit,
                    Err(_) => {
                        // The library's panic costs this node only. The
                        // visitor may hold half a visit: start afresh.
                        visitor = Visitor::new(hir, krate, store, limits, prune);
                        Visit {
                            panicked: true,
                            ..Visit::default()
                        }
                    }
                };
                part.push((index, visit));
            }
            if results.send(part).is_err() {
                break;
            }
        }
    });
}
