//! Linux: resource limits, Landlock, seccomp, in this order.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use crate::limits::Limits;
use crate::protocol::Hello;
use crate::report::{Protection, Report, Status};

use super::files::{self, Files};
use super::limits;
use super::syscalls::{self, Syscalls};

/// The processor time of this process, from a file that was opened before
/// opening files was restricted.
pub(crate) struct Meter {
    stat: Option<File>,
}

/// The unit of processor times in `/proc`, the same on every Linux: `USER_HZ`.
const TICK: Duration = Duration::from_millis(10);

impl Meter {
    fn new() -> Self {
        Self {
            stat: File::open("/proc/self/stat").ok(),
        }
    }

    /// User and system time of all threads, those that ended included.
    fn now(&self) -> Option<Duration> {
        let text = read_again(self.stat.as_ref()?).ok()?;
        // The second field is the program's name in parentheses and may hold
        // anything; times are the 14th and 15th field.
        let (_, rest) = text.rsplit_once(')')?;
        let mut times = rest.split_ascii_whitespace().skip(11);
        let mut next = || times.next()?.parse::<u32>().ok();
        Some(TICK * next()?.saturating_add(next()?))
    }

    /// Grants a job its processor time on top of what is used up, and returns
    /// the latter.
    pub(crate) fn begin(&self, limits: &Limits) -> Option<Duration> {
        let used = self.now();
        if let Some(used) = used {
            // What cannot be set was reported when it was tried first.
            limits::grant_cpu(used, limits.cpu).ok();
        }
        used
    }

    /// The time used since then.
    pub(crate) fn since(&self, before: Option<Duration>) -> Option<Duration> {
        Some(self.now()?.saturating_sub(before?))
    }
}

/// Restricts this process; whatever cannot be done is in the report.
///
/// # Errors
/// A directory that is to be readable cannot be opened.
pub(crate) fn restrict(hello: &Hello) -> Result<(Meter, Report), String> {
    let limits = &hello.limits;
    let meter = Meter::new();
    let status = File::open("/proc/self/status").ok();
    let inherited = inherited();

    let memory = limits::memory(limits.memory);
    let no_files = limits::no_file_grows();
    limits::no_core();
    let cpu = match meter.now() {
        Some(used) => limits::grant_cpu(used, limits.cpu),
        None => Err(io::Error::other("`/proc/self/stat` cannot be read")),
    };
    let files = files::restrict(&hello.readable)?;
    let open_files = limits::open_files(limits.open_files);
    let syscalls = syscalls::restrict();

    let privileges = status
        .and_then(|file| read_again(&file).ok())
        .is_some_and(|text| text.lines().any(|l| l.trim_end() == "NoNewPrivs:\t1"));
    let report = Report::new(|protection| match protection {
        Protection::Memory => limit("RLIMIT_DATA", &memory),
        Protection::CpuTime => limit("RLIMIT_CPU, for each job", &cpu),
        Protection::OpenFiles => limit("RLIMIT_NOFILE", &open_files),
        Protection::Reading => reading(&files),
        Protection::Writing => writing(&files, &syscalls, no_files.is_ok()),
        Protection::Network => network(&files, &syscalls),
        Protection::Processes | Protection::System => filtered(&syscalls),
        Protection::Privileges if privileges => Status::InForce("no_new_privs".to_owned()),
        Protection::Privileges => Status::NotInForce("no_new_privs is not set".to_owned()),
        Protection::Inherited => match &inherited {
            Ok(0) => Status::InForce("none".to_owned()),
            Ok(count) => Status::Partly(format!("{count} inherited files stay open")),
            Err(error) => Status::NotInForce(format!("cannot be counted: {error}")),
        },
    });
    Ok((meter, report))
}

fn limit(name: &str, set: &io::Result<()>) -> Status {
    match set {
        Ok(()) => Status::InForce(name.to_owned()),
        Err(error) => Status::NotInForce(format!("{name}: {error}")),
    }
}

fn reading(files: &Files) -> Status {
    match files {
        // Every version restricts reading; what an older one does not know
        // concerns writing, devices and sockets.
        Files::Full { abi } | Files::Partly { abi } => {
            Status::InForce(format!("Landlock ABI {abi}"))
        }
        Files::None { reason } => Status::NotInForce(format!("Landlock: {reason}")),
    }
}

fn writing(files: &Files, syscalls: &Syscalls, no_growth: bool) -> Status {
    match (files, syscalls) {
        (Files::Full { .. }, Syscalls::Filtered) => {
            Status::InForce("Landlock and seccomp".to_owned())
        }
        (_, Syscalls::Filtered) => Status::InForce("seccomp".to_owned()),
        (Files::Full { .. }, _) => {
            Status::Partly("Landlock; modes and times can change".to_owned())
        }
        (Files::Partly { abi }, _) => {
            Status::Partly(format!("Landlock ABI {abi} does not cover everything"))
        }
        (Files::None { .. }, _) if no_growth => {
            Status::Partly("RLIMIT_FSIZE alone: no file can grow".to_owned())
        }
        (Files::None { reason }, _) => Status::NotInForce(format!("Landlock: {reason}")),
    }
}

fn network(files: &Files, syscalls: &Syscalls) -> Status {
    match (files, syscalls) {
        (_, Syscalls::Filtered) => Status::InForce("seccomp: no sockets".to_owned()),
        (Files::Full { .. }, Syscalls::Open { reason }) => {
            Status::Partly(format!("Landlock: no TCP, but other sockets; {reason}"))
        }
        (_, Syscalls::Open { reason }) => Status::NotInForce(reason.clone()),
    }
}

fn filtered(syscalls: &Syscalls) -> Status {
    match syscalls {
        Syscalls::Filtered => Status::InForce("seccomp".to_owned()),
        Syscalls::Open { reason } => Status::NotInForce(reason.clone()),
    }
}

/// Open files beside the standard streams and those opened here: the standard
/// library marks its own files so that no child inherits them, but whoever
/// started the parent may have left others.
fn inherited() -> io::Result<usize> {
    let own = ["stat", "status", "fd"];
    let process = std::process::id();
    let mut count = 0;
    for entry in fs::read_dir("/proc/self/fd")? {
        let entry = entry?;
        let number = entry.file_name().to_string_lossy().parse::<u32>();
        let Ok(target) = fs::read_link(entry.path()) else {
            continue;
        };
        let ours = own
            .iter()
            .any(|name| target == Path::new(&format!("/proc/{process}/{name}")));
        if number.is_ok_and(|number| number > 2) && !ours {
            count += 1;
        }
    }
    Ok(count)
}

/// A file of `/proc` as it is now.
fn read_again(file: &File) -> io::Result<String> {
    let mut bytes = vec![0; 8192];
    let count = file.read_at(&mut bytes, 0)?;
    bytes.truncate(count);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
