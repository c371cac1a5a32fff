//! A crate's facts, as they come back out of the tables.
//!
//! What no question asks for is not kept: generic arguments other than the
//! type of a trait's method, the texts of blind spots, and the names of calls
//! that are not resolved; of the last two there is the number.

use palisade_model::BlindSpotCause;
use palisade_model::facts::{
    AdtFact, BUILTINS, CallFact, CallKind, CrateFacts, CrateRef, FunctionFact, FunctionKind,
    ImplFact, Item, SpotFact, TraitFact, TypeFact, UnresolvedFact, Unsizing,
};
use rustc_hash::FxHashMap;

use crate::builder::UNSIZE;
use crate::raw::Numbers;
use crate::segment::{flag, head};
use crate::{Tables, Unit};

/// A crate of a version with everything that the tables know of it.
#[derive(Clone, Debug, Default)]
pub struct OwnedUnit {
    /// The package's name.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The features that it was read with, joined by commas.
    pub features: String,
    /// What its source says.
    pub facts: CrateFacts,
    /// For functions that can do something by themselves, by their places in
    /// the facts: the bits of what they can do.
    pub capabilities: Vec<(u32, u16)>,
    /// What the package asks of its dependencies, as package and requirement.
    pub requirements: Vec<(String, String)>,
}

impl OwnedUnit {
    /// As the tables take it.
    pub fn unit(&self) -> Unit<'_> {
        Unit {
            package: &self.package,
            version: &self.version,
            features: &self.features,
            facts: &self.facts,
            capabilities: &self.capabilities,
            requirements: &self.requirements,
        }
    }
}

struct Reader<'t> {
    tables: &'t Tables,
    facts: CrateFacts,
    libs: FxHashMap<u32, u32>,
    items: FxHashMap<u32, u32>,
    types: FxHashMap<u32, u32>,
}

impl Reader<'_> {
    fn item(&mut self, symbol: u32) -> u32 {
        if let Some(&known) = self.items.get(&symbol) {
            return known;
        }
        let (lib, path) = self.tables.symbol_name(symbol);
        let krate = self.libs.get(&lib).copied().unwrap_or(0);
        let place = self.facts.items.len() as u32;
        self.facts.items.push(Item { krate, path });
        self.items.insert(symbol, place);
        place
    }

    fn list(&mut self, symbols: &[u32]) -> Vec<u32> {
        symbols.iter().map(|&symbol| self.item(symbol)).collect()
    }

    fn ty(&mut self, of: u32) -> u32 {
        if let Some(&known) = self.types.get(&of) {
            return known;
        }
        let ty = match (head::symbol(of), of) {
            (Some(symbol), _) if head::is_object(of) => TypeFact::Dyn {
                item: Some(self.item(symbol)),
            },
            (Some(symbol), _) => TypeFact::Named {
                item: self.item(symbol),
                args: Vec::new(),
            },
            (None, head::OPEN) => TypeFact::Open,
            (None, head::DYN) => TypeFact::Dyn { item: None },
            (None, builtin) => TypeFact::Builtin {
                name: BUILTINS
                    .get((builtin - head::BUILTIN) as usize)
                    .copied()
                    .unwrap_or("?"),
                args: Vec::new(),
            },
        };
        let place = self.facts.types.len() as u32;
        self.facts.types.push(ty);
        self.types.insert(of, place);
        place
    }
}

fn list(numbers: &mut Numbers<'_>) -> Vec<u32> {
    numbers.list()
}

impl Tables {
    /// The linker's name of a node that has one.
    pub(crate) fn export(&self, node: u32) -> Option<String> {
        let krate = self.node_crate(node);
        let place = (node - self.nodes_of(krate).start) as usize;
        let unit = self.unit(krate);
        unit.facts.functions.get(place)?.symbol.clone()
    }

    /// Everything about a crate.
    pub fn unit(&self, krate: u32) -> OwnedUnit {
        let lib = self.crate_lib(krate);
        let (package, name, _) = self.lib_names(lib);
        let mut reader = Reader {
            tables: self,
            facts: CrateFacts {
                kind: self.kind(krate),
                name: name.to_owned(),
                lines: self.lines(krate),
                ..CrateFacts::default()
            },
            libs: FxHashMap::default(),
            items: FxHashMap::default(),
            types: FxHashMap::default(),
        };
        reader.libs.insert(lib, 0);
        reader.facts.crates.push(CrateRef {
            package: package.to_owned(),
            version: self.version(krate).to_owned(),
            name: name.to_owned(),
        });
        let mut requirements = Vec::new();
        for (at, link) in self.links(krate).into_iter().enumerate() {
            let (package, name, _) = self.lib_names(link.lib);
            reader.libs.insert(link.lib, at as u32 + 1);
            reader.facts.crates.push(CrateRef {
                package: package.to_owned(),
                version: link.recorded,
                name: name.to_owned(),
            });
            if let Some(requirement) = link.requirement {
                requirements.push((package.to_owned(), requirement));
            }
        }
        requirements.dedup();
        let mut capabilities = Vec::new();
        if let Some((segment, at)) = self.in_crate_of(krate) {
            let mut numbers = segment.rest(at);
            let files = numbers.next();
            for _ in 0..files.min(numbers.bytes.len() as u64) {
                reader.facts.files.push(numbers.text().to_owned());
            }
            for own in segment.nodes_of(at) {
                let flags = segment.flags(own);
                let (line, file) = segment.place(own);
                let kind = FunctionKind::ALL.get((flags & flag::KIND) as usize);
                let mut function = FunctionFact {
                    item: reader.item(segment.symbol_of(own)),
                    kind: kind.copied().unwrap_or_default(),
                    public: flags & flag::PUBLIC != 0,
                    is_unsafe: flags & flag::UNSAFE != 0,
                    has_unsafe: flags & flag::HAS_UNSAFE != 0,
                    entry: flags & flag::ENTRY != 0,
                    file,
                    line,
                    ..FunctionFact::default()
                };
                for call in segment.calls(own) {
                    let site = self.site_of(call.target);
                    match (site, u64::from(call.kind)) {
                        (Some((object, of)), UNSIZE) => function.unsizings.push(Unsizing {
                            from: reader.ty(of),
                            to: reader.item(object),
                            line: call.line,
                        }),
                        (site, kind) => function.calls.push(CallFact {
                            callee: reader.item(site.map_or(call.target, |it| it.0)),
                            kind: CallKind::ALL
                                .get(kind as usize)
                                .copied()
                                .unwrap_or(CallKind::Call),
                            self_type: site.map(|it| reader.ty(it.1)),
                            args: Vec::new(),
                            line: call.line,
                        }),
                    }
                }
                let count = numbers.next().min(numbers.bytes.len() as u64);
                let mut last = 0_u32;
                for _ in 0..count {
                    last = last.wrapping_add(numbers.small());
                    function.uses.push(reader.item(last));
                }
                if flags & flag::EXPORT != 0 {
                    function.symbol = Some(numbers.text().to_owned());
                }
                let bits = flags >> flag::CAPABILITIES;
                if bits != 0 {
                    capabilities.push((reader.facts.functions.len() as u32, bits as u16));
                }
                reader.facts.functions.push(function);
            }
            for _ in 0..numbers.next().min(numbers.bytes.len() as u64) {
                let lists = [0; 4].map(|_| list(&mut numbers));
                let fact = TraitFact {
                    item: reader.item(lists[0].first().copied().unwrap_or_default()),
                    supertraits: reader.list(&lists[1]),
                    members: reader.list(&lists[2]),
                    in_vtable: reader.list(&lists[3]),
                };
                reader.facts.traits.push(fact);
            }
            for _ in 0..numbers.next().min(numbers.bytes.len() as u64) {
                let item = numbers.small();
                let parts = list(&mut numbers);
                let fact = AdtFact {
                    item: reader.item(item),
                    parts: reader.list(&parts),
                };
                reader.facts.adts.push(fact);
            }
            for _ in 0..numbers.next().min(numbers.bytes.len() as u64) {
                let of = numbers.small();
                let self_type = numbers.small();
                let count = numbers.next().min(numbers.bytes.len() as u64);
                let members: Vec<(u32, u32)> = (0..count)
                    .map(|_| (numbers.small(), numbers.small()))
                    .collect();
                let types = list(&mut numbers);
                let fact = ImplFact {
                    of: reader.item(of),
                    self_type: reader.ty(self_type),
                    members: members
                        .into_iter()
                        .map(|(of, by)| (reader.item(of), reader.item(by)))
                        .collect(),
                    types: reader.list(&types),
                };
                reader.facts.impls.push(fact);
            }
        }
        let (spots, unresolved) = self.blind_spots(krate);
        let spot = SpotFact {
            cause: BlindSpotCause::UnexpandedMacro,
            detail: String::new(),
            file: String::new(),
            line: 0,
        };
        reader.facts.blind_spots = vec![spot; spots as usize];
        if let Some(first) = reader.facts.functions.first_mut() {
            let nameless = UnresolvedFact {
                name: String::new(),
                line: 0,
            };
            first.unresolved = vec![nameless; unresolved as usize];
        }
        OwnedUnit {
            package: package.to_owned(),
            version: self.version(krate).to_owned(),
            features: self.features(krate).to_owned(),
            facts: reader.facts,
            capabilities,
            requirements,
        }
    }
}
