//! Names that look like other names.

mod checks;
mod people;

use camino::Utf8Path;
use jiff::Timestamp;
use palisade_index::{Dump, DumpOptions, DumpedCrate, IndexError, Owner, canonical_name};
use rustc_hash::FxHashMap;

pub(crate) use people::People;

use crate::subject::OwnerHint;

/// The names of a registry, with what is known about them.
#[derive(Debug, Default)]
pub struct NameCorpus {
    crates: FxHashMap<String, Known>,
    /// Crates that are not there yet, the next one last; see
    /// [`NameCorpus::rewind`].
    future: Vec<(Timestamp, String, Known)>,
    people: People,
    /// Parts of the dump that could not be read.
    pub problems: Vec<String>,
}

#[derive(Debug)]
struct Known {
    name: String,
    data: DumpedCrate,
}

impl NameCorpus {
    /// Reads a registry's database dump: a directory of CSV files.
    ///
    /// # Errors
    /// It has no `crates.csv`, or that cannot be read.
    pub fn open(directory: &Utf8Path) -> Result<NameCorpus, IndexError> {
        let options = DumpOptions {
            recent_downloads: false,
            ..DumpOptions::default()
        };
        Ok(NameCorpus::new(Dump::open(directory, &options)?))
    }

    /// The names of a dump that has been read.
    pub fn new(dump: Dump) -> NameCorpus {
        let problems = dump.problems.iter();
        let problems = problems
            .map(|problem| format!("{}: {}", problem.file, problem.reason))
            .collect();
        let crates = dump.crates.into_iter().map(|(name, data)| {
            let known = Known {
                name: name.clone(),
                data,
            };
            (canonical_name(&name), known)
        });
        let crates: FxHashMap<String, Known> = crates.collect();
        let people = People::new(
            dump.people,
            crates
                .values()
                .map(|known| (known.name.as_str(), &known.data)),
        );
        NameCorpus {
            crates,
            future: Vec::new(),
            people,
            problems,
        }
    }

    /// Forgets what came after `time`, for playing history: crates that were
    /// not there yet come back as [`NameCorpus::advance`] reaches them. How
    /// often something was downloaded by then, a dump does not say.
    pub fn rewind(&mut self, time: Timestamp) {
        let later: Vec<String> = self
            .crates
            .iter()
            .filter(|(_, known)| known.data.created.is_some_and(|created| created > time))
            .map(|(name, _)| name.clone())
            .collect();
        for name in later {
            if let Some(known) = self.crates.remove(&name) {
                let created = known.data.created.unwrap_or(Timestamp::MAX);
                self.future.push((created, name, known));
            }
        }
        self.future.sort_by(|a, b| (b.0, &b.1).cmp(&(a.0, &a.1)));
    }

    /// Brings back what was there by `time`.
    pub fn advance(&mut self, time: Timestamp) {
        while self
            .future
            .last()
            .is_some_and(|(created, ..)| *created <= time)
        {
            if let Some((_, name, known)) = self.future.pop() {
                self.crates.insert(name, known);
            }
        }
    }

    /// Who owns what, and what people call themselves.
    pub(crate) fn people(&self) -> &People {
        &self.people
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .crates
            .values()
            .map(|known| known.name.clone())
            .collect();
        names.sort();
        names
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.crates.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.crates.is_empty()
    }

    /// What is known about a crate.
    pub(crate) fn get(&self, name: &str) -> Option<&DumpedCrate> {
        self.crates
            .get(&canonical_name(name))
            .map(|known| &known.data)
    }
}

/// A name that looks like another one, with evidence.
#[derive(Debug)]
pub(crate) struct LookAlike {
    /// The crate that it looks like.
    pub(crate) target: String,
    /// How the names differ and what else speaks for it, in words.
    pub(crate) evidence: String,
    /// How much speaks for it.
    pub(crate) score: u32,
}

/// A crate with fewer downloads is not worth imitating, unless its description
/// or repository was copied.
const WORTH_IMITATING: u64 = 10_000;
/// How many times more popular the other one has to be.
const TIMES: u64 = 100;
const MANY_TIMES: u64 = 10_000;
/// A first crate that is older by this much was there to be imitated.
const OLDER_DAYS: i64 = 90;
/// A shorter description can be the same by accident.
const DESCRIPTION: usize = 16;

/// The best of the crates that `name` looks like.
pub(crate) fn look_alike(
    corpus: &NameCorpus,
    name: &str,
    hint: OwnerHint<'_>,
) -> Option<LookAlike> {
    let own = corpus.get(name);
    let mut best: Option<LookAlike> = None;
    for (target, how) in checks::candidates(corpus, name) {
        let known = corpus.crates.get(&target)?;
        let Some((score, mut reasons)) = judge(own, &known.data, hint) else {
            continue;
        };
        reasons.insert(0, how);
        if best.as_ref().is_none_or(|best| best.score < score) {
            best = Some(LookAlike {
                target: known.name.clone(),
                evidence: reasons.join(", "),
                score,
            });
        }
    }
    best
}

/// What speaks for an imitation; `None` when something speaks against it.
fn judge(
    own: Option<&DumpedCrate>,
    other: &DumpedCrate,
    hint: OwnerHint<'_>,
) -> Option<(u32, Vec<String>)> {
    let is_new = own.is_none();
    let empty = DumpedCrate::default();
    let own = own.unwrap_or(&empty);
    if own.owners.iter().any(|owner| other.owners.contains(owner)) {
        return None;
    }
    let mut score = 0;
    let mut reasons = Vec::new();
    let mut counts = |points: u32, reason: String| {
        score += points;
        reasons.push(reason);
    };
    let same = |one: Option<&str>, two: Option<&str>| match (one, two) {
        (Some(one), Some(two)) => one.trim().eq_ignore_ascii_case(two.trim()),
        _ => false,
    };
    let description = own.description.as_deref().or(hint.description);
    let repository = own.repository.as_deref().or(hint.repository);
    let copied_description = same(description, other.description.as_deref())
        && description.is_some_and(|text| text.trim().len() >= DESCRIPTION);
    let copied_repository = same(
        repository.map(|text| text.trim_end_matches(['/']).trim_end_matches(".git")),
        other
            .repository
            .as_deref()
            .map(|text| text.trim_end_matches(['/']).trim_end_matches(".git")),
    );
    let copied = copied_description || copied_repository;
    let popular = other.downloads >= WORTH_IMITATING
        && other.downloads >= own.downloads.max(1).saturating_mul(TIMES);
    if !popular && !copied {
        return None;
    }
    if popular {
        let points =
            1 + u32::from(other.downloads >= own.downloads.max(1).saturating_mul(MANY_TIMES));
        counts(
            points,
            format!(
                "which has {} downloads against {}",
                other.downloads, own.downloads
            ),
        );
    }
    // Whoever came first is nobody's imitation.
    if let (Some(own), Some(other)) = (own.created, other.created) {
        let older = days(other, own);
        if older < 0 {
            return None;
        }
        if older >= OLDER_DAYS {
            counts(1, format!("is {older} days older"));
        }
    } else if is_new {
        counts(1, "is older".to_owned());
    }
    if copied_description {
        counts(2, "has the same description".to_owned());
    }
    if copied_repository {
        counts(1, "has the same repository".to_owned());
    }
    if !own.owners.is_empty() && !other.owners.is_empty() {
        let owner = match &other.owners[0] {
            Owner::User(login) | Owner::Team(login) => login,
        };
        counts(0, format!("and belongs to {owner}"));
    }
    Some((score, reasons))
}

fn days(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_hours() / 24
}
