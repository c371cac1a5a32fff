//! Functions by the names that people and advisories give them.

use super::graph::{CrateId, Graph, Node};

/// A function as a person names it: `crate::path::function`, the crate first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionName {
    /// The library's name.
    pub krate: String,
    /// The rest of the path.
    pub path: Vec<String>,
}

/// A text that does not name a function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the path of a function, the crate first")]
pub struct NameError {
    /// The text.
    pub text: String,
}

impl std::str::FromStr for FunctionName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<FunctionName, NameError> {
        let error = || NameError {
            text: text.escape_debug().to_string(),
        };
        let mut segments = split(text).into_iter().map(str::to_owned);
        let krate = segments.next().filter(|krate| !krate.is_empty());
        let name = FunctionName {
            krate: krate.ok_or_else(error)?.replace('-', "_"),
            path: segments.collect(),
        };
        match name.path.is_empty() || name.path.iter().any(String::is_empty) {
            true => Err(error()),
            false => Ok(name),
        }
    }
}

/// The segments of a path; what stands in angle brackets is one.
fn split(path: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0_usize, 0, Vec::new());
    let bytes = path.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'<' => depth += 1,
            b'>' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && at >= start && bytes.get(at + 1) == Some(&b':') => {
                found.push(&path[start..at]);
                start = at + 2;
            }
            _ => {}
        }
    }
    found.push(path.get(start..).unwrap_or_default());
    found
}

/// The functions of one crate that a name means: the one with that very path,
/// else those that it can mean through re-exports, whose modules do not count.
pub(super) fn find(graph: &Graph, krate: CrateId, name: &FunctionName) -> Vec<Node> {
    let exact = graph.find(krate, &name.path.join("::"));
    if let Some(node) = exact.filter(|node| graph.functions.contains_key(node)) {
        return vec![node];
    }
    let functions = || graph.crates[krate as usize].functions.iter().copied();
    let path = |node: &Node| graph.nodes[*node as usize].1.as_str();
    let found: Vec<Node> = functions()
        .filter(|node| may_mean(&name.path, path(node)))
        .collect();
    match name.path.last() {
        // A type or a trait means everything of it.
        Some(last) if found.is_empty() && is_type(last) => functions()
            .filter(|node| of_type(path(node), last))
            .collect(),
        _ => found,
    }
}

pub(super) fn is_type(name: &str) -> bool {
    name.starts_with(|c: char| c.is_uppercase() || c == '<')
}

/// Whether the segment of an impl, `Type` or `<Type as Trait>`, is of a type or
/// trait.
fn is_of(segment: &str, wanted: &str) -> bool {
    let bare = segment.trim_start_matches('<').trim_end_matches('>');
    segment == wanted || bare.split(" as ").any(|part| part == wanted)
}

/// Whether the path is of something of a type or trait.
pub(super) fn of_type(path: &str, wanted: &str) -> bool {
    let segments = split(path);
    let of = segments.iter().rev().nth(1);
    of.is_some_and(|of| is_of(of, wanted))
}

/// Whether a path is what a name means by itself.
pub(super) fn is_meant(wanted: &[String], path: &str) -> bool {
    wanted.join("::") == path
        || may_mean(wanted, path)
        || wanted
            .last()
            .is_some_and(|last| is_type(last) && of_type(path, last))
}

/// Whether a path can be what a name means through re-exports.
pub(super) fn may_mean(wanted: &[String], path: &str) -> bool {
    let segments = split(path);
    let (Some(own), Some(last)) = (segments.last(), wanted.last()) else {
        return false;
    };
    if *own != last.as_str() {
        return false;
    }
    let of = segments.len().checked_sub(2).map(|at| segments[at]);
    let wanted_of = wanted.len().checked_sub(2).map(|at| wanted[at].as_str());
    match (
        of.filter(|of| is_type(of)),
        wanted_of.filter(|of| is_type(of)),
    ) {
        (None, None) => true,
        (Some(of), Some(wanted)) => is_of(of, wanted),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards what a name means: its own path, a re-export, an impl's method.
    #[test]
    fn names_mean_what_people_expect() {
        let name: FunctionName = "my-crate::Type::method".parse().unwrap();
        assert_eq!(name.krate, "my_crate");
        assert!(may_mean(&name.path, "inner::Type::method"));
        assert!(may_mean(&name.path, "inner::<Type as Trait>::method"));
        assert!(!may_mean(&name.path, "inner::Other::method"));
        assert!(!may_mean(&name.path, "inner::method"));
        let free: FunctionName = "krate::function".parse().unwrap();
        assert!(may_mean(&free.path, "deep::inside::function"));
        assert!(!may_mean(&free.path, "Type::function"));
        for bad in ["", "krate", "krate::", "::f", "a::::b"] {
            assert!(bad.parse::<FunctionName>().is_err(), "{bad}");
        }
    }
}
