//! The macros that a procedural-macro crate defines, found in its text.

use std::sync::Arc;

use palisade_expand::MacroKind;
use palisade_project::{PackageFiles as _, Unit, UnitId};
use ra_ap_hir_expand::proc_macro::{ProcMacro, ProcMacroExpander, ProcMacroKind};
use ra_ap_intern::Symbol;

use super::expander::{Expander, MacroLog};
use super::package::Package;
use crate::api::Limits;

/// The stand-ins for every macro of a procedural-macro unit.
///
/// Names come from its source, as written in `#[proc_macro_derive(Name)]` and
/// its kin, and from the list of known expanders for those whose definition a
/// macro of the crate itself writes. A name too many is harmless: only what
/// the crate really defines can be used.
///
/// `unavailable` says why the macros themselves cannot be asked, when that was
/// wanted.
pub(super) fn of_unit(
    id: UnitId,
    unit: &Unit,
    log: &Arc<MacroLog>,
    limits: &Limits,
    unavailable: Option<&str>,
) -> Vec<ProcMacro> {
    let mut names = Vec::new();
    if let Ok(package) = Package::open(&unit.package_dir) {
        for path in package.sources(&|_| false, limits) {
            if let Some(text) = package.text(&path, limits.file_bytes) {
                scan(&text, &mut names);
            }
        }
    }
    for (package, name, kind) in palisade_expand::known() {
        if package == unit.package.name {
            names.push((name.to_owned(), kind));
        }
    }
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|(name, kind)| {
            let expander = stand_in(id, unit, &name, kind, limits, log, unavailable);
            proc_macro(&name, kind, Arc::new(expander))
        })
        .collect()
}

/// What stands in for one macro of a unit.
pub(super) fn stand_in(
    id: UnitId,
    unit: &Unit,
    name: &str,
    kind: MacroKind,
    limits: &Limits,
    log: &Arc<MacroLog>,
    unavailable: Option<&str>,
) -> Expander {
    Expander {
        package: unit.package.name.clone(),
        unit: id,
        version: unit.package.version.to_string(),
        name: name.to_owned(),
        kind,
        features: unit.features.clone(),
        file_bytes: limits.file_bytes,
        log: log.clone(),
        unavailable: unavailable.map(str::to_owned),
    }
}

/// A macro as the database has it.
pub(super) fn proc_macro(
    name: &str,
    kind: MacroKind,
    expander: Arc<dyn ProcMacroExpander>,
) -> ProcMacro {
    let kind = match kind {
        MacroKind::Derive => ProcMacroKind::CustomDerive,
        MacroKind::Attribute => ProcMacroKind::Attr,
        MacroKind::Function => ProcMacroKind::Bang,
    };
    ProcMacro {
        name: Symbol::intern(name),
        kind,
        expander,
        disabled: false,
    }
}

/// Finds definitions in one file's text.
fn scan(text: &str, names: &mut Vec<(String, MacroKind)>) {
    let mut rest = text;
    while let Some(at) = rest.find("proc_macro") {
        rest = &rest[at + "proc_macro".len()..];
        if let Some(after) = rest.strip_prefix("_derive") {
            let after = after.trim_start();
            if let Some(name) = after.strip_prefix('(').and_then(identifier) {
                names.push((name.to_owned(), MacroKind::Derive));
            }
        } else {
            let (kind, after) = match rest.strip_prefix("_attribute") {
                Some(after) => (MacroKind::Attribute, after),
                None => (MacroKind::Function, rest),
            };
            // `#[proc_macro]` and nothing longer, then the function it is on.
            if after.trim_start().starts_with(']')
                && let Some(at) = after.find("fn ")
                && let Some(name) = identifier(&after[at + 3..])
            {
                names.push((name.to_owned(), kind));
            }
        }
    }
}

fn identifier(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    (end > 0).then(|| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_kind_of_definition() {
        let mut names = Vec::new();
        scan(
            "#[proc_macro_derive(Shape, attributes(shape))]\npub fn derive(i: T) -> T {}\n\
             #[proc_macro_attribute]\n/// Docs\npub fn route(a: T, i: T) -> T {}\n\
             #[proc_macro]\npub fn query(i: T) -> T {}\nextern crate proc_macro;",
            &mut names,
        );
        let found: Vec<_> = names
            .iter()
            .map(|(name, kind)| (name.as_str(), *kind))
            .collect();
        assert_eq!(
            found,
            [
                ("Shape", MacroKind::Derive),
                ("route", MacroKind::Attribute),
                ("query", MacroKind::Function),
            ]
        );
    }
}
