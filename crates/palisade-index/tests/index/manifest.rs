//! Manifests as data.

use palisade_index::{DependencyKind, Manifest, TargetKind};

/// `kind name path` of every target.
fn targets(manifest: &str, paths: &[&str]) -> Vec<String> {
    let manifest = Manifest::parse(manifest).unwrap();
    let targets = manifest.targets(paths.iter().copied());
    targets
        .iter()
        .map(|target| format!("{:?} {} {}", target.kind, target.name, target.path))
        .collect()
}

const PACKAGE: &str = "[package]\nname = \"my-demo\"\nversion = \"1.0.0\"\n";
const NEW: &str = "[package]\nname = \"my-demo\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";

/// Guards dependencies in all their forms and places.
#[test]
fn dependencies() {
    let text = format!(
        "{PACKAGE}[dependencies]\nplain = \"1\"\n\
         renamed = {{ package = \"real\", version = \"2\", optional = true, default-features = false, features = [\"x\"] }}\n\
         [dev_dependencies]\ntesting = \"*\"\n[build-dependencies]\nbuilding = \"0.1\"\n\
         [target.'cfg(windows)'.dependencies]\nwin = {{ version = \"0.3\", default_features = false }}\n\
         [features]\nfast = [\"dep:renamed\", \"renamed?/x\"]\n"
    );
    let manifest = Manifest::parse(&text).unwrap();
    assert_eq!(manifest.problems, []);
    let found: Vec<String> = manifest
        .dependencies
        .iter()
        .map(|known| {
            let target = known.target.as_deref().unwrap_or("all");
            format!(
                "{} {} {} {} {target} {}",
                known.name,
                known.package,
                known.requirement,
                known.kind.as_str(),
                known.default_features
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            "plain plain ^1 normal all true",
            "renamed real ^2 normal all false",
            "building building ^0.1 build all true",
            "testing testing * dev all true",
            "win win ^0.3 normal cfg(windows) false",
        ]
    );
    assert_eq!(manifest.dependencies[2].kind, DependencyKind::Build);
    assert_eq!(manifest.features.keys().collect::<Vec<_>>(), ["fast"]);
}

/// Guards the usual places of every kind of crate.
#[test]
fn targets_in_the_usual_places() {
    let paths = [
        "build.rs",
        "src/lib.rs",
        "src/main.rs",
        "src/bin/one.rs",
        "src/bin/two/main.rs",
        "src/bin/two/other.rs",
        "examples/show.rs",
        "tests/it/main.rs",
        "benches/b.rs",
        "src/other.rs",
    ];
    assert_eq!(
        targets(NEW, &paths),
        [
            "Library my_demo src/lib.rs",
            "Binary my-demo src/main.rs",
            "Binary one src/bin/one.rs",
            "Binary two src/bin/two/main.rs",
            "Example show examples/show.rs",
            "Test it tests/it/main.rs",
            "Benchmark b benches/b.rs",
            "BuildScript build-script-build build.rs",
        ]
    );
}

/// Guards what manifests say themselves, as cargo writes them today and as
/// they were written in the beginning.
#[test]
fn targets_that_are_listed() {
    let listed = format!(
        "{NEW}build = \"scripts/make.rs\"\nautobins = false\n[lib]\nname = \"other\"\npath = \"./lib.rs\"\nproc-macro = true\n\
         [[bin]]\nname = \"tool\"\npath = \"tool\\\\main.rs\"\nrequired-features = [\"cli\"]\n"
    );
    let paths = ["lib.rs", "src/main.rs", "build.rs"];
    assert_eq!(
        targets(&listed, &paths),
        [
            "ProcMacro other lib.rs",
            "Binary tool tool/main.rs",
            "BuildScript build-script-make scripts/make.rs",
        ]
    );
    let off = format!("{NEW}build = false\nautolib = false\n");
    assert_eq!(targets(&off, &["build.rs", "src/lib.rs"]), [] as [&str; 0]);
    // The first edition: a library called by its name, and no discovery
    // beside a list.
    let old = format!("{PACKAGE}[lib]\nname = \"named\"\n[[bin]]\nname = \"tool\"\n");
    assert_eq!(
        targets(&old, &["src/named.rs", "src/tool.rs", "src/bin/ignored.rs"]),
        ["Library named src/named.rs", "Binary tool src/tool.rs"]
    );
}

/// Guards old spellings that cargo still takes.
#[test]
fn old_spellings() {
    let text = "[project]\nname = \"old\"\nversion = \"0.1.0\"\n[lib]\nproc_macro = true\n";
    let manifest = Manifest::parse(text).unwrap();
    assert_eq!(
        (manifest.name.as_str(), manifest.edition.as_str()),
        ("old", "2015")
    );
    assert!(manifest.proc_macro);
    let kinds = manifest.targets(["src/lib.rs"]);
    assert_eq!(kinds[0].kind, TargetKind::ProcMacro);
    let text = format!("{PACKAGE}[lib]\ncrate-type = [\"proc-macro\"]\n");
    assert!(Manifest::parse(&text).unwrap().proc_macro);
}

/// Guards that a malformed part costs itself alone and is named.
#[test]
fn malformed_parts_are_problems() {
    let text = format!(
        "{PACKAGE}edition.workspace = true\nlinks = 5\n[dependencies]\na = \"~>1\"\nb = 1\nc = {{ git = \"x\" }}\nd = {{ workspace = true }}\n\
         [features]\nx = [\"gone\"]\ny = 1\n"
    );
    let manifest = Manifest::parse(&text).unwrap();
    let keys: Vec<&str> = manifest
        .problems
        .iter()
        .map(|problem| problem.key.as_str())
        .collect();
    assert_eq!(
        keys,
        [
            "package.edition",
            "package.links",
            "dependencies.a",
            "dependencies.b",
            "dependencies.c",
            "dependencies.d",
            "features.y",
            "features",
        ]
    );
    for text in [
        "",
        "[package]\nversion = \"1.0.0\"",
        "= =",
        "package = 1",
        &"[a]\n".repeat(2_000_000),
    ] {
        assert!(Manifest::parse(text).is_err());
    }
}
