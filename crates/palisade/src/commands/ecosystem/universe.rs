//! The fragments that a question is about.

use anyhow::{Context, Result};
use camino::Utf8PathBuf;
use palisade_graph::{Fragment, FunctionName, Store, Universe};

use crate::cli::GraphArgs;
use crate::errors::Usage;
use crate::output;

/// What a question is put to.
pub(super) struct Opened {
    pub(super) universe: Universe,
    /// The names and versions of the workspace's own packages, when the
    /// question is about a workspace.
    pub(super) own: Option<Vec<(String, String)>>,
}

/// Stitches the fragments together that a question is about.
pub(super) fn open(args: &GraphArgs) -> Result<Opened> {
    let store = Store::new(&args.graph);
    let nothing = |hint: &str| Usage {
        message: format!("there are no fragments in `{}` for this", args.graph),
        hint: hint.to_owned(),
    };
    let Some(lock) = &args.lock else {
        let mut fragments = Vec::new();
        for entry in store.entries()? {
            match entry.fragment {
                Ok(fragment) => fragments.push(fragment),
                Err(error) => output::warn(&format!("{}: {error}", entry.path)),
            }
        }
        if fragments.is_empty() {
            return Err(nothing("make some with `palisade ecosystem build`").into());
        }
        if !args.all_versions {
            fragments = Universe::newest(fragments);
        }
        return Ok(Opened {
            universe: Universe::new(&fragments),
            own: None,
        });
    };
    let lock = camino::absolute_utf8(lock).context("cannot tell the directory")?;
    let directory = lock
        .parent()
        .map_or_else(Utf8PathBuf::new, |it| it.to_owned());
    let directory = directory.canonicalize_utf8().unwrap_or(directory);
    let program = store.program(&directory)?.ok_or_else(|| {
        nothing(&format!(
            "make them with `palisade ecosystem build {} --from-lock {lock}`",
            args.graph
        ))
    })?;
    let mut fragments: Vec<Fragment> = Vec::new();
    let mut absent = Vec::new();
    for key in &program.packages {
        match store.read(key)? {
            Some(fragment) => fragments.push(fragment),
            None => absent.push(format!("{} {}", key.package, key.version)),
        }
    }
    if !absent.is_empty() {
        output::warn(&format!(
            "there are no fragments of {}; what they call is not seen",
            absent.join(", ")
        ));
    }
    let own = fragments
        .iter()
        .filter(|fragment| fragment.origin == palisade_graph::Origin::Local)
        .map(|fragment| (fragment.package.clone(), fragment.version.clone()))
        .collect();
    Ok(Opened {
        universe: Universe::new(&fragments),
        own: Some(own),
    })
}

/// A function as a person names it.
pub(super) fn name(text: &str) -> Result<FunctionName> {
    Ok(text.parse::<FunctionName>().map_err(|error| Usage {
        message: error.to_string(),
        hint: "write it as code would name it, as in `time::OffsetDateTime::now_local`".to_owned(),
    })?)
}

/// What to say when nothing has that name.
pub(super) fn unknown(what: &str) -> Usage {
    Usage {
        message: format!("no fragment has a function `{what}`"),
        hint: "name it by its crate's library name, or by its full path in the source; \
               `--all-versions` asks old versions too"
            .to_owned(),
    }
}
