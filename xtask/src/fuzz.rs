//! `cargo xtask fuzz`: feeds the parsers of hostile input with libFuzzer.
//!
//! The instrumentation is the compiler's own and needs no nightly toolchain;
//! without a sanitizer, what is found are panics, failed assertions, overflows
//! and endless loops, which is what safe code can do wrong.

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::process;

/// What the compiler adds so that libFuzzer sees what an input covers.
const INSTRUMENTATION: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
];
/// Longest time for one input, in seconds.
const INPUT_SECONDS: u32 = 20;
/// Most memory of a target, in MiB.
const MEMORY_MIB: u32 = 2048;
/// Longest input, in bytes.
const INPUT_BYTES: u32 = 16 << 10;

/// What to fuzz, and for how long.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// These targets only (`fuzz/targets/NAME.rs`)
    pub(crate) targets: Vec<String>,
    /// Seconds per target
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) seconds: u32,
}

/// Builds the targets and runs each.
///
/// # Errors
///
/// When a target cannot be built, or an input breaks one; the input is kept.
pub(crate) fn run(args: &Args) -> Result<()> {
    let root = process::workspace_root().join("fuzz");
    let all = names(&root)?;
    if let Some(unknown) = args.targets.iter().find(|name| !all.contains(name)) {
        bail!(
            "no target is called {unknown}; there are {}",
            all.join(", ")
        );
    }
    let selected = match args.targets.is_empty() {
        true => &all,
        false => &args.targets,
    };
    let version = process::output(process::command("rustc").arg("-vV"))?;
    let triple = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc does not say which platform it runs on")?;
    let target_dir = process::target_dir().join("fuzz");
    process::run(
        process::cargo()
            .args(["build", "--release", "--locked", "--target", triple])
            .arg("--manifest-path")
            .arg(root.join("Cargo.toml"))
            .env("CARGO_TARGET_DIR", &target_dir)
            .env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTATION.join("\u{1f}")),
    )?;
    let mut broken = Vec::new();
    for name in selected {
        eprintln!("\n== {name}: {} s ==", args.seconds);
        let corpus = root.join("corpus").join(name);
        let artifacts = root.join("artifacts").join(name);
        for dir in [&corpus, &artifacts] {
            std::fs::create_dir_all(dir).with_context(|| format!("cannot create {dir}"))?;
        }
        let mut command = process::command(target_dir.join(triple).join("release").join(name));
        command
            .arg(&corpus)
            .arg(format!("-artifact_prefix={artifacts}/"))
            .arg(format!("-max_total_time={}", args.seconds))
            .arg(format!("-timeout={INPUT_SECONDS}"))
            .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
            .arg(format!("-max_len={INPUT_BYTES}"))
            .args(["-print_final_stats=1", "-verbosity=0"]);
        let seeds = root.join("seeds").join(name);
        if seeds.is_dir() {
            command.arg(&seeds);
        }
        if let Err(error) = process::run(&mut command) {
            eprintln!("error: {error:#}");
            broken.push(name.as_str());
        }
    }
    if !broken.is_empty() {
        bail!(
            "an input broke {}; it lies in {}",
            broken.join(", "),
            root.join("artifacts")
        );
    }
    Ok(())
}

/// The targets, by name.
fn names(root: &Utf8Path) -> Result<Vec<String>> {
    let dir: Utf8PathBuf = root.join("targets");
    let mut names: Vec<String> = dir
        .read_dir_utf8()
        .with_context(|| format!("cannot read {dir}"))?
        .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}
