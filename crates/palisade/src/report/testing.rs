//! A report by hand, for the tests of the formats.

use std::collections::{BTreeMap, BTreeSet};

use palisade_check::{CallGraph, Project};
use palisade_engine::{Call, Dispatch, ReachedFunction};
use palisade_model::{
    BlindSpot, BlindSpotCause, Context, Finding, Function, Hop, Kind, Level, Location, Package,
    PackageSource, Remedy, Report, Summary, Verdict,
};

use super::View;

fn package(name: &str, version: &str, source: PackageSource) -> Package {
    Package {
        name: name.to_owned(),
        version: version.parse().unwrap(),
        source,
    }
}

fn published(name: &str, version: &str) -> Package {
    package(name, version, PackageSource::CratesIo)
}

fn location(file: &str, line: u32) -> Location {
    Location {
        file: file.to_owned(),
        line,
    }
}

fn function(path: &str, version: Option<&str>, at: Location) -> Function {
    let (crate_name, _) = path.split_once("::").unwrap();
    let (_, name) = path.rsplit_once("::").unwrap();
    Function {
        crate_name: crate_name.to_owned(),
        version: version.map(str::to_owned),
        self_type: None,
        trait_name: None,
        name: name.to_owned(),
        path: path.to_owned(),
        location: Some(at),
    }
}

fn finding(id: &str, package: Package, target: &str) -> Finding {
    Finding {
        id: id.to_owned(),
        aliases: Vec::new(),
        title: format!("The problem {id}"),
        url: Some(format!("https://rustsec.org/advisories/{id}.html")),
        kind: Kind::Vulnerability,
        package,
        target: target.to_owned(),
        level: Level::Imported,
        verdict: Verdict::NotReached,
        context: Context::Run,
        reason: "no call path leads to demo::f".to_owned(),
        functions: vec!["demo::f".to_owned()],
        missing_functions: Vec::new(),
        paths: Vec::new(),
        blind_spots: Vec::new(),
        remedy: Remedy::None,
        ignored: None,
    }
}

fn witness() -> Vec<Hop> {
    vec![
        Hop {
            function: function("app::main", Some("0.1.0"), location("src/main.rs", 3)),
            call_site: Some(location("src/main.rs", 4)),
            dispatch: Some("static"),
        },
        Hop {
            function: function(
                "app::report",
                Some("0.1.0"),
                location("src/my report.rs", 8),
            ),
            call_site: Some(location("src/my report.rs", 9)),
            dispatch: Some("dyn"),
        },
        Hop {
            function: function(
                "demo::f",
                Some("1.0.0"),
                location(
                    "/home/me/.cargo/registry/src/index-1/demo-1.0.0/src/lib.rs",
                    20,
                ),
            ),
            call_site: None,
            dispatch: None,
        },
    ]
}

/// One finding of each kind that formats tell apart.
pub(super) fn report() -> Report {
    let mut reached = finding("RUSTSEC-2099-0001", published("demo", "1.0.0"), "bin:app");
    reached.level = Level::Reached;
    reached.verdict = Verdict::Reached;
    reached.aliases = vec!["CVE-2099-1".to_owned()];
    reached.reason = "a call path leads to demo::f".to_owned();
    reached.paths = vec![witness()];
    reached.remedy = Remedy::Update {
        package: "demo".to_owned(),
        from: "1.0.0".parse().unwrap(),
        to: "1.0.1".parse().unwrap(),
    };
    let also = Finding {
        target: "bin:tool".to_owned(),
        ..reached.clone()
    };

    let mut unknown = finding(
        "RUSTSEC-2099-0002",
        published("macros", "2.0.0+build"),
        "bin:app",
    );
    unknown.verdict = Verdict::Unknown;
    unknown.reason =
        "only through what could not be followed may macros::run be reached".to_owned();
    unknown.blind_spots = vec![0];
    unknown.missing_functions = vec!["macros::old".to_owned()];
    unknown.remedy = Remedy::Blocked {
        package: "macros".to_owned(),
        fixed: ">=3.0.0".to_owned(),
        parent: "middle 0.2.0".to_owned(),
        requirement: "^2".to_owned(),
    };

    let safe = finding("RUSTSEC-2099-0003", published("demo", "1.0.0"), "bin:app");
    let mut required = finding("RUSTSEC-2099-0004", published("windows-only", "0.3.0"), "");
    required.level = Level::Required;
    required.reason = "the package is locked, but no part of the build".to_owned();
    required.remedy = Remedy::Fixed {
        package: "windows-only".to_owned(),
        fixed: vec!["^0.3.1".to_owned(), ">=0.4.0".to_owned()],
    };
    let mut unmaintained = finding("RUSTSEC-2099-0005", published("old", "0.1.0"), "bin:app");
    unmaintained.kind = Kind::Unmaintained;
    unmaintained.verdict = Verdict::Reached;
    unmaintained.level = Level::Reached;
    unmaintained.context = Context::Build;
    unmaintained.title = "old is \u{1b}[31munmaintained\u{202e}".to_owned();
    let mut ignored = finding("RUSTSEC-2099-0006", published("demo", "1.0.0"), "bin:app");
    ignored.verdict = Verdict::Reached;
    ignored.level = Level::Reached;
    ignored.ignored = Some("behind a proxy".to_owned());

    let spot = BlindSpot {
        location: location("src/main.rs", 12),
        cause: BlindSpotCause::UnexpandedMacro,
        detail: "macros::generate!".to_owned(),
        may_reach: vec!["macros".to_owned()],
    };
    Report {
        findings: vec![
            reached,
            also,
            unknown,
            safe,
            required,
            unmaintained,
            ignored,
        ],
        blind_spots: vec![spot],
        warnings: vec!["palisade.toml:3: the ignore of X matches no finding; remove it".to_owned()],
        summary: Summary {
            packages: 42,
            advisories: 1200,
            targets: vec!["bin:app".to_owned(), "bin:tool".to_owned()],
            functions_reached: 321,
            reached: 2,
            not_reached: 2,
            unknown: 1,
            ignored: 1,
            informational: 1,
            database_age_days: Some(3),
        },
    }
}

/// The project that [`report`] is about.
pub(super) fn project() -> Project {
    let app = package("app", "0.1.0", PackageSource::Path);
    Project {
        root: "/home/me/app".into(),
        lockfile: "/home/me/app/Cargo.lock".into(),
        lines: BTreeMap::from([(("demo".to_owned(), "1.0.0".parse().unwrap()), 17)]),
        ambiguous: BTreeSet::new(),
        targets: vec![
            ("bin:app".to_owned(), app.clone()),
            ("bin:tool".to_owned(), app.clone()),
        ],
        members: vec![app],
    }
}

/// Renders [`report`] with one of the renderers.
pub(super) fn rendered(
    render: impl Fn(&View<'_>, &mut dyn std::io::Write) -> std::io::Result<()>,
) -> String {
    let (report, project) = (report(), project());
    let view = View {
        report: &report,
        project: &project,
        paths: 1,
        timestamp: 1_700_000_000,
    };
    let mut out = Vec::new();
    render(&view, &mut out).unwrap();
    // Source files must not hold characters that reorder their lines.
    String::from_utf8(out)
        .unwrap()
        .replace('\u{202e}', "<U+202E>")
}

/// A call graph with every kind of line.
pub(super) fn call_graph() -> CallGraph {
    let reached = |function, context, possible| ReachedFunction {
        function,
        body: true,
        inline_always: false,
        context,
        possible,
    };
    let mut search = function(
        "demo::Core::search",
        Some("1.0.0"),
        location("/d/demo-1.0.0/src/lib.rs", 7),
    );
    search.self_type = Some("Core".to_owned());
    search.trait_name = Some("Strategy".to_owned());
    let mut drop = function("core::ptr::drop_in_place", None, location("", 0));
    drop.location = None;
    CallGraph {
        functions: vec![
            reached(
                function("app::main", Some("0.1.0"), location("src/main.rs", 3)),
                Context::Run,
                false,
            ),
            reached(drop, Context::Build, false),
            reached(search, Context::Run, true),
        ],
        calls: vec![
            Call {
                caller: 0,
                callee: 1,
                site: None,
                dispatch: Dispatch::Drop,
            },
            Call {
                caller: 0,
                callee: 2,
                site: Some(location("src/main.rs", 4)),
                dispatch: Dispatch::Static,
            },
        ],
        blind_spots: report().blind_spots,
    }
}
