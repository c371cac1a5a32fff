//! Compares our resolution with cargo's, for every crate version that cargo
//! has fetched: `cargo run --release --example agreement -- SCRATCH [EVERY [GROUPS]]`.
//!
//! For each version, a package that depends on exactly that version is
//! resolved by both, offline, against a local registry made of cargo's own
//! cache; then packages that depend on ten crates each. Two questions are
//! asked: with every version of the index, which versions are locked; and with
//! those versions alone whose archive is there, which packages are built with
//! which features for this platform. `EVERY` takes only every so many
//! versions, `GROUPS` only so many packages with ten dependencies.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::unwrap_used, reason = "a tool for maintainers")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use palisade_index::{
    BuildOptions, CargoCache, FeatureResolver, LocalRegistry, Lockfile, Manifest, Platform,
    Registry, Requested, ResolveError, ResolveOptions, ResolvedPackage, Resolver, Root, index_path,
};
use semver::Version;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let scratch = fs::canonicalize(arguments.next().unwrap()).unwrap();
    let scratch = Utf8PathBuf::try_from(scratch).unwrap();
    let every: usize = arguments.next().map_or(1, |every| every.parse().unwrap());
    let group_count: usize = arguments.next().map_or(100, |count| count.parse().unwrap());
    let home = std::env::var("HOME").unwrap();
    let cache = CargoCache::all(&Utf8Path::new(&home).join(".cargo"))
        .unwrap()
        .remove(0);
    let archives = cache.archives().unwrap();
    let some: BTreeSet<(String, Version)> = archives.iter().cloned().collect();
    let whole = registry(&cache, &scratch.join("whole"), |_, _| true);
    let fetched = registry(&cache, &scratch.join("fetched"), |name, version| {
        some.contains(&(name.to_owned(), version.clone()))
    });
    link_archives(&home, &cache, &scratch.join("fetched"), &archives);
    let platform = Platform::new("x86_64-unknown-linux-gnu", &printed_cfg());

    let mut macros = BTreeMap::new();
    let mut is_macro = |name: &str, version: &Version| {
        let key = (name.to_owned(), version.clone());
        *macros.entry(key).or_insert_with(|| {
            let directory = cache.unpacked(name, version);
            let text = directory
                .and_then(|directory| fs::read_to_string(directory.join("Cargo.toml")).ok());
            text.is_some_and(|text| {
                Manifest::parse(&text).is_ok_and(|manifest| manifest.proc_macro)
            })
        })
    };
    let mut tallies: Vec<Tally> = (0..3).map(|_| Tally::default()).collect();
    let mut compare = |tallies: &mut [Tally], what: &str, dependencies: &str, roots: &[Root]| {
        let theirs = Project::new(&scratch, "whole", dependencies, 2).lock();
        let ours = tallies[0].timed(|| {
            let resolver = Resolver::new(&whole, ResolveOptions::default());
            let found = resolver.resolve(roots)?;
            Ok(found.packages.iter().map(shown).collect())
        });
        tallies[0].compare(what, theirs, ours);
        for (tally, resolver) in tallies[1..].iter_mut().zip([2, 1]) {
            let project = Project::new(&scratch, "fetched", dependencies, resolver);
            let theirs = project.lock().and_then(|_| project.tree());
            let ours = tally.timed(|| {
                let found = Resolver::new(&fetched, ResolveOptions::default()).resolve(roots)?;
                let options = BuildOptions {
                    separate: resolver != 1,
                    ..BuildOptions::native(platform.clone())
                };
                let built = FeatureResolver::new(&found, &options, |version| {
                    is_macro(&version.name, &version.version)
                })
                .resolve();
                let packages = built.packages.iter();
                Ok(packages
                    .map(|package| {
                        let features: Vec<&str> =
                            package.features.iter().map(String::as_str).collect();
                        format!(
                            "{} {}",
                            shown(&found.packages[package.package]),
                            features.join(",")
                        )
                    })
                    .collect())
            });
            tally.compare(what, theirs, ours);
        }
    };
    for (name, version) in archives.iter().step_by(every) {
        let dependency = format!("{name} = \"={version}\"\n");
        let roots = [Root::requiring(name, version)];
        compare(
            &mut tallies,
            &format!("{name} {version}"),
            &dependency,
            &roots,
        );
    }
    print(&tallies, "one crate");
    let mut groups: Vec<Tally> = (0..3).map(|_| Tally::default()).collect();
    let mut random = 1_usize;
    for number in 0..group_count {
        let mut chosen: BTreeMap<&str, String> = BTreeMap::new();
        while chosen.len() < 10 {
            // Knuth's constants; any others would do.
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let (name, version) = &archives[(random >> 33) % archives.len()];
            chosen.insert(name, format!("{}.{}", version.major, version.minor));
        }
        let dependencies: String = chosen
            .iter()
            .map(|(name, requirement)| format!("{name} = \"{requirement}\"\n"))
            .collect();
        let manifest =
            format!("[package]\nname = \"x\"\nversion = \"0.0.0\"\n[dependencies]\n{dependencies}");
        let manifest = Manifest::parse(&manifest).unwrap();
        let roots = [Root::manifest(&manifest, Requested::All, true)];
        compare(
            &mut groups,
            &format!("group {number}"),
            &dependencies,
            &roots,
        );
    }
    print(&groups, "ten crates");
}

fn print(tallies: &[Tally], what: &str) {
    let questions = [
        "locked versions",
        "packages and features, resolver 2",
        "packages and features, resolver 1",
    ];
    for (tally, question) in tallies.iter().zip(questions) {
        tally.print(&format!("{what}, {question}"));
    }
}

fn shown(package: &ResolvedPackage) -> String {
    format!("{} {}", package.version().name, package.version().version)
}

#[derive(Default)]
struct Tally {
    equal: usize,
    packages: usize,
    both_fail: usize,
    differ: usize,
    time: Duration,
}

impl Tally {
    fn timed(
        &mut self,
        work: impl FnOnce() -> Result<BTreeSet<String>, ResolveError>,
    ) -> Result<BTreeSet<String>, String> {
        let start = Instant::now();
        let done = work();
        self.time += start.elapsed();
        done.map_err(|error| error.to_string())
    }

    fn compare(
        &mut self,
        what: &str,
        theirs: Result<BTreeSet<String>, String>,
        ours: Result<BTreeSet<String>, String>,
    ) {
        match (theirs, ours) {
            (Ok(theirs), Ok(ours)) if theirs == ours => {
                self.equal += 1;
                self.packages += ours.len();
            }
            // To give up is not to know that there is no solution.
            (Err(_), Err(ours)) if !ours.starts_with("gave up") => self.both_fail += 1,
            (Ok(theirs), Ok(ours)) => {
                self.differ += 1;
                let missing: Vec<_> = theirs.difference(&ours).take(3).collect();
                let extra: Vec<_> = ours.difference(&theirs).take(3).collect();
                println!("{what}: missing {missing:?}, extra {extra:?}");
            }
            (Err(error), Ok(_) | Err(_)) => {
                self.differ += 1;
                println!(
                    "{what}: cargo fails: {}",
                    error
                        .replace('\n', " ")
                        .chars()
                        .take(400)
                        .collect::<String>()
                );
            }
            (Ok(_), Err(error)) => {
                self.differ += 1;
                println!("{what}: we fail: {error}");
            }
        }
    }

    fn print(&self, what: &str) {
        let all = self.equal + self.both_fail + self.differ;
        println!(
            "{what}: {} equal, {} refused by both, {} differ: {:.2} %; {} packages; {:.1} ms each",
            self.equal,
            self.both_fail,
            self.differ,
            100.0 * (all - self.differ) as f64 / all.max(1) as f64,
            self.packages,
            self.time.as_secs_f64() * 1000.0 / all.max(1) as f64
        );
    }
}

/// Writes an index of those versions of the cache that `keep` accepts.
fn registry(
    cache: &CargoCache,
    root: &Utf8Path,
    keep: impl Fn(&str, &Version) -> bool,
) -> LocalRegistry {
    for name in cache.names().unwrap() {
        let file = cache.index_file(&name).unwrap().unwrap();
        let lines: String = file
            .versions
            .iter()
            .filter(|version| keep(&version.name, &version.version))
            .map(|version| format!("{}\n", version.raw))
            .collect();
        let path = root.join("index").join(index_path(&name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, lines).unwrap();
    }
    LocalRegistry::open(root).unwrap()
}

fn link_archives(home: &str, cache: &CargoCache, root: &Utf8Path, archives: &[(String, Version)]) {
    let from = Utf8Path::new(home)
        .join(".cargo/registry/cache")
        .join(cache.directory());
    for (name, version) in archives {
        let file = format!("{name}-{version}.crate");
        if !root.join(&file).exists() {
            fs::hard_link(from.join(&file), root.join(&file)).unwrap();
        }
    }
}

struct Project {
    directory: Utf8PathBuf,
    scratch: Utf8PathBuf,
}

impl Project {
    fn new(scratch: &Utf8Path, registry: &str, dependencies: &str, resolver: u8) -> Project {
        let directory = scratch.join("project");
        fs::create_dir_all(directory.join("src")).unwrap();
        fs::create_dir_all(directory.join(".cargo")).unwrap();
        fs::write(directory.join("src/lib.rs"), "").unwrap();
        let manifest = format!(
            "[package]\nname = \"scratch-project\"\nversion = \"0.0.0\"\nedition = \"2021\"\nresolver = \"{resolver}\"\n\
             [dependencies]\n{dependencies}"
        );
        fs::write(directory.join("Cargo.toml"), manifest).unwrap();
        let config = format!(
            "[source.crates-io]\nreplace-with = \"local\"\n[source.local]\nlocal-registry = \"{scratch}/{registry}\"\n"
        );
        fs::write(directory.join(".cargo/config.toml"), config).unwrap();
        let _ = fs::remove_file(directory.join("Cargo.lock"));
        Project {
            directory,
            scratch: scratch.to_owned(),
        }
    }

    fn cargo(&self, arguments: &[&str]) -> Result<String, String> {
        #[expect(clippy::disallowed_methods, reason = "the directory is our own")]
        let output = Command::new("cargo")
            .args(arguments)
            .arg("--offline")
            .current_dir(&self.directory)
            .env("CARGO_HOME", self.scratch.join("home"))
            .output()
            .unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok(String::from_utf8(output.stdout).unwrap())
    }

    fn lock(&self) -> Result<BTreeSet<String>, String> {
        self.cargo(&["generate-lockfile"])?;
        let lockfile = Lockfile::open(&self.directory.join("Cargo.lock")).unwrap();
        let packages = lockfile.packages.into_iter();
        Ok(packages
            .filter(|package| package.name != "scratch-project")
            .map(|package| format!("{} {}", package.name, package.version))
            .collect())
    }

    fn tree(&self) -> Result<BTreeSet<String>, String> {
        let text = self.cargo(&[
            "tree",
            "--locked",
            "-e",
            "normal,build",
            "--prefix",
            "none",
            "-f",
            "{p}|{f}",
            "--target",
            "x86_64-unknown-linux-gnu",
        ])?;
        Ok(text
            .lines()
            .filter(|line| !line.starts_with("scratch-project"))
            .map(|line| {
                let (package, features) = line.split_once('|').unwrap();
                let mut words = package.split(' ');
                let name = words.next().unwrap();
                let version = words.next().unwrap().trim_start_matches('v');
                let mut features: Vec<&str> =
                    features.trim_end_matches(" (*)").split(',').collect();
                features.sort_unstable();
                format!("{name} {version} {}", features.join(","))
            })
            .collect())
    }
}

fn printed_cfg() -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "the working directory is our own"
    )]
    let output = Command::new("rustc")
        .args(["--print", "cfg"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}
