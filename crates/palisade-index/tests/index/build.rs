//! Resolution: what is built, with which features.

use palisade_index::{BuildOptions, FeatureResolver, Platform, ResolveOptions, Resolver};

use crate::fixture::Fixture;
use crate::resolve::root;

/// `name version features`, with a star for the host.
fn built(registry: &str, dependencies: &str, separate: bool, macros: &[&str]) -> Vec<String> {
    let resolver = Resolver::new(Fixture::new(registry), ResolveOptions::default());
    let found = resolver.resolve(&[root(dependencies)]).unwrap();
    let options = BuildOptions {
        separate,
        ..BuildOptions::native(Platform::x86_64_linux())
    };
    let built = FeatureResolver::new(&found, &options, |version| {
        macros.contains(&version.name.as_str())
    })
    .resolve();
    let shown = built.packages.iter().map(|package| {
        let version = found.packages[package.package].version();
        let features: Vec<&str> = package.features.iter().map(String::as_str).collect();
        let star = if package.host { "*" } else { "" };
        format!("{}{star} {}", version.name, features.join(","))
    });
    shown.map(|line| line.trim_end().to_owned()).collect()
}

/// Guards that what runs while building has features of its own, unless an
/// old workspace builds.
#[test]
fn the_host_has_features_of_its_own() {
    let registry = "
a 1.0.0
    shared ^1 features=run
    shared ^1 features=make build
    derive ^1
derive 1.0.0
    shared ^1 features=expand
shared 1.0.0
    feature run = 
    feature make = 
    feature expand = 
";
    let macros = ["derive"];
    assert_eq!(
        built(registry, "a = \"1\"", true, &macros),
        ["a", "derive*", "shared run", "shared* expand,make"]
    );
    assert_eq!(
        built(registry, "a = \"1\"", false, &macros),
        [
            "a",
            "derive*",
            "shared expand,make,run",
            "shared* expand,make,run"
        ]
    );
}

/// Guards that other platforms' dependencies are neither built nor heard.
#[test]
fn other_platforms_are_left_out() {
    let registry = "
a 1.0.0
    win ^1 target=cfg(windows)
    nix ^1 target=cfg(all(unix,not(target_os~\"macos\")))
    exact ^1 target=x86_64-unknown-linux-gnu
win 1.0.0
    nix ^1 features=w
nix 1.0.0
    feature w = 
exact 1.0.0
";
    assert_eq!(
        built(registry, "a = \"1\"", true, &[]),
        ["a", "exact", "nix"]
    );
    assert_eq!(
        built(registry, "a = \"1\"", false, &[]),
        ["a", "exact", "nix w"]
    );
}

/// Guards weak features: nothing by themselves, everything once something
/// else enables the dependency, in whichever order.
#[test]
fn weak_features_wait() {
    let registry = "
a 1.0.0
    o ^1 optional
    feature weak = o?/x
    feature strong = dep:o
o 1.0.0
    feature x = 
b 1.0.0
    a ^1 features=strong
c 1.0.0
    a ^1 features=weak
";
    assert_eq!(built(registry, "c = \"1\"", true, &[]), ["a weak", "c"]);
    let both = ["a strong,weak", "b", "c", "o x"];
    assert_eq!(built(registry, "b = \"1\"\nc = \"1\"", true, &[]), both);
    assert_eq!(built(registry, "c = \"1\"\nb = \"1\"", true, &[]), both);
}

/// Guards `name/feature`: it enables the dependency and, as it always has, the
/// feature of its name where there is one.
#[test]
fn features_of_dependencies() {
    let registry = "
a 1.0.0
    o ^1 optional bare
    feature f = o/x
o 1.0.0
    feature x = y
    feature y = 
    feature default = 
";
    assert_eq!(
        built(
            registry,
            "a = { version = \"1\", features = [\"f\"] }",
            true,
            &[]
        ),
        ["a f,o", "o x,y"]
    );
}

/// Guards who sees what under which name.
#[test]
fn dependencies_go_by_their_own_names() {
    let registry = Fixture::new(
        "
a 1.0.0
    alias ^1 package=real
    make ^1 build
real 1.0.0
make 1.0.0
",
    );
    let resolver = Resolver::new(registry, ResolveOptions::default());
    let found = resolver.resolve(&[root("a = \"1\"")]).unwrap();
    let options = BuildOptions::native(Platform::x86_64_linux());
    let built = FeatureResolver::new(&found, &options, |_| false).resolve();
    let a = &built.packages[built.roots[0][0].1];
    assert_eq!(a.dependencies[0].0, "alias");
    let make = &built.packages[a.build_dependencies[0].1];
    assert!(make.host);
}
