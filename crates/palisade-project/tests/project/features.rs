//! Features, platforms and dependency names.

use crate::support::{Project, package, shape};

/// Guards the split of resolver 2 and later: what a build script needs does
/// not switch features on for the program, and what both need alike is one
/// unit.
#[test]
fn host_and_target_features_are_apart() {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &package(
                "app",
                "[dependencies]\nshared = { path = \"shared\" }\nsame = { path = \"same\" }\n\
                 [build-dependencies]\n\
                 shared = { path = \"shared\", features = [\"extra\"] }\nsame = { path = \"same\" }\n",
            ),
        ),
        ("src/main.rs", "fn main() {}"),
        ("build.rs", "fn main() {}"),
        (
            "shared/Cargo.toml",
            &package("shared", "[features]\nextra = []\n"),
        ),
        ("shared/src/lib.rs", ""),
        ("same/Cargo.toml", &package("same", "")),
        ("same/src/lib.rs", ""),
    ]);
    assert_eq!(
        shape(&project.load(|_| {})),
        [
            "same:Lib[] ->",
            "shared:Lib[] ->",
            "shared:Lib[extra]@host ->",
            "app:BuildScript[]@host -> same=same:Lib[] shared=shared:Lib[extra]@host",
            "app:Bin[] -> same=same:Lib[] shared=shared:Lib[]",
        ]
    );
}

/// Guards that the old resolver, which joins them, is simulated where the
/// manifest asks for it.
#[test]
fn the_first_resolver_joins_features() {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &package(
                "app",
                "resolver = \"1\"\n[dependencies]\nshared = { path = \"shared\" }\n\
                 [build-dependencies]\nshared = { path = \"shared\", features = [\"extra\"] }\n",
            ),
        ),
        ("src/main.rs", "fn main() {}"),
        ("build.rs", "fn main() {}"),
        (
            "shared/Cargo.toml",
            &package("shared", "[features]\nextra = []\n"),
        ),
        ("shared/src/lib.rs", ""),
    ]);
    assert_eq!(
        shape(&project.load(|_| {})),
        [
            "shared:Lib[extra] ->",
            "app:BuildScript[]@host -> shared=shared:Lib[extra]",
            "app:Bin[] -> shared=shared:Lib[extra]",
        ]
    );
}

/// Guards the names that code uses: a rename, and a library that is not called
/// like its package.
#[test]
fn dependencies_go_by_the_name_that_code_uses() {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &package(
                "app",
                "[dependencies]\nnew-name = { path = \"old\", package = \"old\" }\n\
                 my-lib = { path = \"my-lib\" }\n",
            ),
        ),
        ("src/main.rs", "fn main() {}"),
        ("old/Cargo.toml", &package("old", "")),
        ("old/src/lib.rs", ""),
        (
            "my-lib/Cargo.toml",
            &package("my-lib", "[lib]\nname = \"inner\"\n"),
        ),
        ("my-lib/src/lib.rs", ""),
    ]);
    let plan = project.load(|_| {});
    let app = plan.units.last().expect("the application");
    let names: Vec<&str> = app.deps.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["inner", "new_name"]);
}

/// Guards the feature flags of the command line, and that dependencies of other
/// targets and switched-off optional ones are no part of the build, though
/// they are in the lockfile.
#[test]
fn optional_and_foreign_dependencies_follow_the_flags() {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &package(
                "app",
                "[dependencies]\nopt = { path = \"opt\", optional = true }\n\
                 [target.'cfg(target_os = \"none\")'.dependencies]\nother = { path = \"other\" }\n\
                 [features]\ndefault = [\"one\"]\none = []\ntwo = [\"dep:opt\", \"opt/deep\"]\n",
            ),
        ),
        ("src/main.rs", "fn main() {}"),
        ("opt/Cargo.toml", &package("opt", "[features]\ndeep = []\n")),
        ("opt/src/lib.rs", ""),
        ("other/Cargo.toml", &package("other", "")),
        ("other/src/lib.rs", ""),
    ]);
    let plan = project.load(|_| {});
    assert_eq!(shape(&plan), ["app:Bin[default,one] ->"]);
    let required: Vec<&str> = plan
        .required_only
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(required, ["opt", "other"]);

    let plan = project.load(|options| {
        options.no_default_features = true;
        options.features = vec!["two".to_owned()];
    });
    assert_eq!(
        shape(&plan),
        ["opt:Lib[deep] ->", "app:Bin[two] -> opt=opt:Lib[deep]"]
    );
    let plan = project.load(|options| options.all_features = true);
    assert_eq!(
        shape(&plan)[1],
        "app:Bin[default,one,two] -> opt=opt:Lib[deep]"
    );
}

/// Guards that a flag set with `rustflags` in the checkout's configuration is
/// honoured, though the file itself never reaches cargo.
#[test]
fn configured_flags_count() {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &package(
                "app",
                "[target.'cfg(special)'.dependencies]\nspecial = { path = \"special\" }\n",
            ),
        ),
        ("src/main.rs", "fn main() {}"),
        ("special/Cargo.toml", &package("special", "")),
        ("special/src/lib.rs", ""),
        (
            ".cargo/config.toml",
            "[build]\nrustflags = [\"--cfg\", \"special\", \"-Clinker=./evil\"]\n",
        ),
    ]);
    let plan = project.load(|_| {});
    if std::env::var_os("RUSTFLAGS").is_some() {
        // The caller's own flags come first, as with cargo.
        return;
    }
    assert!(plan.cfgs.iter().any(|cfg| cfg == "special"));
    assert_eq!(shape(&plan)[0], "special:Lib[] ->");
}

/// Guards the development profile: its checks are on, except in the standard
/// library, which was built with optimisation.
#[test]
fn debug_assertions_are_on_except_in_the_standard_library() {
    let project = Project::new(&[
        (
            "Cargo.toml",
            &package("app", "[profile.dev]\npanic = \"abort\"\n"),
        ),
        ("src/main.rs", "fn main() {}"),
    ]);
    let plan = project.load(|_| {});
    assert!(plan.cfgs.iter().any(|cfg| cfg == "debug_assertions"));
    assert!(plan.cfgs.iter().any(|cfg| cfg == "panic=\"abort\""));
    assert!(
        !plan
            .sysroot_cfgs
            .iter()
            .any(|cfg| cfg == "debug_assertions")
    );
    assert!(
        plan.sysroot_cfgs
            .iter()
            .any(|cfg| cfg == "target_has_atomic")
    );
}
