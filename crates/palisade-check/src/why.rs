//! How a program gets to a function.

use std::collections::BTreeSet;

use palisade_advisory::FunctionPath;
use palisade_engine::{Engine, FunctionHandle, Goal, Outcome, Request, ResolutionKind};
use palisade_model::{BlindSpot, Context, Function, Hop, Package, Verdict};
use palisade_project::{Plan, UnitKind};

use crate::question::query;
use crate::session::{self, AnalysisOptions, Progress, Stage};
use crate::{CheckError, Workspace};

/// What a path names, and how each target gets there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// What the path names, per package that has something of that name.
    pub named: Vec<Named>,
    /// One answer per target.
    pub answers: Vec<Answer>,
    /// What could not be followed and matters to an answer.
    pub blind_spots: Vec<BlindSpot>,
}

/// What a path names in one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The package.
    pub package: Package,
    /// The functions.
    pub functions: Vec<Function>,
}

/// How one target gets there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The target's label.
    pub target: String,
    /// Whether it does.
    pub verdict: Verdict,
    /// When the code runs.
    pub context: Context,
    /// Witness paths, shortest first.
    pub paths: Vec<Vec<Hop>>,
    /// Indices into [`Why::blind_spots`].
    pub blind_spots: Vec<usize>,
}

/// Finds paths from the selected targets to a function, a type's methods, a
/// trait's methods or a module's functions.
///
/// # Errors
/// When `path` cannot be read or names nothing that is a function, when the
/// project cannot be read, or the analysis cannot be started.
pub fn why(
    workspace: &Workspace,
    path: &str,
    paths: usize,
    options: &AnalysisOptions,
    progress: &dyn Progress,
) -> Result<Why, CheckError> {
    let parsed = FunctionPath::parse(path).map_err(|source| CheckError::FunctionPath {
        text: path.to_owned(),
        source,
    })?;
    let plan = session::plan(workspace, progress)?;
    let packages = packages(&plan, &parsed)?;
    let engine = session::engine(workspace, &plan, options, progress)?;
    let (named, handles) = resolve(&engine, &packages, path, &parsed)?;

    let mut result = Why {
        named,
        ..Why::default()
    };
    for target in &plan.targets {
        progress.stage(Stage::Walking(&target.label));
        let walked = |instances| progress.walked(instances);
        let collection = engine.collect(&Request {
            target,
            goals: vec![Goal::Functions(handles.clone())],
            paths: paths.max(1),
            build_context: true,
            record: false,
            progress: Some(&walked),
        })?;
        let mut answer = Answer {
            target: target.label.clone(),
            verdict: Verdict::Unknown,
            context: Context::Run,
            paths: Vec::new(),
            blind_spots: Vec::new(),
        };
        let mut spots = Vec::new();
        match collection.outcomes.into_iter().next() {
            Some(Outcome::Reached {
                context,
                paths,
                blind_spots,
            }) => {
                (answer.verdict, answer.context, answer.paths) = (Verdict::Reached, context, paths);
                spots = blind_spots;
            }
            Some(Outcome::Possible {
                context,
                path,
                blind_spots,
            }) => {
                (answer.context, answer.paths) = (context, vec![path]);
                spots = blind_spots;
            }
            Some(Outcome::NotReached) => answer.verdict = Verdict::NotReached,
            None => {}
        }
        let spots = spots
            .iter()
            .filter_map(|&index| collection.blind_spots.get(index));
        let known = &mut result.blind_spots;
        answer.blind_spots = spots
            .map(|spot| {
                known
                    .iter()
                    .position(|other| other == spot)
                    .unwrap_or_else(|| {
                        known.push(spot.clone());
                        known.len() - 1
                    })
            })
            .collect();
        result.answers.push(answer);
    }
    Ok(result)
}

/// The packages whose library has the name that the path starts with.
fn packages(plan: &Plan, path: &FunctionPath) -> Result<Vec<Package>, CheckError> {
    let name = query(path)
        .segments
        .first()
        .map(|segment| segment.name.clone())
        .unwrap_or_default();
    let name = name.as_str();
    // `std` re-exports what the crates below it define.
    let is_std = matches!(name, "std" | "core" | "alloc");
    let is_code = |kind| !matches!(kind, UnitKind::BuildScript);
    let units = plan.units.iter().filter(|unit| {
        (unit.name == name && is_code(unit.kind)) || (is_std && unit.kind == UnitKind::Sysroot)
    });
    let packages: BTreeSet<&Package> = units.map(|unit| &unit.package).collect();
    if packages.is_empty() {
        let close = |unit: &&str| unit.contains(name) || name.contains(*unit);
        let names: BTreeSet<&str> = plan.units.iter().map(|unit| unit.name.as_str()).collect();
        let similar = names
            .into_iter()
            .filter(|other| other.len() > 2)
            .filter(close);
        let similar = similar.take(5).map(str::to_owned).collect();
        return Err(CheckError::UnknownCrate {
            name: name.to_owned(),
            similar,
        });
    }
    Ok(packages.into_iter().cloned().collect())
}

fn resolve(
    engine: &Engine,
    packages: &[Package],
    text: &str,
    path: &FunctionPath,
) -> Result<(Vec<Named>, Vec<FunctionHandle>), CheckError> {
    let query = query(path);
    let (mut named, mut handles) = (Vec::new(), Vec::new());
    for package in packages {
        let resolution = engine.resolve(package, &query)?;
        let (found, functions): (Vec<_>, Vec<_>) = resolution.functions.into_iter().unzip();
        let is_named = !matches!(
            resolution.kind,
            ResolutionKind::Missing | ResolutionKind::NotLoaded
        );
        if is_named && !functions.is_empty() {
            named.push(Named {
                package: package.clone(),
                functions,
            });
            handles.extend(found);
        }
    }
    if handles.is_empty() {
        let names: Vec<String> = packages.iter().map(ToString::to_string).collect();
        return Err(CheckError::UnknownFunction {
            path: text.to_owned(),
            package: names.join(", "),
        });
    }
    let mut seen = std::collections::HashSet::new();
    handles.retain(|handle| seen.insert(*handle));
    Ok((named, handles))
}
