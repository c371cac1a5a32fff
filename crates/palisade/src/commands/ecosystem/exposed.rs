//! `palisade ecosystem exposed`.

use std::collections::BTreeSet;

use anyhow::Result;
use palisade_advisory::{
    Advisory, DEFAULT_URL, Database, FunctionPath, Snapshot, default_cache_dir,
};
use palisade_graph::{Exposure, FunctionName, Meant, Question, Universe, closure};
use palisade_tables::{Role, Search, View, flag};
use semver::Version;

use super::confirm::{self, Confirmed};
use super::exposed_report::{self, Answer, Row};
use super::graph;
use super::popularity::Dumped;
use crate::ecosystem_args::ExposedArgs;
use crate::errors::Usage;
use crate::exit::Exit;
use crate::output;

/// Whether a version is one that is asked about.
type Affects<'a> = Box<dyn Fn(&Version) -> bool + 'a>;

/// Up to so many crates are walked together, every candidate with what it
/// really instantiates. In a larger graph those that cannot get there at all
/// are left out first, and only the first of the others are walked.
const TOGETHER: usize = 3_000;

/// How many candidates of a larger graph are walked.
const WALKED: usize = 200;

/// One of the command's arguments.
enum Asked {
    Function(FunctionName),
    Advisory(Box<Advisory>, Vec<FunctionName>),
}

impl Asked {
    fn names(&self) -> Vec<FunctionName> {
        match self {
            Asked::Function(name) => vec![name.clone()],
            Asked::Advisory(_, names) => names.clone(),
        }
    }

    fn affects(&self, version: &Version) -> bool {
        match self {
            Asked::Function(_) => true,
            Asked::Advisory(advisory, _) => advisory.versions.is_affected(version),
        }
    }
}

pub(crate) fn run(args: &ExposedArgs) -> Result<Exit> {
    let asked: Vec<Asked> = args
        .what
        .iter()
        .map(|what| ask(args, what))
        .collect::<Result<_>>()?;
    let dump = Dumped::open(args.dump.as_deref())?;
    let opened = graph::open(&args.graph)?;
    let view = opened.view();
    let affects: Vec<Affects<'_>> = asked
        .iter()
        .map(|asked| -> Affects<'_> { Box::new(|version| asked.affects(version)) })
        .collect();
    let questions: Vec<Question<'_>> = asked
        .iter()
        .zip(&affects)
        .map(|(asked, versions)| Question {
            names: asked.names(),
            versions,
        })
        .collect();
    let meant: Vec<Meant> = questions.iter().map(|it| Meant::of(&view, it)).collect();
    for (meant, what) in meant.iter().zip(&args.what) {
        if meant.is_empty() {
            let unknown = graph::unknown(what);
            // One of many questions does not stop the others.
            match questions.len() {
                1 => return Err(unknown.into()),
                _ => output::warn(&unknown.message),
            }
        }
    }
    let is_own = |package: &str, version: &str| {
        opened.own.as_ref().is_none_or(|own| {
            own.iter()
                .any(|(name, of)| name == package && of == version)
        })
    };
    let crates: Vec<u32> = meant
        .iter()
        .flat_map(|it| it.crates.iter().copied())
        .collect();
    let dependents = view.dependents(&crates);
    let found = match closure_of(&view, &dependents) {
        Some(all) => Universe::of_tables(&view, &all).exposed(&questions, is_own),
        None => {
            let mut found = Vec::new();
            for (question, meant) in questions.iter().zip(&meant) {
                found.push(large(&view, question, meant, &is_own)?);
            }
            found
        }
    };
    let mut answers = Vec::new();
    for ((meant, asked), found) in meant.iter().zip(&args.what).zip(found) {
        let mut rows: Vec<Row> = found
            .into_iter()
            .map(|exposure| Row {
                popularity: dump.of(&exposure.package),
                confirmed: None,
                exposure,
            })
            .collect();
        // Who is used most has to know first.
        rows.sort_by_cached_key(|row| {
            let exposure = &row.exposure;
            (
                exposure.when.is_none(),
                std::cmp::Reverse(row.popularity.recent.max(row.popularity.downloads)),
                std::cmp::Reverse(exposure.dependents),
                exposure.package.clone(),
                Version::parse(&exposure.version).ok(),
                exposure.kind,
            )
        });
        let functions: Vec<String> = meant
            .functions
            .iter()
            .map(|(_, path)| path.clone())
            .collect();
        let most = args.confirm.map_or(0, std::num::NonZeroUsize::get);
        for row in rows.iter_mut().take(most) {
            if row.exposure.when.is_some() {
                let (package, version) = (&row.exposure.package, &row.exposure.version);
                row.confirmed = Some(confirm::confirm(package, version, &functions));
            }
        }
        answers.push(Answer {
            asked: asked.clone(),
            functions: meant.functions.clone(),
            rows,
        });
    }
    exposed_report::print(&answers, args.format)?;
    let reached = answers
        .iter()
        .flat_map(|answer| &answer.rows)
        .any(|row| row.exposure.when.is_some() && row.confirmed != Some(Confirmed::NotReached));
    Ok(if reached { Exit::Reached } else { Exit::Clean })
}

/// Everything that the dependents are made of, if that is not too much to be
/// walked together.
fn closure_of(view: &View<'_>, dependents: &BTreeSet<u32>) -> Option<BTreeSet<u32>> {
    if dependents.len() > TOGETHER {
        return None;
    }
    let roots: Vec<u32> = dependents.iter().copied().collect();
    let mut roots = roots;
    // A build script depends on what its package only lists to build it.
    let tables = view.tables;
    let scripts: Vec<u32> = roots
        .iter()
        .copied()
        .filter(|&krate| tables.lib_names(tables.crate_lib(krate)).2 == Role::Script)
        .collect();
    for script in scripts {
        roots.extend(owners(view, script));
    }
    let all = closure(view, &roots);
    (all.len() <= TOGETHER).then_some(all)
}

/// The libraries and programs of a build script's package, and whoever is
/// linked with them.
fn owners(view: &View<'_>, script: u32) -> BTreeSet<u32> {
    let tables = view.tables;
    let (package, _, _) = tables.lib_names(tables.crate_lib(script));
    let libs = tables.libs_named(&package.replace('-', "_")).into_iter();
    let own = libs.filter(|&lib| {
        let names = tables.lib_names(lib);
        names.0 == package && names.2 != Role::Script
    });
    let own: Vec<u32> = own
        .flat_map(|lib| view.crates_of(lib))
        .filter(|&krate| tables.version(krate) == tables.version(script))
        .collect();
    view.dependents(&own)
}

/// The same for a graph that is too large to be walked at once: whoever cannot
/// get there by any call is left out, the first of the others are walked one
/// by one, and the rest is shown as it is, with a path through the tables.
fn large(
    view: &View<'_>,
    question: &Question<'_>,
    meant: &Meant,
    is_own: &dyn Fn(&str, &str) -> bool,
) -> Result<Vec<Exposure>> {
    let tables = view.tables;
    let reached = Search::new(view, graph::threads()).transitive(&meant.start);
    let crates: Vec<u32> = meant.crates.iter().copied().collect();
    let mut candidates: Vec<(usize, u32, bool)> = Vec::new();
    let dependents = view.dependents(&crates);
    for &krate in &dependents {
        let (package, _, role) = tables.lib_names(tables.crate_lib(krate));
        if role == Role::Script || !is_own(package, tables.version(krate)) {
            continue;
        }
        if crates.contains(&krate) {
            continue;
        }
        let wanted = flag::PUBLIC | flag::ENTRY;
        let gets_there = tables
            .nodes_of(krate)
            .any(|node| tables.node_flags(node) & wanted != 0 && reached.contains(node));
        candidates.push((view.dependents(&[krate]).len() - 1, krate, gets_there));
    }
    candidates
        .sort_by_key(|&(dependents, krate, gets)| (!gets, std::cmp::Reverse(dependents), krate));
    let mut found = Vec::new();
    let mut walked = 0;
    for (dependents, krate, gets_there) in candidates {
        let (package, name, _) = tables.lib_names(tables.crate_lib(krate));
        let version = tables.version(krate);
        let mut exposure = Exposure {
            package: package.to_owned(),
            version: version.to_owned(),
            krate: name.to_owned(),
            kind: tables.kind(krate),
            when: None,
            path: Vec::new(),
            blind_spots: tables.blind_spots(krate).0 as usize,
            dependents,
        };
        if gets_there && walked < WALKED {
            walked += 1;
            let universe = Universe::of_tables(view, &closure(view, &[krate]));
            let answers = universe.exposed(std::slice::from_ref(question), |own, of| {
                own == package && of == version
            });
            let own = answers.into_iter().flatten();
            if let Some(walk) = own.into_iter().find(|it| it.krate == name) {
                exposure = Exposure { dependents, ..walk };
            }
        } else if gets_there {
            exposure.when = Some(palisade_graph::When::Run);
        }
        found.push(exposure);
    }
    if walked == WALKED {
        output::warn(&format!(
            "the graph is large: only the first {WALKED} are narrowed by what they instantiate"
        ));
    }
    Ok(found)
}

fn ask(args: &ExposedArgs, what: &str) -> Result<Asked> {
    if what.contains("::") {
        return Ok(Asked::Function(graph::name(what)?));
    }
    let dir = match &args.db {
        Some(dir) => dir.clone(),
        None => {
            let cache = default_cache_dir();
            let snapshot = cache.map(|cache| Snapshot::current(&cache, DEFAULT_URL));
            let snapshot = snapshot.transpose()?.flatten().ok_or_else(|| Usage {
                message: "there is no copy of the advisory database yet".to_owned(),
                hint: "run `palisade db update`, or give a directory with --db".to_owned(),
            })?;
            snapshot.dir
        }
    };
    let (database, _) =
        Database::open(&dir, &Default::default()).map_err(palisade_check::CheckError::from)?;
    let advisory = database.find(what).0.ok_or_else(|| Usage {
        message: format!("there is no advisory `{what}` in `{dir}`"),
        hint: "name an advisory by its id, or a function by its path, the crate first".to_owned(),
    })?;
    let mut names = Vec::new();
    for function in &advisory.functions {
        match &function.path {
            Ok(path) => names.extend(named(&advisory, path)),
            Err(error) => output::warn(&format!("{what}: `{}`: {error}", function.text)),
        }
    }
    if names.is_empty() {
        return Err(Usage {
            message: format!("{what} names no function"),
            hint: "ask for functions of its package by their paths".to_owned(),
        }
        .into());
    }
    Ok(Asked::Advisory(Box::new(advisory), names))
}

/// A function as an advisory names it; its crate is the package's where none
/// is named.
pub(in crate::commands) fn named(advisory: &Advisory, path: &FunctionPath) -> Option<FunctionName> {
    let mut segments: Vec<String> = path
        .segments
        .iter()
        .map(|segment| segment.name.clone())
        .collect();
    if let Some(qualified) = &path.qualified {
        let bare = qualified
            .self_type
            .split(['<', ' '])
            .next()
            .unwrap_or_default();
        let own = bare.rsplit("::").next().unwrap_or_default();
        segments.insert(0, own.to_owned());
    }
    let own = advisory.package.replace('-', "_");
    if path.crate_name() == Some(own.as_str()) && path.qualified.is_none() {
        segments.remove(0);
    }
    (!segments.is_empty()).then_some(FunctionName {
        krate: own,
        path: segments,
    })
}
