//! Runs the Markdown files of this directory: they specify, construct by
//! construct, what the collector finds. `README.md` describes the format.
//!
//! Each `##` section is one test. All sections that share their limits are
//! loaded into one engine, as crates that do not know each other, because
//! loading the standard library costs far more than any section.
//!
//! With `PALISADE_MDTEST_RUSTC=1` the same sections are compiled by `rustc`
//! instead, and the assertions are compared with the symbols that the linker
//! kept: that is how the specification itself is kept honest.

mod assertion;
mod document;
mod engine;
mod path;
mod rustc;
mod search;
mod world;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mdtest");
    let (sections, broken) = document::read_all(&directory);
    let with_rustc = std::env::var_os("PALISADE_MDTEST_RUSTC").is_some();
    let world = Arc::new(world::World::new(sections));

    let mut trials = vec![Trial::test("runner/rejects-what-cannot-fail", || {
        document::self_check().map_err(Failed::from)
    })];
    trials.extend(broken.into_iter().map(|broken| {
        Trial::test(broken.name, move || {
            Err(Failed::from(broken.message.as_str()))
        })
    }));
    for index in 0..world.sections.len() {
        let shared = Arc::clone(&world);
        let name = world.sections[index].name.clone();
        trials.push(Trial::test(name, move || {
            let section = &shared.sections[index];
            let failures = if with_rustc {
                rustc::check(section)
            } else {
                engine::check(&shared, index)
            };
            match failures {
                Ok(()) => Ok(()),
                Err(message) => Err(Failed::from(message)),
            }
        }));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
