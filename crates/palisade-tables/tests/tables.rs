//! The tables from outside: what goes in comes out, whatever the order, the
//! number of segments, and the moment of a kill.

#![expect(clippy::unwrap_used, reason = "a failing helper is a failing test")]

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use palisade_model::facts::{
    AdtFact, CallFact, CallKind, CrateFacts, CrateKind, CrateRef, FunctionFact, FunctionKind,
    ImplFact, Item, TraitFact, TypeFact,
};
use palisade_tables::{
    Batch, BuildLimits, OwnedUnit, Role, Search, Source, Start, Tables, Versions, View, Writer,
};

/// A crate in a few words: its functions, and what each calls. A callee is
/// `crate::path`, a trait's method on a type `crate::Trait::method@Type` (`_`
/// for an unknown one), and `!Type` says that a value of the type occurs.
fn unit(name: &str, version: &str, deps: &[(&str, &str)], functions: &[(&str, &[&str])]) -> Batch {
    let mut facts = CrateFacts {
        kind: CrateKind::Library,
        name: name.to_owned(),
        crates: vec![reference(name, version)],
        files: vec!["src/lib.rs".to_owned()],
        types: vec![TypeFact::Open],
        ..CrateFacts::default()
    };
    for (dependency, requirement) in deps {
        let recorded = format!("{}.0.0", requirement.trim_start_matches('^'));
        facts.crates.push(reference(dependency, &recorded));
    }
    let item = |facts: &mut CrateFacts, path: &str| {
        let (krate, path) = path.split_once("::").unwrap();
        let krate = facts.crates.iter().position(|it| it.name == krate).unwrap() as u32;
        let wanted = Item {
            krate,
            path: path.to_owned(),
        };
        let known = facts.items.iter().position(|it| *it == wanted);
        known.unwrap_or_else(|| {
            facts.items.push(wanted);
            facts.items.len() - 1
        }) as u32
    };
    for (line, (path, calls)) in functions.iter().enumerate() {
        let mut function = FunctionFact {
            item: item(&mut facts, &format!("{name}::{path}")),
            public: true,
            line: 1 + 10 * line as u32,
            ..FunctionFact::default()
        };
        // `<Type as Trait>::method` gives a method of this crate's own trait,
        // `Trait::method` without a body requires it.
        if let Some((ty, tr)) = path
            .strip_prefix('<')
            .and_then(|rest| rest.split_once(">::"))
            .and_then(|(head, _)| head.split_once(" as "))
        {
            let method = path.rsplit("::").next().unwrap();
            let home = facts.crates.last().unwrap().name.clone();
            let of = item(&mut facts, &format!("{home}::{tr}"));
            let member = item(&mut facts, &format!("{home}::{tr}::{method}"));
            let adt = item(&mut facts, &format!("{name}::{ty}"));
            facts.adts.push(AdtFact {
                item: adt,
                parts: Vec::new(),
            });
            facts.types.push(TypeFact::Named {
                item: adt,
                args: Vec::new(),
            });
            facts.impls.push(ImplFact {
                of,
                self_type: facts.types.len() as u32 - 1,
                members: vec![(member, function.item)],
                types: Vec::new(),
            });
        } else if path.starts_with("Trait") {
            function.kind = FunctionKind::Required;
            let tr = item(&mut facts, &format!("{name}::Trait"));
            facts.traits.push(TraitFact {
                item: tr,
                supertraits: Vec::new(),
                members: vec![function.item],
                in_vtable: vec![function.item],
            });
        }
        for (at, call) in calls.iter().enumerate() {
            if let Some(ty) = call.strip_prefix('!') {
                function.uses.push(item(&mut facts, ty));
                continue;
            }
            let (callee, ty) = match call.split_once('@') {
                Some((callee, ty)) => (callee, Some(ty)),
                None => (*call, None),
            };
            let self_type = ty.map(|ty| match ty {
                "_" => 0,
                ty => {
                    let adt = item(&mut facts, ty);
                    facts.types.push(TypeFact::Named {
                        item: adt,
                        args: Vec::new(),
                    });
                    facts.types.len() as u32 - 1
                }
            });
            function.calls.push(CallFact {
                callee: item(&mut facts, callee),
                kind: CallKind::Call,
                self_type,
                args: Vec::new(),
                line: function.line + 1 + at as u32,
            });
        }
        facts.functions.push(function);
    }
    Batch {
        source: Source {
            path: format!("{name}-{version}"),
            bytes: 1,
            modified: 1,
        },
        units: vec![OwnedUnit {
            package: name.to_owned(),
            version: version.to_owned(),
            features: String::new(),
            facts,
            capabilities: Vec::new(),
            requirements: deps
                .iter()
                .map(|(name, requirement)| ((*name).to_owned(), (*requirement).to_owned()))
                .collect(),
        }],
    }
}

fn reference(name: &str, version: &str) -> CrateRef {
    CrateRef {
        package: name.to_owned(),
        version: version.to_owned(),
        name: name.to_owned(),
    }
}

/// A vulnerable crate in two versions, a trait through which it is reached,
/// and users of all kinds.
fn world() -> Vec<Batch> {
    vec![
        unit("deep", "1.0.0", &[], &[("bad", &[])]),
        unit("deep", "2.0.0", &[], &[("bad", &[])]),
        unit(
            "frame",
            "1.0.0",
            &[],
            &[("Trait::run", &[]), ("drive", &["frame::Trait::run@_"])],
        ),
        unit(
            "old",
            "1.0.0",
            &[("deep", "^1")],
            &[("direct", &["deep::bad"]), ("around", &["old::direct"])],
        ),
        unit(
            "new",
            "1.0.0",
            &[("deep", "^2")],
            &[("direct", &["deep::bad"])],
        ),
        unit(
            "plug",
            "1.0.0",
            &[("deep", "^1"), ("frame", "^1")],
            &[("<Job as Trait>::run", &["deep::bad"])],
        ),
        unit(
            "app",
            "1.0.0",
            &[("plug", "^1"), ("frame", "^1")],
            &[
                ("with", &["!plug::Job", "frame::drive"]),
                ("without", &["frame::drive"]),
            ],
        ),
    ]
}

struct Fixture {
    dir: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> Utf8PathBuf {
        Utf8Path::from_path(self.dir.path()).unwrap().join("tables")
    }

    fn writer(&self, limits: BuildLimits) -> Writer {
        Writer::open(&self.path(), limits, || {}).unwrap()
    }
}

/// The names of whoever gets to a function of `deep` in a version.
fn callers(tables: &Tables, version: &str, transitive: bool) -> BTreeSet<String> {
    let view = View::new(tables, Versions::Newest { date: None });
    let lib = tables.lib("deep", "deep", Role::Linked).unwrap();
    let symbol = tables.symbol(lib, "bad").unwrap();
    let start = Start {
        nodes: view.nodes(symbol, &|own| own == version),
        symbols: Vec::new(),
    };
    let search = Search::new(&view, 2);
    let nodes: Vec<u32> = match transitive {
        true => search.transitive(&start).nodes().collect(),
        false => search.direct(&start).into_iter().map(|it| it.0).collect(),
    };
    nodes.into_iter().map(|node| shown(tables, node)).collect()
}

fn shown(tables: &Tables, node: u32) -> String {
    let (lib, path) = tables.symbol_name(tables.node_symbol(node));
    format!("{}::{path}", tables.lib_names(lib).1)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn check_answers(tables: &Tables) {
    let direct = ["old::direct", "plug::<Job as Trait>::run"];
    assert_eq!(callers(tables, "1.0.0", false), set(&direct));
    assert_eq!(callers(tables, "2.0.0", false), set(&["new::direct"]));
    // `frame::drive` gets there for whoever has a job, and so does `app::with`;
    // `app::without` has none. `frame` itself never sees one.
    let all = [
        "old::direct",
        "old::around",
        "plug::<Job as Trait>::run",
        "app::with",
    ];
    assert_eq!(callers(tables, "1.0.0", true), set(&all));
}

/// Guards callers in both directions of time, through versions and traits,
/// when everything is written at once.
#[test]
fn callers_by_version_and_through_traits() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer(BuildLimits::default());
    writer.append(&mut world().into_iter()).unwrap();
    assert_eq!(writer.tables().segments(), 1);
    check_answers(writer.tables());
}

/// Guards that answers do not depend on how the tables came about: a segment
/// for each crate, in any order of arrival, then merged.
#[test]
fn segments_do_not_change_answers() {
    let one_each = BuildLimits {
        symbols: 1,
        calls: 1,
    };
    for turn in 0..world().len() {
        let fixture = Fixture::new();
        let mut writer = fixture.writer(one_each);
        let mut batches = world();
        batches.rotate_left(turn);
        writer.append(&mut batches.into_iter()).unwrap();
        assert!(writer.tables().segments() > 3);
        check_answers(writer.tables());
        drop(writer);
        let mut writer = fixture.writer(BuildLimits::default());
        writer.compact().unwrap();
        assert_eq!(writer.tables().segments(), 1);
        check_answers(writer.tables());
        assert!(writer.tables().verify().unwrap().is_empty());
    }
}

/// Guards that what is read again replaces what was there, and that what is
/// gone is in no answer.
#[test]
fn replaced_and_removed_sources() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer(BuildLimits::default());
    writer.append(&mut world().into_iter()).unwrap();
    writer.remove(&set(&["old-1.0.0"])).unwrap();
    assert!(!callers(writer.tables(), "1.0.0", true).contains("old::direct"));
    let changed = unit(
        "old",
        "1.0.0",
        &[("deep", "^1")],
        &[("other", &["deep::bad"])],
    );
    writer.append(&mut [changed].into_iter()).unwrap();
    let found = callers(writer.tables(), "1.0.0", true);
    assert!(found.contains("old::other") && !found.contains("old::direct"));
    writer.compact().unwrap();
    assert_eq!(callers(writer.tables(), "1.0.0", true), found);
    assert_eq!(writer.sources().count(), world().len());
}

/// Guards that a writer that was killed leaves nothing behind that counts: half
/// a segment is swept, and the manifest still says what was there.
#[test]
fn rests_of_a_killed_writer() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer(BuildLimits::default());
    writer.append(&mut world().into_iter()).unwrap();
    drop(writer);
    let rest = fixture.path().join("s00000099-001");
    std::fs::create_dir(&rest).unwrap();
    std::fs::write(rest.join("libs"), "half").unwrap();
    std::fs::write(fixture.path().join("manifest.next"), "{").unwrap();
    check_answers(&Tables::open(&fixture.path()).unwrap());
    let writer = fixture.writer(BuildLimits::default());
    check_answers(writer.tables());
    assert!(!rest.exists() && !fixture.path().join("manifest.next").exists());
}

/// Guards that damage is found and named, not answered from.
#[test]
fn damage_is_found() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer(BuildLimits::default());
    writer.append(&mut world().into_iter()).unwrap();
    drop(writer);
    let segment = std::fs::read_dir(fixture.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir())
        .unwrap();
    let file = segment.join("functions");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let wrong = Tables::open(&fixture.path()).unwrap().verify().unwrap();
    assert_eq!(wrong.len(), 1);
    assert!(wrong[0].to_string().contains("functions"));
    bytes.pop();
    std::fs::write(&file, &bytes).unwrap();
    let error = Tables::open(&fixture.path()).unwrap_err();
    assert!(error.to_string().contains("functions"), "{error}");
    let manifest = fixture.path().join("manifest.json");
    std::fs::write(
        &manifest,
        r#"{"format":99,"generation":1,"segments":[],"removed":[]}"#,
    )
    .unwrap();
    let error = Tables::open(&fixture.path()).unwrap_err();
    assert!(error.to_string().contains("format 99"), "{error}");
}

/// Guards which versions count: yanked ones do not, nor those of after a date,
/// unless a lockfile names them.
#[test]
fn yanks_dates_and_lockfiles() {
    let fixture = Fixture::new();
    let mut writer = fixture.writer(BuildLimits::default());
    let mut batches = world();
    batches.push(unit("deep", "1.1.0", &[], &[("bad", &[])]));
    batches.push(unit("deep", "1.2.0", &[], &[("bad", &[])]));
    writer.append(&mut batches.into_iter()).unwrap();
    writer
        .set_dates(|_, version| {
            Some(match version {
                "1.1.0" => (200, false),
                "1.2.0" => (300, true),
                _ => (100, false),
            })
        })
        .unwrap();
    let tables = writer.tables();
    let meant = |versions: Versions| {
        let view = View::new(tables, versions);
        let old = tables.lib("old", "old", Role::Linked).unwrap();
        let old = tables.crates_of(old).next().unwrap();
        let deep = tables.lib("deep", "deep", Role::Linked).unwrap();
        let found = view.resolve(old, deep);
        found
            .iter()
            .map(|&krate| tables.version(krate).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(meant(Versions::Newest { date: None }), ["1.1.0"]);
    assert_eq!(meant(Versions::Newest { date: Some(150) }), ["1.0.0"]);
    assert_eq!(meant(Versions::All), ["1.2.0"]);
    let locked = [("old", "1.0.0"), ("deep", "1.2.0")];
    let locked =
        locked.map(|(name, version)| ((name.to_owned(), version.to_owned()), BTreeSet::new()));
    assert_eq!(meant(Versions::Locked(BTreeMap::from(locked))), ["1.2.0"]);
}
