//! The comparison with the real macros, which needs their packages.
//!
//! `PALISADE_EXPAND_COMPARE=1` (or `=family`, or `=family/name`) turns it on.
//! For every fixture it builds a scratch package with the real dependencies,
//! lets the compiler check our expansion in place of the macros, prints both
//! expansions through the compiler, and compares their inventories. When they
//! agree, it writes the record that the core check reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fixture::Fixture;
use crate::inventory;

const SWITCH: &str = "PALISADE_EXPAND_COMPARE";

/// Guards the recorded inventories themselves: they are those of the real macros.
#[test]
fn expansions_agree_with_the_real_macros() {
    let Ok(wanted) = std::env::var(SWITCH) else {
        skip(&format!("{SWITCH} is not set"));
        return;
    };
    let mut families: BTreeMap<String, Vec<Fixture>> = BTreeMap::new();
    for fixture in Fixture::select(&wanted) {
        families
            .entry(fixture.family.clone())
            .or_default()
            .push(fixture);
    }
    assert!(!families.is_empty(), "no fixture is called `{wanted}`");
    let mut problems = Vec::new();
    for (family, fixtures) in &families {
        let scratch = Scratch::new(family, fixtures);
        if !scratch.dependencies_are_available() {
            skip(&format!("the packages for `{family}` cannot be fetched"));
            continue;
        }
        for fixture in fixtures {
            if let Err(problem) = scratch.compare(fixture) {
                problems.push(format!("{family}/{}: {problem}", fixture.name));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

/// A package with two examples for each fixture: the original and ours.
struct Scratch {
    directory: PathBuf,
}

impl Scratch {
    fn new(family: &str, fixtures: &[Fixture]) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("compare")
            .join(family);
        fs::create_dir_all(directory.join("examples")).expect("a scratch directory");
        let dependencies: BTreeSet<_> = fixtures
            .iter()
            .flat_map(|fixture| &fixture.dependencies)
            .collect();
        let mut manifest = format!(
            "[package]\nname = \"compare-{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
             autoexamples = false\n[workspace]\n[lib]\npath = \"lib.rs\"\n",
            family.replace('_', "-")
        );
        for fixture in fixtures {
            for (file, content) in &fixture.files {
                let path = directory.join(file);
                fs::create_dir_all(path.parent().expect("inside")).expect("a scratch directory");
                write(&path, content);
            }
            for suffix in ["real", "ours"] {
                let name = format!("{}_{suffix}", fixture.name);
                manifest += &format!(
                    "[[example]]\nname = \"{name}\"\ncrate-type = [\"lib\"]\nedition = \"{}\"\n",
                    fixture.edition
                );
            }
            write(
                &directory.join(format!("examples/{}_real.rs", fixture.name)),
                &fixture.source,
            );
            write(
                &directory.join(format!("examples/{}_ours.rs", fixture.name)),
                "",
            );
        }
        manifest += "[dependencies]\n";
        for dependency in dependencies {
            manifest += &format!("{dependency}\n");
        }
        write(&directory.join("Cargo.toml"), &manifest);
        write(&directory.join("lib.rs"), "");
        Self { directory }
    }

    fn cargo(&self, arguments: &[&str]) -> Result<String, String> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compare-target");
        let output = command(env!("CARGO"))
            .args(arguments)
            .current_dir(&self.directory)
            // The compiler prints expansions only with its unstable options.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", target)
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    fn dependencies_are_available(&self) -> bool {
        self.cargo(&["fetch", "--quiet"]).is_ok()
    }

    /// What the compiler prints for one example after expanding everything.
    fn expanded(&self, example: &str) -> Result<syn::File, String> {
        let printed = self.cargo(&[
            "rustc",
            "--quiet",
            "--profile",
            "check",
            "--example",
            example,
            "--",
            "-Zunpretty=expanded",
        ])?;
        // The printer writes empty lifetime lists and attributes that only it accepts.
        syn::parse_file(&printed).map_err(|error| format!("printed source: {error}"))
    }

    fn compare(&self, fixture: &Fixture) -> Result<(), String> {
        let expanded = fixture.expand()?;
        let ours = format!("{}_ours", fixture.name);
        let path = self.directory.join(format!("examples/{ours}.rs"));
        write(&path, &quote::quote!(#expanded).to_string());
        // Only for those who read a compiler message about it; the result does not depend on it.
        let _ = command("rustfmt")
            .args(["--edition", &fixture.edition])
            .arg(&path)
            .output();
        self.cargo(&["check", "--quiet", "--example", &ours])
            .map_err(|error| format!("our expansion does not compile\n{error}"))?;
        let real = inventory::of(&self.expanded(&format!("{}_real", fixture.name))?);
        let ours = inventory::of(&self.expanded(&ours)?);
        let facts = |text: String| {
            let is_kept = |line: &&str| !fixture.functions_only || !line.starts_with(' ');
            text.lines()
                .filter(is_kept)
                .map(|line| format!("{line}\n"))
                .collect::<String>()
        };
        let (real, ours) = (facts(real), facts(ours));
        if real != ours {
            return Err(format!("inventories differ\n{}", difference(&real, &ours)));
        }
        write(
            &fixture.path.with_extension("inventory"),
            &inventory::of(&expanded),
        );
        Ok(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "it runs in a scratch directory of ours"
)]
fn command(program: &str) -> Command {
    Command::new(program)
}

/// Writes only what changed, so that nothing is compiled twice.
fn write(path: &Path, content: &str) {
    if fs::read_to_string(path).ok().as_deref() != Some(content) {
        fs::write(path, content).expect("a writable scratch directory");
    }
}

/// The facts that only one side has, each with its subject.
fn difference(real: &str, ours: &str) -> String {
    let count = |text: &str| {
        let mut facts: BTreeMap<String, i32> = BTreeMap::new();
        let mut subject = String::new();
        for line in text.lines() {
            if !line.starts_with(' ') {
                subject = line.to_owned();
            }
            *facts.entry(format!("{subject} |{line}")).or_default() += 1;
        }
        facts
    };
    let (real, ours) = (count(real), count(ours));
    let keys: BTreeSet<_> = real.keys().chain(ours.keys()).collect();
    keys.into_iter()
        .filter_map(|key| {
            let number = |facts: &BTreeMap<String, i32>| facts.get(key).copied().unwrap_or(0);
            let (real, ours) = (number(&real), number(&ours));
            (real != ours).then(|| format!("{key}: {real} real, {ours} ours\n"))
        })
        .collect()
}
