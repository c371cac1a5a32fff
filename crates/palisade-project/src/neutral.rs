//! The only place that starts a process, unless the user asks for
//! [`crate::execute()`]: the toolchain's own `rustc` and
//! `cargo metadata`, with everything that a checkout could use to redirect
//! them out of the way.
//!
//! How a checkout could get its own program run, and what stands against it:
//!
//! - `rust-toolchain.toml` with a `path`: rustup's proxies look for it in the
//!   working directory and above, so the working directory is one that the
//!   checkout does not contain, and only the sysroot's own `cargo` and `rustc`
//!   are called, by their absolute path.
//! - `.cargo/config.toml` (`build.rustc`, `rustc-wrapper`, `[env]` with
//!   `LD_PRELOAD`, credential providers, …): cargo reads the files of the
//!   working directory and above, so it never sees the checkout's; what is
//!   harmless in them is handed over by [`crate::config`], key by key. The
//!   variables below override what remains from elsewhere.
//! - the home of cargo or the toolchain inside the checkout, as continuous
//!   integration likes to have it for its caches: refused as far as it cannot
//!   be overridden.
//! - a relative entry of `PATH`, or one inside the checkout: passed over.

use std::env;
use std::ffi::OsString;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};

use crate::LoadError;
use crate::cargo_error;

/// A toolchain, by the paths of its real programs.
#[derive(Clone, Debug)]
pub(crate) struct Toolchain {
    /// What `rustc --print sysroot` says.
    pub(crate) sysroot: Utf8PathBuf,
    /// Its version.
    pub(crate) version: semver::Version,
    /// The triple that it runs on.
    pub(crate) host: String,
    /// Its compiler.
    pub(crate) rustc: Utf8PathBuf,
    /// Its cargo.
    pub(crate) cargo: Utf8PathBuf,
}

/// How to call `cargo metadata`.
#[derive(Debug)]
pub(crate) struct MetadataCall<'a> {
    /// The manifest, absolute.
    pub(crate) manifest: &'a Utf8Path,
    /// Dependencies for these triples are wanted.
    pub(crate) platforms: Vec<&'a str>,
    /// The features asked for: the flags of the command line, as cargo has
    /// them. What they do not switch on need not be there.
    pub(crate) features: Vec<String>,
    /// A configuration file of ours with what the checkout's may contribute.
    pub(crate) config: Option<&'a Utf8Path>,
    /// Checked compiler flags (see [`crate::rustflags`]).
    pub(crate) rustflags: &'a [String],
    /// Whether the lockfile must not be written.
    pub(crate) locked: bool,
    /// Whether the network must not be used.
    pub(crate) offline: bool,
    /// Whether the manifest is the toolchain's own and uses unstable features.
    pub(crate) bootstrap: bool,
    /// Bytes of output that are accepted.
    pub(crate) limit: u64,
}

/// Starts processes on behalf of one checkout, outside it.
#[derive(Clone, Debug)]
pub(crate) struct Neutral {
    checkout: Utf8PathBuf,
    directory: Utf8PathBuf,
    cargo_home: Option<Utf8PathBuf>,
}

impl Neutral {
    /// Prepares to run beside the checkout in the given directory.
    pub(crate) fn new(checkout: &Utf8Path) -> Neutral {
        Neutral {
            checkout: real(checkout),
            directory: neutral_directory(checkout),
            cargo_home: cargo_home(),
        }
    }

    /// Whether a path leads into the checkout, symbolic links followed.
    pub(crate) fn is_inside(&self, path: &Utf8Path) -> bool {
        real(path).starts_with(&self.checkout)
    }

    /// cargo's home directory, when there is one.
    pub(crate) fn cargo_home(&self) -> Option<&Utf8Path> {
        self.cargo_home.as_deref()
    }

    /// The configuration files that cargo will read by itself.
    pub(crate) fn own_config_files(&self) -> Vec<Utf8PathBuf> {
        self.directory
            .ancestors()
            .map(|dir| dir.join(".cargo"))
            .chain(self.cargo_home.clone())
            .flat_map(|dir| [dir.join("config"), dir.join("config.toml")])
            .filter(|file| file.exists())
            .collect()
    }

    /// Finds the toolchain that runs outside the checkout. A `channel` is one of
    /// rustup's by name; the caller's own choice (`RUSTUP_TOOLCHAIN`) goes
    /// before it.
    pub(crate) fn toolchain(&self, channel: Option<&str>) -> Result<Toolchain, LoadError> {
        if let Ok(name) = env::var("RUSTUP_TOOLCHAIN")
            && name.contains(['/', '\\'])
            && self.is_inside(Utf8Path::new(&name))
        {
            return Err(refused_toolchain("RUSTUP_TOOLCHAIN", Utf8Path::new(&name)));
        }
        let rustc = self.on_path("rustc").ok_or_else(|| LoadError::Toolchain {
            message: "`rustc` is not on the PATH".to_owned(),
        })?;
        let ask = |argument: &[&str]| {
            let mut command = self.command(&rustc);
            command.args(argument);
            if let Some(channel) = channel
                && env::var_os("RUSTUP_TOOLCHAIN").is_none()
            {
                command.env("RUSTUP_TOOLCHAIN", channel);
            }
            run(command, &rustc, SMALL)
        };
        let (sysroot, version) = thread::scope(|scope| {
            let version = scope.spawn(|| ask(&["-vV"]));
            (ask(&["--print", "sysroot"]), unpanicked(version.join()))
        });
        let sysroot = Utf8PathBuf::from(succeeded(&rustc, sysroot?)?.trim());
        if self.is_inside(&sysroot) {
            return Err(refused_toolchain("RUSTUP_HOME or PATH", &sysroot));
        }
        let version = succeeded(&rustc, version?)?;
        let field = |key: &str| {
            version
                .lines()
                .find_map(|line| line.strip_prefix(key))
                .map(str::trim)
                .ok_or_else(|| LoadError::Toolchain {
                    message: format!("`{rustc} -vV` does not print `{key}`"),
                })
        };
        let own = |name: &str| {
            let program = sysroot.join("bin").join(executable(name));
            if program.is_file() {
                return Ok(program);
            }
            // Some distributions keep cargo apart from the compiler.
            self.on_path(name).ok_or_else(|| LoadError::Toolchain {
                message: format!("neither `{program}` nor a `{name}` on the PATH exists"),
            })
        };
        Ok(Toolchain {
            version: semver::Version::parse(field("release:")?).map_err(|error| {
                LoadError::Toolchain {
                    message: format!("the release of `{rustc}` is not a version: {error}"),
                }
            })?,
            host: field("host:")?.to_owned(),
            rustc: own("rustc")?,
            cargo: own("cargo")?,
            sysroot,
        })
    }

    /// The configuration flags of a target, one a line, sorted as the compiler
    /// prints them. `optimised` asks for what the standard library was built
    /// with: optimised, and with the internal flags that only it may use.
    pub(crate) fn cfgs(
        &self,
        toolchain: &Toolchain,
        triple: &str,
        rustflags: &[String],
        optimised: bool,
    ) -> Result<Vec<String>, LoadError> {
        let mut command = self.command(&toolchain.rustc);
        command.args(["--print", "cfg", "--target", triple]);
        command.args(rustflags);
        if optimised {
            command.arg("-O").env("RUSTC_BOOTSTRAP", "1");
        }
        let output = run(command, &toolchain.rustc, SMALL)?;
        if !output.success {
            return Err(LoadError::Target {
                triple: triple.to_owned(),
                message: cargo_error::one_line(&output.stderr),
            });
        }
        Ok(output.stdout.lines().map(str::to_owned).collect())
    }

    /// Runs `cargo metadata` and returns the JSON.
    pub(crate) fn metadata(
        &self,
        toolchain: &Toolchain,
        call: &MetadataCall<'_>,
    ) -> Result<String, LoadError> {
        let mut command = self.command(&toolchain.cargo);
        command
            .args(["metadata", "--format-version", "1", "--manifest-path"])
            .arg(call.manifest)
            .args(&call.features)
            .env("RUSTC", &toolchain.rustc)
            .env("CARGO_ENCODED_RUSTFLAGS", call.rustflags.join("\u{1f}"));
        if call.bootstrap {
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        for platform in &call.platforms {
            command.args(["--filter-platform", platform]);
        }
        if let Some(config) = call.config {
            command.arg("--config").arg(config);
        }
        if call.locked {
            command.arg("--locked");
        }
        if call.offline {
            command.arg("--offline");
        }
        let output = run(command, &toolchain.cargo, call.limit)?;
        if output.success {
            Ok(output.stdout)
        } else {
            Err(cargo_error::classify(call.manifest, &output.stderr))
        }
    }

    /// A command outside the checkout, with the caller's environment less what
    /// would put another program in the compiler's place.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the neutral command that everything else must use"
    )]
    fn command(&self, program: &Utf8Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env_remove("CARGO_BUILD_RUSTC")
            .env_remove("CARGO_BUILD_RUSTC_WRAPPER")
            .env_remove("CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER")
            .env_remove("RUSTFLAGS")
            .env_remove("RUSTC_BOOTSTRAP")
            // Empty means none, whatever any configuration says.
            .env("RUSTC_WRAPPER", "")
            .env("RUSTC_WORKSPACE_WRAPPER", "")
            .env("CARGO_ENCODED_RUSTFLAGS", "")
            // What the compiler once said is kept in the target directory,
            // which the checkout could have filled, or made a link.
            .env("CARGO_CACHE_RUSTC_INFO", "0")
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_QUIET", "true")
            .env("CARGO_TERM_PROGRESS_WHEN", "never")
            // An unknown toolchain is an error, not a download.
            .env("RUSTUP_AUTO_INSTALL", "0");
        if let Some(home) = &self.cargo_home {
            command.env("CARGO_HOME", home);
        }
        command
    }

    fn on_path(&self, name: &str) -> Option<Utf8PathBuf> {
        let home = self.cargo_home.as_ref().map(|home| home.join("bin"));
        env::var_os("PATH")
            .map(|path| env::split_paths(&path).collect::<Vec<_>>())
            .unwrap_or_default()
            .into_iter()
            .filter_map(|dir| Utf8PathBuf::from_path_buf(dir).ok())
            .chain(home)
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join(executable(name)))
            .find(|program| program.is_file() && !self.is_inside(program))
    }
}

/// Bytes accepted from a program that prints a few lines.
const SMALL: u64 = 4 << 20;

struct Output {
    success: bool,
    stdout: String,
    stderr: String,
}

fn run(mut command: Command, program: &Utf8Path, limit: u64) -> Result<Output, LoadError> {
    let failed = |source| LoadError::Spawn {
        program: program.to_owned(),
        source,
    };
    tracing::debug!(?command, "run");
    let mut child = command.spawn().map_err(failed)?;
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    let errors = thread::spawn(move || take(stderr, SMALL));
    let printed = take(stdout, limit);
    if printed.len() as u64 > limit {
        // Whatever it would still say is not wanted; the failure to kill what
        // has already ended is not one.
        drop(child.kill());
    }
    let status = child.wait().map_err(failed)?;
    let errors = unpanicked(errors.join());
    if printed.len() as u64 > limit {
        return Err(LoadError::TooLarge {
            file: Utf8PathBuf::from(format!("output of {program}")),
            limit,
        });
    }
    Ok(Output {
        success: status.success(),
        stdout: String::from_utf8_lossy(&printed).into_owned(),
        stderr: String::from_utf8_lossy(&errors).into_owned(),
    })
}

/// Reads at most one byte more than the limit; a broken pipe ends the reading
/// like the end of the output does.
fn take(pipe: Option<impl Read>, limit: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        drop(pipe.take(limit.saturating_add(1)).read_to_end(&mut bytes));
    }
    bytes
}

/// What a thread returned. Threads here only run code that does not panic; if
/// one does all the same, its panic goes on in the caller.
pub(crate) fn unpanicked<T>(result: thread::Result<T>) -> T {
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn succeeded(program: &Utf8Path, output: Output) -> Result<String, LoadError> {
    if output.success {
        Ok(output.stdout)
    } else {
        Err(LoadError::Toolchain {
            message: format!(
                "`{program}` fails: {}",
                cargo_error::one_line(&output.stderr)
            ),
        })
    }
}

fn refused_toolchain(key: &str, path: &Utf8Path) -> LoadError {
    LoadError::Refused {
        file: path.to_owned(),
        key: key.to_owned(),
        advice: "keep the toolchain outside the checkout".to_owned(),
    }
}

/// A directory that no checkout contains: the root of the file system.
fn neutral_directory(checkout: &Utf8Path) -> Utf8PathBuf {
    real(checkout)
        .ancestors()
        .last()
        .unwrap_or(Utf8Path::new("/"))
        .to_owned()
}

/// cargo's home as cargo finds it, made absolute before the working directory
/// changes.
fn cargo_home() -> Option<Utf8PathBuf> {
    let set = env::var_os("CARGO_HOME").filter(|value| !value.is_empty());
    let path: OsString = match set {
        Some(path) => path,
        None => env::home_dir()?.join(".cargo").into_os_string(),
    };
    let path = std::path::absolute(path).ok()?;
    Utf8PathBuf::from_path_buf(path).ok()
}

/// The path with symbolic links resolved, or made absolute when it does not
/// exist.
fn real(path: &Utf8Path) -> Utf8PathBuf {
    path.canonicalize_utf8()
        .or_else(|_| camino::absolute_utf8(path))
        .unwrap_or_else(|_| path.to_owned())
}

fn executable(name: &str) -> String {
    format!("{name}{}", env::consts::EXE_SUFFIX)
}
