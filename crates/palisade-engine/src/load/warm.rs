//! Name resolution ahead of the walk, on all cores.

use std::sync::atomic::{AtomicUsize, Ordering};

use ra_ap_base_db::Crate;
use ra_ap_hir_def::nameres::crate_def_map;
use ra_ap_hir_ty::{attach_db, method_resolution::TraitImpls};
use ra_ap_ide_db::RootDatabase;
use rustc_hash::FxHashSet;

use crate::walk::STACK_BYTES;

/// Resolves the names of `krate` and of everything that it depends on, of
/// the plan's crates `all`. Asked for on demand, that would happen crate after
/// crate on one thread.
///
/// # Errors
/// When the system refuses to start a thread.
pub(crate) fn warm(
    db: &RootDatabase,
    all: &[Option<Crate>],
    krate: Crate,
    threads: usize,
) -> std::io::Result<()> {
    // A plan lists dependencies first, so threads mostly find what they need
    // done.
    let wanted: FxHashSet<Crate> = krate.transitive_deps(db).into_iter().collect();
    let crates: Vec<Crate> = all
        .iter()
        .flatten()
        .copied()
        .filter(|krate| wanted.contains(krate))
        .collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (crates, next) = (&crates, &next);
        for _ in 0..threads.max(1) {
            let db = db.clone();
            std::thread::Builder::new()
                .name("palisade-names".to_owned())
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, move || {
                    attach_db(&db, || {
                        while let Some(&krate) = crates.get(next.fetch_add(1, Ordering::Relaxed)) {
                            crate_def_map(&db, krate);
                            TraitImpls::for_crate(&db, krate);
                        }
                    });
                })?;
        }
        Ok(())
    })
}
