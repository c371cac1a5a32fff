//! The check: from lockfile and advisories to a report.
//!
//! It runs in phases, each of which may end it. (1) The lockfile is matched
//! with the database; when nothing matches, nothing is loaded or started.
//! (2) The cache may know the answer to exactly this question. (3) The plan
//! says which affected packages are part of the build; when none is, nothing
//! is analysed. (4) For each target one walk decides all its questions and
//! stops when the last is decided.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use camino::Utf8PathBuf;
use jiff::civil::Date;
use palisade_advisory::{Database, DatabaseDiagnostic, Match, Matches, Subject, TargetInfo};
use palisade_engine::{Engine, Request};
use palisade_model::{Context, Finding, Package, PackageSource, Report, Summary};
use palisade_project::{LoadError, Lockfile, Plan, Target, ToolchainId, UnitId, read_lock};
use semver::Version;

use crate::blind_spots::BlindSpots;
use crate::cache::{Cache, Inputs, Key, check_question};
use crate::closure::{Closure, sysroot_units};
use crate::foreign::Entered;
use crate::question::Question;
use crate::remedy::Remedies;
use crate::screen::{self, Screener};
use crate::session::{self, AnalysisOptions, Progress, Stage};
use crate::{CheckError, Project, Workspace, order, stale, unreadable, verdict};

/// A database that is older than this is worth a warning.
const STALE_DAYS: i64 = 30;

/// What to check, and how.
#[derive(Clone)]
pub struct CheckOptions<'a> {
    /// The directory of the advisory database.
    pub database: Utf8PathBuf,
    /// How many days ago the database was known to be the newest.
    pub database_age_days: Option<i64>,
    /// The day of the check, which decides what has expired.
    pub today: Date,
    /// How to analyse.
    pub analysis: AnalysisOptions,
    /// Most witness paths per finding, at least 1.
    pub paths: usize,
    /// cargo's home directory, whose copy of the index tells the published
    /// versions.
    pub cargo_home: Option<Utf8PathBuf>,
    /// Where answers are kept; `None` to neither read nor keep any.
    pub cache: Option<Cache>,
    /// Who wants to know how far it has come.
    pub progress: &'a dyn Progress,
    /// What is known before the walk. Its answers are not kept in the cache.
    pub screener: Option<&'a dyn Screener>,
}

/// The answer, and the project that it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// What was found.
    pub report: Report,
    /// Where.
    pub project: Project,
}

/// Checks a workspace.
///
/// # Errors
/// When the project, the configuration or the database cannot be read, or the
/// analysis cannot be started. Whatever only makes the answer less certain is
/// in the report.
pub fn check(workspace: &Workspace, options: &CheckOptions<'_>) -> Result<Checked, CheckError> {
    let (database, mut diagnostics) = Database::open(&options.database, &Default::default())?;
    let limits = &workspace.load.limits;
    let toolchain = palisade_project::toolchain(&workspace.load);
    let (mut lock, mut key) = (None, None);
    if workspace.lockfile.is_file() {
        let locked = read_lock(&workspace.lockfile, limits)?;
        match without_plan(
            workspace,
            options,
            &database,
            &diagnostics,
            &toolchain,
            &locked,
        ) {
            Early::Answer(checked) => {
                return Ok(finish(workspace, options, &database, &locked, *checked));
            }
            Early::Key(found) => key = found,
        }
        lock = Some(locked);
    }

    let plan = session::plan(workspace, options.progress)?;
    let lock = match lock {
        Some(lock) if lock.packages == plan.locked => lock,
        // cargo has written it, or written it anew.
        _ => read_lock(&workspace.lockfile, limits)?,
    };
    let matches = database.matches(&lock.packages, &platform(&plan), &plan.toolchain);
    diagnostics.extend(matches.diagnostics.iter().cloned());
    let checked = Analysis {
        workspace,
        options,
        plan: &plan,
        lock: &lock,
        matches: &matches,
        database: &database,
    }
    .run(&diagnostics)?;
    // Whatever changed while the analysis ran may or may not have been seen.
    if let (Some(cache), Some(key), Ok(toolchain)) = (&options.cache, &key, &toolchain)
        && key_of(workspace, options, &matches, toolchain).as_ref() == Some(key)
    {
        cache.store(key, &checked, &inputs(workspace, &plan));
    }
    Ok(finish(workspace, options, &database, &lock, checked))
}

/// What can be said before anything is loaded.
enum Early {
    /// The answer.
    Answer(Box<Checked>),
    /// None yet; the key to keep it under, if it may be kept.
    Key(Option<Key>),
}

fn without_plan(
    workspace: &Workspace,
    options: &CheckOptions<'_>,
    database: &Database,
    diagnostics: &[DatabaseDiagnostic],
    toolchain: &Result<ToolchainId, LoadError>,
    lock: &Lockfile,
) -> Early {
    // Without a toolchain, none of its versions is affected.
    let nowhere = Version::new(u64::MAX, 0, 0);
    let version = toolchain.as_ref().map_or(&nowhere, |found| &found.version);
    let matches = database.matches(&lock.packages, &anywhere(), version);
    let unreadable = unreadable::findings(database, &matches, &lock.packages);
    let nothing = matches.matches.is_empty() && unreadable.is_empty();
    if nothing && !stale::is_stale(&workspace.root, lock) {
        let diagnostics: Vec<_> = diagnostics
            .iter()
            .chain(&matches.diagnostics)
            .cloned()
            .collect();
        let mut warnings = warnings(&diagnostics, None);
        if let Err(error) = toolchain {
            warnings.push(format!(
                "{error}; advisories about the toolchain were left out"
            ));
        }
        return Early::Answer(Box::new(Checked {
            report: Report {
                warnings,
                ..Report::default()
            },
            project: project(workspace, lock, None),
        }));
    }
    let Ok(toolchain) = toolchain else {
        return Early::Key(None);
    };
    let key = key_of(workspace, options, &matches, toolchain);
    match options
        .cache
        .as_ref()
        .zip(key.as_ref())
        .and_then(|(cache, key)| cache.load(key))
    {
        Some(checked) => Early::Answer(Box::new(checked)),
        None => Early::Key(key),
    }
}

/// What the answer is kept under, if it may be kept.
fn key_of(
    workspace: &Workspace,
    options: &CheckOptions<'_>,
    matches: &Matches,
    toolchain: &ToolchainId,
) -> Option<Key> {
    let cache = options.cache.as_ref()?;
    let question = check_question(options, matches)?;
    let cargo_home = options.cargo_home.as_deref();
    Key::of(
        cache,
        workspace,
        &options.analysis,
        cargo_home,
        toolchain,
        &question,
    )
}

/// What one analysis works on.
struct Analysis<'a> {
    workspace: &'a Workspace,
    options: &'a CheckOptions<'a>,
    plan: &'a Plan,
    lock: &'a Lockfile,
    matches: &'a Matches,
    database: &'a Database,
}

impl Analysis<'_> {
    fn run(&self, diagnostics: &[DatabaseDiagnostic]) -> Result<Checked, CheckError> {
        let remedies = Remedies::new(self.plan, self.lock, self.options.cargo_home.as_deref());
        let mut findings = unreadable::findings(self.database, self.matches, &self.lock.packages);
        let mut blind_spots = BlindSpots::default();
        let mut engine = None;
        let mut questions = BTreeMap::new();
        let mut functions_reached = 0;
        let mut analysed = Vec::new();
        let screen = self.options.screener.map(|it| it.screen(self.plan));
        let (screen, unscreened) = match screen {
            Some(Ok(screen)) => (Some(screen), None),
            Some(Err(reason)) => (None, Some(reason)),
            None => (None, None),
        };

        let (everywhere, matches): (Vec<&Match>, Vec<&Match>) =
            self.matches.matches.iter().partition(|matched| {
                matched.subject == Subject::Package
                    && self.plan.required_only.contains(&matched.package)
            });
        findings.extend(
            everywhere
                .into_iter()
                .map(|matched| verdict::required(matched, "")),
        );

        if self.plan.targets.is_empty() {
            findings.extend(matches.iter().map(|matched| verdict::no_target(matched)));
        }

        for target in &self.plan.targets {
            let closure = Closure::of(self.plan, target);
            let mut asked: Vec<Asked<'_>> = Vec::new();
            for (index, &matched) in matches.iter().enumerate() {
                let units = match matched.subject {
                    Subject::Package => closure.units_of(self.plan, &matched.package),
                    Subject::StandardLibrary => Some((Context::Run, sysroot_units(self.plan))),
                    Subject::ToolchainProgram => Some((Context::Build, Vec::new())),
                };
                let Some((context, units)) = units else {
                    findings.push(verdict::required(matched, &target.label));
                    continue;
                };
                let known =
                    verdict::without_walk(matched, &target.label, context, &self.plan.triple);
                let known = known.or_else(|| match matched.subject {
                    Subject::Package => {
                        let screen = screen.as_deref()?;
                        screen::finding(screen, self.plan, target, matched, context, &units)
                    }
                    _ => None,
                });
                match known {
                    Some(finding) => findings.push(finding),
                    None => asked.push(Asked {
                        index,
                        matched,
                        context,
                        units,
                    }),
                }
            }
            if asked.is_empty() {
                continue;
            }
            if engine.is_none() {
                engine = Some(session::engine(
                    self.workspace,
                    self.plan,
                    &self.options.analysis,
                    self.options.progress,
                )?);
            }
            let engine: &Engine = engine.as_ref().expect("it was loaded above");
            analysed.push(target.label.clone());
            functions_reached += self.walk(
                engine,
                target,
                &asked,
                &mut questions,
                &mut findings,
                &mut blind_spots,
            )?;
        }

        for finding in &mut findings {
            let matched = self.matches.matches.iter().find(|matched| {
                matched.advisory.id == finding.id && matched.package == finding.package
            });
            if let Some(matched) = matched {
                finding.remedy = remedies.of(matched);
            }
        }
        let blind_spots = blind_spots.finish(&mut findings);
        let report = Report {
            findings,
            blind_spots,
            warnings: warnings(diagnostics, Some(self.plan))
                .into_iter()
                .chain(unscreened)
                .collect(),
            summary: Summary {
                targets: analysed,
                functions_reached,
                ..Summary::default()
            },
        };
        Ok(Checked {
            report,
            project: project(self.workspace, self.lock, Some(self.plan)),
        })
    }

    /// One walk for all questions about one target; returns how many functions
    /// it reached.
    fn walk(
        &self,
        engine: &Engine,
        target: &Target,
        asked: &[Asked<'_>],
        questions: &mut BTreeMap<usize, Question>,
        findings: &mut Vec<Finding>,
        blind_spots: &mut BlindSpots,
    ) -> Result<usize, CheckError> {
        for asked in asked {
            if let Entry::Vacant(vacant) = questions.entry(asked.index) {
                vacant.insert(Question::ask(
                    engine,
                    self.plan,
                    asked.matched,
                    &asked.units,
                )?);
            }
        }
        let goals: Vec<_> = asked
            .iter()
            .map(|asked| questions[&asked.index].goal(self.plan, &asked.units))
            .collect();
        let foreign_goals: Vec<_> = asked
            .iter()
            .map(|asked| questions[&asked.index].foreign_goal(self.plan, &asked.units))
            .collect();
        let progress = self.options.progress;
        progress.stage(Stage::Walking(&target.label));
        let walked = |instances| progress.walked(instances);
        let collection = engine.collect(&Request {
            target,
            goals: goals
                .iter()
                .chain(&foreign_goals)
                .flatten()
                .cloned()
                .collect(),
            paths: self.options.paths.max(1),
            build_context: true,
            record: false,
            progress: Some(&walked),
        })?;
        let indices = blind_spots.add(collection.blind_spots);
        let (outcomes, foreign) = collection.outcomes.split_at(
            goals
                .iter()
                .flatten()
                .count()
                .min(collection.outcomes.len()),
        );
        let (mut outcomes, mut foreign) = (outcomes.iter(), foreign.iter());
        for ((asked, goal), foreign_goal) in asked.iter().zip(&goals).zip(&foreign_goals) {
            let outcome = goal.as_ref().and_then(|_| outcomes.next());
            let mut finding = verdict::decide(
                asked.matched,
                &questions[&asked.index],
                &target.label,
                asked.context,
                outcome,
                &|index| indices[index],
            );
            let entered = foreign_goal
                .as_ref()
                .and_then(|_| foreign.next())
                .and_then(Entered::of);
            if let Some(entered) = entered {
                let spot = entered.blind_spot(&asked.matched.package);
                verdict::doubt(&mut finding, entered, || blind_spots.add(vec![spot])[0]);
            }
            findings.push(finding);
        }
        Ok(collection.stats.functions)
    }
}

/// A match whose package is part of one target.
struct Asked<'a> {
    index: usize,
    matched: &'a Match,
    context: Context,
    units: Vec<UnitId>,
}

/// What is done with every answer, new or from the cache: the configuration
/// and the date may have changed since.
fn finish(
    workspace: &Workspace,
    options: &CheckOptions<'_>,
    database: &Database,
    lock: &Lockfile,
    mut checked: Checked,
) -> Checked {
    let report = &mut checked.report;
    report
        .warnings
        .extend(workspace.config.apply(&mut report.findings, options.today));
    order::sort(&mut report.findings);
    report.summary.packages = lock.packages.len();
    report.summary.advisories = database.count();
    report.summary.database_age_days = options.database_age_days;
    if let Some(days) = options.database_age_days.filter(|&days| days > STALE_DAYS) {
        report.warnings.push(format!(
            "the advisory database is {days} days old; newer advisories are missing"
        ));
    }
    order::count(report);
    checked
}

/// A platform to match with when the platform does not matter yet.
fn anywhere() -> TargetInfo {
    TargetInfo {
        os: String::new(),
        arch: String::new(),
    }
}

fn platform(plan: &Plan) -> TargetInfo {
    let value = |key: &str| {
        plan.cfgs
            .iter()
            .find_map(|cfg| {
                cfg.strip_prefix(key)?
                    .strip_prefix("=\"")?
                    .strip_suffix('"')
            })
            .unwrap_or_default()
            .to_owned()
    };
    TargetInfo {
        os: value("target_os"),
        arch: value("target_arch"),
    }
}

fn warnings(diagnostics: &[DatabaseDiagnostic], plan: Option<&Plan>) -> Vec<String> {
    let mut warnings: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| format!("{}: {}", diagnostic.file, diagnostic.message))
        .collect();
    for diagnostic in plan.into_iter().flat_map(|plan| &plan.diagnostics) {
        let hint = diagnostic
            .hint
            .as_ref()
            .map(|hint| format!("; {hint}"))
            .unwrap_or_default();
        warnings.push(format!("{}: {}{hint}", diagnostic.file, diagnostic.message));
    }
    warnings.sort();
    warnings.dedup();
    warnings
}

fn project(workspace: &Workspace, lock: &Lockfile, plan: Option<&Plan>) -> Project {
    let text = std::fs::read_to_string(&workspace.lockfile).unwrap_or_default();
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for package in &lock.packages {
        *names.entry(&package.name).or_default() += 1;
    }
    let targets = plan.map(|plan| {
        let owner = |target: &Target| plan.units[target.unit.0].package.clone();
        plan.targets
            .iter()
            .map(|target| (target.label.clone(), owner(target)))
            .collect()
    });
    Project {
        root: workspace.root.clone(),
        lockfile: workspace.lockfile.clone(),
        lines: lockfile_lines(&text),
        ambiguous: names
            .into_iter()
            .filter(|&(_, count)| count > 1)
            .map(|(name, _)| name.to_owned())
            .collect(),
        targets: targets.unwrap_or_default(),
        members: lock
            .packages
            .iter()
            .filter(|package| package.source == PackageSource::Path)
            .cloned()
            .collect::<Vec<Package>>(),
    }
}

/// The line of each package's entry. cargo writes lockfiles in one form, one
/// key a line; a file in another form costs only the line numbers.
fn lockfile_lines(text: &str) -> BTreeMap<(String, Version), u32> {
    let mut lines = BTreeMap::new();
    let mut name = None;
    for (number, line) in (1u32..).zip(text.lines()) {
        let value = |key: &str| {
            line.strip_prefix(key)?
                .strip_prefix(" = \"")?
                .strip_suffix('"')
        };
        if let Some(found) = value("name") {
            name = Some((found.to_owned(), number));
        } else if let Some(version) = value("version").and_then(|text| Version::parse(text).ok())
            && let Some((name, number)) = name.take()
        {
            lines.insert((name, version), number);
        }
    }
    lines
}

/// What the answer depends on outside the workspace: the directories of path
/// and git dependencies, and the standard library's source. What comes from a
/// registry is known by the lockfile.
pub(crate) fn inputs(workspace: &Workspace, plan: &Plan) -> Inputs {
    let mut inputs = Inputs::default();
    for unit in &plan.units {
        match unit.package.source {
            PackageSource::Path | PackageSource::Git(_) => {
                if !unit.package_dir.starts_with(&workspace.root) {
                    inputs.dirs.push(unit.package_dir.clone());
                }
            }
            PackageSource::Sysroot => inputs.files.push(unit.root_file.clone()),
            PackageSource::CratesIo | PackageSource::OtherRegistry(_) => {}
        }
    }
    for list in [&mut inputs.dirs, &mut inputs.files] {
        list.sort();
        list.dedup();
    }
    inputs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the places that code scanning shows for what has no path.
    #[test]
    fn lines_of_the_lockfile() {
        let text = "# generated\nversion = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"a\"\nversion = \"2.0.0\"\n";
        let lines = lockfile_lines(text);
        assert_eq!(lines[&("a".to_owned(), Version::new(1, 0, 0))], 5);
        assert_eq!(lines[&("a".to_owned(), Version::new(2, 0, 0))], 9);
        assert_eq!(lines.len(), 2);
    }
}
