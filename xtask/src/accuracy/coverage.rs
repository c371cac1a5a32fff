//! What a program really executes, from an instrumented build: of these
//! functions, nearly all must be reached.

use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use super::mangling::{self, CrateId, Kind};
use super::{Function, targets};
use crate::{process, setup};

/// How long one command line may run.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);
/// How long a server may take to listen or to stop.
const SERVER_LIMIT: Duration = Duration::from_secs(10);

/// The functions that a target's commands executed, with one symbol each.
///
/// # Errors
///
/// When the build, the profile tools or a profile fails.
pub(super) fn executed(
    target: &targets::Target,
    sysroot: &HashSet<CrateId>,
) -> Result<BTreeMap<Function, String>> {
    let profdata = profile_tool()?;
    let built = target.build_with("-C instrument-coverage", "coverage")?;
    let profiles = tempfile::tempdir().context("cannot make a temporary directory")?;
    let directory = Utf8Path::from_path(profiles.path()).context("a path is not UTF-8")?;

    let source = target.source()?;
    for arguments in target.command_lines(&source) {
        let mut child = instrumented(&built.executable, &arguments, directory, &source)?;
        wait(&mut child, COMMAND_LIMIT)?;
    }
    if let Some(port) = free_port_for(target)? {
        let arguments = target.server_line(&source, port);
        let mut child = instrumented(&built.executable, &arguments, directory, &source)?;
        ask_server(&mut child, port)?;
    }

    let mut raw: Vec<Utf8PathBuf> = Vec::new();
    for entry in directory.read_dir_utf8()? {
        raw.push(entry?.into_path());
    }
    if raw.is_empty() {
        bail!("{} left no profile", target.name);
    }
    raw.sort();
    let text = process::output(
        process::command(&profdata)
            .args(["merge", "--text", "--output=-"])
            .args(&raw),
    )?;
    Ok(functions(&text, sysroot))
}

/// The tool that reads profiles of this toolchain's format, installed when it
/// is not there.
fn profile_tool() -> Result<String> {
    const NAMES: [&str; 2] = ["llvm-profdata-22", "llvm-profdata"];
    let find = || {
        NAMES.iter().find(|name| {
            process::output(process::command(name).arg("--version"))
                .is_ok_and(|text| text.contains("LLVM version 22."))
        })
    };
    if find().is_none() {
        setup::apt_install("llvm-22")
            .context("the profile tools of LLVM 22 are missing: install Debian's llvm-22")?;
    }
    find()
        .map(|name| (*name).to_owned())
        .context("no llvm-profdata of LLVM 22 was found")
}

/// Starts an instrumented program in its source directory, without input,
/// network settings or a home of its own.
fn instrumented(
    executable: &Utf8Path,
    arguments: &[String],
    profiles: &Utf8Path,
    source: &Utf8Path,
) -> Result<Child> {
    let mut command = process::command(executable);
    command
        .args(arguments)
        .current_dir(source)
        .env("LLVM_PROFILE_FILE", profiles.join("%p-%m.profraw"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
        .spawn()
        .with_context(|| format!("cannot start `{}`", process::describe(&command)))
}

/// Waits for a program; its exit code does not matter, only what it executed.
fn wait(child: &mut Child, limit: Duration) -> Result<()> {
    let start = Instant::now();
    while child.try_wait()?.is_none() {
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("a program did not end within {} s", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// A port that nobody listens on, when the target is a server.
fn free_port_for(target: &targets::Target) -> Result<Option<u16>> {
    if target.server.is_empty() {
        return Ok(None);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot bind a port")?;
    Ok(Some(listener.local_addr()?.port()))
}

/// Asks a server for its root and for a page that it does not have, then asks
/// it to stop, so that it writes its profile.
fn ask_server(child: &mut Child, port: u16) -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        if start.elapsed() > SERVER_LIMIT || child.try_wait()?.is_some() {
            child.kill()?;
            child.wait()?;
            bail!("a server does not listen on {address}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    for page in ["/", "/Cargo.toml", "/missing"] {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(SERVER_LIMIT))?;
        write!(
            stream,
            "GET {page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
    }
    process::output(process::command("kill").args(["-INT", &child.id().to_string()]))?;
    wait(child, SERVER_LIMIT)
}

/// The functions with a counter above zero in a profile in text form: blocks
/// of a name, comment lines, a hash, the number of counters, and the counters.
fn functions(text: &str, sysroot: &HashSet<CrateId>) -> BTreeMap<Function, String> {
    let mut executed = BTreeMap::new();
    for block in text.split("\n\n") {
        let mut lines = block
            .lines()
            .filter(|line| !line.starts_with(['#', ':', '$']));
        let Some(name) = lines.next() else { continue };
        // The hash and the number of counters come first.
        let counted = lines.skip(2).any(|line| line != "0");
        // Local functions carry the file's name in front.
        let symbol = name.rsplit(';').next().unwrap_or(name);
        if let Some(parsed) = mangling::parse(symbol)
            && counted
            && parsed.kind == Kind::Function
            && !sysroot.contains(&parsed.krate)
        {
            executed.insert(Function::from(parsed), symbol.to_owned());
        }
    }
    executed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the reading of profiles: only what ran counts.
    #[test]
    fn counts_what_ran() {
        let text = "# IR level\n:ir\n_RNvCs1_1a3ran\n# Func Hash:\n77\n# Num Counters:\n2\n# Counter Values:\n0\n3\n\n\
                    lib.rs;_RNvCs1_1a5local\n# Func Hash:\n1\n# Num Counters:\n1\n# Counter Values:\n1\n\n\
                    _RNvCs1_1a4idle\n# Func Hash:\n9\n# Num Counters:\n1\n# Counter Values:\n0\n\n\
                    _RNvCs2_3std3ran\n# Func Hash:\n9\n# Num Counters:\n1\n# Counter Values:\n5\n";
        let std = CrateId {
            name: "std".into(),
            disambiguator: 4,
        };
        let found = functions(text, &[std].into());
        let names: Vec<&str> = found.keys().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["local", "ran"]);
    }
}
