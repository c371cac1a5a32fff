//! What code can do, as far as its text tells: facts, each with its place.
//!
//! A fact is no accusation. Most of what malware does, honest crates do too;
//! detectors look at facts that come together.

mod atom_table;
mod atoms;
mod calls;
mod decoders;
mod entry;
mod extract;
mod fact;
mod names;
mod paths;
mod requests;
mod shells;

use palisade_index::Manifest;
use rustc_hash::FxHashSet;

use crate::source::{Disguise, SourceFile, Unit, Units};

use calls::{Calls, Which};
pub(crate) use entry::Reached;
pub(crate) use fact::{Fact, FactSet};

/// A fact and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    pub(crate) fact: Fact,
    /// The index of its file.
    pub(crate) file: usize,
    /// The index of its token.
    pub(crate) token: usize,
    /// The index of its item in the file.
    pub(crate) item: usize,
    /// What exactly: a path, a command, a family of credentials.
    pub(crate) detail: String,
    /// How it was hidden, if it was.
    pub(crate) disguise: Option<Disguise>,
    /// Whether it is only there for tests.
    pub(crate) test: bool,
    /// Whether it is only an import.
    pub(crate) import: bool,
}

/// The facts of a package.
#[derive(Debug)]
pub(crate) struct Facts<'t> {
    pub(crate) files: Vec<SourceFile<'t>>,
    pub(crate) units: Units,
    pub(crate) evidence: Vec<Evidence>,
    calls: std::sync::OnceLock<Calls>,
}

/// Facts that come together: in one function and what it calls, or in one of
/// the package's crates.
#[derive(Clone, Debug)]
pub(crate) struct Scope<'f> {
    pub(crate) evidence: Vec<&'f Evidence>,
    pub(crate) facts: FactSet,
    pub(crate) unit: Unit,
    /// How the function is reached that the scope is about; `None` where
    /// nothing leads there, as far as names tell.
    pub(crate) reached: Option<Reached>,
}

impl<'f> Scope<'f> {
    fn new(unit: Unit, evidence: Vec<&'f Evidence>) -> Scope<'f> {
        let facts = evidence.iter().map(|evidence| evidence.fact).collect();
        Scope {
            evidence,
            facts,
            unit,
            reached: None,
        }
    }

    pub(crate) fn has(&self, fact: Fact) -> bool {
        self.facts.has(fact)
    }

    /// Whether they have evidence in common.
    fn overlaps(&self, other: &Scope<'_>) -> bool {
        let same = |one: &&'f Evidence| other.evidence.iter().any(|two| std::ptr::eq(*one, *two));
        self.evidence.iter().any(same)
    }

    pub(crate) fn any(&self, facts: &[Fact]) -> bool {
        facts.iter().any(|&fact| self.has(fact))
    }

    pub(crate) fn of(&self, fact: Fact) -> impl Iterator<Item = &'f Evidence> {
        self.evidence
            .iter()
            .copied()
            .filter(move |evidence| evidence.fact == fact)
    }

    /// The first evidence of any of these, one that is no import before
    /// others.
    pub(crate) fn first(&self, facts: &[Fact]) -> Option<&'f Evidence> {
        facts.iter().find_map(|&fact| {
            self.of(fact)
                .find(|evidence| !evidence.import)
                .or_else(|| self.of(fact).next())
        })
    }

    /// The different details of a fact, in order.
    pub(crate) fn details(&self, fact: Fact) -> std::collections::BTreeSet<&'f str> {
        self.of(fact)
            .map(|evidence| evidence.detail.as_str())
            .collect()
    }
}

impl<'t> Facts<'t> {
    /// Reads the Rust files, and takes their facts.
    pub(crate) fn gather(
        files: &[(&'t str, &'t [u8])],
        manifest: Option<&Manifest>,
        tree: &palisade_archive::SourceTree,
    ) -> Facts<'t> {
        let renamed: FxHashSet<String> = names::renamed(manifest).map(|(name, _)| name).collect();
        let words = paths::FileWords { renamed: &renamed };
        let mut at_hand = 0;
        let mut read = Vec::with_capacity(files.len());
        for (path, bytes) in files {
            let mut file = SourceFile::read(path, bytes, &words);
            at_hand += file.code_bytes();
            if at_hand > CODE_AT_HAND {
                at_hand -= file.code_bytes();
                file.forget();
            }
            read.push(file);
        }
        let units = Units::find(manifest, &read);
        let evidence = extract::extract(&mut read, &units, manifest, tree);
        Facts {
            files: read,
            units,
            evidence,
            calls: std::sync::OnceLock::new(),
        }
    }

    /// Whether it was asked which function calls which.
    pub(crate) fn asked_for_calls(&self) -> bool {
        self.calls.get().is_some()
    }

    pub(crate) fn unit(&self, evidence: &Evidence) -> Unit {
        self.units.of(self.files[evidence.file].path)
    }

    /// Everything outside of tests that belongs to one of the package's
    /// crates.
    pub(crate) fn in_unit(&self, unit: Unit) -> Scope<'_> {
        let evidence = self
            .evidence
            .iter()
            .filter(|evidence| !evidence.test && self.unit(evidence) == unit)
            .collect();
        Scope::new(unit, evidence)
    }

    /// The smallest scopes in which `condition` holds: a function alone before
    /// one with what it calls, up to `depth` calls deep. Tests are left out.
    pub(crate) fn scopes(
        &self,
        depth: usize,
        condition: impl Fn(&Scope<'_>) -> bool,
    ) -> Vec<Scope<'_>> {
        // What does not hold for everything together holds nowhere.
        let all: Vec<&Evidence> = self
            .evidence
            .iter()
            .filter(|evidence| !evidence.test)
            .collect();
        if all.is_empty() {
            return Vec::new();
        }
        // The unit is not known here, so this only asks for facts.
        let units = [
            Unit::Library,
            Unit::BuildScript,
            Unit::ProcMacro,
            Unit::Binary,
            Unit::Example,
            Unit::Loose,
        ];
        if !units
            .iter()
            .any(|&unit| condition(&Scope::new(unit, all.clone())))
        {
            return Vec::new();
        }
        self.calls()
            .scopes(self, depth, &condition, Which::Functions)
    }

    /// [`Facts::scopes`] for a condition that holds more or less: those with
    /// the highest level first, and nothing twice. The smallest scope in which
    /// little comes together must not hide the larger one in which much does.
    pub(crate) fn graded_scopes(
        &self,
        depth: usize,
        levels: &[u32],
        weight: impl Fn(&Scope<'_>) -> u32,
    ) -> Vec<Scope<'_>> {
        let mut found: Vec<Scope<'_>> = Vec::new();
        for &level in levels {
            for scope in self.scopes(depth, |scope| weight(scope) >= level) {
                if !found.iter().any(|other| other.overlaps(&scope)) {
                    found.push(scope);
                }
            }
        }
        found
    }

    /// [`Facts::scopes`] for functions that only tests run, with the unit
    /// [`Unit::Test`]. Nobody but who works on a package runs them, so that
    /// only what has no honest use is worth a finding.
    pub(crate) fn test_scopes(
        &self,
        depth: usize,
        condition: impl Fn(&Scope<'_>) -> bool,
    ) -> Vec<Scope<'_>> {
        let tests = self.evidence.iter().filter(|evidence| evidence.test);
        let tests: Vec<&Evidence> = tests.collect();
        if tests.is_empty() || !condition(&Scope::new(Unit::Test, tests)) {
            return Vec::new();
        }
        self.calls().scopes(self, depth, &condition, Which::Tests)
    }

    /// The scopes of functions that run before `main`, with what they call.
    pub(crate) fn constructors(&self, condition: impl Fn(&Scope<'_>) -> bool) -> Vec<Scope<'_>> {
        let any = self.files.iter().any(|file| file.outline.constructors);
        if !any {
            return Vec::new();
        }
        self.calls()
            .scopes(self, CONSTRUCTOR_DEPTH, &condition, Which::Constructors)
    }

    fn calls(&self) -> &Calls {
        self.calls.get_or_init(|| Calls::find(self))
    }
}

/// How much memory the tokens of files may take that are yet to be asked for
/// facts, in bytes. Those beyond are read twice.
const CODE_AT_HAND: usize = 48 << 20;
/// How many calls deep the functions that run before `main` are followed.
const CONSTRUCTOR_DEPTH: usize = 5;
