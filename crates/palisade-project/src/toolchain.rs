//! Which toolchain is modelled.

use camino::{Utf8Path, Utf8PathBuf};

use crate::neutral::{Neutral, Toolchain};
use crate::plan::Diagnostic;
use crate::toolchain_file::{self, Wish};
use crate::{LoadError, LoadOptions, manifest};

/// Which toolchain a workspace would be analysed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolchainId {
    /// The version of the compiler.
    pub version: semver::Version,
    /// The triple of the machine that it runs on.
    pub host: String,
    /// The root of its installation.
    pub sysroot: Utf8PathBuf,
}

/// Finds the toolchain that [`crate::load()`] would use, without loading anything:
/// enough to match advisories about the toolchain, and to tell whether an
/// earlier answer still holds.
///
/// # Errors
/// There is no manifest, or no usable toolchain outside the checkout.
pub fn toolchain(options: &LoadOptions) -> Result<ToolchainId, LoadError> {
    let manifest = manifest::find(&options.path, &options.limits)?;
    let root = manifest::workspace_root(&manifest, &options.limits)?;
    let checkout = checkout(&root, options);
    let dir = manifest::parent(&manifest);
    let (toolchain, _) = choose(&Neutral::new(&checkout), &dir, &checkout, options)?;
    Ok(ToolchainId {
        version: toolchain.version,
        host: toolchain.host,
        sysroot: toolchain.sysroot,
    })
}

/// The toolchain that the project names, if it can be used; else the caller's,
/// with what to say about that.
pub(crate) fn choose(
    neutral: &Neutral,
    dir: &Utf8Path,
    checkout: &Utf8Path,
    options: &LoadOptions,
) -> Result<(Toolchain, Option<Diagnostic>), LoadError> {
    // The caller's own choice leaves nothing to complain about.
    let chosen = std::env::var_os("RUSTUP_TOOLCHAIN").is_some();
    let wish = toolchain_file::find(dir, checkout, &options.limits).filter(|_| !chosen);
    let Some((file, wish)) = wish else {
        return Ok((neutral.toolchain(None)?, None));
    };
    let message = match wish {
        Wish::Channel(channel) => match neutral.toolchain(Some(&channel)) {
            Ok(toolchain) => return Ok((toolchain, None)),
            Err(error) => {
                tracing::debug!(%error, channel, "the project's toolchain");
                format!("the toolchain `{channel}` is not installed; the default one is modelled")
            }
        },
        Wish::Other => {
            "a toolchain that is not named by its channel is not used; the default one is modelled"
                .to_owned()
        }
    };
    let complaint = Diagnostic {
        file,
        message,
        hint: Some("install it with rustup, or choose one with RUSTUP_TOOLCHAIN".to_owned()),
    };
    Ok((neutral.toolchain(None)?, Some(complaint)))
}

/// The directory whose content whoever wrote the workspace controls: that of
/// the version control around it, or the workspace's own.
pub(crate) fn checkout(root: &Utf8Path, options: &LoadOptions) -> Utf8PathBuf {
    root.ancestors()
        .take(options.limits.ancestors)
        .find(|dir| dir.join(".git").exists() || dir.join(".hg").exists())
        .unwrap_or(root)
        .to_owned()
}
