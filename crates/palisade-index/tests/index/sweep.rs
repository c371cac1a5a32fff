//! Finding what is new by asking for everything.

use std::sync::{Arc, Mutex};

use palisade_index::discover::{Batch, Sweep};

use crate::fixture::{Fixture, directory};
use crate::server::Server;
use crate::sparse::{open, well_behaved};

fn shown(batch: &Batch) -> Vec<String> {
    let changes = batch.changes.iter();
    changes
        .map(|change| {
            let version = change
                .version
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            format!("{} {} {version}", change.kind.as_str(), change.name)
        })
        .collect()
}

/// Guards rounds, resuming in their middle, that nothing is lost when a batch
/// is not confirmed, and that what others fetch hides nothing.
#[test]
fn rounds_find_every_change() {
    let (_guard, cache) = directory();
    let names: Vec<String> = ["aaaa", "bbbb", "cccc"].map(str::to_owned).to_vec();
    let registry = Arc::new(Mutex::new(Fixture::new(
        "aaaa 1.0.0\nbbbb 1.0.0\ncccc 1.0.0\n",
    )));
    let state = registry.clone();
    let server = Server::start(move |request| well_behaved(&state.lock().unwrap())(request));
    let checkpoint = cache.join("sweep.json");
    let next = |most| {
        let registry = open(&server, &cache);
        Sweep::new(&registry, &checkpoint)
            .next(&names, most)
            .unwrap()
    };

    let batch = next(2);
    assert_eq!(
        shown(&batch),
        ["published aaaa 1.0.0", "published bbbb 1.0.0"]
    );
    assert!(batch.more);
    // Killed before confirming: the same again.
    drop(batch);
    let batch = next(2);
    assert_eq!(shown(&batch).len(), 2);
    batch.confirm().unwrap();
    let batch = next(2);
    assert_eq!(
        (shown(&batch), batch.more),
        (vec!["published cccc 1.0.0".to_owned()], false)
    );
    batch.confirm().unwrap();

    *registry.lock().unwrap() = Fixture::new("aaaa 1.0.0 yanked\naaaa 1.1.0\nbbbb 1.0.0\n");
    use palisade_index::Registry;
    assert!(open(&server, &cache).index_file("aaaa").unwrap().is_some());
    server.requests();
    let batch = next(9);
    assert_eq!(
        shown(&batch),
        [
            "yanked aaaa 1.0.0",
            "published aaaa 1.1.0",
            "removed cccc 1.0.0"
        ]
    );
    batch.confirm().unwrap();
    let conditional = server
        .requests()
        .into_iter()
        .filter(|request| request.field("if-none-match").is_some());
    assert_eq!(conditional.count(), 3);
    assert_eq!(shown(&next(9)), [] as [&str; 0]);
}

/// Guards that a checkpoint of something else is refused.
#[test]
fn checkpoints_belong_to_one_registry() {
    let (_guard, cache) = directory();
    let checkpoint = cache.join("sweep.json");
    let first = Server::start(well_behaved(&Fixture::new("aaaa 1.0.0\n")));
    let second = Server::start(well_behaved(&Fixture::new("aaaa 1.0.0\n")));
    let names = ["aaaa".to_owned()];
    let registry = open(&first, &cache);
    Sweep::new(&registry, &checkpoint)
        .next(&names, 9)
        .unwrap()
        .confirm()
        .unwrap();
    let registry = open(&second, &cache);
    let error = Sweep::new(&registry, &checkpoint)
        .next(&names, 9)
        .unwrap_err();
    assert!(
        error.to_string().contains("it belongs to a sweep"),
        "{error}"
    );
    std::fs::write(&checkpoint, "{").unwrap();
    assert!(Sweep::new(&registry, &checkpoint).next(&names, 9).is_err());
}
