//! What a question means in the tables.

use std::collections::BTreeSet;

use palisade_tables::{OwnedUnit, Role, Start, View};
use semver::Version;

use super::graph::{Graph, Input};
use super::name::{is_meant, is_type, may_mean, of_type};
use super::{Question, Universe};

/// The functions that a question means, in a view of tables.
#[derive(Clone, Debug, Default)]
pub struct Meant {
    /// Where a search starts.
    pub start: Start,
    /// The functions, with their crate's version (empty where no version of it
    /// is in the tables) and their paths.
    pub functions: Vec<(String, String)>,
    /// The crates that have them.
    pub crates: BTreeSet<u32>,
}

impl Meant {
    /// Looks up what a question names.
    pub fn of(view: &View<'_>, question: &Question<'_>) -> Meant {
        let tables = view.tables;
        let mut meant = Meant::default();
        let version = |text: &str| {
            let version = Version::parse(text);
            version.is_ok_and(|version| (question.versions)(&version))
        };
        for name in &question.names {
            for lib in tables.libs_named(&name.krate) {
                let (_, _, role) = tables.lib_names(lib);
                if role == Role::Script {
                    continue;
                }
                let known = tables.crates_of(lib).next().is_some();
                let mut symbols = Vec::new();
                let exact = tables.symbol(lib, &name.path.join("::"));
                let is_function = |symbol: u32| {
                    let crates = tables.crates_of(lib);
                    let mut nodes = crates.filter_map(|krate| tables.find_node(krate, symbol));
                    nodes.next().is_some()
                };
                match exact {
                    Some(exact) if !known || is_function(exact) => symbols.push(exact),
                    _ => tables.each_symbol(lib, |symbol, path| {
                        if may_mean(&name.path, path) {
                            symbols.push(symbol);
                        }
                    }),
                }
                if known {
                    symbols.retain(|&symbol| is_function(symbol));
                }
                if let (true, Some(last)) = (symbols.is_empty(), name.path.last())
                    && is_type(last)
                {
                    tables.each_symbol(lib, |symbol, path| {
                        if of_type(path, last) {
                            symbols.push(symbol);
                        }
                    });
                }
                for symbol in symbols {
                    let (_, path) = tables.symbol_name(symbol);
                    if !known {
                        meant.start.symbols.push(symbol);
                        meant
                            .functions
                            .push((String::new(), format!("{}::{path}", name.krate)));
                        continue;
                    }
                    for node in view.nodes(symbol, &version) {
                        let krate = tables.node_crate(node);
                        meant.start.nodes.push(node);
                        meant.crates.insert(krate);
                        let shown = (
                            tables.version(krate).to_owned(),
                            format!("{}::{path}", name.krate),
                        );
                        if !meant.functions.contains(&shown) {
                            meant.functions.push(shown);
                        }
                    }
                }
            }
        }
        meant.start.nodes.sort_unstable();
        meant.start.nodes.dedup();
        meant.functions.sort();
        meant
    }

    /// Whether nothing has that name.
    pub fn is_empty(&self) -> bool {
        self.functions.is_empty()
    }
}

/// A crate and what it is linked or built with, build scripts included.
pub fn closure(view: &View<'_>, roots: &[u32]) -> BTreeSet<u32> {
    let tables = view.tables;
    let scripts = tables.script_names();
    let mut found = BTreeSet::new();
    let mut todo = roots.to_vec();
    while let Some(root) = todo.pop() {
        if found.contains(&root) {
            continue;
        }
        for krate in view.closure(root) {
            if !found.insert(krate) {
                continue;
            }
            let (package, _, role) = tables.lib_names(tables.crate_lib(krate));
            if role == Role::Script {
                continue;
            }
            for name in &scripts {
                let Some(lib) = tables.lib(package, name, Role::Script) else {
                    continue;
                };
                let own = tables.crates_of(lib);
                todo.extend(own.filter(|script| tables.version(*script) == tables.version(krate)));
            }
        }
    }
    found
}

impl Universe {
    /// Stitches crates of tables together, each with the versions that the
    /// view gives its requirements.
    pub fn of_tables(view: &View<'_>, crates: &BTreeSet<u32>) -> Universe {
        let tables = view.tables;
        let mut units: Vec<OwnedUnit> = Vec::with_capacity(crates.len());
        for &krate in crates {
            let mut unit = tables.unit(krate);
            for (at, link) in tables.links(krate).iter().enumerate() {
                let meant = view.resolve(krate, link.lib);
                if let (Some(&first), Some(named)) =
                    (meant.first(), unit.facts.crates.get_mut(at + 1))
                {
                    tables.version(first).clone_into(&mut named.version);
                }
            }
            units.push(unit);
        }
        let inputs: Vec<Input<'_>> = units
            .iter()
            .map(|unit| Input {
                package: &unit.package,
                version: &unit.version,
                facts: &unit.facts,
                capabilities: &unit.capabilities,
            })
            .collect();
        Universe {
            graph: Graph::new(&inputs),
        }
    }

    /// Whether `path`, in the crate that `question` names, is what it names.
    pub fn means(question: &Question<'_>, krate: &str, path: &str) -> bool {
        let names = question.names.iter();
        let mut names = names.filter(|name| name.krate == krate);
        names.any(|name| is_meant(&name.path, path))
    }
}
