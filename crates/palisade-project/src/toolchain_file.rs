//! The checkout's `rust-toolchain.toml`, read as data.
//!
//! A channel by name is what the project is built with, and rustup only has
//! those that the user installed; so a name is honoured. A path would be the
//! checkout's own programs; it never is.

use camino::{Utf8Path, Utf8PathBuf};

use crate::{Limits, read};

/// What a toolchain file asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// A toolchain that rustup knows by this name.
    Channel(String),
    /// Anything else, which is not used.
    Other,
}

/// Finds the file that rustup would use in `dir`, no further up than the
/// checkout, and what it asks for. A file that cannot be read asks for
/// nothing that could be used.
pub(crate) fn find(
    dir: &Utf8Path,
    checkout: &Utf8Path,
    limits: &Limits,
) -> Option<(Utf8PathBuf, Wish)> {
    let file = dir
        .ancestors()
        .take(limits.ancestors)
        .take_while(|ancestor| ancestor.starts_with(checkout))
        .flat_map(|ancestor| {
            ["rust-toolchain", "rust-toolchain.toml"].map(|name| ancestor.join(name))
        })
        .find(|file| file.is_file())?;
    let wish = read::text(&file, limits.manifest_bytes).map_or(Wish::Other, |text| parse(&text));
    Some((file, wish))
}

fn parse(text: &str) -> Wish {
    let channel = match text.parse::<toml::Table>() {
        Ok(table) => table
            .get("toolchain")
            .filter(|toolchain| toolchain.get("path").is_none())
            .and_then(|toolchain| toolchain.get("channel")?.as_str())
            .map(str::to_owned),
        // The older form is only a name.
        Err(_) => Some(text.trim().to_owned()),
    };
    match channel {
        Some(channel) if is_name(&channel) => Wish::Channel(channel),
        _ => Wish::Other,
    }
}

/// A name holds no separator, so it cannot be a path, and does not begin like
/// an option.
fn is_name(channel: &str) -> bool {
    channel.starts_with(|c: char| c.is_ascii_alphanumeric())
        && channel
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::{Wish, parse};

    fn check(text: &str, channel: Option<&str>) {
        let wish = channel.map_or(Wish::Other, |name| Wish::Channel(name.to_owned()));
        assert_eq!(parse(text), wish, "{text}");
    }

    /// Guards that names are used, in both forms of the file, and paths never.
    #[test]
    fn only_names_are_used() {
        check("[toolchain]\nchannel = \"1.88\"\n", Some("1.88"));
        check("nightly-2026-01-01\n", Some("nightly-2026-01-01"));
        check("[toolchain]\npath = \"/evil\"\n", None);
        check(
            "[toolchain]\nchannel = \"stable\"\npath = \"/evil\"\n",
            None,
        );
        check("[toolchain]\nchannel = \"../evil\"\n", None);
        check("/evil/toolchain\n", None);
        check("--evil\n", None);
        check("", None);
        check("[toolchain]\nprofile = \"minimal\"\n", None);
    }
}
