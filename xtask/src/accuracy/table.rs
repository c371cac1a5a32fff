//! How the comparison is shown.

use std::collections::BTreeMap;

use super::Function;
use super::compare::{Comparison, Figures, demangle};
use super::targets::Target;

/// Highest share of kept functions that may be called *not reached*.
const MAX_FALSE_NOT_REACHED: f64 = 0.001;
/// Lowest share of functions not kept that must be called *not reached*.
const MIN_TRUE_NOT_REACHED: f64 = 0.8;
/// Lowest share of executed functions that must be reached.
const MIN_EXECUTED: f64 = 0.999;
/// Names shown for each group, and characters shown of each example.
const SHOWN_NAMES: usize = 6;
const SHOWN_CHARACTERS: usize = 160;

/// Prints recall, precision and what was set apart.
pub(super) fn print_linker(results: &[(&Target, Comparison)], expanded: bool) {
    println!("\nLinker (goals in brackets)");
    println!(
        "{:<18} {:>6} {:>7} {:>7}  {:<16} {:<16} {:>8} {:>7} {:>7} {:>6} {:>6} {:>7} {:>8}",
        "target",
        "kept",
        "reached",
        "matched",
        "recall",
        "precision",
        "possible",
        "inlined",
        "constr.",
        "extern",
        "export",
        "seconds",
        "MiB"
    );
    for (target, comparison) in results {
        let figures = &comparison.figures;
        let goals = target.set.goals();
        let recall_goal = if expanded {
            goals.recall_expanded
        } else {
            goals.recall
        };
        let memory = figures
            .peak_memory
            .map_or_else(|| "?".to_owned(), |bytes| (bytes >> 20).to_string());
        println!(
            "{:<18} {:>6} {:>7} {:>7}  {:<16} {:<16} {:>8} {:>7} {:>7} {:>6} {:>6} {:>7.1} {:>8}",
            target.name,
            figures.kept,
            figures.reached,
            figures.matched,
            at_least(figures.recall(), recall_goal),
            at_least(figures.precision(), goals.precision),
            figures.possible,
            figures.always_inlined,
            figures.constructors,
            figures.declared,
            figures.exported,
            figures.seconds,
            memory
        );
    }
}

/// Prints what the verdict of each function would be.
pub(super) fn print_verdicts(results: &[(&Target, Comparison)]) {
    println!("\nVerdicts (goals in brackets)");
    println!(
        "{:<18} {:>6} {:>9} {:>8} {:>8} {:<20} {:>8} {:<20} blind spots",
        "target", "kept", "unknown", "lost", "wrong", "  wrong share", "dropped", "  not reached"
    );
    for (target, comparison) in results {
        let figures = &comparison.figures;
        let blind_spots: Vec<String> = figures
            .blind_spots
            .iter()
            .map(|(cause, count)| format!("{cause} {count}"))
            .collect();
        println!(
            "{:<18} {:>6} {:>9} {:>8} {:>8}   {:<18} {:>8}   {:<18} {}",
            target.name,
            figures.kept,
            figures.kept_possible,
            figures.lost,
            figures.false_not_reached,
            at_most(figures.false_not_reached(), MAX_FALSE_NOT_REACHED),
            figures.dropped,
            at_least(figures.true_not_reached(), MIN_TRUE_NOT_REACHED),
            blind_spots.join(", ")
        );
    }
}

/// Prints how much of what ran is reached, and everything that is not.
pub(super) fn print_executed(results: &[(&Target, Comparison)]) {
    println!("\nExecuted by the target's own commands (goals in brackets)");
    println!(
        "{:<18} {:>8} {:>8}   reached",
        "target", "executed", "missing"
    );
    for (target, comparison) in results {
        let figures = &comparison.figures;
        if let (Some(executed), Some(share)) = (figures.executed, figures.executed_share()) {
            println!(
                "{:<18} {:>8} {:>8}   {}",
                target.name,
                executed,
                figures.executed_missing,
                at_least(share, MIN_EXECUTED)
            );
        }
        for (function, (symbol, possible)) in &comparison.unexpected {
            let kind = if *possible {
                "only possible"
            } else {
                "missing"
            };
            println!("    {kind}: {function}\n      {}", demangle(symbol));
        }
    }
}

/// Names every goal that is missed.
pub(super) fn missed_goals(results: &[(&Target, Comparison)], expanded: bool) -> Vec<String> {
    let mut missed = Vec::new();
    for (target, Comparison { figures, .. }) in results {
        for (what, met) in goals_of(target, figures, expanded) {
            if !met {
                missed.push(format!("{} {what}", target.name));
            }
        }
    }
    missed
}

/// Prints the largest groups of missing and of extra functions.
pub(super) fn print_groups(target: &Target, comparison: &Comparison, limit: usize) {
    let lost = comparison
        .missing
        .iter()
        .filter(|(_, (_, possible))| !possible)
        .map(|(function, (symbol, _))| (function, demangle(symbol)));
    print_side(
        target,
        "missing: kept, neither reached nor possible",
        lost,
        limit,
    );
    let possible = comparison
        .missing
        .iter()
        .filter(|(_, (_, possible))| *possible)
        .map(|(function, (symbol, _))| (function, demangle(symbol)));
    print_side(
        target,
        "only possible: kept, reached through a blind spot",
        possible,
        limit,
    );
    let extra = comparison
        .extra
        .iter()
        .map(|(function, place)| (function, place.clone()));
    print_side(target, "extra: reached, not kept", extra, limit);
}

fn goals_of(target: &Target, figures: &Figures, expanded: bool) -> [(&'static str, bool); 5] {
    let goals = target.set.goals();
    let recall = if expanded {
        goals.recall_expanded
    } else {
        goals.recall
    };
    [
        ("recall", figures.recall() >= recall),
        ("precision", figures.precision() >= goals.precision),
        (
            "false not-reached",
            figures.false_not_reached() <= MAX_FALSE_NOT_REACHED,
        ),
        (
            "true not-reached",
            figures.true_not_reached() >= MIN_TRUE_NOT_REACHED,
        ),
        (
            "executed",
            figures
                .executed_share()
                .is_none_or(|share| share >= MIN_EXECUTED),
        ),
    ]
}

/// Functions of one type and trait, with one example.
#[derive(Default)]
struct Group {
    names: Vec<String>,
    example: String,
}

fn print_side<'a>(
    target: &Target,
    title: &str,
    functions: impl Iterator<Item = (&'a Function, String)>,
    limit: usize,
) {
    let mut crates: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: BTreeMap<(&str, Option<&str>, Option<&str>), Group> = BTreeMap::new();
    let mut total = 0;
    for (function, example) in functions {
        total += 1;
        *crates.entry(&function.krate).or_default() += 1;
        let key = (
            function.krate.as_str(),
            function.self_type.as_deref(),
            function.trait_name.as_deref(),
        );
        let group = groups.entry(key).or_default();
        group.names.push(function.name.clone());
        if group.example.is_empty() {
            group.example = example;
        }
    }
    println!("\n{}, {title}: {total}", target.name);
    if total == 0 {
        return;
    }

    let mut crates: Vec<(&str, usize)> = crates.into_iter().collect();
    crates.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
    let by_crate: Vec<String> = crates
        .iter()
        .take(limit)
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    println!("  by crate: {}", by_crate.join(", "));

    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(key, group)| (std::cmp::Reverse(group.names.len()), *key));
    for ((krate, self_type, trait_name), group) in groups.iter().take(limit) {
        let holder = match (self_type, trait_name) {
            (Some(ty), Some(name)) => format!("<{ty} as {name}>"),
            (Some(ty), None) => (*ty).to_owned(),
            (None, _) => "(free functions)".to_owned(),
        };
        let mut names = group.names[..group.names.len().min(SHOWN_NAMES)].join(" ");
        if group.names.len() > SHOWN_NAMES {
            names += " …";
        }
        println!("  {:>5}  {krate}: {holder}: {names}", group.names.len());
        let example: String = group.example.chars().take(SHOWN_CHARACTERS).collect();
        println!("         e.g. {example}");
    }
}

fn at_least(value: f64, goal: f64) -> String {
    goal_text(value, goal, value >= goal)
}

fn at_most(value: f64, goal: f64) -> String {
    goal_text(value, goal, value <= goal)
}

fn goal_text(value: f64, goal: f64, met: bool) -> String {
    // Rounded down, so that a figure that is shown as its goal meets it.
    let percent = (value * 10_000.0).floor() / 100.0;
    let mark = if met { "" } else { " !" };
    format!("{percent:.2} % ({:.1}){mark}", goal * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that a share just below its goal is not shown as reaching it.
    #[test]
    fn a_missed_goal_shows() {
        assert_eq!(at_least(0.994_999, 0.995), "99.49 % (99.5) !");
        assert_eq!(at_least(0.995, 0.995), "99.50 % (99.5)");
        assert_eq!(at_most(0.0005, 0.001), "0.05 % (0.1)");
    }
}
