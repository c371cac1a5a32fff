//! Paths of functions and types, and the facts that they stand for.

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Fact;
use crate::source::{Present, Vocabulary, WORDS};

/// A path stands for everything below it.
const PATHS: &[(Fact, &[&str])] = &[
    (
        Fact::Network,
        &[
            "std::net::TcpStream",
            "std::net::UdpSocket",
            "std::net::ToSocketAddrs",
            "tokio::net::TcpStream",
            "tokio::net::UdpSocket",
            "tokio::net::lookup_host",
            "async_std::net::TcpStream",
            "async_std::net::UdpSocket",
            "async_net::TcpStream",
            "smol::net::TcpStream",
            "mio::net::TcpStream",
            "socket2::Socket",
            "reqwest",
            "ureq",
            "curl",
            "isahc",
            "attohttpc",
            "minreq",
            "surf",
            "ehttp",
            "awc",
            "http_req",
            "hreq",
            "chttp",
            "ajars",
            "nyquest",
            "wreq",
            "rquest",
            "hyper::Client",
            "hyper::client",
            "hyper_util::client",
            "hyper_tls",
            "hyper_rustls",
            "tungstenite::connect",
            "tungstenite::client",
            "tokio_tungstenite::connect_async",
            "async_tungstenite",
            "websocket",
            "lettre",
            "native_tls::TlsConnector",
            "rustls::ClientConnection",
            "tokio_rustls::TlsConnector",
            "hickory_resolver",
            "trust_dns_resolver",
            "dns_lookup",
            "ssh2",
            "russh",
            "thrussh",
            "suppaftp",
            "ftp",
            "rumqttc",
            "paho_mqtt",
            "arti_client",
            "teloxide",
            "frankenstein",
            "telegram_bot",
            "serenity",
            "twilight_http",
            "webhook",
            "sentry",
            "gix::prepare_clone",
            "git2::build::RepoBuilder",
            "git2::Repository::clone",
            "self_update",
            "libc::socket",
            "libc::connect",
            "libc::getaddrinfo",
            "libc::sendto",
            "nix::sys::socket",
            "rustix::net",
            "windows::Win32::Networking",
            "windows_sys::Win32::Networking",
            "winapi::um::winhttp",
            "winapi::um::wininet",
            "winapi::um::urlmon",
            "ethers::providers",
            "alloy::providers",
            "solana_client",
        ],
    ),
    (
        Fact::NameLookup,
        &[
            "std::net::ToSocketAddrs",
            "tokio::net::lookup_host",
            "hickory_resolver",
            "trust_dns_resolver",
            "dns_lookup",
            "libc::getaddrinfo",
        ],
    ),
    (
        Fact::Redirection,
        &[
            "libc::dup2",
            "libc::dup3",
            "nix::unistd::dup2",
            "nix::unistd::dup3",
            "rustix::io::dup2",
            "rustix::stdio::dup2_stdin",
            "rustix::stdio::dup2_stdout",
            "std::process::Stdio::from",
            "std::process::Stdio::from_raw_fd",
            "std::process::Stdio::from_raw_handle",
        ],
    ),
    (Fact::Silenced, &["std::process::Stdio::null"]),
    (
        Fact::Upload,
        &[
            "ureq::post",
            "ureq::put",
            "minreq::post",
            "attohttpc::post",
            "reqwest::multipart",
            "surf::post",
            "lettre",
            "libc::sendto",
        ],
    ),
    (
        Fact::Process,
        &[
            "std::process::Command",
            "tokio::process::Command",
            "async_process::Command",
            "async_std::process::Command",
            "smol::process::Command",
            "duct",
            "subprocess",
            "cmd_lib",
            "run_script",
            "xshell",
            "execute",
            "libc::system",
            "libc::execve",
            "libc::execv",
            "libc::execvp",
            "libc::execl",
            "libc::execlp",
            "libc::popen",
            "libc::posix_spawn",
            "libc::posix_spawnp",
            "nix::unistd::execv",
            "nix::unistd::execve",
            "nix::unistd::execvp",
            "rustix::runtime::execve",
            "winapi::um::shellapi",
            "winapi::um::processthreadsapi::CreateProcessA",
            "winapi::um::processthreadsapi::CreateProcessW",
            "windows::Win32::UI::Shell::ShellExecuteA",
            "windows::Win32::UI::Shell::ShellExecuteW",
            "windows_sys::Win32::UI::Shell::ShellExecuteA",
            "windows_sys::Win32::UI::Shell::ShellExecuteW",
            "windows::Win32::System::Threading::CreateProcessA",
            "windows::Win32::System::Threading::CreateProcessW",
            "windows_sys::Win32::System::Threading::CreateProcessA",
            "windows_sys::Win32::System::Threading::CreateProcessW",
        ],
    ),
    (
        Fact::LoadCode,
        &[
            "libloading",
            "dlopen",
            "dlopen2",
            "sharedlib",
            "libc::dlopen",
            "libc::memfd_create",
            "libc::fexecve",
            "nix::unistd::fexecve",
            "nix::sys::memfd",
            "rustix::fs::memfd_create",
            "memfd",
            "memexec",
            "memfd_exec",
            "region::protect",
        ],
    ),
    (
        Fact::Detached,
        &[
            "libc::setsid",
            "libc::daemon",
            "nix::unistd::setsid",
            "nix::unistd::daemon",
            "daemonize",
            "fork",
        ],
    ),
    (
        Fact::FileWrite,
        &[
            "std::fs::write",
            "std::fs::File::create",
            "std::fs::File::create_new",
            "std::fs::File::options",
            "std::fs::OpenOptions",
            "std::fs::copy",
            "std::fs::rename",
            "std::os::unix::fs::symlink",
            "tokio::fs::write",
            "tokio::fs::File::create",
            "tokio::fs::OpenOptions",
            "async_std::fs::write",
            "fs_err::write",
            "fs_err::File::create",
            "tempfile::NamedTempFile",
            "tempfile::tempfile",
            "tempfile::Builder",
            "std::io::copy",
        ],
    ),
    (
        Fact::FileRead,
        &[
            "std::fs::read",
            "std::fs::read_to_string",
            "std::fs::File::open",
            "tokio::fs::read",
            "tokio::fs::read_to_string",
            "tokio::fs::File::open",
            "async_std::fs::read",
            "async_std::fs::read_to_string",
            "fs_err::read",
            "fs_err::read_to_string",
            "fs_err::File::open",
            "dotenv",
            "dotenvy",
        ],
    ),
    (
        Fact::DirectoryWalk,
        &[
            "walkdir",
            "jwalk",
            "globwalk",
            "glob",
            "ignore::Walk",
            "ignore::WalkBuilder",
            "std::fs::read_dir",
            "tokio::fs::read_dir",
            "fs_err::read_dir",
            "async_walkdir",
        ],
    ),
    (
        Fact::Home,
        &[
            "dirs",
            "dirs_next",
            "dirs_sys",
            "directories",
            "home::home_dir",
            "homedir",
            "std::env::home_dir",
            "etcetera",
            "directories_next",
            "simple_home_dir",
            "shellexpand",
        ],
    ),
    (
        Fact::TempDirectory,
        &["std::env::temp_dir", "tempfile", "tempdir", "temp_dir"],
    ),
    (
        Fact::EnvironmentDump,
        &["std::env::vars", "std::env::vars_os"],
    ),
    (
        Fact::HostIdentity,
        &[
            "hostname",
            "gethostname",
            "whoami",
            "machine_uid",
            "mac_address",
            "local_ip_address",
            "local_ipaddress",
            "public_ip",
            "uname",
            "libc::gethostname",
            "libc::uname",
            "libc::getlogin",
            "nix::unistd::gethostname",
            "nix::sys::utsname",
            "username",
            "os_info",
            "rustix::system::uname",
            "if_addrs",
            "sysinfo",
        ],
    ),
    (
        Fact::Clipboard,
        &[
            "arboard",
            "clipboard",
            "copypasta",
            "cli_clipboard",
            "clipboard_win",
            "clipboard_rs",
        ],
    ),
    (
        Fact::InputCapture,
        &[
            "rdev",
            "device_query",
            "inputbot",
            "scrap",
            "screenshots",
            "xcap",
            "evdev",
            "multiinput",
        ],
    ),
    (
        Fact::TlsOff,
        &[
            "rustls::client::danger::ServerCertVerified::assertion",
            "rustls::client::ServerCertVerified::assertion",
            "rustls::ServerCertVerified::assertion",
            "tokio_rustls::rustls::client::danger::ServerCertVerified::assertion",
            "tokio_rustls::rustls::client::ServerCertVerified::assertion",
            "ureq::rustls::client::danger::ServerCertVerified::assertion",
            "openssl::ssl::SslVerifyMode::NONE",
        ],
    ),
];

/// Words beside paths that the extraction of facts asks for: methods, macros
/// and functions that mean something with their arguments.
const WORDS_ALONE: &[&str] = &[
    "post",
    "put",
    "patch",
    "send_json",
    "send_string",
    "send_bytes",
    "send_form",
    "multipart",
    "send_to",
    "set_mode",
    "mode",
    "creation_flags",
    "danger_accept_invalid_certs",
    "danger_accept_invalid_hostnames",
    "disable_verification",
    "accept_invalid_certs",
    "tls_danger_accept_invalid_certs",
    "ssl_verify_peer",
    "arg",
    "args",
    "env",
    "option_env",
    "include_bytes",
    "include_str",
    "cmd",
    "obfstr",
    "lc",
    "lc_env",
    "obfuscate",
    "encrypt_string",
    "from_mode",
    "var",
    "var_os",
];

struct Table {
    facts: FxHashMap<&'static str, Vec<Fact>>,
    roots: FxHashSet<&'static str>,
    longest: usize,
    /// The words of which a file needs some, by their number.
    numbers: FxHashMap<&'static str, usize>,
    /// Which of them together may stand for a fact: the last segment of a path
    /// and the one before it, wherever they stand in the file.
    pairs: Vec<(usize, Option<usize>)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut facts: FxHashMap<&'static str, Vec<Fact>> = FxHashMap::default();
    let mut longest = 0;
    let mut numbers: FxHashMap<&'static str, usize> = FxHashMap::default();
    let mut pairs = Vec::new();
    for (fact, paths) in PATHS {
        for path in *paths {
            facts.entry(path).or_default().push(*fact);
            longest = longest.max(path.split("::").count());
            let mut number = |word| {
                let next = numbers.len();
                *numbers.entry(word).or_insert(next)
            };
            let mut segments = path.rsplit("::").map(&mut number);
            let last = segments.next().unwrap_or_default();
            pairs.push((last, segments.next()));
        }
    }
    for word in WORDS_ALONE {
        let next = numbers.len();
        pairs.push((*numbers.entry(word).or_insert(next), None));
    }
    pairs.sort_unstable();
    pairs.dedup();
    assert!(numbers.len() < RENAMED, "a file's words have no room");
    let roots = facts
        .keys()
        .filter_map(|path| path.split("::").next())
        .collect();
    Table {
        facts,
        roots,
        longest,
        numbers,
        pairs,
    }
});

/// Which files can hold facts at all, by their words. A file that passes on
/// what another one imports is asked for those names as well, once they are
/// known.
pub(super) struct FileWords<'a> {
    /// Names of this package's own for libraries.
    pub(super) renamed: &'a FxHashSet<String>,
}

/// The number of a name of the package's own.
const RENAMED: usize = WORDS - 1;

impl Vocabulary for FileWords<'_> {
    fn number(&self, word: &str) -> Option<usize> {
        let known = TABLE.numbers.get(word).copied();
        known.or_else(|| self.renamed.contains(word).then_some(RENAMED))
    }

    fn is_notable(&self, present: &Present) -> bool {
        let together = |(last, before): &(usize, Option<usize>)| {
            present.has(*last) && before.is_none_or(|before| present.has(before))
        };
        present.has(RENAMED) || TABLE.pairs.iter().any(together)
    }
}

/// Whether a path that begins so can stand for a fact.
pub(super) fn is_root(segment: &str) -> bool {
    TABLE.roots.contains(segment) || segment == "std"
}

/// The facts that a path stands for.
pub(super) fn facts(path: &[String]) -> impl Iterator<Item = Fact> {
    let mut joined = String::new();
    let mut found: Vec<Fact> = Vec::new();
    for segment in path.iter().take(TABLE.longest) {
        if !joined.is_empty() {
            joined.push_str("::");
        }
        joined.push_str(segment);
        if let Some(facts) = TABLE.facts.get(joined.as_str()) {
            found.extend(
                facts
                    .iter()
                    .filter(|fact| !found.contains(fact))
                    .copied()
                    .collect::<Vec<_>>(),
            );
        }
    }
    found.into_iter()
}
