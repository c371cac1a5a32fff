//! Asking `palisade check`, as any user would.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use palisade_index::{Dependency, DependencyKind, IndexVersion};
use semver::Version;
use serde::Deserialize;

use super::advised::Advised;
use super::scratch::{self, Features};
use crate::process;

/// The longest that one check may take.
const TIME_LIMIT: Duration = Duration::from_mins(10);

/// Small packages that one project depends on: loading the standard library
/// takes longer than loading most of them.
const BATCH: usize = 16;
/// The most dependencies of a small package.
const FEW_DEPENDENCIES: usize = 3;

/// What Palisade says about one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It names something.
    Exists,
    /// It names nothing.
    Missing,
    /// It could not be asked.
    NotAsked(String),
}

/// Asks, and remembers the reports.
pub(super) struct Asker {
    palisade: Utf8PathBuf,
    database: Utf8PathBuf,
    dir: Utf8PathBuf,
    threads: String,
    standard_library: BTreeMap<String, Answer>,
    reports: BTreeMap<Key, Result<Rc<Report>, String>>,
    wanted: BTreeMap<Key, IndexVersion>,
}

/// What a report is about; in this order neighbours can share a project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    platform: String,
    features: Features,
    package: String,
    version: Version,
}

/// A report, and the packages about which it says nothing since others in the
/// project may have enabled features of theirs.
struct Checked {
    report: Report,
    alone: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Report {
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    id: String,
    package: String,
    version: String,
    level: String,
    reason: String,
    functions: Vec<String>,
    missing_functions: Vec<String>,
}

impl Asker {
    /// Asks this binary about advisories of this database, in scratch projects
    /// below `dir`.
    pub(super) fn new(
        palisade: Utf8PathBuf,
        database: Utf8PathBuf,
        dir: Utf8PathBuf,
        threads: usize,
    ) -> Asker {
        Asker {
            palisade,
            database,
            dir,
            threads: threads.max(1).to_string(),
            standard_library: BTreeMap::new(),
            reports: BTreeMap::new(),
            wanted: BTreeMap::new(),
        }
    }

    /// What a path names in a version of its package; `None` when that has not
    /// been asked yet.
    pub(super) fn ask(
        &mut self,
        path: &Advised,
        version: &IndexVersion,
        features: Features,
        platform: &str,
    ) -> Option<Answer> {
        let key = Key {
            platform: platform.to_owned(),
            features,
            package: version.name.clone(),
            version: version.version.clone(),
        };
        match self.reports.get(&key) {
            None => {
                self.wanted.insert(key, version.clone());
                None
            }
            Some(Ok(report)) => Some(report.answer(path, version)),
            Some(Err(reason)) => Some(Answer::NotAsked(reason.clone())),
        }
    }

    /// Gets every report that was wanted; `false` when none was.
    pub(super) fn ask_what_is_wanted(&mut self) -> bool {
        let wanted: Vec<(Key, IndexVersion)> =
            std::mem::take(&mut self.wanted).into_iter().collect();
        let mut left: VecDeque<Vec<(Key, IndexVersion)>> = batches(&wanted).into();
        let mut done = 0;
        while let Some(batch) = left.pop_front() {
            match self.check(&batch) {
                Ok(Checked { report, alone }) => {
                    let report = Rc::new(report);
                    for (key, version) in batch {
                        if alone.contains(&key.package) {
                            left.push_front(vec![(key, version)]);
                        } else {
                            done += 1;
                            self.reports.insert(key, Ok(Rc::clone(&report)));
                        }
                    }
                }
                Err(error) => {
                    let reason = scratch::first_lines(&error);
                    if let [(key, _)] = batch.as_slice() {
                        eprintln!("  {} {}: {reason}", key.package, key.version);
                        done += 1;
                        self.reports.insert(key.clone(), Err(reason));
                    } else {
                        let (first, second) = batch.split_at(batch.len() / 2);
                        left.push_front(second.to_vec());
                        left.push_front(first.to_vec());
                    }
                }
            }
            eprintln!("{done} of {} package versions", wanted.len());
        }
        done > 0
    }

    /// What a path names in the toolchain's standard library. No advisory about
    /// it matches a recent toolchain, so this asks `palisade why`.
    pub(super) fn ask_standard_library(&mut self, path: &str) -> Answer {
        if let Some(answer) = self.standard_library.get(path) {
            return answer.clone();
        }
        let project = self.dir.join("standard-library");
        let asked = scratch::write(&project, "").and_then(|()| {
            let arguments = ["why", path, "--format", "json"];
            self.palisade(&project, &arguments, &[0, 1])
        });
        let answer = match asked {
            Ok(_) => Answer::Exists,
            Err(error) if format!("{error:#}").contains("names nothing") => Answer::Missing,
            Err(error) => Answer::NotAsked(scratch::first_lines(&error)),
        };
        self.standard_library
            .insert(path.to_owned(), answer.clone());
        answer
    }

    /// Checks one project that depends on all these versions.
    fn check(&self, batch: &[(Key, IndexVersion)]) -> Result<Checked> {
        let Some((
            Key {
                platform, features, ..
            },
            _,
        )) = batch.first()
        else {
            bail!("error: nothing to check");
        };
        let versions: Vec<&IndexVersion> = batch.iter().map(|(_, version)| version).collect();
        let project = scratch::project(&self.dir, &versions, *features, platform)?;
        let alone = match versions.len() {
            1 => BTreeSet::new(),
            _ => scratch::depended_upon(&project, &versions)?,
        };
        let arguments = [
            "check",
            "--locked",
            "--target",
            platform,
            "--db",
            self.database.as_str(),
            "--format",
            "json",
        ];
        let json = self.palisade(&project, &arguments, &[0, 1])?;
        let report = serde_json::from_str(&json)
            .context("`palisade check --format json` printed no report")?;
        Ok(Checked { report, alone })
    }

    /// Runs Palisade on a project and returns what it prints. It does not take
    /// longer than the limit, whatever the project holds.
    fn palisade(&self, project: &Utf8Path, arguments: &[&str], good: &[i32]) -> Result<String> {
        let (report, log) = (project.join("report.json"), project.join("log"));
        let create = |file| File::create(file).with_context(|| format!("cannot create {file}"));
        let mut command = process::command(&self.palisade);
        command
            .args(arguments)
            .args(["--manifest-path", project.join("Cargo.toml").as_str()])
            .args(["--threads", &self.threads])
            .env("XDG_CACHE_HOME", self.dir.join("cache"))
            .stdout(create(&report)?)
            .stderr(create(&log)?);
        let line = process::describe(&command);
        let start = Instant::now();
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start `{line}`"))?;
        let status = loop {
            if let Some(status) = child.try_wait().context("cannot wait for Palisade")? {
                break status;
            }
            if start.elapsed() > TIME_LIMIT {
                child.kill().context("cannot stop Palisade")?;
                child.wait().context("cannot wait for Palisade")?;
                bail!("error: it took longer than {} s", TIME_LIMIT.as_secs());
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let read =
            |file| std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"));
        if status.code().is_none_or(|code| !good.contains(&code)) {
            bail!("`{line}` failed ({status})\n{}", read(&log)?);
        }
        read(&report)
    }
}

impl Report {
    fn answer(&self, path: &Advised, version: &IndexVersion) -> Answer {
        let version = version.version.to_string();
        let finding = self.findings.iter().find(|finding| {
            finding.id == path.id && finding.package == path.package && finding.version == version
        });
        let Some(finding) = finding else {
            return Answer::NotAsked("the report does not hold the advisory".into());
        };
        if finding.level == "required" || finding.reason.contains("could not be loaded") {
            return Answer::NotAsked(finding.reason.clone());
        }
        if finding.missing_functions.contains(&path.text) {
            return Answer::Missing;
        }
        match finding.functions.contains(&path.text) {
            true => Answer::Exists,
            false => Answer::NotAsked("the advisory does not name it for this version".into()),
        }
    }
}

/// Groups of what can share a project: small packages, one version of each, the
/// same features and platform.
fn batches(wanted: &[(Key, IndexVersion)]) -> Vec<Vec<(Key, IndexVersion)>> {
    let mut batches: Vec<Vec<(Key, IndexVersion)>> = Vec::new();
    let is_small = |features, version: &IndexVersion| {
        let counts = |dependency: &&Dependency| {
            dependency.kind == DependencyKind::Normal
                && (features == Features::All || !dependency.optional)
        };
        version.dependencies.iter().filter(counts).count() <= FEW_DEPENDENCIES
    };
    for (key, version) in wanted {
        let small = is_small(key.features, version);
        let fits = |batch: &&mut Vec<(Key, IndexVersion)>| {
            small
                && batch.len() < BATCH
                && batch.iter().all(|(other, version)| {
                    is_small(other.features, version)
                        && other.package != key.package
                        && other.features == key.features
                        && other.platform == key.platform
                })
        };
        match batches.iter_mut().find(fits) {
            Some(batch) => batch.push((key.clone(), version.clone())),
            None => batches.push(vec![(key.clone(), version.clone())]),
        }
    }
    // What answers most comes first.
    batches.sort_by_key(|batch| Reverse(batch.len()));
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(package: &str, version: &str, dependencies: usize) -> (Key, IndexVersion) {
        let dependency = r#"{"name":"d","req":"1","features":[],"optional":false,"default_features":true,"target":null,"kind":"normal"}"#;
        let line = format!(
            r#"{{"name":"{package}","vers":"{version}","deps":[{}],"cksum":"{}","features":{{}},"yanked":false}}"#,
            vec![dependency; dependencies].join(","),
            "0".repeat(64)
        );
        let key = Key {
            platform: "p".into(),
            features: Features::Default,
            package: package.into(),
            version: version.parse().unwrap(),
        };
        (key, IndexVersion::parse(&line).unwrap())
    }

    /// Guards that every version is asked about once, that two versions of a
    /// package never share a project, and that large packages have their own.
    #[test]
    fn batches_hold_small_and_different_packages() {
        let all = [
            wanted("a", "1.0.0", 0),
            wanted("a", "2.0.0", 0),
            wanted("b", "1.0.0", FEW_DEPENDENCIES),
            wanted("large", "1.0.0", FEW_DEPENDENCIES + 1),
        ];
        let names: Vec<Vec<String>> = batches(&all)
            .iter()
            .map(|batch| {
                let name = |(key, _): &(Key, _)| format!("{} {}", key.package, key.version);
                batch.iter().map(name).collect()
            })
            .collect();
        let expected = [
            vec!["a 1.0.0", "b 1.0.0"],
            vec!["a 2.0.0"],
            vec!["large 1.0.0"],
        ];
        assert_eq!(names, expected);
    }
}
