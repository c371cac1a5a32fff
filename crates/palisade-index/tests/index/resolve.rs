//! Resolution: which versions.

use std::collections::BTreeMap;

use palisade_index::{
    Lockfile, Manifest, Registry, Requested, Resolution, ResolveError, ResolveOptions, Resolver,
    Root,
};

use crate::fixture::Fixture;

pub(crate) fn root(dependencies: &str) -> Root {
    let text =
        format!("[package]\nname = \"root\"\nversion = \"0.0.0\"\n[dependencies]\n{dependencies}");
    Root::manifest(&Manifest::parse(&text).unwrap(), Requested::All, false)
}

fn shown(resolution: &Resolution) -> Vec<String> {
    let packages = resolution.packages.iter();
    packages
        .map(|package| format!("{} {}", package.version().name, package.version().version))
        .collect()
}

fn resolve(
    registry: &str,
    dependencies: &str,
    options: ResolveOptions,
) -> Result<Vec<String>, ResolveError> {
    let resolver = Resolver::new(Fixture::new(registry), options);
    resolver
        .resolve(&[root(dependencies)])
        .map(|found| shown(&found))
}

#[track_caller]
fn check(registry: &str, dependencies: &str, expected: &[&str]) {
    let found = resolve(registry, dependencies, ResolveOptions::default()).unwrap();
    assert_eq!(found, expected);
}

/// Guards the everyday rules: newest compatible, one version of each
/// compatible range, several of others, no yanked ones, no pre-releases.
#[test]
fn the_newest_compatible_version() {
    let registry = "
a 1.0.0
a 1.2.0
a 1.3.0 yanked
a 1.4.0-rc.1
a 2.0.0
b 1.0.0
    a ~1.0
c 0.1.0
c 0.1.9
c 0.2.0
";
    check(registry, "a = \"1\"", &["a 1.2.0"]);
    check(registry, "a = \"1\"\nb = \"1\"", &["a 1.0.0", "b 1.0.0"]);
    check(
        registry,
        "a = \"2\"\nb = \"1\"\nc = \"0.1\"",
        &["a 1.0.0", "a 2.0.0", "b 1.0.0", "c 0.1.9"],
    );
    check(registry, "a = \"1.4.0-rc.1\"", &["a 1.4.0-rc.1"]);
}

/// Guards going back: the newest version of one package excludes every
/// version of another.
#[test]
fn going_back_finds_what_fits() {
    let registry = "
top 1.0.0
    low ^1.0
top 1.1.0
    low ^1.0
    gone ^1
top 1.2.0
    low ~1.5
low 1.0.0
low 1.5.0
    gone ^1
other 1.0.0
    low =1.0.0
";
    check(
        registry,
        "top = \"1\"\nother = \"1\"",
        &["low 1.0.0", "other 1.0.0", "top 1.0.0"],
    );
}

/// Guards that a native library is linked once.
#[test]
fn links_are_unique() {
    let registry = "
sys 1.0.0 links=z
sys 2.0.0 links=z
a 1.0.0
    sys ^1
b 1.0.0
    sys ^1
b 1.1.0
    sys ^2
";
    check(
        registry,
        "a = \"1\"\nb = \"1\"",
        &["a 1.0.0", "b 1.0.0", "sys 1.0.0"],
    );
    let error = resolve(
        registry,
        "a = \"1\"\nb = \"1.1\"",
        ResolveOptions::default(),
    )
    .unwrap_err();
    assert!(error.to_string().contains("conflicts with sys"), "{error}");
}

/// Guards that a version without a wanted feature is passed over.
#[test]
fn features_decide_between_versions() {
    let registry = "
a 1.0.0
    feature fast = 
a 1.1.0
";
    check(
        registry,
        "a = { version = \"1\", features = [\"fast\"] }",
        &["a 1.0.0"],
    );
}

/// Guards which optional dependencies a lockfile holds: those of enabled
/// features, of features that come later, and, as cargo does, of weak ones.
#[test]
fn optional_dependencies_follow_features() {
    let registry = "
a 1.0.0
    opt ^1 optional
    weak ^1 optional
    never ^1 optional
    feature default = opt
    feature late = dep:weak
    feature w = weak?/x
opt 1.0.0
weak 1.0.0
    feature x = 
never 1.0.0
b 1.0.0
    a ^1 features=w
";
    check(registry, "a = \"1\"", &["a 1.0.0", "opt 1.0.0"]);
    check(
        registry,
        "a = { version = \"1\", default-features = false }",
        &["a 1.0.0"],
    );
    check(
        registry,
        "a = \"1\"\nb = \"1\"",
        &["a 1.0.0", "b 1.0.0", "opt 1.0.0", "weak 1.0.0"],
    );
}

/// Guards renamed packages, all platforms, and that build dependencies count
/// while those for development do not.
#[test]
fn kinds_platforms_and_names() {
    let registry = "
a 1.0.0
    alias ^1 package=real
    win ^1 target=cfg(windows)
    make ^1 build
    check ^1 dev
real 1.0.0
win 1.0.0
make 1.0.0
check 1.0.0
";
    check(
        registry,
        "a = \"1\"",
        &["a 1.0.0", "make 1.0.0", "real 1.0.0", "win 1.0.0"],
    );
}

/// Guards resolving as of a day: what came later is not there, what has no
/// date is.
#[test]
fn as_of_a_day() {
    let registry = "
a 1.0.0
a 1.1.0 published=2020-01-01T00:00:00Z
a 1.2.0 published=2021-01-01T00:00:00Z
";
    let at = |day: &str| {
        let as_of = Some(format!("{day}T00:00:00Z").parse().unwrap());
        resolve(
            registry,
            "a = \"1\"",
            ResolveOptions {
                as_of,
                ..ResolveOptions::default()
            },
        )
        .unwrap()
    };
    assert_eq!(at("2019-01-01"), ["a 1.0.0"]);
    assert_eq!(at("2020-06-01"), ["a 1.1.0"]);
    assert_eq!(at("2022-01-01"), ["a 1.2.0"]);
}

/// Guards that a lockfile's versions are kept, yanked ones too.
#[test]
fn locked_versions_are_preferred() {
    let registry = "
a 1.0.0 yanked
a 1.1.0
";
    let text = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n";
    let mut locked = BTreeMap::new();
    for package in Lockfile::parse(text).unwrap().packages {
        let versions: &mut Vec<_> = locked.entry(package.name).or_default();
        versions.push(package.version);
    }
    let options = ResolveOptions {
        locked,
        ..ResolveOptions::default()
    };
    assert_eq!(
        resolve(registry, "a = \"1\"", options).unwrap(),
        ["a 1.0.0"]
    );
}

/// Guards that a compiler's version is a preference, not a condition.
#[test]
fn the_compiler_is_a_preference() {
    let registry = "
a 1.0.0 rust=1.60
a 1.1.0 rust=1.80
b 1.0.0 rust=1.90
";
    let options = ResolveOptions {
        rust_version: Some("1.70.0".parse().unwrap()),
        ..ResolveOptions::default()
    };
    assert_eq!(
        resolve(registry, "a = \"1\"\nb = \"1\"", options).unwrap(),
        ["a 1.0.0", "b 1.0.0"]
    );
}

/// Guards that each failure names who wants what, and why it cannot be.
#[test]
fn failures_say_why() {
    let registry = "
a 1.0.0
    gone ^1
y 1.0.0 yanked
n 1.0.0
f 1.0.0
r 1.0.0
    other ^1 registry=https://example.org/
o 1.0.0 published=2030-01-01T00:00:00Z
";
    let cases = [
        (
            "a = \"1\"",
            "`gone` fits `^1`, which a 1.0.0 requires: the registry does not know it",
        ),
        ("y = \"1\"", "1.0.0 is yanked"),
        ("n = \"2\"", "the newest version is 1.0.0"),
        (
            "f = { version = \"1\", features = [\"x\"] }",
            "no version has the features",
        ),
        ("r = \"1\"", "another registry"),
        ("o = \"1\"", "published later"),
    ];
    for (dependencies, reason) in cases {
        let options = ResolveOptions {
            as_of: Some("2025-01-01T00:00:00Z".parse().unwrap()),
            ..ResolveOptions::default()
        };
        let error = resolve(registry, dependencies, options).unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
    let mut wrong = root("n = \"1\"");
    wrong.requested = Requested::Some {
        features: vec!["no".to_owned()],
        default: true,
    };
    let resolver = Resolver::new(Fixture::new(registry), ResolveOptions::default());
    let error = resolver.resolve(&[wrong]).unwrap_err();
    assert!(matches!(error, ResolveError::NoFeature { .. }), "{error}");
}

/// Guards that circles are refused, by name, however long.
#[test]
fn circles_are_refused() {
    let registry = "
a 1.0.0
    b ^1
b 1.0.0
    c ^1
c 1.0.0
    b ^1
";
    let error = resolve(registry, "a = \"1\"", ResolveOptions::default()).unwrap_err();
    assert!(
        matches!(&error, ResolveError::Cycle { packages } if packages.len() == 3),
        "{error}"
    );
}

/// Guards that a riddle costs a limited effort.
#[test]
fn riddles_end() {
    use std::fmt::Write;
    // Every package has versions that exclude each other by the last one.
    let mut registry = String::new();
    for package in 0..30 {
        for version in 0..6 {
            write!(
                registry,
                "p{package} 1.{version}.0\n    p{} ^1\n    z ={}.0.0\n",
                package + 1,
                package % 7 + 1
            )
            .unwrap();
        }
    }
    registry += "p30 1.0.0\n    w ^1\n";
    for version in 1..8 {
        writeln!(registry, "z {version}.0.0 links=z").unwrap();
    }
    let options = ResolveOptions {
        steps: 10_000,
        ..ResolveOptions::default()
    };
    assert!(resolve(&registry, "p0 = \"1\"", options).is_err());
}

/// Guards that a chain of any length needs no deep stack.
#[test]
fn long_chains() {
    use std::fmt::Write;
    let mut registry = String::new();
    for package in 0..20_000 {
        write!(registry, "p{package} 1.0.0\n    p{} ^1\n", package + 1).unwrap();
    }
    registry += "p20000 1.0.0\n";
    let found = resolve(&registry, "p0 = \"1\"", ResolveOptions::default()).unwrap();
    assert_eq!(found.len(), 20_001);
}

/// Guards that edges and features are those of the versions found.
#[test]
fn edges_lead_to_what_was_found() {
    let registry = Fixture::new(
        "
a 1.0.0
    b ^1 features=x
    b2 ^2 package=b
b 1.0.0
    feature x = 
b 2.0.0
    feature default = 
",
    );
    let version = registry.index_file("a").unwrap().unwrap().versions[0]
        .version
        .clone();
    let resolver = Resolver::new(registry, ResolveOptions::default());
    let found = resolver.resolve(&[Root::requiring("a", &version)]).unwrap();
    assert_eq!(shown(&found), ["a 1.0.0", "b 1.0.0", "b 2.0.0"]);
    let edges: Vec<_> = found.packages[0]
        .dependencies
        .iter()
        .map(|edge| (edge.dependency, edge.package))
        .collect();
    assert_eq!(edges, [(0, 1), (1, 2)]);
    assert!(found.packages[1].features.contains("x"));
    assert!(found.packages[2].features.contains("default"));
    assert_eq!(found.roots[0][0].package, 0);
}
