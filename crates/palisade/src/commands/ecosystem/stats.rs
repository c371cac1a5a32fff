//! `palisade ecosystem stats`.

use anyhow::Result;
use palisade_graph::{Key, Store};

use super::summary::Summary;
use crate::cli::StatsArgs;
use crate::errors::Usage;
use crate::exit::Exit;

pub(crate) fn run(args: &StatsArgs) -> Result<Exit> {
    let store = Store::new(&args.dir);
    let (entries, failures) = (store.entries()?, store.failures()?);
    if entries.is_empty() && failures.is_empty() {
        return Err(Usage {
            message: format!("there are no fragments in `{}`", args.dir),
            hint: "make some with `palisade ecosystem build`".to_owned(),
        }
        .into());
    }
    let mut summary = Summary::default();
    for entry in entries {
        match &entry.fragment {
            Ok(fragment) => summary.add(
                &Key {
                    package: fragment.package.clone(),
                    version: fragment.version.clone(),
                    features: fragment.features.clone(),
                },
                fragment.quality(),
                fragment.shortfall().as_ref(),
                entry.bytes,
            ),
            Err(error) => {
                let path = entry.path.strip_prefix(&args.dir).unwrap_or(&entry.path);
                let key = Key {
                    package: path.to_string(),
                    version: String::new(),
                    features: Vec::new(),
                };
                summary.fail(&key, &error.to_string());
            }
        }
    }
    for (key, reason) in failures {
        summary.fail(&key, &reason);
    }
    summary.print(args.format)?;
    Ok(Exit::Clean)
}
