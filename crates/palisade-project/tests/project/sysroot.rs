//! The standard library's crates.

use palisade_model::PackageSource;
use palisade_project::UnitKind;

use crate::support::{Project, package};

/// Guards the standard library's resolution: local crates share one source
/// root, vendored ones find `core` under its disguise, other targets'
/// dependencies stay out.
#[test]
fn the_standard_library_comes_first() {
    let project = Project::new(&[
        ("Cargo.toml", &package("app", "")),
        ("src/main.rs", "fn main() {}"),
    ]);
    let plan = project.load(|_| {});
    let std: Vec<_> = plan
        .units
        .iter()
        .take_while(|unit| unit.kind == UnitKind::Sysroot)
        .collect();
    let names: Vec<&str> = std.iter().map(|unit| unit.name.as_str()).collect();
    assert_eq!(names, ["core", "alloc", "hashbrown", "std"]);

    let unit = |name: &str| &plan.units[plan.sysroot_unit(name).expect(name).0];
    assert_eq!(unit("core").package_dir, project.outside("library"));
    assert_eq!(unit("core").package.source, PackageSource::Sysroot);
    assert_eq!(unit("core").package.version, plan.toolchain);
    assert_eq!(unit("std").features, ["backtrace", "panic-unwind"]);
    assert_eq!(unit("std").extra_cfgs, ["backtrace_in_libstd"]);

    let hashbrown = unit("hashbrown");
    assert_eq!(
        hashbrown.package_dir,
        project.outside("library/vendor/hashbrown-0.16.1")
    );
    assert_eq!(
        hashbrown.features,
        ["alloc", "core", "nightly", "rustc-dep-of-std"]
    );
    let deps: Vec<&str> = hashbrown
        .deps
        .iter()
        .map(|(name, id)| {
            assert_eq!(*name, plan.units[id.0].name);
            name.as_str()
        })
        .collect();
    assert_eq!(deps, ["alloc", "core"]);
}

/// Guards that a source without its dependencies is used, and says so.
#[test]
fn a_missing_dependency_of_the_standard_library_is_reported() {
    let project = Project::new(&[
        ("Cargo.toml", &package("app", "")),
        ("src/main.rs", "fn main() {}"),
    ]);
    let lock = project.outside("library/Cargo.lock");
    let text = std::fs::read_to_string(&lock).expect("the lockfile");
    // A version that no cache of the machine can hold.
    std::fs::write(&lock, text.replace("0.16.1", "0.16.4242")).expect("the lockfile");
    let plan = project.load(|_| {});
    assert!(plan.sysroot_unit("std").is_some());
    assert!(plan.sysroot_unit("hashbrown").is_none());
    assert_eq!(plan.diagnostics.len(), 1, "{:?}", plan.diagnostics);
    assert!(plan.diagnostics[0].message.contains("hashbrown 0.16.4242"));
    assert!(plan.diagnostics[0].hint.is_some());
}
