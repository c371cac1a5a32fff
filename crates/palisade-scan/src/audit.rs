//! A survey of many packages: what their reports say together.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{Category, ProvenanceClass, Report, Severity};

/// The version of the format.
const SCHEMA: u32 = 1;
/// How many packages a list names.
const LISTED: usize = 20;

/// What was asked of the survey.
#[derive(Clone, Debug, Default)]
pub struct AuditOptions {
    /// What the corpus is called.
    pub title: String,
    /// When, as it is shown.
    pub made: String,
    /// How it was made, a sentence each.
    pub method: Vec<String>,
    /// Packages that could not be scanned, and why.
    pub failed: Vec<(String, String)>,
}

/// The survey. Shares are of the newest version of each crate; trends are of
/// every version with a time of publication.
#[derive(Clone, Debug, Serialize)]
pub struct Audit {
    /// The version of the format.
    pub schema: u32,
    /// What the corpus is called.
    pub title: String,
    /// When it was made.
    pub made: String,
    /// How it was made.
    pub method: Vec<String>,
    /// How much there was.
    pub corpus: CorpusSize,
    /// Unsafe code.
    pub unsafe_code: UnsafeSurvey,
    /// Code that runs while something is built.
    pub build_time: BuildTimeSurvey,
    /// How many crates can do what, by where: `build`, `macro`, `library`,
    /// `program`.
    pub capabilities: Vec<CapabilityCount>,
    /// Findings of each detector, but for secrets and advisories.
    pub findings: Vec<DetectorCount>,
    /// Findings of each family of secrets.
    pub secrets: Vec<DetectorCount>,
    /// What came of comparing crates with their repositories.
    pub provenance: ProvenanceSurvey,
    /// Advisories about the crates' dependencies.
    pub advisories: AdvisorySurvey,
    /// The scores.
    pub scores: ScoreSurvey,
    /// By year of publication.
    pub trends: Vec<Year>,
    /// The crates with the highest risk, highest first.
    pub riskiest: Vec<Ranked>,
    /// Packages that could not be scanned, and why.
    pub failed: Vec<(String, String)>,
}

/// How much there was.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CorpusSize {
    /// Different crates.
    pub crates: usize,
    /// Versions of them.
    pub versions: usize,
    /// Lines of Rust in the newest versions.
    pub lines: u64,
    /// Bytes of all files of the newest versions.
    pub bytes: u64,
    /// Versions of which something was not looked at.
    pub incomplete: usize,
}

/// Unsafe code, in newest versions.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UnsafeSurvey {
    /// Crates without any.
    pub none: usize,
    /// Of these, crates in which the compiler refuses it.
    pub forbidden: usize,
    /// Crates by unsafe blocks, impls and functions per thousand lines: the
    /// name of the range, and how many.
    pub density: Vec<(String, usize)>,
    /// The crates with the most, with the number and the lines.
    pub most: Vec<(String, u64, u64)>,
}

/// Build-time code, in newest versions.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BuildTimeSurvey {
    /// Crates with a build script.
    pub build_scripts: usize,
    /// Procedural macros.
    pub proc_macros: usize,
    /// Crates with neither.
    pub neither: usize,
}

/// How many crates can do something.
#[derive(Clone, Debug, Serialize)]
pub struct CapabilityCount {
    /// What.
    pub capability: String,
    /// In how many crates' build scripts.
    pub build: usize,
    /// In how many procedural macros.
    pub macros: usize,
    /// In how many libraries.
    pub library: usize,
    /// In how many programs.
    pub program: usize,
}

/// How often a detector spoke.
#[derive(Clone, Debug, Serialize)]
pub struct DetectorCount {
    /// The detector.
    pub detector: String,
    /// What it is about.
    pub category: Category,
    /// The worst that it found.
    pub severity: Severity,
    /// In how many crates.
    pub crates: usize,
    /// Some of them.
    pub examples: Vec<String>,
}

/// Where crates come from, in newest versions.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ProvenanceSurvey {
    /// How many were compared with a repository.
    pub compared: usize,
    /// With which result, the best first.
    pub classes: Vec<(ProvenanceClass, usize)>,
    /// Crates that name the revision that they were made from.
    pub with_revision: usize,
}

/// Advisories about dependencies, in newest versions.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AdvisorySurvey {
    /// Crates with at least one open advisory of their own.
    pub own: usize,
    /// Crates of which a new build takes a vulnerable dependency.
    pub crates: usize,
    /// Pairs of crate and advisory whose vulnerable functions are reached.
    pub reached: usize,
    /// Those that are not.
    pub not_reached: usize,
    /// Those that could not be decided.
    pub unknown: usize,
    /// Those for which no call graph was asked.
    pub unasked: usize,
    /// Crates with an unmaintained or unsound dependency.
    pub unmaintained: usize,
}

/// The scores, in newest versions.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ScoreSurvey {
    /// Crates by hygiene: below 1, below 2, … up to 10.
    pub hygiene: Vec<usize>,
    /// The mean, with one decimal.
    pub mean_hygiene: f64,
    /// Crates by risk: 0, 1–19, 20–39, 40–59, 60–79, 80–100.
    pub risk: Vec<(String, usize)>,
    /// For each check the mean of those that could be decided, their number,
    /// and how to improve it.
    pub checks: Vec<(String, f64, usize, String)>,
}

/// The versions of one year.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Year {
    /// The year.
    pub year: i16,
    /// How many versions.
    pub versions: usize,
    /// Their mean hygiene.
    pub hygiene: f64,
    /// In percent, those with unsafe code.
    pub with_unsafe: f64,
    /// In percent, those with a build script.
    pub with_build_script: f64,
    /// In percent, those that name their revision.
    pub with_revision: f64,
}

/// A crate by its risk.
#[derive(Clone, Debug, Serialize)]
pub struct Ranked {
    /// The crate and its version.
    pub package: String,
    /// The risk of malice.
    pub risk: u8,
    /// Its findings of malice, names, provenance and dependencies, at least
    /// of medium severity.
    pub findings: Vec<(String, Severity, String)>,
}

impl Audit {
    /// Surveys reports.
    pub fn of(reports: &[Report], options: AuditOptions) -> Audit {
        let newest = newest(reports);
        let names: BTreeSet<&str> = reports.iter().map(|report| report.name.as_str()).collect();
        let sum = |of: fn(&Report) -> u64| newest.iter().map(|report| of(report)).sum();
        Audit {
            schema: SCHEMA,
            title: options.title,
            made: options.made,
            method: options.method,
            corpus: CorpusSize {
                crates: names.len(),
                versions: reports.len(),
                lines: sum(|report| report.profile.measures.lines),
                bytes: sum(|report| report.profile.measures.bytes),
                incomplete: reports.iter().filter(|report| !report.complete).count(),
            },
            unsafe_code: unsafe_code(&newest),
            build_time: build_time(&newest),
            capabilities: capabilities(&newest),
            findings: detectors(&newest, |category| {
                !matches!(category, Category::Secret | Category::Hygiene)
            }),
            secrets: detectors(&newest, |category| category == Category::Secret),
            provenance: provenance(&newest),
            advisories: advisories(&newest),
            scores: scores(&newest),
            trends: trends(reports),
            riskiest: riskiest(&newest),
            failed: options.failed,
        }
    }
}

/// The newest version of each crate, in the order of names.
fn newest(reports: &[Report]) -> Vec<&Report> {
    let mut newest: BTreeMap<&str, &Report> = BTreeMap::new();
    for report in reports {
        let known = newest.entry(&report.name).or_insert(report);
        let key = |report: &Report| (report.version.pre.is_empty(), report.version.clone());
        if key(report) > key(known) {
            *known = report;
        }
    }
    newest.into_values().collect()
}

fn shown(report: &Report) -> String {
    format!("{} {}", report.name, report.version)
}

fn unsafe_code(reports: &[&Report]) -> UnsafeSurvey {
    const RANGES: [(&str, u64, u64); 5] = [
        ("none", 0, 0),
        ("up to 1", 1, 1),
        ("2 to 5", 2, 5),
        ("6 to 15", 6, 15),
        ("more than 15", 16, u64::MAX),
    ];
    let mut survey = UnsafeSurvey {
        density: RANGES
            .iter()
            .map(|(name, ..)| ((*name).to_owned(), 0))
            .collect(),
        ..UnsafeSurvey::default()
    };
    for report in reports {
        let measures = &report.profile.measures;
        let per_thousand = match measures.unsafe_items {
            0 => 0,
            items => (items * 1000 / measures.lines.max(1)).max(1),
        };
        survey.none += usize::from(measures.unsafe_items == 0);
        survey.forbidden += usize::from(measures.forbids_unsafe);
        let at = RANGES
            .iter()
            .position(|(_, from, to)| (*from..=*to).contains(&per_thousand));
        if let Some(at) = at {
            survey.density[at].1 += 1;
        }
    }
    let mut most: Vec<&&Report> = reports.iter().collect();
    most.sort_by_key(|report| std::cmp::Reverse(report.profile.measures.unsafe_items));
    survey.most = most
        .into_iter()
        .filter(|report| report.profile.measures.unsafe_items > 0)
        .take(LISTED / 2)
        .map(|report| {
            let measures = &report.profile.measures;
            (shown(report), measures.unsafe_items, measures.lines)
        })
        .collect();
    survey
}

fn build_time(reports: &[&Report]) -> BuildTimeSurvey {
    let mut survey = BuildTimeSurvey::default();
    for report in reports {
        let measures = &report.profile.measures;
        survey.build_scripts += usize::from(measures.build_script);
        survey.proc_macros += usize::from(measures.proc_macro);
        survey.neither += usize::from(!measures.build_script && !measures.proc_macro);
    }
    survey
}

fn capabilities(reports: &[&Report]) -> Vec<CapabilityCount> {
    let mut counts: BTreeMap<&str, CapabilityCount> = BTreeMap::new();
    for report in reports {
        for (place, capability) in &report.profile.measures.capabilities {
            let count = counts.entry(capability).or_insert_with(|| CapabilityCount {
                capability: capability.clone(),
                build: 0,
                macros: 0,
                library: 0,
                program: 0,
            });
            match place.as_str() {
                "build" => count.build += 1,
                "macro" => count.macros += 1,
                "library" => count.library += 1,
                _ => count.program += 1,
            }
        }
    }
    let mut counts: Vec<CapabilityCount> = counts.into_values().collect();
    counts.sort_by_key(|count| std::cmp::Reverse(count.library + count.build + count.macros));
    counts
}

fn detectors(reports: &[&Report], wanted: fn(Category) -> bool) -> Vec<DetectorCount> {
    let mut counts: BTreeMap<&str, DetectorCount> = BTreeMap::new();
    for report in reports {
        let mut seen = BTreeSet::new();
        for finding in &report.findings {
            if !wanted(finding.category) || finding.suppressed.is_some() {
                continue;
            }
            let count = counts
                .entry(&finding.detector)
                .or_insert_with(|| DetectorCount {
                    detector: finding.detector.clone(),
                    category: finding.category,
                    severity: finding.severity,
                    crates: 0,
                    examples: Vec::new(),
                });
            count.severity = count.severity.max(finding.severity);
            if seen.insert(&finding.detector) {
                count.crates += 1;
                if count.examples.len() < 3 {
                    count.examples.push(shown(report));
                }
            }
        }
    }
    let mut counts: Vec<DetectorCount> = counts.into_values().collect();
    counts.sort_by(|a, b| (b.crates, &a.detector).cmp(&(a.crates, &b.detector)));
    counts
}

fn provenance(reports: &[&Report]) -> ProvenanceSurvey {
    let mut classes: BTreeMap<ProvenanceClass, usize> = BTreeMap::new();
    for provenance in reports
        .iter()
        .filter_map(|report| report.provenance.as_ref())
    {
        *classes.entry(provenance.class).or_default() += 1;
    }
    ProvenanceSurvey {
        compared: classes.values().sum(),
        classes: ProvenanceClass::ALL
            .iter()
            .filter_map(|class| Some((*class, *classes.get(class)?)))
            .collect(),
        with_revision: reports
            .iter()
            .filter(|report| report.profile.commit.is_some())
            .count(),
    }
}

fn advisories(reports: &[&Report]) -> AdvisorySurvey {
    let mut survey = AdvisorySurvey::default();
    for report in reports {
        let own = report
            .hygiene
            .checks
            .iter()
            .find(|check| check.id == "advisories");
        survey.own += usize::from(
            own.and_then(|check| check.score)
                .is_some_and(|score| score < 10),
        );
        let of = |detector: &str| {
            report
                .findings
                .iter()
                .filter(move |finding| finding.detector == detector)
                .collect::<Vec<_>>()
        };
        let vulnerable = of("vulnerable-dependency");
        survey.crates += usize::from(!vulnerable.is_empty());
        survey.unmaintained += usize::from(!of("unmaintained-dependency").is_empty());
        for finding in vulnerable {
            match crate::surroundings::verdict_of(&finding.message) {
                Some("reached") => survey.reached += 1,
                Some("not reached") => survey.not_reached += 1,
                Some(_) => survey.unknown += 1,
                None => survey.unasked += 1,
            }
        }
    }
    survey
}

fn scores(reports: &[&Report]) -> ScoreSurvey {
    const RISKS: [(&str, u8, u8); 6] = [
        ("0", 0, 0),
        ("1–19", 1, 19),
        ("20–39", 20, 39),
        ("40–59", 40, 59),
        ("60–79", 60, 79),
        ("80–100", 80, 100),
    ];
    let mut hygiene = vec![0; 10];
    let mut sum = 0.0;
    for report in reports {
        // Scores are tenths from 0 to 10, and 10 belongs to the last column.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the score lies between 0 and 10"
        )]
        let at = report.hygiene.score.clamp(0.0, 9.9) as usize;
        hygiene[at] += 1;
        sum += report.hygiene.score;
    }
    let risk = RISKS.iter().map(|(name, from, to)| {
        let inside = |report: &&&Report| (*from..=*to).contains(&report.risk);
        ((*name).to_owned(), reports.iter().filter(inside).count())
    });
    let mut checks: BTreeMap<&str, (f64, usize, String)> = BTreeMap::new();
    for check in reports.iter().flat_map(|report| &report.hygiene.checks) {
        let known = checks.entry(&check.id).or_default();
        if let Some(score) = check.score {
            known.0 += f64::from(score);
            known.1 += 1;
        }
        if known.2.is_empty() {
            known.2.clone_from(&check.improve);
        }
    }
    let mut checks: Vec<(String, f64, usize, String)> = checks
        .into_iter()
        .filter(|(_, (_, count, _))| *count > 0)
        .map(|(id, (sum, count, improve))| {
            (id.to_owned(), tenth(sum / as_float(count)), count, improve)
        })
        .collect();
    checks.sort_by(|a, b| a.1.total_cmp(&b.1));
    ScoreSurvey {
        hygiene,
        mean_hygiene: tenth(sum / as_float(reports.len().max(1))),
        risk: risk.collect(),
        checks,
    }
}

fn trends(reports: &[Report]) -> Vec<Year> {
    let mut years: BTreeMap<i16, Vec<&Report>> = BTreeMap::new();
    for report in reports {
        if let Some(published) = report.profile.published {
            let year = published.to_zoned(jiff::tz::TimeZone::UTC).year();
            years.entry(year).or_default().push(report);
        }
    }
    let years = years.into_iter().map(|(year, reports)| {
        let count = as_float(reports.len());
        let share = |is: fn(&&&Report) -> bool| {
            tenth(as_float(reports.iter().filter(is).count()) * 100.0 / count)
        };
        Year {
            year,
            versions: reports.len(),
            hygiene: tenth(
                reports
                    .iter()
                    .map(|report| report.hygiene.score)
                    .sum::<f64>()
                    / count,
            ),
            with_unsafe: share(|report| report.profile.measures.unsafe_items > 0),
            with_build_script: share(|report| report.profile.measures.build_script),
            with_revision: share(|report| report.profile.commit.is_some()),
        }
    });
    years.collect()
}

fn riskiest(reports: &[&Report]) -> Vec<Ranked> {
    let mut ranked: Vec<Ranked> = reports
        .iter()
        .filter(|report| report.risk >= 20)
        .map(|report| Ranked {
            package: shown(report),
            risk: report.risk,
            findings: report
                .findings
                .iter()
                .filter(|finding| {
                    !matches!(finding.category, Category::Secret | Category::Hygiene)
                        && finding.severity >= Severity::Medium
                        && finding.suppressed.is_none()
                })
                .take(4)
                .map(|finding| {
                    (
                        finding.detector.clone(),
                        finding.severity,
                        finding.message.clone(),
                    )
                })
                .collect(),
        })
        .collect();
    ranked.sort_by(|a, b| (b.risk, &a.package).cmp(&(a.risk, &b.package)));
    ranked.truncate(LISTED);
    ranked
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of packages are far below what a float holds exactly"
)]
fn as_float(count: usize) -> f64 {
    count as f64
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
