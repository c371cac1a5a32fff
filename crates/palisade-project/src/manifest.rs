//! Finding manifests and workspace roots as cargo does, without cargo.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::read;
use crate::{Limits, LoadError};

/// The manifest that `path` means: itself when it is a file, else the nearest
/// `Cargo.toml` in the directory or above. The result is absolute.
pub(crate) fn find(path: &Utf8Path, limits: &Limits) -> Result<Utf8PathBuf, LoadError> {
    let missing = || LoadError::NoManifest {
        path: path.to_owned(),
    };
    let absolute = camino::absolute_utf8(if path.as_str().is_empty() {
        Utf8Path::new(".")
    } else {
        path
    })
    .map_err(|source| LoadError::Read {
        file: path.to_owned(),
        source,
    })?;
    let absolute = lexically_normal(&absolute);
    if absolute.is_file() {
        return Ok(absolute);
    }
    if absolute.extension() == Some("toml") {
        return Err(LoadError::Read {
            file: absolute,
            source: std::io::Error::from(std::io::ErrorKind::NotFound),
        });
    }
    absolute
        .ancestors()
        .take(limits.ancestors)
        .map(|dir| dir.join("Cargo.toml"))
        .find(|candidate| candidate.is_file())
        .ok_or_else(missing)
}

/// The directory of the workspace that the manifest belongs to; the
/// manifest's own directory when it belongs to none.
pub(crate) fn workspace_root(
    manifest: &Utf8Path,
    limits: &Limits,
) -> Result<Utf8PathBuf, LoadError> {
    let dir = parent(manifest);
    let table = read::toml(manifest, limits.manifest_bytes)?;
    if table.contains_key("workspace") {
        return Ok(dir);
    }
    if let Some(root) = table
        .get("package")
        .and_then(|package| package.get("workspace"))
        .and_then(toml::Value::as_str)
    {
        return Ok(lexically_normal(&dir.join(root)));
    }
    for ancestor in dir.ancestors().skip(1).take(limits.ancestors) {
        let candidate = ancestor.join("Cargo.toml");
        if !candidate.is_file() {
            continue;
        }
        // A broken manifest further up is not this workspace's problem until
        // cargo says that it is.
        let Ok(table) = read::toml(&candidate, limits.manifest_bytes) else {
            continue;
        };
        let Some(workspace) = table.get("workspace") else {
            continue;
        };
        let excluded = read::strings(workspace.get("exclude"))
            .iter()
            .any(|excluded| dir.starts_with(lexically_normal(&ancestor.join(excluded))));
        let member = read::strings(workspace.get("members"))
            .iter()
            .any(|member| dir.as_str() == lexically_normal(&ancestor.join(member)).as_str());
        if excluded && !member {
            continue;
        }
        return Ok(ancestor.to_owned());
    }
    Ok(dir)
}

/// The directory that holds a file.
pub(crate) fn parent(file: &Utf8Path) -> Utf8PathBuf {
    file.parent().unwrap_or(Utf8Path::new(".")).to_owned()
}

/// The path without `.` and `..` components, decided without the file system.
pub(crate) fn lexically_normal(path: &Utf8Path) -> Utf8PathBuf {
    let mut normal = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}
