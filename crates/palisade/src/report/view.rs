//! What every format needs to know beside the findings themselves.

use camino::Utf8Path;
use palisade_check::Project;
use palisade_model::{Function, Hop, Location, Package, Remedy, Report};

/// A report and the project that it is about.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    /// What was found.
    pub(crate) report: &'a Report,
    /// Where it was found.
    pub(crate) project: &'a Project,
    /// Most witness paths to show per finding.
    pub(crate) paths: usize,
    /// Seconds since the epoch at which the report is made.
    pub(crate) timestamp: i64,
}

impl View<'_> {
    /// A location as a reader wants it: relative to the workspace, or for a
    /// dependency from its directory `name-version` on.
    pub(crate) fn place(&self, location: &Location, function: &Function) -> String {
        let file = short_file(
            &location.file,
            &self.project.root,
            function.version.as_deref(),
        );
        format!("{file}:{}", location.line)
    }

    /// The place of a blind spot, whose crate is not known.
    pub(crate) fn plain_place(&self, location: &Location) -> String {
        format!(
            "{}:{}",
            short_file(&location.file, &self.project.root, None),
            location.line
        )
    }
}

/// Where a hop stands: the call to the next function, or for the last hop
/// where its function is defined.
pub(crate) fn hop_location(hop: &Hop) -> Option<&Location> {
    hop.call_site.as_ref().or(hop.function.location.as_ref())
}

/// A file relative to the workspace; else from a directory on that names the
/// version; else from the standard library's `library` on; else as it is.
fn short_file<'a>(file: &'a str, root: &Utf8Path, version: Option<&str>) -> &'a str {
    let path = Utf8Path::new(file);
    if let Ok(inside) = path.strip_prefix(root) {
        return inside.as_str();
    }
    if path.is_relative() {
        return file;
    }
    let from = |is_start: &dyn Fn(&str) -> bool| {
        let mut offset = 0;
        let mut found = None;
        for component in file.split('/') {
            if is_start(component) {
                found = Some(offset);
            }
            offset += component.len() + 1;
        }
        found.map(|offset| &file[offset..])
    };
    let package = match version {
        Some(version) => from(&|component| {
            component
                .strip_suffix(version)
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('-'))
        }),
        // Without a version, whatever follows the registry's own directory.
        None => match file.split_once("/registry/src/") {
            Some((_, rest)) => rest.split_once('/').map(|(_, rest)| rest),
            None => from(&|component| component == "library"),
        },
    };
    package
        .or_else(|| file.split_once("/git/checkouts/").map(|(_, rest)| rest))
        .unwrap_or(file)
}

/// The package URL of a published package.
pub(crate) fn purl(package: &Package) -> String {
    // Of the characters that names and versions may have, only `+` is not
    // allowed as it is.
    format!(
        "pkg:cargo/{}@{}",
        package.name,
        package.version.to_string().replace('+', "%2B")
    )
}

/// The command that puts a finding right, when one command does.
pub(crate) fn remedy_command(remedy: &Remedy, project: &Project) -> Option<String> {
    let Remedy::Update { package, from, to } = remedy else {
        return None;
    };
    Some(match project.is_ambiguous(package) {
        true => format!("cargo update -p {package}@{from} --precise {to}"),
        false => format!("cargo update -p {package} --precise {to}"),
    })
}

/// What to do about a finding, on one line.
pub(crate) fn remedy_text(remedy: &Remedy, project: &Project) -> String {
    if let Some(command) = remedy_command(remedy, project) {
        return command;
    }
    match remedy {
        Remedy::Update { package, to, .. } => format!("update {package} to {to}"),
        Remedy::Blocked {
            package,
            fixed,
            parent,
            requirement,
        } => {
            let own = project
                .members
                .iter()
                .any(|member| member.to_string() == *parent);
            let advice = match own {
                true => "change that in its Cargo.toml".to_owned(),
                false => format!("update {parent} first"),
            };
            format!(
                "{package} {fixed} has the fix, but {parent} requires {package} {requirement}; {advice}"
            )
        }
        Remedy::Fixed { package, fixed } if fixed.is_empty() => {
            format!("which versions of {package} have a fix is not known")
        }
        Remedy::Fixed { package, fixed } => format!("update {package} to {}", alternatives(fixed)),
        Remedy::Toolchain { fixed } => format!("update the toolchain to {}", alternatives(fixed)),
        Remedy::None => "no fixed version exists".to_owned(),
    }
}

fn alternatives(requirements: &[String]) -> String {
    requirements.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the short names of files that users read and tools compare.
    #[test]
    fn short_files() {
        let short = |file, version| short_file(file, Utf8Path::new("/home/me/app"), version);
        assert_eq!(short("src/main.rs", None), "src/main.rs");
        assert_eq!(
            short("/home/me/app/vendor/x/src/lib.rs", Some("1.0.0")),
            "vendor/x/src/lib.rs"
        );
        assert_eq!(
            short(
                "/home/me/.cargo/registry/src/index-abc/time-0.1.43/src/lib.rs",
                Some("0.1.43")
            ),
            "time-0.1.43/src/lib.rs"
        );
        assert_eq!(
            short(
                "/home/me/.cargo/registry/src/index-abc/time-0.1.43/src/lib.rs",
                None
            ),
            "time-0.1.43/src/lib.rs"
        );
        assert_eq!(
            short("/r/lib/rustlib/src/rust/library/core/src/ptr/mod.rs", None),
            "library/core/src/ptr/mod.rs"
        );
        assert_eq!(
            short("/elsewhere/lib/src/lib.rs", Some("2.0.0")),
            "/elsewhere/lib/src/lib.rs"
        );
        assert_eq!(
            short("/g/.cargo/git/checkouts/x-1/abc/src/lib.rs", Some("2.0.0")),
            "x-1/abc/src/lib.rs"
        );
    }
}
