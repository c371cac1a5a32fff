//! Configuration flags that build scripts set, known without running them.
//!
//! Three sources, in this order:
//!
//! 1. a reviewed table of widely used crates ([`table`]), checked against what
//!    their build scripts really printed;
//! 2. `cfg_aliases!`, which is a formula over other flags and can be evaluated
//!    ([`aliases`]);
//! 3. the text of any other build script, from which only the *names* of the
//!    flags can be read ([`scan`]): each is a blind spot.
//!
//! The text is read in every case. A flag of the table is only set when the
//! script mentions it, and a name that the table does not know is reported as
//! unknown, so a table that has aged shows it.

mod aliases;
mod generated;
mod lex;
mod manifest;
mod rule;
mod scan;
mod table;

use camino::Utf8Path;

use crate::{Limits, PackageFiles};
pub(crate) use generated::{generated_by, variable};
pub(crate) use rule::Probe;
use rule::When;

/// What is known about the flags of one package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Flags that the build script sets, as the compiler would print them.
    pub(crate) cfgs: Vec<String>,
    /// Names of flags that it may set.
    pub(crate) unknown: Vec<String>,
}

/// Finds out what the build script at `script` would set.
pub(crate) fn evaluate(
    script: &Utf8Path,
    probe: &Probe<'_>,
    files: &dyn PackageFiles,
    limits: &Limits,
) -> Outcome {
    let texts = script_texts(script, files, limits);
    let mut outcome = Outcome::default();
    let known = table::find(probe);
    for rule in &known {
        for (flag, when) in rule.flags {
            if !texts.iter().any(|text| mentions(text, flag)) {
                continue;
            }
            if matches!(when, When::Assumed) {
                outcome.unknown.push(name_of(flag).to_owned());
            }
            match when.holds(probe) {
                Some(true) => outcome.cfgs.push((*flag).to_owned()),
                Some(false) => {}
                None => outcome.unknown.push(name_of(flag).to_owned()),
            }
        }
    }
    outcome
        .cfgs
        .extend(manifest::flags(script, probe, files, limits));
    let reviewed = known.iter().any(|rule| rule.is_reviewed(probe.version));
    for text in &texts {
        let tokens = lex::tokens(text);
        let aliases = aliases::evaluate(&tokens, probe);
        outcome.cfgs.extend(aliases.set);
        let found = scan::names(&tokens, probe);
        outcome.cfgs.extend(found.set);
        // In a reviewed version the table has every flag that a script
        // composes at run time.
        let composed = if reviewed { Vec::new() } else { found.guessed };
        for name in found.named.into_iter().chain(composed) {
            let in_table = known
                .iter()
                .flat_map(|rule| rule.flags)
                .any(|(flag, _)| name_of(flag) == name_of(&name));
            if !in_table && !aliases.names.contains(&name) {
                outcome.unknown.push(name_of(&name).to_owned());
            }
        }
    }
    outcome.cfgs.sort();
    outcome.cfgs.dedup();
    outcome.unknown.sort();
    outcome.unknown.dedup();
    outcome
}

/// What a flag goes by: `host_os` for `host_os="windows"`, but the whole of
/// `feature="std"`, as `feature` alone says nothing.
fn name_of(flag: &str) -> &str {
    match flag.split_once('=') {
        Some(("feature", _)) | None => flag,
        Some((name, _)) => name,
    }
}

/// Whether a script mentions a flag, as a whole word; quotes may be escaped.
fn mentions(text: &str, flag: &str) -> bool {
    let (word, is_feature) = match flag.split_once('=') {
        Some(("feature", value)) => (value.trim_matches('"'), true),
        Some((name, _)) => (name, false),
        None => (flag, false),
    };
    let part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| {
        let before = &text[..at];
        let quoted = before.trim_end_matches(['"', '\\']);
        !part_of_word(before.chars().next_back())
            && !part_of_word(text[at + word.len()..].chars().next())
            && is_feature == quoted.ends_with("feature=")
    })
}

/// The build script and the files that it is made of, as far as the limits
/// allow; a file that cannot be read is as if it was empty.
fn script_texts(script: &Utf8Path, files: &dyn PackageFiles, limits: &Limits) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let dir = script.parent().unwrap_or(Utf8Path::new("."));
    let mut parts = vec![script.to_owned()];
    let mut next = 0;
    while let Some(file) = parts.get(next).cloned() {
        next += 1;
        if next > limits.build_script_files {
            break;
        }
        let Some(text) = files.text(&file, limits.build_script_bytes) else {
            continue;
        };
        for part in scan::parts(&lex::tokens(&text)) {
            for path in [dir.join(&part), dir.join(&part).join("mod.rs")] {
                if path.extension() == Some("rs") && files.contains(&path) && !parts.contains(&path)
                {
                    parts.push(path);
                }
            }
        }
        texts.push(text);
    }
    texts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use semver::Version;

    use super::{Probe, aliases, lex, scan};

    fn with_probe<T>(run: impl FnOnce(&Probe<'_>) -> T) -> T {
        run(&Probe {
            name: "x",
            version: &Version::new(1, 0, 0),
            toolchain: &Version::new(1, 90, 0),
            triple: "x86_64-unknown-linux-gnu",
            cfgs: &["unix".to_owned(), "target_os=\"linux\"".to_owned()],
            features: &["std".to_owned()],
        })
    }

    #[track_caller]
    fn check(script: &str, set: &[&str], named: &[&str], guessed: &[&str]) {
        let names = with_probe(|probe| scan::names(&lex::tokens(script), probe));
        assert_eq!(names.set, set, "set");
        assert_eq!(names.named, named, "named");
        assert_eq!(names.guessed, guessed, "guessed");
    }

    /// Guards every way in which a script can spell a flag.
    #[test]
    fn names_are_found_in_literals_calls_and_helpers() {
        check(
            r##"f(r#"cargo:rustc-cfg=a"#); g("cargo::rustc-cfg=b")"##,
            &[],
            &["a", "b"],
            &[],
        );
        check(
            "/* \"cargo:rustc-cfg=a\" */ // \"cargo:rustc-cfg=b\"",
            &[],
            &[],
            &[],
        );
        check(
            "ac.emit_rustc_version(1, 60); ac.emit_rustc_version(1, 99);",
            &["rustc_1_60"],
            &[],
            &[],
        );
        check(
            "ac.emit_expression_cfg(\"f(1)\", \"has_f\"); autocfg::emit(\"b\"); ac.emit_has_path(\"std::x\");",
            &[],
            &["has_f", "b", "has_std__x"],
            &[],
        );
        check(
            "fn set(n: &str) { println!(\"cargo:rustc-cfg={}\", n) } \
             fn try_set(n: &str) { if ok(n) { set(n) } } \
             fn main() { set(\"a\"); try_set(\"b\"); var(\"NOT_THIS\"); other(\"nor_this\") }",
            &[],
            &["a", "b"],
            &[],
        );
        check("f(\"cargo:rustc-cfg=since_{}\", 1)", &[], &["since_*"], &[]);
        check("f(\"cargo:rustc-cfg=level={:?}\", 1)", &[], &["level"], &[]);
        check("f(\"cargo:rustc-cfg={}\", compute())", &[], &[], &["*"]);
        check(
            "for n in [\"a\", \"b\"] { f(\"cargo:rustc-cfg={n}\") }",
            &[],
            &[],
            &["a", "b"],
        );
    }

    /// Guards that an alias nobody can evaluate is not taken for false.
    #[test]
    fn a_broken_alias_ends_the_list() {
        let aliases = with_probe(|probe| {
            aliases::evaluate(
                &lex::tokens(
                    "cfg_aliases! { a: { unix }, b: { all(a, target_os = \"linux\") }, \
                     c: { accessible(std) }, d: { unix } }",
                ),
                probe,
            )
        });
        assert_eq!(aliases.set, ["a", "b"]);
        assert_eq!(aliases.names, ["a", "b"]);
    }

    proptest! {
        /// Guards against a panic or an endless loop on any text.
        #[test]
        fn any_text_is_read(text in "(\\PC|[{}()\"'/*#r!:,=\n]|cfg_aliases!|fn a|emit\\(|rustc-cfg=){0,60}") {
            let tokens = lex::tokens(&text);
            with_probe(|probe| {
                drop(scan::names(&tokens, probe));
                drop(aliases::evaluate(&tokens, probe));
            });
            drop(scan::parts(&tokens));
        }
    }
}
