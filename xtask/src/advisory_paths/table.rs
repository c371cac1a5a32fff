//! What is printed: counts, and every path that does not simply resolve.

use std::collections::{BTreeMap, BTreeSet};

use super::{Outcome, Row};

/// Prints the tables.
pub(super) fn print(rows: &[Row]) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(label(&row.outcome)).or_default() += 1;
    }
    let packages: BTreeSet<&str> = rows.iter().map(|row| row.package.as_str()).collect();
    let advisories: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    println!(
        "{} paths of {} advisories about {} packages",
        rows.len(),
        advisories.len(),
        packages.len()
    );
    for (label, count) in counts {
        println!("  {count:>4} {label}");
    }
    println!();
    for row in rows {
        let detail = match &row.outcome {
            Outcome::Resolved {
                all_features: false,
                ..
            } => continue,
            Outcome::Resolved { version, .. } => version.clone(),
            Outcome::ResolvedThen {
                version,
                missing_in,
                ..
            } => format!("in {version}, not in {missing_in}"),
            Outcome::Missing {
                versions,
                without_features,
            } => match without_features {
                Some(reason) => format!("{} ({reason})", versions.join(", ")),
                None => versions.join(", "),
            },
            Outcome::NotAsked { reason } => reason.clone(),
        };
        println!(
            "{} {} {}: {}: {detail}",
            row.package,
            row.id,
            row.path,
            label(&row.outcome)
        );
    }
}

fn label(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Resolved {
            all_features: false,
            ..
        } => "resolve",
        Outcome::Resolved { .. } => "resolve with all features",
        Outcome::ResolvedThen { .. } => "resolve in an older affected version",
        Outcome::Missing { .. } => "name nothing",
        Outcome::NotAsked { .. } => "could not be asked",
    }
}
