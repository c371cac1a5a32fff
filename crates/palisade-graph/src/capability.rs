//! What a function can do to the world outside by itself.
//!
//! A reviewed table (`capabilities.txt`) names the functions through which a
//! program touches what is not its own. What a function reaches through others
//! is a question to the graph; here it only counts what it calls itself.

use std::fmt;
use std::sync::LazyLock;

use palisade_model::facts::{CrateFacts, FunctionFact, FunctionKind};

/// Something that a function can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
pub enum Capability {
    /// Reads or changes files.
    FileSystem = 1 << 0,
    /// Talks to other machines or processes.
    Network = 1 << 1,
    /// Starts or ends processes.
    Process = 1 << 2,
    /// Reads or changes the environment: variables, arguments, directories.
    Environment = 1 << 3,
    /// Calls code of another language.
    Foreign = 1 << 4,
    /// Holds an `unsafe` block.
    Unsafe = 1 << 5,
    /// Loads code while the program runs.
    Loading = 1 << 6,
    /// Reads a clock.
    Clock = 1 << 7,
    /// Asks the system for random bytes.
    Randomness = 1 << 8,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Capability; 9] = [
        Capability::FileSystem,
        Capability::Network,
        Capability::Process,
        Capability::Environment,
        Capability::Foreign,
        Capability::Unsafe,
        Capability::Loading,
        Capability::Clock,
        Capability::Randomness,
    ];

    /// The stable name that every output format uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Capability::FileSystem => "filesystem",
            Capability::Network => "network",
            Capability::Process => "process",
            Capability::Environment => "environment",
            Capability::Foreign => "ffi",
            Capability::Unsafe => "unsafe",
            Capability::Loading => "loading",
            Capability::Clock => "clock",
            Capability::Randomness => "randomness",
        }
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Capabilities(u16);

impl Capabilities {
    /// From the bits that a fragment holds; unknown ones are left out.
    pub fn from_bits(bits: u16) -> Capabilities {
        let known = Capability::ALL.iter().fold(0, |all, one| all | *one as u16);
        Capabilities(bits & known)
    }

    /// As a fragment holds them.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// Those in the set.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        let all = Capability::ALL.into_iter();
        all.filter(move |one| self.0 & *one as u16 != 0)
    }

    fn insert(&mut self, one: Capability) {
        self.0 |= one as u16;
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Capability::as_str).collect();
        f.write_str(&names.join(", "))
    }
}

/// One line of the table.
struct Sink {
    capability: Capability,
    krate: &'static str,
    path: &'static str,
    /// Whether everything that begins with `path` is meant.
    prefix: bool,
}

static TABLE: &str = include_str!("capabilities.txt");

static SINKS: LazyLock<Vec<Sink>> = LazyLock::new(|| TABLE.lines().filter_map(sink).collect());

/// Reads a line; `None` for what is not an entry.
fn sink(line: &'static str) -> Option<Sink> {
    let mut fields = line.split('|').map(str::trim);
    let (name, krate, path) = (fields.next()?, fields.next()?, fields.next()?);
    let named = |one: &&Capability| one.as_str() == name;
    let prefix = path.ends_with("::") || path.ends_with('*');
    Some(Sink {
        capability: *Capability::ALL.iter().find(named)?,
        krate,
        path: path.trim_end_matches('*'),
        prefix,
    })
}

/// What one of a crate's functions can do by itself. What a crate of the table
/// does inside of itself is not looked up again.
pub fn capabilities(facts: &CrateFacts, function: &FunctionFact) -> Capabilities {
    let mut found = Capabilities::default();
    if function.has_unsafe {
        found.insert(Capability::Unsafe);
    }
    if function.kind == FunctionKind::Foreign {
        found.insert(Capability::Foreign);
    }
    for call in &function.calls {
        let item = &facts.items[call.callee as usize];
        // The first crate is the facts' own.
        if item.krate == 0 {
            continue;
        }
        let krate = &facts.crates[item.krate as usize].name;
        for sink in SINKS.iter().filter(|sink| sink.krate == krate) {
            let hit = match sink.prefix {
                true => item.path.starts_with(sink.path),
                false => item.path == sink.path,
            };
            if hit {
                found.insert(sink.capability);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that no line of the table is left out for a slip of the pen.
    #[test]
    fn every_line_is_an_entry_with_a_reason() {
        let lines = TABLE
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            assert!(sink(line).is_some(), "{line}");
            let reason = line.split('|').nth(3);
            assert!(
                reason.is_some_and(|reason| !reason.trim().is_empty()),
                "{line}"
            );
        }
        assert!(SINKS.len() > 50);
    }
}
