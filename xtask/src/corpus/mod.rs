//! Fragments of a real corpus: how many can be made, what they take, and how
//! what they say compares with a check.

mod closure;
mod compile;
mod report;
mod truth;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::process;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// At most so many crate versions of the corpus, spread evenly
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// Where to keep the fragments; what is there already is not measured
    /// [default: a directory that is removed afterwards]
    #[arg(long, value_name = "DIR")]
    dir: Option<Utf8PathBuf>,
    /// Worker processes
    #[arg(long, default_value_t = 2, value_name = "N")]
    workers: usize,
    /// Compile so many of the crate versions with `cargo check`, for
    /// comparison; this runs their build scripts and macros
    #[arg(long, default_value_t = 0, value_name = "N")]
    compile: usize,
    /// Compare what fragments say with what a check reaches, on so many
    /// applications
    #[arg(long, default_value_t = 0, value_name = "N")]
    truth: usize,
    /// Leave the fragments out; for the other measurements alone
    #[arg(long)]
    no_fragments: bool,
    /// Write the tables to docs/corpus.md instead of the terminal
    #[arg(long)]
    write: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut cargo = process::cargo();
    cargo.args(["build", "--release", "--workspace", "--bin", "palisade"]);
    process::run(&mut cargo)?;
    let palisade = process::target_dir().join("release/palisade");
    let scratch = tempfile::tempdir().context("cannot make a directory")?;
    let scratch = Utf8Path::from_path(scratch.path()).context("the directory is not UTF-8")?;
    let mut text = String::new();
    if !args.no_fragments || args.compile > 0 {
        let corpus = closure::fetch()?;
        if !args.no_fragments {
            let dir = args
                .dir
                .clone()
                .unwrap_or_else(|| scratch.join("fragments"));
            let found = build(&palisade, &dir, &corpus, args)?;
            text.push_str(&report::fragments(&found, &corpus, args.workers));
        }
        if args.compile > 0 {
            text.push_str(&compile::measure(&corpus, args.compile, scratch)?);
        }
    }
    if args.truth > 0 {
        text.push_str(&truth::measure(&palisade, args.truth, scratch)?);
    }
    if args.write {
        let file = process::workspace_root().join("docs/corpus.md");
        std::fs::write(&file, text).with_context(|| format!("cannot write {file}"))?;
        println!("wrote {file}");
    } else {
        println!("{text}");
    }
    Ok(())
}

/// Makes the fragments of the corpus.
fn build(
    palisade: &Utf8Path,
    dir: &Utf8Path,
    corpus: &closure::Corpus,
    args: &Args,
) -> Result<Value> {
    let mut command = process::command(palisade);
    command
        .args(["ecosystem", "build", dir.as_str(), "--format", "json"])
        .args(["--registry-dir", corpus.registry.as_str()])
        .args(["--workers", &args.workers.to_string()]);
    if let Some(sample) = args.sample {
        command.args(["--sample", &sample.to_string()]);
    }
    let names = corpus.versions.iter();
    command.args(names.map(|(name, version)| format!("{name}@{version}")));
    json(&mut command)
}

/// What a command prints as JSON; its exit code may say that something was
/// found.
fn json(command: &mut std::process::Command) -> Result<Value> {
    command.stderr(std::process::Stdio::inherit());
    let output = command.output().context("cannot start palisade")?;
    if !matches!(output.status.code(), Some(0 | 1)) {
        bail!("palisade ended with {}", output.status);
    }
    serde_json::from_slice(&output.stdout).context("palisade printed no JSON")
}
