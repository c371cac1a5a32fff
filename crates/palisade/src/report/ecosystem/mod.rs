//! The audit of a corpus as one page: no script, no request to anywhere, and
//! every name escaped, since those who publish crates choose them.

mod chart;

use std::fmt::Write;

use palisade_scan::ProvenanceClass;
use palisade_scan::audit::{Audit, DetectorCount};

use self::chart::{Bar, bars, columns, line, parts};
use crate::report::text::printable;

/// Text for HTML: nothing of it is markup, and nothing steers the direction of
/// what follows.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in printable(text).chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

/// A number with its thousands apart.
fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

fn count(value: usize) -> String {
    number(value as u64)
}

fn float(value: usize) -> f64 {
    u32::try_from(value).map_or(f64::MAX, f64::from)
}

fn share(part: usize, whole: usize) -> String {
    match whole {
        0 => "–".to_owned(),
        whole => format!("{:.1} %", float(part) * 100.0 / float(whole)),
    }
}

fn bar(label: impl Into<String>, value: usize, whole: usize, colour: &'static str) -> Bar {
    Bar {
        label: label.into(),
        value: float(value),
        shown: format!("{} ({})", count(value), share(value, whole)),
        colour,
    }
}

/// The page.
pub(crate) fn html(audit: &Audit) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{0}</title>\n<style>\n{1}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">To the figures</a>\n\
         <header><h1>{0}</h1><p class=\"soft\">An audit of {2} crates in {3} versions by Palisade, {4}.</p>\n",
        escape(&audit.title),
        include_str!("style.css"),
        count(audit.corpus.crates),
        count(audit.corpus.versions),
        escape(&audit.made),
    );
    tiles(audit, &mut page);
    page.push_str("<nav aria-label=\"Sections\">");
    for (id, title) in SECTIONS {
        let _ = write!(page, "<a href=\"#{id}\">{title}</a>");
    }
    page.push_str("</nav></header>\n<main id=\"main\">\n");
    risk(audit, &mut page);
    unsafe_code(audit, &mut page);
    build_time(audit, &mut page);
    secrets(audit, &mut page);
    provenance(audit, &mut page);
    advisories(audit, &mut page);
    scores(audit, &mut page);
    trends(audit, &mut page);
    method(audit, &mut page);
    page.push_str("</main>\n<footer class=\"soft\"><p>Shares are of the newest version of each crate; trends are of every version.</p></footer>\n</body>\n</html>\n");
    page
}

const SECTIONS: [(&str, &str); 9] = [
    ("risk", "Risk"),
    ("unsafe", "Unsafe code"),
    ("build", "Build time"),
    ("secrets", "Secrets"),
    ("provenance", "Provenance"),
    ("advisories", "Advisories"),
    ("scores", "Scores"),
    ("trends", "Trends"),
    ("method", "Method"),
];

fn section(page: &mut String, id: &str, title: &str, lead: &str) {
    let _ = write!(
        page,
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\"><h2 id=\"{id}-title\">{title}</h2>\
         <p class=\"soft\">{lead}</p>"
    );
}

fn tiles(audit: &Audit, page: &mut String) {
    let high = audit
        .scores
        .risk
        .iter()
        .skip(4)
        .map(|(_, count)| count)
        .sum();
    let all = audit.corpus.crates;
    let tiles: [(String, &str); 6] = [
        (number(audit.corpus.lines), "lines of Rust"),
        (
            share(all - audit.unsafe_code.none.min(all), all),
            "have unsafe code",
        ),
        (
            share(audit.build_time.build_scripts, all),
            "have a build script",
        ),
        (
            format!("{:.1}", audit.scores.mean_hygiene),
            "mean hygiene, of 10",
        ),
        (count(high), "with a risk of 60 or more"),
        (
            count(audit.secrets.iter().map(|found| found.crates).sum()),
            "findings of secrets",
        ),
    ];
    page.push_str("<ul class=\"tiles\">");
    for (value, what) in tiles {
        let _ = write!(
            page,
            "<li><b>{}</b><span class=\"soft\">{what}</span></li>",
            escape(&value)
        );
    }
    page.push_str("</ul>");
}

fn risk(audit: &Audit, page: &mut String) {
    section(
        page,
        "risk",
        "Risk of malice",
        "From 0 to 100, out of findings that come together. It is a reason to look, not a verdict.",
    );
    let chart: Vec<Bar> = audit
        .scores
        .risk
        .iter()
        .enumerate()
        .map(|(at, (range, crates))| Bar {
            label: range.clone(),
            value: float(*crates),
            shown: count(*crates),
            colour: ["quiet", "one", "one", "three", "four", "four"][at.min(5)],
        })
        .collect();
    page.push_str(&columns("Crates by risk", &chart, "risk of malice"));
    if audit.riskiest.is_empty() {
        page.push_str("<p>No crate has a risk of 20 or more.</p>");
    } else {
        page.push_str("<div class=\"table\"><table><caption>Highest risk</caption><thead><tr><th scope=\"col\">Crate</th><th scope=\"col\" class=\"n\">Risk</th><th scope=\"col\">Findings</th></tr></thead><tbody>");
        for ranked in &audit.riskiest {
            let findings: Vec<String> = ranked
                .findings
                .iter()
                .map(|(detector, severity, message)| {
                    format!(
                        "<span class=\"severity\">{}</span> {} <code>{}</code>",
                        severity.as_str(),
                        escape(message),
                        escape(detector)
                    )
                })
                .collect();
            let _ = write!(
                page,
                "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td>{}</td></tr>",
                escape(&ranked.package),
                ranked.risk,
                findings.join("<br>")
            );
        }
        page.push_str("</tbody></table></div>");
    }
    found(page, "All findings but secrets", &audit.findings);
    page.push_str("</section>\n");
}

/// A table of detectors.
fn found(page: &mut String, title: &str, counts: &[DetectorCount]) {
    if counts.is_empty() {
        return;
    }
    let _ = write!(
        page,
        "<div class=\"table\"><table><caption>{title}</caption><thead><tr><th scope=\"col\">Detector</th>\
         <th scope=\"col\">Worst</th><th scope=\"col\" class=\"n\">Crates</th><th scope=\"col\">Such as</th></tr></thead><tbody>"
    );
    for found in counts {
        let _ = write!(
            page,
            "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td><td class=\"n\">{}</td><td>{}</td></tr>",
            escape(&found.detector),
            found.severity.as_str(),
            count(found.crates),
            escape(&found.examples.join(", "))
        );
    }
    page.push_str("</tbody></table></div>");
}

fn unsafe_code(audit: &Audit, page: &mut String) {
    let all = audit.corpus.crates;
    let survey = &audit.unsafe_code;
    let lead = format!(
        "{} of {} crates have no unsafe code, and in {} of them the compiler refuses it.",
        count(survey.none),
        count(all),
        count(survey.forbidden)
    );
    section(page, "unsafe", "Unsafe code", &lead);
    page.push_str("<div class=\"pair\">");
    let density: Vec<Bar> = survey
        .density
        .iter()
        .enumerate()
        .map(|(at, (range, crates))| {
            let colour = ["two", "one", "one", "three", "four"][at.min(4)];
            bar(range.clone(), *crates, all, colour)
        })
        .collect();
    page.push_str(&bars("Crates by unsafe items per thousand lines", &density));
    let most: Vec<Bar> = survey
        .most
        .iter()
        .map(|(package, items, lines)| Bar {
            label: package.clone(),
            value: float(usize::try_from(*items).unwrap_or(usize::MAX)),
            shown: format!("{} in {}", number(*items), number(*lines)),
            colour: "one",
        })
        .collect();
    page.push_str(&bars("Most unsafe items, in lines of Rust", &most));
    page.push_str("</div></section>\n");
}

fn build_time(audit: &Audit, page: &mut String) {
    let all = audit.corpus.crates;
    let survey = &audit.build_time;
    section(
        page,
        "build",
        "Code at build time, and capabilities",
        "A build script and a procedural macro run on the machine of whoever builds. What code can do is read from its text: it need not be reached.",
    );
    page.push_str("<div class=\"pair\">");
    page.push_str(&bars(
        "What runs while something is built",
        &[
            bar("nothing", survey.neither, all, "two"),
            bar("a build script", survey.build_scripts, all, "three"),
            bar("a procedural macro", survey.proc_macros, all, "five"),
        ],
    ));
    let capabilities: Vec<Bar> = audit
        .capabilities
        .iter()
        .map(|capability| {
            bar(
                capability.capability.clone(),
                capability.library,
                all,
                "one",
            )
        })
        .collect();
    page.push_str(&bars("What libraries can do", &capabilities));
    page.push_str("</div><div class=\"table\"><table><caption>Capabilities by place</caption><thead><tr><th scope=\"col\">Capability</th><th scope=\"col\" class=\"n\">Build scripts</th><th scope=\"col\" class=\"n\">Macros</th><th scope=\"col\" class=\"n\">Libraries</th><th scope=\"col\" class=\"n\">Programs</th></tr></thead><tbody>");
    for capability in &audit.capabilities {
        let _ = write!(
            page,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            escape(&capability.capability),
            count(capability.build),
            count(capability.macros),
            count(capability.library),
            count(capability.program)
        );
    }
    page.push_str("</tbody></table></div></section>\n");
}

fn secrets(audit: &Audit, page: &mut String) {
    section(
        page,
        "secrets",
        "Secrets",
        "Tokens, keys and files of credentials in published packages. Most are examples and fixtures; what looks live is of higher severity. No secret is shown.",
    );
    if audit.secrets.is_empty() {
        page.push_str("<p>None were found.</p>");
    }
    found(page, "Findings by family", &audit.secrets);
    page.push_str("</section>\n");
}

fn provenance(audit: &Audit, page: &mut String) {
    let survey = &audit.provenance;
    let lead = format!(
        "{} of {} crates name the revision that they were made from; {} were compared with a repository.",
        count(survey.with_revision),
        count(audit.corpus.crates),
        count(survey.compared)
    );
    section(page, "provenance", "Provenance", &lead);
    if survey.compared == 0 {
        page.push_str(
            "<p>No clones were given (<code>--repositories</code>), so nothing was compared.</p>",
        );
    } else {
        let classes: Vec<Bar> = survey
            .classes
            .iter()
            .map(|(class, crates)| {
                let colour = match class {
                    ProvenanceClass::Match => "two",
                    ProvenanceClass::MatchNormalised => "one",
                    ProvenanceClass::Different => "four",
                    ProvenanceClass::CommitUnreachable => "three",
                    ProvenanceClass::Dirty | ProvenanceClass::CommitNotFound => "five",
                    _ => "quiet",
                };
                bar(class.sentence(), *crates, survey.compared, colour)
            })
            .collect();
        page.push_str(&parts("Compared with their repositories", &classes));
    }
    page.push_str("</section>\n");
}

fn advisories(audit: &Audit, page: &mut String) {
    let all = audit.corpus.crates;
    let survey = &audit.advisories;
    section(
        page,
        "advisories",
        "Advisories",
        "What a new build takes today, beside what a call graph says: a vulnerable dependency only matters where its vulnerable functions are reached.",
    );
    page.push_str("<div class=\"pair\">");
    page.push_str(&bars(
        "Crates that advisories concern",
        &[
            bar("have one of their own", survey.own, all, "four"),
            bar("take a vulnerable crate", survey.crates, all, "three"),
            bar("take an unmaintained one", survey.unmaintained, all, "five"),
        ],
    ));
    let pairs = survey.reached + survey.not_reached + survey.unknown + survey.unasked;
    if pairs > 0 {
        page.push_str(&parts(
            "Vulnerable dependencies by verdict",
            &[
                bar("reached", survey.reached, pairs, "four"),
                bar("not reached", survey.not_reached, pairs, "two"),
                bar("unknown", survey.unknown, pairs, "three"),
                bar("no call graph", survey.unasked, pairs, "quiet"),
            ],
        ));
    }
    page.push_str("</div></section>\n");
}

fn scores(audit: &Audit, page: &mut String) {
    section(
        page,
        "scores",
        "Hygiene",
        "How well crates are kept, from 0 to 10, out of weighted checks. It says nothing about malice.",
    );
    page.push_str("<div class=\"pair\">");
    let histogram: Vec<Bar> = audit
        .scores
        .hygiene
        .iter()
        .enumerate()
        .map(|(at, crates)| Bar {
            label: format!("{at}–{}", at + 1),
            value: float(*crates),
            shown: count(*crates),
            colour: match at {
                0..=3 => "four",
                4..=5 => "three",
                6..=7 => "one",
                _ => "two",
            },
        })
        .collect();
    page.push_str(&columns("Crates by hygiene", &histogram, "hygiene"));
    let checks: Vec<Bar> = audit
        .scores
        .checks
        .iter()
        .map(|(id, mean, crates, _)| Bar {
            label: id.clone(),
            value: *mean,
            shown: format!("{mean:.1} ({})", count(*crates)),
            colour: match mean {
                8.0.. => "two",
                5.0.. => "one",
                3.0.. => "three",
                _ => "four",
            },
        })
        .collect();
    page.push_str(&bars(
        "Mean of each check, and for how many crates it was decided",
        &checks,
    ));
    page.push_str("</div><div class=\"table\"><table><caption>How to improve</caption><tbody>");
    for (id, _, _, improve) in audit
        .scores
        .checks
        .iter()
        .filter(|check| !check.3.is_empty())
    {
        let _ = write!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
            escape(id),
            escape(improve)
        );
    }
    page.push_str("</tbody></table></div></section>\n");
}

fn trends(audit: &Audit, page: &mut String) {
    section(
        page,
        "trends",
        "Trends",
        "By the year of publication, for versions whose index says when that was.",
    );
    if audit.trends.len() < 2 {
        page.push_str("<p>There are not enough years for a trend.</p></section>\n");
        return;
    }
    page.push_str("<div class=\"pair\">");
    let points = |of: fn(&palisade_scan::audit::Year) -> f64,
                  unit: &str,
                  colour: &'static str|
     -> Vec<Bar> {
        let years = audit.trends.iter();
        years
            .map(|year| Bar {
                label: year.year.to_string(),
                value: of(year),
                shown: format!("{:.1}{unit}", of(year)),
                colour,
            })
            .collect()
    };
    page.push_str(&line(
        "Mean hygiene",
        &points(|year| year.hygiene, "", "two"),
        10.0,
    ));
    page.push_str(&line(
        "Versions with unsafe code, in percent",
        &points(|year| year.with_unsafe, " %", "four"),
        100.0,
    ));
    page.push_str(&line(
        "Versions with a build script, in percent",
        &points(|year| year.with_build_script, " %", "three"),
        100.0,
    ));
    page.push_str(&line(
        "Versions that name their revision, in percent",
        &points(|year| year.with_revision, " %", "one"),
        100.0,
    ));
    page.push_str("</div><div class=\"table\"><table><caption>Versions looked at</caption><tbody>");
    for year in &audit.trends {
        let _ = write!(
            page,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td></tr>",
            year.year,
            count(year.versions)
        );
    }
    page.push_str("</tbody></table></div></section>\n");
}

fn method(audit: &Audit, page: &mut String) {
    section(
        page,
        "method",
        "Method",
        "What was done, and what these figures cannot say.",
    );
    page.push_str("<ul>");
    for sentence in &audit.method {
        let _ = write!(page, "<li>{}</li>", escape(sentence));
    }
    let _ = write!(
        page,
        "<li>{} versions were not looked at as a whole; each has a finding that says what was left out.</li></ul>",
        count(audit.corpus.incomplete)
    );
    if !audit.failed.is_empty() {
        let _ = write!(
            page,
            "<details><summary>{} packages could not be scanned</summary><div class=\"table\"><table><tbody>",
            count(audit.failed.len())
        );
        for (target, reason) in &audit.failed {
            let _ = write!(
                page,
                "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
                escape(target),
                escape(reason)
            );
        }
        page.push_str("</tbody></table></div></details>");
    }
    page.push_str("</section>\n");
}
