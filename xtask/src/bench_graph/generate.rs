//! An ecosystem that does not exist, of any size.
//!
//! What decides the cost of a question is modelled: few crates have most
//! functions, few packages have most dependents, few functions have most
//! callers, traits are hubs that crates implement for their own types, a part
//! of the packages have two incompatible versions, and requirements say which.
//! Everything follows from the number of a package, so that a crate can name
//! another one's functions without anything being kept.

use palisade_model::facts::{
    AdtFact, CallFact, CallKind, CrateFacts, CrateKind, CrateRef, FunctionFact, FunctionKind,
    ImplFact, Item, TraitFact, TypeFact, Unsizing,
};
use palisade_tables::{Batch, OwnedUnit, Source};

/// How large it is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// Crate versions.
    pub(crate) crates: u32,
    /// Functions.
    pub(crate) functions: u64,
    /// Calls, each callee once for a function.
    pub(crate) calls: u64,
}

impl Size {
    /// What the public registry is expected to grow to.
    pub(crate) const FULL: Size = Size {
        crates: 250_000,
        functions: 50_000_000,
        calls: 300_000_000,
    };

    /// A part of it.
    pub(crate) fn percent(self, percent: f64) -> Size {
        let part = |all: f64| (all * percent / 100.0).max(1.0);
        Size {
            crates: part(self.crates.into()).max(50.0) as u32,
            functions: part(self.functions as f64) as u64,
            calls: part(self.calls as f64) as u64,
        }
    }
}

/// Numbers that look random and are always the same (splitmix64, Steele,
/// Lea and Flood, OOPSLA 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, count: u32) -> u32 {
        (((self.next() >> 32) * u64::from(count.max(1))) >> 32) as u32
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.below(count) == 0
    }

    /// Small numbers most of the time: the rank in a list whose members are
    /// chosen in proportion to about 1 / rank.
    fn rank(&mut self, count: u32) -> u32 {
        let last = f64::from(count.max(1));
        ((last + 1.0).powf(self.unit()) - 1.0).min(last - 1.0) as u32
    }

    /// How often something happens before it stops, `mean` on average.
    fn geometric(&mut self, mean: f64) -> u32 {
        let p = 1.0 / (mean + 1.0);
        ((1.0 - self.unit()).ln() / (1.0 - p).ln()) as u32
    }
}

/// The standard library's packages, which everything is linked with.
const STD: u32 = 4;

pub(crate) struct Generator {
    size: Size,
    packages: u32,
    /// Functions of a package at the scale of this ecosystem.
    scale: f64,
    next: (u32, u32),
}

impl Generator {
    pub(crate) fn new(size: Size) -> Generator {
        // Every fourth package has two versions.
        let packages = (f64::from(size.crates) / 1.25) as u32;
        let mut generator = Generator {
            size,
            packages,
            scale: 1.0,
            next: (0, 0),
        };
        let all: f64 = (0..packages)
            .map(|package| generator.weight(package) * f64::from(versions(package)))
            .sum();
        generator.scale = size.functions as f64 / all;
        generator
    }

    fn weight(&self, package: u32) -> f64 {
        if package < STD {
            // About as many as core, alloc and std have.
            return 12_000.0;
        }
        let mut random = Random(u64::from(package) ^ 0xf00d);
        // Pareto with a long tail, cut off where real crates end.
        (20.0 / (1.0 - random.unit()).powf(0.75)).min(20_000.0)
    }

    fn functions(&self, package: u32) -> u32 {
        match package < STD {
            true => 12_000,
            false => (self.weight(package) * self.scale).max(4.0) as u32,
        }
    }

    fn adts(&self, package: u32) -> u32 {
        self.functions(package) / 10 + 1
    }

    fn traits(&self, package: u32) -> u32 {
        match package < STD {
            true => 150,
            false => self.functions(package) / 80,
        }
    }

    /// The packages that a package is linked with besides the standard
    /// library; always earlier ones.
    fn dependencies(&self, package: u32) -> Vec<u32> {
        if package <= STD {
            return (0..package.min(STD)).collect();
        }
        let mut random = Random(u64::from(package) ^ 0xdeb5);
        let mut found: Vec<u32> = (0..STD).collect();
        for _ in 0..2 + random.geometric(9.0) {
            found.push(STD + random.rank(package - STD));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The crate of one version.
    fn unit(&self, package: u32, version: u32) -> OwnedUnit {
        let mut random = Random(u64::from(package) << 8 | u64::from(version));
        let dependencies = self.dependencies(package);
        let mut facts = CrateFacts {
            kind: match package < STD {
                true => CrateKind::Sysroot,
                false => CrateKind::Library,
            },
            name: library(package),
            crates: vec![reference(package, version)],
            files: vec!["src/lib.rs".to_owned(), "src/inner.rs".to_owned()],
            ..CrateFacts::default()
        };
        let mut requirements = Vec::new();
        for &dependency in &dependencies {
            let meant = random.below(versions(dependency));
            facts.crates.push(reference(dependency, meant));
            if dependency >= STD {
                let requirement = format!("^{}", 1 + meant);
                requirements.push((library(dependency), requirement));
            }
        }
        let mut items = Items {
            items: Vec::new(),
            known: rustc_hash::FxHashMap::default(),
        };
        let (adts, traits) = (self.adts(package), self.traits(package));
        facts.types.push(TypeFact::Open);
        facts.types.push(TypeFact::Builtin {
            name: "u8",
            args: Vec::new(),
        });
        for at in 0..adts {
            let item = items.get(0, What::Adt(at));
            facts.types.push(TypeFact::Named {
                item,
                args: Vec::new(),
            });
            let parts = match random.one_in(3) && at > 0 {
                true => vec![items.get(0, What::Adt(random.below(at)))],
                false => Vec::new(),
            };
            facts.adts.push(AdtFact { item, parts });
        }
        for at in 0..traits {
            let members: Vec<u32> = (0..2).map(|k| items.get(0, What::Method(at, k))).collect();
            facts.traits.push(TraitFact {
                item: items.get(0, What::Trait(at)),
                supertraits: Vec::new(),
                in_vtable: members.clone(),
                members,
            });
        }
        // Some of the functions are what impls give.
        let functions = self.functions(package);
        let mut member = 0;
        for _ in 0..functions / 12 {
            let (krate, tr) = self.a_trait(package, &dependencies, &mut random);
            let own = 2 + random.below(adts);
            let methods = [0, 1].map(|k| items.get(krate, What::Method(tr, k)));
            let by = [0, 1].map(|k| items.get(0, What::Function(member + k)));
            member += 2;
            facts.impls.push(ImplFact {
                of: items.get(krate, What::Trait(tr)),
                self_type: own,
                members: methods.into_iter().zip(by).collect(),
                types: Vec::new(),
            });
        }
        let calls = self.size.calls as f64 / self.size.functions as f64;
        for at in 0..functions {
            let mut function = FunctionFact {
                item: items.get(0, What::Function(at)),
                public: random.one_in(3),
                has_unsafe: random.one_in(20),
                file: random.below(2),
                line: 10 + 8 * at,
                ..FunctionFact::default()
            };
            for _ in 0..random.geometric(calls) {
                let line = function.line + random.below(8);
                let call = self.call(package, &dependencies, at, line, &mut items, &mut random);
                function.calls.push(call);
            }
            function.calls.sort_unstable();
            function
                .calls
                .dedup_by_key(|call| (call.callee, call.self_type));
            if random.one_in(40) {
                let (krate, tr) = self.a_trait(package, &dependencies, &mut random);
                function.unsizings.push(Unsizing {
                    from: 2 + random.below(adts),
                    to: items.get(krate, What::Trait(tr)),
                    line: function.line,
                });
            }
            for _ in 0..random.geometric(1.0) {
                function
                    .uses
                    .push(items.get(0, What::Adt(random.rank(adts))));
            }
            facts.functions.push(function);
        }
        for at in 0..traits {
            for k in 0..2 {
                facts.functions.push(FunctionFact {
                    item: items.get(0, What::Method(at, k)),
                    kind: match k {
                        0 => FunctionKind::Required,
                        _ => FunctionKind::Function,
                    },
                    public: true,
                    line: 1 + at,
                    ..FunctionFact::default()
                });
            }
        }
        facts.items = items.items;
        OwnedUnit {
            package: library(package),
            version: format!("{}.0.{}", 1 + version, package % 7),
            features: "default".to_owned(),
            facts,
            capabilities: Vec::new(),
            requirements,
        }
    }

    /// A trait that a package knows: which of its crates, and which there.
    fn a_trait(&self, package: u32, dependencies: &[u32], random: &mut Random) -> (u32, u32) {
        let krate = match random.below(10) {
            0..6 if package >= STD => 1 + random.below(STD),
            6..8 if dependencies.len() > STD as usize => {
                1 + STD + random.below(dependencies.len() as u32 - STD)
            }
            _ => 0,
        };
        let of = match krate {
            0 => package,
            other => dependencies[other as usize - 1],
        };
        match self.traits(of) {
            0 if package >= STD => (1, random.rank(150)),
            0 => (0, 0),
            count => (krate, random.rank(count)),
        }
    }

    fn call(
        &self,
        package: u32,
        dependencies: &[u32],
        from: u32,
        line: u32,
        items: &mut Items,
        random: &mut Random,
    ) -> CallFact {
        let mut call = CallFact {
            callee: 0,
            kind: match random.one_in(12) {
                true => CallKind::Mention,
                false => CallKind::Call,
            },
            self_type: None,
            args: Vec::new(),
            line,
        };
        if random.one_in(4) {
            let (krate, tr) = self.a_trait(package, dependencies, random);
            call.callee = items.get(krate, What::Method(tr, random.below(2)));
            call.self_type = Some(match random.below(10) {
                0..3 => 0,
                3 => 1,
                _ => 2 + random.below(self.adts(package)),
            });
            return call;
        }
        let (krate, of) = match random.below(20) {
            0..10 => (0, package),
            10..16 if package >= STD => {
                let of = random.below(STD);
                (1 + of, of)
            }
            _ if dependencies.len() > STD as usize => {
                let at = STD + random.below(dependencies.len() as u32 - STD);
                (1 + at, dependencies[at as usize])
            }
            _ => (0, package),
        };
        let count = self.functions(of);
        let at = match krate {
            // In a crate, neighbours call each other.
            0 => (from + random.rank(40)).min(count - 1),
            _ => random.rank(count),
        };
        call.callee = items.get(krate, What::Function(at));
        call
    }
}

impl Iterator for Generator {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let (package, version) = self.next;
        if package >= self.packages {
            return None;
        }
        self.next = match version + 1 < versions(package) {
            true => (package, version + 1),
            false => (package + 1, 0),
        };
        let unit = self.unit(package, version);
        Some(Batch {
            source: Source {
                path: format!("synthetic/{}-{}", unit.package, unit.version),
                bytes: 0,
                modified: 0,
            },
            units: vec![unit],
        })
    }
}

fn versions(package: u32) -> u32 {
    match package >= STD && package.is_multiple_of(4) {
        true => 2,
        false => 1,
    }
}

/// The name of a package and of its library.
pub(crate) fn library(package: u32) -> String {
    format!("synth{package}")
}

fn reference(package: u32, version: u32) -> CrateRef {
    CrateRef {
        package: library(package),
        version: format!("{}.0.{}", 1 + version, package % 7),
        name: library(package),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Function(u32),
    Adt(u32),
    Trait(u32),
    Method(u32, u32),
}

/// The path of a function of a package.
pub(crate) fn function(at: u32) -> String {
    path(What::Function(at))
}

fn path(what: What) -> String {
    const VERBS: [&str; 8] = [
        "read", "write", "parse", "with", "into", "build", "get", "handle",
    ];
    match what {
        What::Function(at) => {
            let verb = VERBS[at as usize % VERBS.len()];
            format!("module_{}::Type{}::{verb}_{at}", at / 64, at / 8)
        }
        What::Adt(at) => format!("module_{}::Type{at}", at / 8),
        What::Trait(at) => format!("traits::Trait{at}"),
        What::Method(at, k) => format!("traits::Trait{at}::method_{k}"),
    }
}

struct Items {
    items: Vec<Item>,
    known: rustc_hash::FxHashMap<(u32, What), u32>,
}

impl Items {
    fn get(&mut self, krate: u32, what: What) -> u32 {
        let next = self.items.len() as u32;
        let place = *self.known.entry((krate, what)).or_insert(next);
        if place == next {
            self.items.push(Item {
                krate,
                path: path(what),
            });
        }
        place
    }
}
