//! The names of crates: where an index keeps them, and which count as equal.

/// The form in which a registry compares names: lower case, with `-` for `_`.
/// Two crates of one registry never share it.
pub fn canonical_name(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            '_' => '-',
            c => c.to_ascii_lowercase(),
        })
        .collect()
}

/// Whether `name` can be the name of a published crate: a letter, then
/// letters, digits, `-` and `_`, all ASCII, 64 in total. Whatever else comes
/// from outside must not become part of a path or an address.
pub fn is_crate_name(name: &str) -> bool {
    // Some of the first crates begin with a digit or an underscore.
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The directory of a crate's index file: `1`, `2`, `3/a` or `ab/cd`, in the
/// case of `name`.
pub fn index_prefix(name: &str) -> String {
    let part = |range: std::ops::Range<usize>| name.get(range).unwrap_or_default();
    match name.len() {
        0..=2 => name.len().to_string(),
        3 => format!("3/{}", part(0..1)),
        _ => format!("{}/{}", part(0..2), part(2..4)),
    }
}

/// The path of a crate's index file below the index's root. Files are named in
/// lower case; dashes and underscores stay as they are.
pub fn index_path(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    format!("{}/{name}", index_prefix(&name))
}
