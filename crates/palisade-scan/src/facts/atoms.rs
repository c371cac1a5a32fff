//! Texts that mean something wherever they stand: places of credentials,
//! commands, services that collect data.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::atom_table::ATOMS;
use super::{Fact, shells};

/// Endings of names and texts that are only a whole word mean something.
const DOT_ENV: &[&str] = &[".env", ".env.local", ".env.production"];

struct Table {
    matcher: AhoCorasick,
    meanings: Vec<(Fact, &'static str)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut patterns = Vec::new();
    let mut meanings = Vec::new();
    for (fact, label, texts) in ATOMS {
        for text in *texts {
            patterns.push(*text);
            meanings.push((*fact, *label));
        }
    }
    let matcher = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .kind(Some(AhoCorasickKind::DFA))
        .build(patterns)
        .expect("the table is small");
    Table { matcher, meanings }
});

/// A text's meaning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Meaning {
    pub(super) fact: Fact,
    pub(super) detail: String,
}

/// The longest text that is looked at.
const LONGEST: usize = 1 << 20;

/// What a text means.
pub(super) fn meanings(text: &str) -> Vec<Meaning> {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    let mut found: Vec<Meaning> = TABLE
        .matcher
        .find_overlapping_iter(text)
        .map(|hit| {
            let (fact, label) = TABLE.meanings[hit.pattern().as_usize()];
            let detail = if label.is_empty() {
                excerpt(text)
            } else {
                label.to_owned()
            };
            Meaning { fact, detail }
        })
        .collect();
    found.extend(addresses(text));
    let mut add = |fact, detail: String| found.push(Meaning { fact, detail });
    if DOT_ENV.iter().any(|name| {
        text == *name
            || text
                .strip_suffix(name)
                .is_some_and(|rest| rest.ends_with(['/', '\\']))
    }) {
        add(Fact::DotEnv, text.to_owned());
    }
    if is_wallet_pattern(text) {
        add(Fact::WalletPattern, excerpt(text));
    }
    if is_pipe_to_shell(text) {
        add(Fact::PipeToShell, excerpt(text));
    }
    if let Some(fact) = whole(text) {
        add(fact, excerpt(text));
    }
    if shells::is_reverse(text) {
        add(Fact::ReverseShell, excerpt(text));
    }
    if is_dynamic_host(text) {
        add(Fact::DynamicHost, excerpt(text));
    }
    if is_pool_message(text) {
        add(Fact::Miner, excerpt(text));
    }
    if text.starts_with(crate::source::PROGRAM_MARK) {
        add(Fact::EmbeddedProgram, "a program".to_owned());
    }
    found.sort();
    found.dedup();
    found
}

/// The beginning of a text, for a message.
pub(super) fn excerpt(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.trim().lines().next().unwrap_or_default();
    match line.char_indices().nth(MOST) {
        Some((cut, _)) => format!("`{}…`", palisade_archive::visible(&line[..cut])),
        None => format!("`{}`", palisade_archive::visible(line)),
    }
}

/// What a short text means that says nothing else.
fn whole(text: &str) -> Option<Fact> {
    match text {
        "/bin/sh" | "/bin/bash" | "/bin/zsh" | "/bin/dash" | "/usr/bin/bash" | "/usr/bin/sh"
        | "cmd.exe" | "powershell.exe" => Some(Fact::ShellName),
        "0x" | "bc1" | "bc1q" | "bc1p" | "ltc1" | "bnb1" | "addr1" | "cosmos1" | "0x1" => {
            Some(Fact::WalletShape)
        }
        ".rs" | "rs" | "Cargo.toml" | "src" => Some(Fact::SourceFiles),
        _ if is_wallet_address(text) => Some(Fact::WalletShape),
        _ if is_variable_name(text) && variable(text) == Some(Fact::EnvironmentSecret) => {
            Some(Fact::SecretName)
        }
        _ => None,
    }
}

/// `0x` and forty digits, `bc1` and what follows it.
fn is_wallet_address(text: &str) -> bool {
    let digits = |rest: &str, lengths: &[usize]| {
        lengths.contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let bech = |rest: &str| {
        (38..=60).contains(&rest.len())
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.strip_prefix("0x")
        .is_some_and(|rest| digits(rest, &[40]))
        || text.strip_prefix("bc1").is_some_and(bech)
}

fn is_variable_name(text: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (6..=64).contains(&text.len()) && text.bytes().all(letters) && text.contains('_')
}

/// The name of a machine whose first part is filled in: `{}.x.example.org`.
fn is_dynamic_host(text: &str) -> bool {
    let Some(at) = text.find("}.") else {
        return false;
    };
    let before = &text[..at];
    let host = text[at + 2..]
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '{' | '}')))
        .next()
        .unwrap_or_default();
    // Nothing but a scheme and other parts of the name stand before it.
    let begins = before.rfind("://").map_or(before, |at| &before[at + 3..]);
    let mut words = host.split('.').filter(|word| word.len() >= 2);
    begins.starts_with('{')
        && !begins.contains([' ', '/'])
        && words.clone().count() >= 2
        && words
            .next_back()
            .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// What a miner and its pool say to each other, which is JSON.
fn is_pool_message(text: &str) -> bool {
    if text.len() > 4096 || !text.contains("method") {
        return false;
    }
    let has = |word: &str| text.contains(word);
    let login = has("\"login\"") && (has("\"pass\"") || has("\"agent\""));
    let share = has("\"submit\"") && has("nonce") || has("\"job_id\"") && has("nonce");
    login || share || has("\"keepalived\"")
}

fn is_wallet_pattern(text: &str) -> bool {
    // Base58 leaves out what looks alike.
    let base58 = [
        "1-9a-hj-np-za-km-z",
        "1-9a-km-za-hj-np-z",
        "a-hj-np-za-km-z1-9",
    ];
    let lower = || text.to_ascii_lowercase();
    text.len() >= 8 && text.contains(['[', '{']) && {
        let lower = lower();
        let hexadecimal = lower.contains("0x") && lower.contains("{64}");
        let class = base58.iter().any(|class| lower.contains(class)) && lower.contains('{');
        hexadecimal && lower.contains("a-f") || class
    }
}

fn is_pipe_to_shell(text: &str) -> bool {
    if text.len() > 4096 || !text.contains(['|', '(', '$']) {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let fetches = [
        "curl ",
        "wget ",
        "iwr ",
        "irm ",
        "invoke-webrequest",
        "downloadstring(",
    ]
    .iter()
    .any(|command| lower.contains(command));
    if !fetches {
        return false;
    }
    let squeezed: String = lower.chars().filter(|c| !c.is_whitespace()).collect();
    [
        "|sh",
        "|bash",
        "|zsh",
        "|iex",
        "iex(",
        "invoke-expression",
        "|sudo",
        "-c\"$(curl",
        "|python",
        "|/bin/sh",
    ]
    .iter()
    .any(|pipe| squeezed.contains(pipe))
}

const SCHEMES: [&str; 6] = ["http://", "https://", "ws://", "wss://", "tcp://", "ftp://"];

/// Addresses in a text: of the web, and of digits with a port.
fn addresses(text: &str) -> Vec<Meaning> {
    let mut found = Vec::new();
    let any = memchr::memmem::find(text.as_bytes(), b"://").is_some();
    let schemes: &[&str] = if any { &SCHEMES } else { &[] };
    for &scheme in schemes {
        for (at, _) in text.match_indices(scheme).take(64) {
            let rest = &text[at + scheme.len()..];
            let end = rest
                .find(|c: char| {
                    !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '@' | '[' | ']'))
                })
                .unwrap_or(rest.len());
            let authority = rest[..end].rsplit('@').next().unwrap_or_default();
            let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
            if host.is_empty() {
                continue;
            }
            if let Ok(address) = host.parse::<std::net::Ipv4Addr>() {
                if is_remote(address) {
                    let detail = format!("`{}`", authority);
                    found.push(Meaning {
                        fact: Fact::RawAddress,
                        detail,
                    });
                }
            } else if host.contains('.') && !port.contains('{') && host != "localhost" {
                let detail = format!("`{host}`");
                found.push(Meaning {
                    fact: Fact::Address,
                    detail,
                });
            }
        }
    }
    if let Some((host, port)) = text.split_once(':')
        && let Ok(address) = host.parse::<std::net::Ipv4Addr>()
        && port.parse::<u16>().is_ok_and(|port| port != 0)
        && is_remote(address)
    {
        let detail = format!("`{text}`");
        found.push(Meaning {
            fact: Fact::RawAddress,
            detail,
        });
    }
    found
}

/// Whether an address is of another machine somewhere. Those reserved for
/// documentation count: nothing else tells them from others.
fn is_remote(address: std::net::Ipv4Addr) -> bool {
    !(address.is_loopback()
        || address.is_private()
        || address.is_unspecified()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast())
}

/// The facts of a variable of the environment, by its name.
pub(super) fn variable(name: &str) -> Option<Fact> {
    const CI: [&str; 10] = [
        "CI",
        "GITLAB_CI",
        "GITHUB_ACTIONS",
        "TRAVIS",
        "JENKINS_URL",
        "CIRCLECI",
        "BUILDKITE",
        "TEAMCITY_VERSION",
        "TF_BUILD",
        "APPVEYOR",
    ];
    const HOST: [&str; 7] = [
        "USER",
        "USERNAME",
        "LOGNAME",
        "HOSTNAME",
        "COMPUTERNAME",
        "USERDOMAIN",
        "HOST_NAME",
    ];
    const HOME: [&str; 4] = ["HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"];
    const SECRET: [&str; 9] = [
        "TOKEN",
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "PRIVATE_KEY",
        "MNEMONIC",
        "SEED_PHRASE",
        "API_KEY",
        "CREDENTIAL",
    ];
    let upper = name.to_ascii_uppercase();
    if CI.contains(&upper.as_str()) {
        return Some(Fact::CiGate);
    }
    if HOST.contains(&upper.as_str()) {
        return Some(Fact::HostIdentity);
    }
    if HOME.contains(&upper.as_str()) {
        return Some(Fact::Home);
    }
    SECRET
        .iter()
        .any(|word| upper.contains(word))
        .then_some(Fact::EnvironmentSecret)
}

/// The facts of starting a program, by its name.
pub(super) fn program(name: &str) -> Option<Fact> {
    let file = name
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(name)
        .to_ascii_lowercase();
    let stem = file.strip_suffix(".exe").unwrap_or(&file);
    match stem {
        "sh" | "bash" | "zsh" | "dash" | "cmd" | "powershell" | "pwsh" | "wscript" | "cscript"
        | "mshta" | "rundll32" | "regsvr32" | "osascript" | "python" | "python3" | "perl"
        | "node" | "ruby" | "php" => Some(Fact::Shell),
        "curl" | "wget" | "nc" | "ncat" | "netcat" | "certutil" | "bitsadmin" | "ftp" | "scp"
        | "ssh" | "rsync" | "socat" | "telnet" | "nslookup" | "dig" => Some(Fact::NetworkCommand),
        "whoami" | "hostname" | "uname" | "id" | "ipconfig" | "ifconfig" | "systeminfo" => {
            Some(Fact::HostIdentity)
        }
        "crontab" | "schtasks" | "launchctl" => Some(Fact::Persistence),
        "chmod" => Some(Fact::MakeExecutable),
        "nohup" | "setsid" => Some(Fact::Detached),
        "git" => Some(Fact::GitQuery),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> Vec<Fact> {
        let mut facts: Vec<Fact> = meanings(text)
            .into_iter()
            .map(|meaning| meaning.fact)
            .collect();
        facts.dedup();
        facts
    }

    /// Guards what texts mean, and that ordinary ones mean nothing.
    #[test]
    fn texts() {
        assert_eq!(facts("https://192.0.2.7:9089/setup"), [Fact::RawAddress]);
        assert_eq!(facts("198.51.100.4:4444"), [Fact::RawAddress]);
        assert_eq!(facts("http://127.0.0.1:80/"), []);
        assert_eq!(facts("1.2.3.4"), []);
        assert_eq!(facts("/home/x/.SSH/id_rsa"), [Fact::CredentialPath]);
        assert_eq!(facts("project/.env"), [Fact::DotEnv]);
        assert_eq!(facts("x.env"), []);
        // A messenger keeps its sessions in `tdata`.
        assert_eq!(facts("src/testdata"), []);
        assert_eq!(facts("[1-9A-HJ-NP-Za-km-z]{32,44}"), [Fact::WalletPattern]);
        assert!(facts("curl -sSf https://x.example.com/i | sh").contains(&Fact::PipeToShell));
        assert_eq!(facts("an ordinary message"), []);
    }

    /// Guards the classes of variables and programs.
    #[test]
    fn variables_and_programs() {
        assert_eq!(
            variable("POLYMARKET_PRIVATE_KEY"),
            Some(Fact::EnvironmentSecret)
        );
        assert_eq!(variable("GITLAB_CI"), Some(Fact::CiGate));
        assert_eq!(variable("OUT_DIR"), None);
        assert_eq!(program("C:\\Windows\\PowerShell.exe"), Some(Fact::Shell));
        assert_eq!(program("/usr/bin/curl"), Some(Fact::NetworkCommand));
        assert_eq!(program("pkg-config"), None);
    }
}
