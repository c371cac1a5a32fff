//! What the linker kept: the functions of an unoptimised executable, from its
//! symbol table.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use anyhow::{Context, Result};
use camino::Utf8Path;
use object::read::archive::ArchiveFile;
use object::{Object, ObjectSymbol, SymbolKind};

use super::mangling::{self, CrateId, Kind};
use super::{Function, targets::Built};
use crate::process;

/// The functions of one executable.
pub(super) struct Symbols {
    /// Functions outside the standard library, each with one symbol as
    /// example.
    pub(super) kept: BTreeMap<Function, String>,
    /// Names that are not mangled: exported functions and foreign code.
    pub(super) plain: HashSet<String>,
    /// Functions that the linked libraries define, kept or not.
    pub(super) defined: BTreeSet<Function>,
    /// How many constructors were set apart.
    pub(super) constructors: usize,
    /// The kept functions of each crate, several versions of one name apart.
    pub(super) kept_by_crate: BTreeMap<CrateId, BTreeSet<Function>>,
    /// The packages whose libraries were linked.
    pub(super) packages: Vec<LinkedPackage>,
}

/// A package of which a library was linked.
#[derive(Clone, Debug)]
pub(super) struct LinkedPackage {
    /// The package's name.
    pub(super) name: String,
    /// Its version.
    pub(super) version: String,
    /// The library's name in source.
    pub(super) library: String,
    /// The crate as symbols name it; `None` when its library holds no code of
    /// its own, as when all of it is generic.
    krate: Option<CrateId>,
}

impl LinkedPackage {
    /// A package and the crate that its library defines.
    pub(super) fn new(
        name: String,
        version: String,
        library: String,
        krate: Option<CrateId>,
    ) -> Self {
        LinkedPackage {
            name,
            version,
            library,
            krate,
        }
    }
}

impl Symbols {
    /// The linked package that a kept function belongs to.
    pub(super) fn package_of(&self, function: &Function) -> Option<&LinkedPackage> {
        let mut named = (self.packages.iter()).filter(|package| package.library == function.krate);
        named.find(|package| {
            let kept = self.kept_of(&package.name, &package.version);
            kept.is_some_and(|kept| kept.contains(function))
        })
    }

    /// The kept functions of one package; `None` when it was not linked.
    pub(super) fn kept_of(&self, name: &str, version: &str) -> Option<BTreeSet<&Function>> {
        let package = self
            .packages
            .iter()
            .find(|package| package.name == name && package.version == version)?;
        let is_own = |krate: &CrateId| match &package.krate {
            Some(own) => krate == own,
            // Then it is what no other version of that name claims.
            None => {
                krate.name == package.library
                    && !self
                        .packages
                        .iter()
                        .any(|other| other.krate.as_ref() == Some(krate))
            }
        };
        let functions = self
            .kept_by_crate
            .iter()
            .filter(|(krate, _)| is_own(krate))
            .flat_map(|(_, functions)| functions);
        Some(functions.collect())
    }
}

/// Reads the executable and the libraries that went into it.
///
/// # Errors
///
/// When a file is unreadable or no object file.
pub(super) fn read(built: &Built, sysroot: &HashSet<CrateId>) -> Result<Symbols> {
    let mut symbols = Symbols {
        kept: BTreeMap::new(),
        plain: HashSet::new(),
        defined: BTreeSet::new(),
        constructors: 0,
        kept_by_crate: BTreeMap::new(),
        packages: Vec::new(),
    };
    let data = read_file(&built.executable)?;
    for name in functions_of(&data).with_context(|| format!("cannot read {}", built.executable))? {
        let Some(symbol) = mangling::parse(&name) else {
            symbols.plain.insert(name);
            continue;
        };
        if sysroot.contains(&symbol.krate) {
            continue;
        }
        match symbol.kind {
            Kind::Function => {
                let krate = symbol.krate.clone();
                let function = Function::from(symbol);
                let of_crate = symbols.kept_by_crate.entry(krate).or_default();
                of_crate.insert(function.clone());
                symbols.kept.entry(function).or_insert(name);
            }
            Kind::Constructor => symbols.constructors += 1,
            Kind::Inner | Kind::Shim => {}
        }
    }
    for library in &built.libraries {
        let mut own: BTreeMap<CrateId, usize> = BTreeMap::new();
        for name in functions_of_archive(&library.file)? {
            if let Some(symbol) = mangling::parse(&name)
                && symbol.kind == Kind::Function
                && !sysroot.contains(&symbol.krate)
            {
                if symbol.krate.name == library.name {
                    *own.entry(symbol.krate.clone()).or_default() += 1;
                }
                symbols.defined.insert(Function::from(symbol));
            }
        }
        // A library may hold instances of another version's generics, but most
        // of its functions are its own.
        let krate = own.into_iter().max_by_key(|&(_, count)| count);
        symbols.packages.push(LinkedPackage::new(
            library.package.clone(),
            library.version.clone(),
            library.name.clone(),
            krate.map(|(krate, _)| krate),
        ));
    }
    Ok(symbols)
}

/// The crates of the precompiled standard library, those vendored with it
/// included: a program may use a crate of the same name, and only the
/// disambiguator tells the two apart.
///
/// # Errors
///
/// When the toolchain's libraries cannot be read.
pub(super) fn sysroot_crates(host: &str) -> Result<HashSet<CrateId>> {
    let sysroot = process::output(process::command("rustc").args(["--print", "sysroot"]))?;
    let directory = Utf8Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(host)
        .join("lib");
    let mut crates = HashSet::new();
    let entries = directory
        .read_dir_utf8()
        .with_context(|| format!("cannot read {directory}"))?;
    for entry in entries {
        let path = entry?.into_path();
        if path.extension() == Some("rlib") {
            for name in functions_of_archive(&path)? {
                if let Some(symbol) = mangling::parse(&name) {
                    crates.extend(symbol.crates);
                }
            }
        }
    }
    Ok(crates)
}

fn read_file(path: &Utf8Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {path}"))
}

/// The functions that an object file defines.
fn functions_of(data: &[u8]) -> Result<Vec<String>> {
    let file = object::File::parse(data)?;
    Ok(file
        .symbols()
        .filter(|symbol| symbol.is_definition() && symbol.kind() == SymbolKind::Text)
        .filter_map(|symbol| Some(symbol.name().ok()?.to_owned()))
        .collect())
}

/// The functions that an archive's object files define; other members, such as
/// the compiler's metadata, have none.
fn functions_of_archive(path: &Utf8Path) -> Result<Vec<String>> {
    let data = read_file(path)?;
    let archive = ArchiveFile::parse(&*data).with_context(|| format!("{path} is no archive"))?;
    let mut names = Vec::new();
    for member in archive.members() {
        let member = member.with_context(|| format!("{path} is damaged"))?;
        let content = member
            .data(&*data)
            .with_context(|| format!("{path} is damaged"))?;
        names.extend(functions_of(content).unwrap_or_default());
    }
    Ok(names)
}
