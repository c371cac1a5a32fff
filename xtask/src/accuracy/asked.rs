//! What `palisade check` says of functions that the call graph does not have.
//!
//! A function that a build script or an unexpanded macro writes is in no source
//! that Palisade reads, and so in no call graph, but an advisory that names it
//! is not cleared for that: it is decided for the crate as a whole. So each
//! such function gets an advisory of its own, and the product decides.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use camino::Utf8Path;

use super::compare::{Comparison, demangle};
use super::linker::Symbols;
use super::{Function, report, targets::Target};

/// The verdicts on the functions that a comparison lost. Those that no advisory
/// can name have none: what belongs to the program itself, and methods of a
/// foreign trait for a type without a name.
///
/// # Errors
///
/// When the database cannot be written or Palisade fails.
pub(super) fn ask(
    palisade: &Utf8Path,
    target: &Target,
    expand_macros: bool,
    comparison: &Comparison,
    symbols: &Symbols,
) -> Result<BTreeMap<Function, String>> {
    let directory = tempfile::tempdir()?;
    let database = Utf8Path::from_path(directory.path()).context("not a readable path")?;
    let mut asked: BTreeMap<String, &Function> = BTreeMap::new();
    for (index, (function, symbol)) in comparison.lost().enumerate() {
        let Some(package) = symbols.package_of(function) else {
            continue;
        };
        let Some(path) = path(&demangle(symbol), &function.krate) else {
            continue;
        };
        let id = format!("RUSTSEC-2099-{index:04}");
        let place = database.join("crates").join(&package.name);
        std::fs::create_dir_all(&place).with_context(|| format!("cannot create {place}"))?;
        let file = place.join(format!("{id}.md"));
        let text = advisory(&id, &package.name, &package.version, &path);
        std::fs::write(&file, text).with_context(|| format!("cannot write {file}"))?;
        asked.insert(id, function);
    }
    if asked.is_empty() {
        return Ok(BTreeMap::new());
    }
    let report = report::run(palisade, target, database, expand_macros)?;
    let mut verdicts = BTreeMap::new();
    for finding in report.findings {
        if let Some(&function) = asked.get(&finding.id) {
            verdicts.insert(function.clone(), finding.verdict);
        }
    }
    Ok(verdicts)
}

fn advisory(id: &str, package: &str, version: &str, path: &str) -> String {
    format!(
        r#"```toml
[advisory]
id = "{id}"
package = "{package}"
date = "2099-01-01"

[affected.functions]
"{path}" = ["= {version}"]

[versions]
patched = ["> {version}"]
unaffected = ["< {version}"]
```

# A function that the linker kept

It is in no call graph.
"#
    )
}

/// The path by which an advisory names the function of a demangled symbol.
fn path(symbol: &str, krate: &str) -> Option<String> {
    let path = match symbol.strip_prefix('<') {
        None => plain(symbol),
        Some(rest) => {
            let end = close(rest)?;
            let (holder, function) = (&rest[..end], plain(rest[end + 1..].strip_prefix("::")?));
            let (self_type, trait_path) = match split_as(holder) {
                Some((self_type, trait_path)) => (self_type, Some(trait_path)),
                None => (holder, None),
            };
            let named = |path: &str| {
                let path = plain(path);
                path.starts_with(&format!("{krate}::")).then_some(path)
            };
            let holder = named(self_type).or_else(|| named(trait_path?))?;
            format!("{holder}::{function}")
        }
    };
    let is_name = |name: &str| {
        let mut characters = name.chars();
        characters
            .next()
            .is_some_and(|c| c.is_alphabetic() || c == '_')
            && characters.all(|c| c.is_alphanumeric() || c == '_')
    };
    path.split("::").all(is_name).then_some(path)
}

/// A path without its generic arguments.
fn plain(path: &str) -> String {
    let mut depth = 0_usize;
    let mut output = String::new();
    for character in path.chars() {
        match character {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 => output.push(character),
            _ => {}
        }
    }
    output
        .replace("::::", "::")
        .trim_end_matches("::")
        .to_owned()
}

/// Where the bracket closes that was opened before this text.
fn close(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    let mut last = ' ';
    for (index, character) in text.char_indices() {
        match character {
            '<' => depth += 1,
            // Not the arrow of a function's type.
            '>' if last != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(index);
        }
        last = character;
    }
    None
}

/// Splits `Type as Trait` outside of brackets.
fn split_as(holder: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (index, character) in holder.char_indices() {
        match character {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                if let Some(rest) = holder[index..].strip_prefix(" as ") {
                    return Some((&holder[..index], rest));
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that each form of a symbol leads to the path that an advisory
    /// would have, and that what has no name is not asked about.
    #[test]
    fn symbols_become_paths() {
        let path = |symbol| path(symbol, "a");
        assert_eq!(path("a::b::f::<u8>").as_deref(), Some("a::b::f"));
        assert_eq!(path("<a::T<u8>>::f").as_deref(), Some("a::T::f"));
        assert_eq!(
            path("<a::T as core::fmt::Display>::fmt").as_deref(),
            Some("a::T::fmt")
        );
        assert_eq!(
            path("<u8 as a::Extend>::extend::<usize>").as_deref(),
            Some("a::Extend::extend")
        );
        assert_eq!(
            path("<&a::T<fn() -> u8> as a::Find>::find").as_deref(),
            Some("a::Find::find")
        );
        assert_eq!(path("<u8 as core::fmt::Display>::fmt"), None);
    }
}
