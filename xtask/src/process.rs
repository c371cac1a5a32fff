//! Starting other programs, always shown before they run.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

/// The root of this workspace: what cargo says when it runs the task, since a
/// build directory may serve several checkouts.
pub(crate) fn workspace_root() -> &'static Utf8Path {
    static ROOT: LazyLock<Utf8PathBuf> = LazyLock::new(|| {
        let own = std::env::var("CARGO_MANIFEST_DIR");
        Utf8Path::new(own.as_deref().unwrap_or(env!("CARGO_MANIFEST_DIR")))
            .parent()
            .expect("the xtask directory lies in the workspace")
            .to_owned()
    });
    &ROOT
}

/// Where cargo puts what it builds for this workspace.
pub(crate) fn target_dir() -> Utf8PathBuf {
    std::env::var("CARGO_TARGET_DIR").map_or_else(
        |_| workspace_root().join("target"),
        |dir| workspace_root().join(dir),
    )
}

/// A command that runs in the workspace's root.
#[expect(
    clippy::disallowed_methods,
    reason = "tasks run the workspace's own tools, on trees that their user chose to build"
)]
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace_root());
    command
}

/// A cargo command; the cargo that started this task when there is one.
pub(crate) fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command with its output shown.
///
/// # Errors
///
/// When it cannot be started or does not succeed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let line = describe(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs a command with its output shown, and passes each line of its standard
/// output to `observe` as well.
///
/// # Errors
///
/// When it cannot be started or does not succeed.
pub(crate) fn run_observed(command: &mut Command, mut observe: impl FnMut(&str)) -> Result<()> {
    announce(command);
    let line = describe(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let stdout = child.stdout.take().expect("standard output is piped");
    for text in BufReader::new(stdout).split(b'\n') {
        let text = text.with_context(|| format!("cannot read the output of `{line}`"))?;
        let text = String::from_utf8_lossy(&text);
        println!("{text}");
        observe(&text);
    }
    let status = child
        .wait()
        .with_context(|| format!("cannot wait for `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs a command silently and returns its standard output.
///
/// # Errors
///
/// When it cannot be started, does not succeed, or prints something that is
/// not UTF-8.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    output_if(command, |code| code == Some(0))
}

/// As [`output`], for commands that have more than one good exit code.
///
/// # Errors
///
/// When it cannot be started, ends with a code that `accept` refuses, or
/// prints something that is not UTF-8.
pub(crate) fn output_if(
    command: &mut Command,
    accept: impl Fn(Option<i32>) -> bool,
) -> Result<String> {
    let line = describe(command);
    let output = command
        .output()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !accept(output.status.code()) {
        bail!(
            "`{line}` failed ({})\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed no UTF-8"))
}

/// What a run cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Wall-clock time.
    pub(crate) took: Duration,
    /// Peak resident memory of the process itself, in bytes; `None` where
    /// `/proc` does not tell.
    pub(crate) peak_memory: Option<u64>,
}

/// Runs a command, its output as the caller set it up, and measures it.
///
/// # Errors
///
/// When it cannot be started or does not succeed.
pub(crate) fn measure(command: &mut Command) -> Result<Usage> {
    measure_if(command, |code| code == Some(0))
}

/// As [`measure`], for commands that have more than one good exit code.
///
/// # Errors
///
/// When it cannot be started or ends with a code that `accept` refuses.
pub(crate) fn measure_if(
    command: &mut Command,
    accept: impl Fn(Option<i32>) -> bool,
) -> Result<Usage> {
    let line = describe(command);
    let start = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start `{line}`"))?;
    let status_file = format!("/proc/{}/status", child.id());
    let (done, wait) = std::sync::mpsc::channel::<()>();
    // The kernel keeps the high-water mark; reading it now and then misses at
    // most what grows in the last moments.
    let watcher = std::thread::spawn(move || {
        let mut peak = None;
        while wait.recv_timeout(Duration::from_millis(20)).is_err() {
            peak = peak.max(high_water_mark(&status_file));
        }
        peak
    });
    let status = child
        .wait()
        .with_context(|| format!("cannot wait for `{line}`"));
    let took = start.elapsed();
    done.send(()).expect("the watcher waits for this");
    let peak_memory = watcher.join().expect("the watcher does not panic");
    let status = status?;
    if !accept(status.code()) {
        bail!("`{line}` failed ({status})");
    }
    Ok(Usage { took, peak_memory })
}

fn high_water_mark(status_file: &str) -> Option<u64> {
    let status = std::fs::read_to_string(status_file).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The command line, as a person would type it.
pub(crate) fn describe(command: &Command) -> String {
    let program = Utf8Path::new(&command.get_program().to_string_lossy())
        .file_name()
        .unwrap_or_default()
        .to_owned();
    command
        .get_args()
        .fold(program, |line, arg| line + " " + &arg.to_string_lossy())
}

fn announce(command: &Command) {
    eprintln!("$ {}", describe(command));
}
