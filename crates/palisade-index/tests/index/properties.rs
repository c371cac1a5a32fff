//! What holds for every input.

use std::collections::BTreeMap;
use std::fmt::Write;

use palisade_index::{
    BuildOptions, FeatureResolver, IndexFile, Lockfile, Manifest, Platform, ResolveOptions,
    Resolver,
};
use proptest::prelude::*;

use crate::fixture::Fixture;
use crate::resolve::root;

/// A registry of a few packages with a few versions that depend on each other
/// at random, on later ones alone.
fn registry() -> impl Strategy<Value = String> {
    let dependency = (1_usize..4, 0_u64..3, 0_u64..4, any::<bool>(), any::<bool>());
    let version = (
        0_u64..3,
        0_u64..4,
        proptest::collection::vec(dependency, 0..4),
        0_u8..8,
    );
    proptest::collection::vec(proptest::collection::vec(version, 1..5), 2..8).prop_map(|packages| {
        let mut text = String::new();
        for (at, versions) in packages.iter().enumerate() {
            let mut seen = Vec::new();
            for (major, minor, dependencies, special) in versions {
                if seen.contains(&(major, minor)) {
                    continue;
                }
                seen.push((major, minor));
                write!(text, "p{at} {major}.{minor}.0").unwrap();
                match special {
                    0 => text += " yanked",
                    1 => text += " links=native",
                    _ => {}
                }
                text += "\n    feature default = \n    feature x = \n";
                for (number, (further, major, minor, optional, featured)) in
                    dependencies.iter().enumerate()
                {
                    if at + further < packages.len() {
                        let optional = if *optional { " optional" } else { "" };
                        let featured = if *featured { " features=x" } else { "" };
                        let target = at + further;
                        writeln!(
                            text,
                            "    d{number} ^{major}.{minor} package=p{target}{optional}{featured}"
                        )
                        .unwrap();
                    }
                }
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Guards that no text causes a panic.
    #[test]
    fn any_text_is_survived(text in "\\PC{0,300}", toml in "(\\[|\\]|=|\"|package|name|lib|bin|dependencies|features|\\.|\n| |x|1|\\{|\\}|,){0,60}") {
        let _ = IndexFile::parse("demo", &text);
        let _ = Lockfile::parse(&text);
        for text in [text, toml] {
            let manifest = format!("[package]\nname = \"x\"\n{text}");
            if let Ok(manifest) = Manifest::parse(&manifest) {
                let _ = manifest.targets(["src/lib.rs", "src/main.rs", "build.rs"]);
            }
        }
    }

    /// Guards that index lines with arbitrary values cause no panic.
    #[test]
    fn any_line_is_survived(vers in "\\PC{0,20}", req in "\\PC{0,20}", feature in "\\PC{0,20}", target in "\\PC{0,30}") {
        let line = serde_json::json!({
            "name": "demo", "vers": vers, "cksum": "0".repeat(64), "features": {&feature: [feature]},
            "deps": [{"name": feature, "req": req, "target": target}],
        });
        let _ = IndexFile::parse("demo", &line.to_string());
    }

    /// Guards what a resolution promises, whatever the registry: every
    /// requirement is met, compatible versions are one, nothing yanked, one
    /// package for each native library, the same each time; and that what is
    /// built is part of it.
    #[test]
    fn resolutions_keep_their_promises(text in registry()) {
        let resolver = Resolver::new(Fixture::new(&text), ResolveOptions::default());
        let roots = [root("p0 = \"*\"\np1 = { version = \"*\", optional = true }")];
        let Ok(found) = resolver.resolve(&roots) else {
            return Ok(());
        };
        let mut slots = BTreeMap::new();
        let mut native = 0;
        for package in &found.packages {
            let version = package.version();
            prop_assert!(!version.yanked);
            native += usize::from(version.links.is_some());
            let slot = match (version.version.major, version.version.minor) {
                (0, minor) => (0, minor),
                (major, _) => (major, 0),
            };
            // Of 0.0 there is only one patch here.
            prop_assert!(slots.insert((&version.name, slot), ()).is_none());
            let required = version.dependencies.iter().enumerate().filter(|(_, known)| !known.optional);
            for (at, dependency) in required {
                let edge = package.dependencies.iter().find(|edge| edge.dependency == at).unwrap();
                let to = &found.packages[edge.package];
                prop_assert_eq!(&to.version().name, &dependency.package);
                prop_assert!(dependency.requirement.matches(&to.version().version));
                prop_assert!(dependency.features.iter().all(|feature| to.features.contains(feature)));
            }
        }
        prop_assert!(native <= 1);
        let again = resolver.resolve(&roots).unwrap();
        prop_assert_eq!(found.packages.len(), again.packages.len());
        let options = BuildOptions::native(Platform::x86_64_linux());
        let built = FeatureResolver::new(&found, &options, |_| false).resolve();
        for package in &built.packages {
            prop_assert!(package.features.is_subset(&found.packages[package.package].features));
        }
    }
}
