//! Building the workspace for real, because the user asked for it: the one
//! place that **runs code of the checkout**, exactly as `cargo check` does.
//!
//! Whoever asks trusts the checkout, so its configuration applies as cargo has
//! it. Only the compiler is named, so that the procedural macros fit the macro
//! server of the same toolchain, and the output has a directory of its own,
//! which leaves the user's build untouched.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufReader, Read};
use std::process::{Command, Stdio};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::diagnostic::DiagnosticLevel;
use cargo_metadata::{
    Artifact, BuildScript, CompilerMessage, Message, MetadataCommand, TargetKind,
};

use crate::load::feature_flags;
use crate::neutral::{Neutral, Toolchain, unpanicked};
use crate::plan::{Plan, Unit};
use crate::{LoadError, LoadOptions, cargo_error, manifest, toolchain};

/// Bytes of cargo's messages to the user that are kept, from the end.
const TAIL: usize = 1 << 20;

/// Why a workspace could not be built.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The manifest or the toolchain was not found.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The toolchain cannot expand macros for other programs.
    #[error("the toolchain has no macro server: `{file}` does not exist")]
    NoMacroServer {
        /// Where it would be.
        file: Utf8PathBuf,
    },
    /// cargo could not be run, or what it printed could not be read.
    #[error("cannot run `{program}`")]
    Run {
        /// The program.
        program: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// cargo cannot build, or a build script fails, which cargo tells in words
    /// only.
    #[error("cargo cannot build the workspace of `{manifest}`: {message}")]
    Cargo {
        /// The manifest that cargo was given.
        manifest: Utf8PathBuf,
        /// The heart of cargo's message, on one line.
        message: String,
    },
    /// A crate does not compile.
    #[error("the crate `{name}` does not compile: {message}")]
    Compile {
        /// The crate's name.
        name: String,
        /// The compiler's first error, with its place.
        message: String,
    },
}

impl ExecuteError {
    /// What to do about it, in one sentence without a full stop.
    pub fn hint(&self) -> Option<String> {
        match self {
            ExecuteError::Load(error) => error.hint(),
            ExecuteError::NoMacroServer { .. } => Some(
                "use a toolchain of rustup, which comes with it, or leave out --expand-macros"
                    .to_owned(),
            ),
            ExecuteError::Run { .. }
            | ExecuteError::Cargo { .. }
            | ExecuteError::Compile { .. } => {
                Some("make `cargo check` work, or leave out --expand-macros".to_owned())
            }
        }
    }
}

/// What a real build produced.
#[derive(Clone, Debug)]
pub struct Executed {
    /// The toolchain's macro server.
    pub macro_server: Utf8PathBuf,
    /// The version of the toolchain.
    pub toolchain: semver::Version,
    packages: BTreeMap<Utf8PathBuf, Built>,
}

/// What was built of one package.
#[derive(Clone, Debug, Default)]
struct Built {
    macros: Option<Utf8PathBuf>,
    runs: Vec<Run>,
}

/// What one run of a build script said.
#[derive(Clone, Debug)]
struct Run {
    /// Whether it ran for another platform than the host, as far as the place
    /// of its output tells.
    cross: bool,
    cfgs: BTreeSet<String>,
    env: Vec<(String, String)>,
    out_dir: Utf8PathBuf,
}

impl Executed {
    /// The library that holds a package's procedural macros, when it was
    /// built.
    pub fn macros(&self, package_dir: &Utf8Path) -> Option<&Utf8Path> {
        self.packages.get(package_dir)?.macros.as_deref()
    }

    /// The directories that a package's build script wrote into; empty when it
    /// has none or did not succeed.
    pub fn out_dirs(&self, package_dir: &Utf8Path) -> impl Iterator<Item = &Utf8Path> {
        self.packages
            .get(package_dir)
            .into_iter()
            .flat_map(|built| built.runs.iter().map(|run| run.out_dir.as_path()))
    }

    /// The plan with what its build scripts really said, in place of what is
    /// known without running them.
    pub fn apply(&self, plan: &Plan) -> Plan {
        let mut plan = plan.clone();
        for unit in &mut plan.units {
            if unit.build_script.is_some()
                && let Some(built) = self.packages.get(&unit.package_dir)
            {
                apply_runs(unit, &built.runs);
            }
        }
        plan
    }
}

fn apply_runs(unit: &mut Unit, runs: &[Run]) {
    // With several runs, those for the unit's own platform count. That can
    // leave more than one, as cargo does not say which features each is for.
    let crossed = runs.iter().any(|run| run.cross);
    let runs: Vec<&Run> = runs
        .iter()
        .filter(|run| !crossed || run.cross != unit.host)
        .collect();
    let Some(first) = runs.first() else { return };
    let mut some: BTreeSet<String> = BTreeSet::new();
    for run in &runs {
        some.extend(run.cfgs.iter().cloned());
    }
    let disputed = some
        .iter()
        .filter(|cfg| !runs.iter().all(|run| run.cfgs.contains(*cfg)))
        .map(|cfg| cfg.split('=').next().unwrap_or(cfg).to_owned());
    unit.unknown_cfgs = disputed.collect();
    unit.unknown_cfgs.dedup();
    // `test` is not the build script's.
    unit.extra_cfgs.retain(|cfg| cfg == "test");
    unit.extra_cfgs.extend(some);
    unit.env.extend(first.env.iter().cloned());
    unit.env
        .insert("OUT_DIR".to_owned(), first.out_dir.to_string());
}

/// Builds what the options select with `cargo check`: **runs the build scripts
/// and procedural macros of the workspace and of its dependencies.**
///
/// # Errors
/// See [`ExecuteError`]; a crate that does not build is one, since what would
/// be left out then is not what was asked for.
pub fn execute(options: &LoadOptions) -> Result<Executed, ExecuteError> {
    let manifest = manifest::find(&options.path, &options.limits)?;
    let root = manifest::workspace_root(&manifest, &options.limits)?;
    let checkout = toolchain::checkout(&root, options);
    let neutral = Neutral::new(&checkout);
    let (toolchain, _) =
        toolchain::choose(&neutral, &manifest::parent(&manifest), &checkout, options)?;
    let server = format!(
        "rust-analyzer-proc-macro-srv{}",
        std::env::consts::EXE_SUFFIX
    );
    let macro_server = toolchain.sysroot.join("libexec").join(server);
    if !macro_server.is_file() {
        return Err(ExecuteError::NoMacroServer { file: macro_server });
    }
    let target_dir = target_dir(&toolchain, &manifest)?;
    let mut command = cargo(&toolchain, &manifest, "check");
    command
        .args(check_flags(options))
        .arg("--message-format=json")
        .arg("--target-dir")
        .arg(&target_dir)
        // Newer releases of cargo can be told to keep build scripts' output
        // elsewhere, where it would mix with the user's own.
        .env("CARGO_BUILD_BUILD_DIR", &target_dir);
    let mut reader = Reader::new(target_dir);
    let (success, stderr) = run(command, &toolchain.cargo, |message| reader.read(message))?;
    if !success {
        return Err(reader.failure.unwrap_or_else(|| ExecuteError::Cargo {
            manifest,
            message: cargo_error::one_line(&stderr),
        }));
    }
    Ok(Executed {
        macro_server,
        toolchain: toolchain.version,
        packages: reader.packages,
    })
}

/// The options as `cargo check` has them.
fn check_flags(options: &LoadOptions) -> Vec<String> {
    let mut flags = feature_flags(options);
    let mut switch = |on: bool, flag: &str| {
        if on {
            flags.push(flag.to_owned());
        }
    };
    let everything = !options.lib && !options.all_bins && options.bins.is_empty();
    switch(options.workspace, "--workspace");
    switch(options.lib, "--lib");
    switch(options.all_bins, "--bins");
    switch(options.tests && everything, "--all-targets");
    switch(options.locked, "--locked");
    switch(options.offline, "--offline");
    let lists = [
        ("--package", &options.packages),
        ("--exclude", &options.exclude),
        ("--bin", &options.bins),
    ];
    for (flag, values) in lists {
        flags.extend(values.iter().map(|value| format!("{flag}={value}")));
    }
    flags.extend(
        options
            .target
            .iter()
            .map(|triple| format!("--target={triple}")),
    );
    flags
}

/// A directory below the one that cargo would use.
fn target_dir(toolchain: &Toolchain, manifest: &Utf8Path) -> Result<Utf8PathBuf, ExecuteError> {
    let mut command = cargo(toolchain, manifest, "metadata");
    command.args(["--format-version", "1", "--no-deps"]);
    let mut stdout = String::new();
    let (success, stderr) = run_with(command, &toolchain.cargo, |pipe| {
        pipe.read_to_string(&mut stdout).map(drop)
    })?;
    let refused = |message| ExecuteError::Cargo {
        manifest: manifest.to_owned(),
        message,
    };
    if !success {
        return Err(refused(cargo_error::one_line(&stderr)));
    }
    let metadata = MetadataCommand::parse(&stdout).map_err(|error| refused(error.to_string()))?;
    Ok(metadata.target_directory.join("palisade"))
}

/// A command of the toolchain's own cargo, in the checkout and with its
/// configuration.
#[expect(
    clippy::disallowed_methods,
    reason = "the user asked for the checkout's code to be run"
)]
fn cargo(toolchain: &Toolchain, manifest: &Utf8Path, subcommand: &str) -> Command {
    let mut command = Command::new(&toolchain.cargo);
    command
        .current_dir(manifest::parent(manifest))
        .arg(subcommand)
        .arg("--manifest-path")
        .arg(manifest)
        .env("RUSTC", &toolchain.rustc)
        .env("CARGO_TERM_QUIET", "true")
        .env("CARGO_TERM_COLOR", "never")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs cargo and hands over its messages. Gives whether it succeeded, and
/// what it said to the user.
fn run(
    command: Command,
    program: &Utf8Path,
    mut each: impl FnMut(Message),
) -> Result<(bool, String), ExecuteError> {
    run_with(command, program, |pipe| {
        for message in Message::parse_stream(BufReader::new(pipe)) {
            each(message?);
        }
        Ok(())
    })
}

fn run_with(
    mut command: Command,
    program: &Utf8Path,
    read: impl FnOnce(&mut dyn Read) -> io::Result<()>,
) -> Result<(bool, String), ExecuteError> {
    let failed = |source| ExecuteError::Run {
        program: program.to_owned(),
        source,
    };
    tracing::debug!(?command, "run");
    let mut child = command.spawn().map_err(failed)?;
    let stderr = child.stderr.take();
    let errors = thread::spawn(move || tail(stderr));
    let outcome = match &mut child.stdout.take() {
        Some(pipe) => read(pipe),
        None => Ok(()),
    };
    if outcome.is_err() {
        // Nobody reads on; the failure to kill what has ended is not one.
        drop(child.kill());
    }
    let status = child.wait().map_err(failed)?;
    let errors = unpanicked(errors.join());
    outcome.map_err(failed)?;
    Ok((status.success(), errors))
}

/// The end of what a pipe delivers; all of it is read, so that the writer
/// never waits.
fn tail(pipe: Option<impl Read>) -> String {
    let mut kept = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    let Some(mut pipe) = pipe else {
        return String::new();
    };
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => kept.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
        if kept.len() > 2 * TAIL {
            kept.drain(..kept.len() - TAIL);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// Collects what cargo's messages say.
struct Reader {
    target_dir: Utf8PathBuf,
    /// The directory of each package, by cargo's name for it.
    dirs: BTreeMap<String, Utf8PathBuf>,
    packages: BTreeMap<Utf8PathBuf, Built>,
    /// The first crate that does not compile.
    failure: Option<ExecuteError>,
}

impl Reader {
    fn new(target_dir: Utf8PathBuf) -> Reader {
        Reader {
            target_dir,
            dirs: BTreeMap::new(),
            packages: BTreeMap::new(),
            failure: None,
        }
    }

    fn read(&mut self, message: Message) {
        match message {
            Message::CompilerArtifact(artifact) => self.artifact(artifact),
            Message::BuildScriptExecuted(run) => self.script(run),
            Message::CompilerMessage(message) => self.compiler(message),
            _ => {}
        }
    }

    fn artifact(&mut self, artifact: Artifact) {
        let dir = manifest::parent(&artifact.manifest_path);
        if artifact.target.kind.contains(&TargetKind::ProcMacro)
            // A macro crate that is only checked leaves no library.
            && let Some(library) = artifact
                .filenames
                .into_iter()
                .find(|file| file.as_str().ends_with(std::env::consts::DLL_SUFFIX))
        {
            self.packages.entry(dir.clone()).or_default().macros = Some(library);
        }
        self.dirs.insert(artifact.package_id.repr, dir);
    }

    /// The script itself was compiled before, so the package is known.
    fn script(&mut self, script: BuildScript) {
        let Some(dir) = self.dirs.get(&script.package_id.repr) else {
            return;
        };
        // `<target directory>/debug/build/…` is the host's,
        // `<target directory>/<triple>/debug/build/…` the target's.
        let below = script.out_dir.strip_prefix(&self.target_dir).ok();
        let cross = below
            .and_then(|below| below.components().nth(2))
            .is_some_and(|third| third.as_str() == "build");
        self.packages
            .entry(dir.clone())
            .or_default()
            .runs
            .push(Run {
                cross,
                cfgs: script.cfgs.into_iter().collect(),
                env: script.env,
                out_dir: script.out_dir,
            });
    }

    fn compiler(&mut self, message: CompilerMessage) {
        let CompilerMessage {
            target, message, ..
        } = message;
        let is_error = matches!(message.level, DiagnosticLevel::Error | DiagnosticLevel::Ice);
        if is_error && self.failure.is_none() {
            let place = message.spans.iter().find(|span| span.is_primary);
            let place = place.map_or(String::new(), |span| {
                format!(" at {}:{}", span.file_name, span.line_start)
            });
            self.failure = Some(ExecuteError::Compile {
                name: target.name,
                message: message.message + &place,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(messages: &[&str]) -> Reader {
        let mut reader = Reader::new("/t".into());
        for message in Message::parse_stream(messages.join("\n").as_bytes()) {
            reader.read(message.unwrap());
        }
        reader
    }

    fn artifact(name: &str, kind: &str, file: &str) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","package_id":"{name}","manifest_path":"/p/{name}/Cargo.toml",
            "target":{{"kind":["{kind}"],"crate_types":["{kind}"],"name":"{name}","src_path":"/p/{name}/l.rs"}},
            "profile":{{"opt_level":"0","debuginfo":0,"debug_assertions":true,"overflow_checks":true,"test":false}},
            "features":[],"filenames":["/t/{name}.rmeta","{file}"],"executable":null,"fresh":true}}"#
        )
        .replace('\n', "")
    }

    fn script(name: &str, dir: &str, cfg: &str) -> String {
        let cfg = cfg.replace('"', r#"\""#);
        format!(
            r#"{{"reason":"build-script-executed","package_id":"{name}","linked_libs":[],"linked_paths":[],
            "cfgs":["{cfg}","all=\"1\""],"env":[["K","{dir}"]],"out_dir":"/t/{dir}/build/{name}-0/out"}}"#
        )
        .replace('\n', "")
    }

    fn unit(host: bool) -> Unit {
        Unit {
            package: palisade_model::Package {
                name: "a".to_owned(),
                version: semver::Version::new(1, 0, 0),
                source: palisade_model::PackageSource::Path,
            },
            name: "a".to_owned(),
            kind: crate::UnitKind::Lib,
            root_file: "/p/a/l.rs".into(),
            package_dir: "/p/a".into(),
            edition: "2024".to_owned(),
            features: Vec::new(),
            extra_cfgs: vec!["guessed".to_owned(), "test".to_owned()],
            unknown_cfgs: vec!["*".to_owned()],
            env: BTreeMap::new(),
            deps: Vec::new(),
            host,
            build_script: Some(crate::UnitId(0)),
        }
    }

    /// Guards that a macro crate's library is found, and not what `cargo
    /// check` leaves of other crates.
    #[test]
    fn libraries_of_macros() {
        let library = format!("/t/m{}", std::env::consts::DLL_SUFFIX);
        let reader = read(&[
            &artifact("m", "proc-macro", &library),
            &artifact("checked", "proc-macro", "/t/checked.d"),
            "not a message",
        ]);
        let found: Vec<_> = reader.packages.iter().collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "/p/m");
        assert_eq!(found[0].1.macros.as_deref(), Some(Utf8Path::new(&library)));
    }

    /// Guards that what a script said replaces what was guessed, for the
    /// platform that it ran for.
    #[test]
    fn scripts_by_platform() {
        let reader = read(&[
            &artifact("a", "custom-build", "/t/x"),
            &script("a", "debug", "for_host"),
            &script("a", "x86_64-unknown-none/debug", "for_target"),
        ]);
        let runs = &reader.packages[Utf8Path::new("/p/a")].runs;
        for (host, flag, dir) in [
            (true, "for_host", "debug"),
            (false, "for_target", "x86_64-unknown-none/debug"),
        ] {
            let mut unit = unit(host);
            apply_runs(&mut unit, runs);
            assert_eq!(unit.extra_cfgs, ["test", "all=\"1\"", flag]);
            assert!(unit.unknown_cfgs.is_empty());
            assert_eq!(unit.env["K"], dir);
            assert_eq!(unit.env["OUT_DIR"], format!("/t/{dir}/build/a-0/out"));
        }
    }

    /// Guards that where cargo does not say which of two runs is meant, their
    /// difference stays unknown.
    #[test]
    fn two_runs_that_differ() {
        let reader = read(&[
            &artifact("a", "custom-build", "/t/x"),
            &script("a", "debug", "one=\"1\""),
            &script("a", "debug", "two"),
        ]);
        let mut unit = unit(false);
        apply_runs(&mut unit, &reader.packages[Utf8Path::new("/p/a")].runs);
        assert_eq!(unit.extra_cfgs, ["test", "all=\"1\"", "one=\"1\"", "two"]);
        assert_eq!(unit.unknown_cfgs, ["one", "two"]);
    }

    /// Guards that the crate which does not compile is named, with the place
    /// of its first error, and that a warning is not taken for one.
    #[test]
    fn the_first_error_is_named() {
        let message = |level: &str, text: &str| {
            format!(
                r#"{{"reason":"compiler-message","package_id":"a","manifest_path":"/p/a/Cargo.toml",
                "target":{{"kind":["lib"],"crate_types":["lib"],"name":"a","src_path":"/p/a/l.rs"}},
                "message":{{"rendered":null,"message":"{text}","level":"{level}","children":[],"code":null,
                "spans":[{{"file_name":"l.rs","byte_start":0,"byte_end":1,"line_start":7,"line_end":7,
                "column_start":1,"column_end":2,"is_primary":true,"text":[],"label":null,
                "suggested_replacement":null,"suggestion_applicability":null,"expansion":null}}]}}}}"#
            )
            .replace('\n', "")
        };
        let reader = read(&[
            &message("warning", "unused"),
            &message("error", "mismatched types"),
            &message("error", "another"),
        ]);
        assert_eq!(
            reader.failure.unwrap().to_string(),
            "the crate `a` does not compile: mismatched types at l.rs:7"
        );
    }
}
