//! Compares the manifest of every crate version that cargo has unpacked with
//! its index line, and its targets with the files that are there:
//! `cargo run --release --example manifests`.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::unwrap_used, reason = "a tool for maintainers")]

use std::collections::BTreeSet;
use std::fs;

use camino::Utf8Path;
use palisade_index::{CargoCache, Dependency, Manifest, Registry, TargetKind};

fn main() {
    let home = std::env::var("HOME").unwrap();
    let cache = CargoCache::all(&Utf8Path::new(&home).join(".cargo"))
        .unwrap()
        .remove(0);
    let (mut read, mut equal, mut problems, mut targets, mut without) = (0, 0, 0, 0, 0);
    for (name, version) in cache.archives().unwrap() {
        let Some(directory) = cache.unpacked(&name, &version) else {
            continue;
        };
        let text = fs::read_to_string(directory.join("Cargo.toml")).unwrap();
        let manifest = match Manifest::parse(&text) {
            Ok(manifest) => manifest,
            Err(error) => {
                println!("{name} {version}: {error}");
                continue;
            }
        };
        read += 1;
        for problem in &manifest.problems {
            problems += 1;
            println!("{name} {version}: {}: {}", problem.key, problem.reason);
        }
        let file = cache.index_file(&name).unwrap().unwrap();
        let Some(line) = file.version(&version) else {
            println!("{name} {version}: no line {:?}", file.problems);
            continue;
        };
        let shown = |known: &Dependency| {
            let mut features = known.features.clone();
            features.sort();
            let target = known.target.as_ref().map(|target| target.replace(' ', ""));
            format!(
                "{} {} {} {features:?} {} {} {target:?} {}",
                known.name,
                known.package,
                known.requirement,
                known.optional,
                known.default_features,
                known.kind.as_str(),
            )
        };
        let ours: BTreeSet<String> = manifest.dependencies.iter().map(shown).collect();
        let theirs: BTreeSet<String> = line.dependencies.iter().map(shown).collect();
        let same = ours == theirs
            && manifest.features == line.features
            && manifest.links == line.links
            && manifest.version == version
            && manifest.name == name;
        equal += usize::from(same);
        if !same {
            let missing: Vec<_> = theirs.difference(&ours).take(2).collect();
            let extra: Vec<_> = ours.difference(&theirs).take(2).collect();
            println!("{name} {version}: missing {missing:?}, extra {extra:?}");
        }
        let mut paths = Vec::new();
        list(&directory, "", &mut paths);
        let found = manifest.targets(paths.iter().map(String::as_str));
        targets += found.len();
        for target in &found {
            // Packages leave files of tests and examples out.
            let needed = matches!(
                target.kind,
                TargetKind::Library | TargetKind::ProcMacro | TargetKind::BuildScript
            );
            if needed && !paths.contains(&target.path) {
                println!("{name} {version}: {target:?} has no file");
            }
        }
        if found.is_empty() {
            without += 1;
            println!("{name} {version}: no target");
        }
    }
    println!(
        "{read} manifests, {equal} equal to their line, {problems} problems, {targets} targets, {without} without any"
    );
}

fn list(directory: &Utf8Path, at: &str, paths: &mut Vec<String>) {
    for entry in directory.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let path = if at.is_empty() {
            entry.file_name().to_owned()
        } else {
            format!("{at}/{}", entry.file_name())
        };
        if entry.file_type().unwrap().is_dir() {
            list(entry.path(), &path, paths);
        } else {
            paths.push(path);
        }
    }
}
