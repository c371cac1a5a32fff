//! One file per command, and what they share.

pub(crate) mod admin;
pub(crate) mod admin_service;
mod around;
pub(crate) mod callgraph;
pub(crate) mod check;
pub(crate) mod db;
pub(crate) mod diff;
pub(crate) mod ecosystem;
pub(crate) mod report;
pub(crate) mod rules;
pub(crate) mod scan;
pub(crate) mod score;
pub(crate) mod serve;
pub(crate) mod watch;
pub(crate) mod why;

use std::num::NonZeroUsize;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use palisade_check::{AnalysisOptions, Cache};
use palisade_project::LoadOptions;

use crate::cli::{AnalysisArgs, ProjectArgs};
use crate::errors::Usage;

/// What to load; `path` is another way to give `--manifest-path`.
fn load_options(args: &ProjectArgs, path: Option<&Utf8Path>) -> anyhow::Result<LoadOptions> {
    let path = match (&args.manifest.manifest_path, path) {
        (Some(_), Some(_)) => {
            return Err(Usage {
                message: "both PATH and --manifest-path are given".to_owned(),
                hint: "leave out one of them".to_owned(),
            }
            .into());
        }
        (Some(path), None) => Utf8PathBuf::from_path_buf(path.clone())
            .map_err(|path| anyhow::anyhow!("the path `{}` is not UTF-8", path.display()))?,
        (None, Some(path)) => path.to_owned(),
        (None, None) => Utf8PathBuf::from("."),
    };
    Ok(LoadOptions {
        path,
        packages: args.workspace.package.clone(),
        workspace: args.workspace.workspace || args.workspace.all,
        exclude: args.workspace.exclude.clone(),
        lib: args.lib,
        all_bins: args.bins,
        bins: args.bin.clone(),
        tests: args.tests,
        features: args.features.features.clone(),
        all_features: args.features.all_features,
        no_default_features: args.features.no_default_features,
        target: args.target.clone(),
        locked: args.locked,
        offline: args.offline,
        sysroot_source: None,
        limits: Default::default(),
    })
}

fn analysis_options(args: &AnalysisArgs) -> AnalysisOptions {
    let threads = args
        .threads
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get);
    AnalysisOptions {
        threads,
        expand_macros: args.expand_macros,
        limits: Default::default(),
        one_shot: true,
    }
}

/// Where answers are kept, unless that is not wanted or there is no place.
fn cache(args: &AnalysisArgs) -> Option<Cache> {
    if args.no_cache {
        return None;
    }
    let dir = palisade_advisory::default_cache_dir()?.join("answers");
    Some(Cache {
        dir,
        program: program(),
    })
}

/// What tells this build of the program from any other.
fn program() -> String {
    let stamp = std::env::current_exe()
        .and_then(|file| file.metadata())
        .ok()
        .map(|metadata| {
            let changed = metadata.modified().ok();
            let changed = changed.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            (metadata.len(), changed.unwrap_or_default().as_nanos())
        });
    format!("{} {stamp:?}", env!("CARGO_PKG_VERSION"))
}

/// The time to report: that of `SOURCE_DATE_EPOCH`, for builds that must be
/// repeatable, else the clock's.
fn now() -> anyhow::Result<Timestamp> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text
            .parse()
            .ok()
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
            .ok_or_else(|| {
                Usage {
                    message: format!("SOURCE_DATE_EPOCH is not a number of seconds: `{text}`"),
                    hint: "unset it, or set it to seconds since 1970".to_owned(),
                }
                .into()
            }),
        Err(_) => Ok(Timestamp::now()),
    }
}

/// cargo's home directory, as cargo finds it.
fn cargo_home() -> Option<Utf8PathBuf> {
    let set = std::env::var_os("CARGO_HOME").filter(|value| !value.is_empty());
    let home = match set {
        Some(home) => std::path::absolute(home).ok()?,
        None => std::env::home_dir()?.join(".cargo"),
    };
    Utf8PathBuf::from_path_buf(home).ok()
}
