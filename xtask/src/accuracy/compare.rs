//! The two sides side by side.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use camino::Utf8Path;
use serde::Serialize;

use super::Function;
use super::linker::Symbols;
use super::reached::CallGraph;

/// Counts and shares of one comparison.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Figures {
    /// Functions that the linker kept, after what is set apart.
    pub(super) kept: usize,
    /// Functions reached for certain, after what is set apart.
    pub(super) reached: usize,
    /// Functions on both sides.
    pub(super) matched: usize,
    /// Functions that may be reached through blind spots, kept or not.
    pub(super) possible: usize,
    /// Kept, not reached, but possible: their verdict would be *unknown*.
    pub(super) kept_possible: usize,
    /// Kept, neither reached nor possible.
    pub(super) lost: usize,
    /// Of these, what `palisade check` calls *not reached* all the same, or
    /// could not be asked about.
    pub(super) false_not_reached: usize,
    /// Defined in the linked libraries, but not kept.
    pub(super) dropped: usize,
    /// Of these, neither reached nor possible.
    pub(super) dropped_not_reached: usize,
    /// Set apart: functions that are always inlined, constructors, `extern`
    /// declarations, and exported functions under their plain name.
    pub(super) always_inlined: usize,
    /// See above.
    pub(super) constructors: usize,
    /// See above.
    pub(super) declared: usize,
    /// See above.
    pub(super) exported: usize,
    /// Functions that the target's own commands executed, when measured.
    pub(super) executed: Option<usize>,
    /// Of these, not reached.
    pub(super) executed_missing: usize,
    /// Blind spots by cause.
    pub(super) blind_spots: BTreeMap<String, usize>,
    /// How long Palisade took, in seconds.
    pub(super) seconds: f64,
    /// Its peak memory in bytes.
    pub(super) peak_memory: Option<u64>,
}

/// One target's comparison.
pub(super) struct Comparison {
    /// Counts and shares.
    pub(super) figures: Figures,
    /// Kept but not reached: the function, a symbol, and whether it is at
    /// least possible.
    pub(super) missing: BTreeMap<Function, (String, bool)>,
    /// Reached but not kept, with its place.
    pub(super) extra: BTreeMap<Function, String>,
    /// Executed but not reached: the function, a symbol, and whether it is at
    /// least possible.
    pub(super) unexpected: BTreeMap<Function, (String, bool)>,
}

impl Figures {
    /// Share of kept functions that are reached.
    pub(super) fn recall(&self) -> f64 {
        share(self.matched, self.kept)
    }

    /// Share of reached functions that were kept.
    pub(super) fn precision(&self) -> f64 {
        share(self.matched, self.reached)
    }

    /// Share of executed functions that are reached.
    pub(super) fn executed_share(&self) -> Option<f64> {
        let executed = self.executed?;
        Some(share(executed - self.executed_missing, executed))
    }

    /// Share of kept functions that would be called *not reached*.
    pub(super) fn false_not_reached(&self) -> f64 {
        share(self.false_not_reached, self.kept)
    }

    /// Share of functions not kept that would be called *not reached*.
    pub(super) fn true_not_reached(&self) -> f64 {
        share(self.dropped_not_reached, self.dropped)
    }
}

/// Compares what was kept with what is reached.
pub(super) fn compare(symbols: &Symbols, graph: &CallGraph) -> Comparison {
    let inlined = &graph.always_inlined;
    // An exported function goes by its plain name in the executable.
    let is_exported = |function: &Function| {
        function.self_type.is_none()
            && !symbols.kept.contains_key(function)
            && symbols.plain.contains(&function.name)
    };
    let exported = graph.reached.keys().filter(|f| is_exported(f)).count();

    let mut figures = Figures {
        possible: graph.possible.len(),
        always_inlined: inlined.len(),
        constructors: symbols.constructors,
        declared: graph.declared.len(),
        exported,
        blind_spots: graph.blind_spots.clone(),
        seconds: graph.took.as_secs_f64(),
        peak_memory: graph.peak_memory,
        ..Figures::default()
    };

    let mut missing = BTreeMap::new();
    for (function, symbol) in &symbols.kept {
        if inlined.contains(function) {
            continue;
        }
        figures.kept += 1;
        if graph.reached.contains_key(function) {
            figures.matched += 1;
            continue;
        }
        let possible = graph.possible.contains(function);
        if possible {
            figures.kept_possible += 1;
        } else {
            figures.lost += 1;
        }
        missing.insert(function.clone(), (symbol.clone(), possible));
    }

    let mut extra = BTreeMap::new();
    for (function, place) in &graph.reached {
        if inlined.contains(function) || is_exported(function) {
            continue;
        }
        figures.reached += 1;
        if !symbols.kept.contains_key(function) {
            extra.insert(function.clone(), place.clone());
        }
    }

    let dropped: BTreeSet<&Function> = symbols
        .defined
        .iter()
        .filter(|function| !symbols.kept.contains_key(*function) && !inlined.contains(*function))
        .collect();
    figures.false_not_reached = figures.lost;
    figures.dropped = dropped.len();
    figures.dropped_not_reached = dropped
        .iter()
        .filter(|function| {
            !graph.reached.contains_key(**function) && !graph.possible.contains(**function)
        })
        .count();

    Comparison {
        figures,
        missing,
        extra,
        unexpected: BTreeMap::new(),
    }
}

impl Comparison {
    /// Kept but neither reached nor possible, each with a symbol.
    pub(super) fn lost(&self) -> impl Iterator<Item = (&Function, &str)> {
        let lost = self.missing.iter().filter(|(_, (_, possible))| !possible);
        lost.map(|(function, (symbol, _))| (function, symbol.as_str()))
    }

    /// Takes in what `palisade check` says of the functions that it lost.
    pub(super) fn settle(&mut self, verdicts: &BTreeMap<Function, String>) {
        let is_open = |function: &Function| {
            let verdict = verdicts.get(function).map(String::as_str);
            matches!(verdict, Some("reached" | "unknown"))
        };
        let wrong = self
            .lost()
            .filter(|(function, _)| !is_open(function))
            .count();
        self.figures.false_not_reached = wrong;
    }

    /// Adds what the target's own commands executed.
    pub(super) fn compare_executed(
        &mut self,
        executed: BTreeMap<Function, String>,
        graph: &CallGraph,
    ) {
        let mut count = 0;
        for (function, symbol) in executed {
            if graph.always_inlined.contains(&function) {
                continue;
            }
            count += 1;
            if !graph.reached.contains_key(&function) {
                let possible = graph.possible.contains(&function);
                self.unexpected.insert(function, (symbol, possible));
            }
        }
        self.figures.executed = Some(count);
        self.figures.executed_missing = self.unexpected.len();
    }

    /// Writes the missing and the extra functions as tab-separated lists.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub(super) fn write_lists(&self, directory: &Utf8Path) -> Result<()> {
        let row = |function: &Function, rest: &str| {
            let field = |field: &Option<String>| field.clone().unwrap_or_default();
            format!(
                "{}\t{}\t{}\t{}\t{rest}\n",
                function.krate,
                field(&function.self_type),
                field(&function.trait_name),
                function.name
            )
        };
        let missing: String = self
            .missing
            .iter()
            .map(|(function, (symbol, possible))| {
                let kind = if *possible { "possible" } else { "lost" };
                row(function, &format!("{kind}\t{}", demangle(symbol)))
            })
            .collect();
        let extra: String = self
            .extra
            .iter()
            .map(|(function, place)| row(function, place))
            .collect();
        for (name, text) in [("missing.tsv", missing), ("extra.tsv", extra)] {
            let path = directory.join(name);
            std::fs::write(&path, text).with_context(|| format!("cannot write {path}"))?;
        }
        Ok(())
    }
}

/// A symbol as a person reads it, without hashes.
pub(super) fn demangle(symbol: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(symbol))
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 1.0;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of functions are far below 2^52"
    )]
    let share = part as f64 / whole as f64;
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str) -> Function {
        Function {
            krate: "a".into(),
            self_type: None,
            trait_name: None,
            name: name.into(),
        }
    }

    /// Guards the definitions of the figures, and what is set apart.
    #[test]
    fn counts_each_function_once() {
        let symbols = Symbols {
            kept: ["both", "lost", "possible", "inlined"]
                .map(|name| (function(name), format!("symbol of {name}")))
                .into(),
            plain: ["exported".to_owned()].into(),
            defined: ["both", "dropped", "dropped_reached", "inlined_away"]
                .map(function)
                .into(),
            constructors: 2,
            kept_by_crate: BTreeMap::new(),
            packages: Vec::new(),
        };
        let mut graph = CallGraph::default();
        for name in ["both", "extra", "exported", "dropped_reached"] {
            graph.reached.insert(function(name), String::new());
        }
        graph.possible.insert(function("possible"));
        graph.always_inlined.insert(function("inlined"));
        graph.always_inlined.insert(function("inlined_away"));

        let comparison = compare(&symbols, &graph);
        let figures = &comparison.figures;
        assert_eq!((figures.kept, figures.reached, figures.matched), (3, 3, 1));
        assert_eq!((figures.lost, figures.kept_possible), (1, 1));
        assert_eq!((figures.dropped, figures.dropped_not_reached), (2, 1));
        assert_eq!((figures.exported, figures.constructors), (1, 2));
        assert!((figures.recall() - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!(
            comparison.extra.keys().collect::<Vec<_>>(),
            [&function("dropped_reached"), &function("extra")]
        );
    }

    /// Guards against a division by zero for an empty side.
    #[test]
    fn nothing_to_find_is_found() {
        assert!((Figures::default().recall() - 1.0).abs() < f64::EPSILON);
    }
}
