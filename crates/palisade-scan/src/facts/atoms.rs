//! Texts that mean something wherever they stand: places of credentials,
//! commands, services that collect data.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::Fact;

/// Each text, in lower case, with what kind of thing it is.
const ATOMS: &[(Fact, &str, &[&str])] = &[
    (
        Fact::CredentialPath,
        "SSH keys",
        &[
            ".ssh/id_",
            ".ssh\\id_",
            "id_ed25519",
            "id_rsa",
            "/.ssh",
            "\\.ssh",
            "known_hosts",
        ],
    ),
    (
        Fact::CredentialPath,
        "AWS credentials",
        &[".aws/credentials", ".aws\\credentials"],
    ),
    (
        Fact::CredentialPath,
        "Google Cloud credentials",
        &["application_default_credentials.json", ".config/gcloud"],
    ),
    (
        Fact::CredentialPath,
        "Azure credentials",
        &[".azure/accesstokens", ".azure/msal_token"],
    ),
    (
        Fact::CredentialPath,
        "registry tokens of cargo",
        &[".cargo/credentials", ".cargo\\credentials"],
    ),
    (
        Fact::CredentialPath,
        "registry tokens of npm",
        &[".npmrc", ".yarnrc"],
    ),
    (
        Fact::CredentialPath,
        "registry tokens of PyPI",
        &[".pypirc"],
    ),
    (
        Fact::CredentialPath,
        "git credentials",
        &[".git-credentials", ".config/gh/hosts.yml"],
    ),
    (Fact::CredentialPath, "netrc", &[".netrc", "_netrc"]),
    (
        Fact::CredentialPath,
        "container credentials",
        &[".docker/config.json", ".kube/config"],
    ),
    (Fact::CredentialPath, "GnuPG keys", &[".gnupg"]),
    (
        Fact::CredentialPath,
        "browser data",
        &[
            "login data",
            "cookies.sqlite",
            "logins.json",
            "key4.db",
            "local state",
            "user data/default",
            "user data\\default",
            "google/chrome",
            "google\\chrome",
            "bravesoftware",
            "mozilla/firefox/profiles",
        ],
    ),
    (
        Fact::CredentialPath,
        "wallets",
        &[
            "wallet.dat",
            "solana/id.json",
            ".config/solana",
            ".ethereum/keystore",
            "exodus.wallet",
            "electrum/wallets",
            "nkbihfbeogaeaoehlefnkodbefgpgknn",
            "bfnaelmomeimhlpmgjnjophhpkkoljpa",
            "metamask",
            "phantom wallet",
            ".bitcoin/",
            ".near-credentials",
            ".sui/sui_config",
            ".aptos/config",
        ],
    ),
    (
        Fact::CredentialPath,
        "messenger sessions",
        &[
            "telegram desktop",
            "/tdata",
            "\\tdata",
            "discord/local storage",
            "discord\\local storage",
        ],
    ),
    (
        Fact::CredentialPath,
        "password databases",
        &["/etc/shadow", ".kdbx", "login.keychain"],
    ),
    (
        Fact::CredentialPath,
        "shell history",
        &[".bash_history", ".zsh_history"],
    ),
    (Fact::Persistence, "SSH logins", &["authorized_keys"]),
    (
        Fact::Persistence,
        "scheduled commands",
        &["/etc/cron", "crontab", "schtasks", "/var/spool/cron"],
    ),
    (
        Fact::Persistence,
        "services",
        &[
            "launchagents",
            "launchdaemons",
            "systemd/user",
            "systemd/system",
            "systemctl enable",
            "systemctl --user enable",
            "/etc/rc.local",
            "/etc/init.d",
        ],
    ),
    (
        Fact::Persistence,
        "programs that start with the session",
        &[
            "currentversion\\run",
            "programs\\startup",
            "start menu/programs/startup",
            "autostart/",
            "autostart\\",
        ],
    ),
    (
        Fact::Persistence,
        "shell profiles",
        &[
            ".bashrc",
            ".zshrc",
            ".bash_profile",
            "/etc/profile.d",
            ".zprofile",
        ],
    ),
    (
        Fact::Persistence,
        "libraries that every program loads",
        &["ld.so.preload"],
    ),
    (
        Fact::Persistence,
        "git hooks",
        &[
            ".git/hooks",
            "hooks/pre-commit",
            "hooks/post-checkout",
            "core.hookspath",
        ],
    ),
    (
        Fact::Persistence,
        "the configuration of cargo",
        &[".cargo/config"],
    ),
    (
        Fact::LoginKey,
        "",
        &[
            "ssh-ed25519 aaaa",
            "ssh-rsa aaaa",
            "ecdsa-sha2-nistp256 aaaa",
        ],
    ),
    (
        Fact::AntiAnalysis,
        "antivirus software",
        &[
            "qhsafetray",
            "360tray",
            "avastsvc",
            "avgsvc",
            "msmpeng",
            "mssense",
            "ekrn.exe",
            "avp.exe",
            "bdservicehost",
            "csfalcon",
        ],
    ),
    (
        Fact::AntiAnalysis,
        "tools of analysis",
        &[
            "wireshark",
            "x64dbg",
            "ollydbg",
            "procmon",
            "ida64.exe",
            "processhacker",
            "fiddler.exe",
            "tcpdump",
        ],
    ),
    (
        Fact::AntiAnalysis,
        "a debugger",
        &[
            "tracerpid",
            "isdebuggerpresent",
            "checkremotedebuggerpresent",
        ],
    ),
    (
        Fact::AntiAnalysis,
        "a virtual machine or sandbox",
        &[
            "vboxservice",
            "vboxguest",
            "vmtoolsd",
            "sbiedll",
            "cuckoomon",
            "/.dockerenv",
            "/sys/class/dmi/id/product_name",
            "/sys/class/dmi/id/sys_vendor",
            "hypervisor",
        ],
    ),
    (
        Fact::Miner,
        "",
        &[
            "stratum+tcp://",
            "stratum+ssl://",
            "xmrig",
            "--donate-level",
        ],
    ),
    (
        Fact::ReverseShell,
        "",
        &[
            "/dev/tcp/",
            "bash -i >&",
            "sh -i >&",
            "nc -e ",
            "ncat -e ",
            "net.sockets.tcpclient",
        ],
    ),
    (
        Fact::Detached,
        "",
        &[
            "nohup ",
            "setsid ",
            "start /b",
            "-windowstyle hidden",
            "-w hidden",
            "windowstyle = hidden",
            "& disown",
        ],
    ),
    (
        Fact::TempDirectory,
        "",
        &[
            "/tmp/",
            "%temp%",
            "/var/tmp/",
            "/dev/shm/",
            "appdata\\local\\temp",
            "$env:temp",
        ],
    ),
    (
        Fact::TlsOff,
        "",
        &[
            "--no-check-certificate",
            "curl -k ",
            "curl -sk",
            "--insecure",
            "servercertificatevalidationcallback",
        ],
    ),
    (
        Fact::NetworkCommand,
        "",
        &[
            "curl -",
            "curl http",
            "wget -",
            "wget http",
            "invoke-webrequest",
            "iwr http",
            "iwr -",
            "irm http",
            "start-bitstransfer",
            "downloadstring(",
            "downloadfile(",
            "certutil -urlcache",
            "bitsadmin /transfer",
        ],
    ),
    (
        Fact::MakeExecutable,
        "",
        &[
            "chmod +x",
            "chmod 755",
            "chmod 777",
            "chmod a+x",
            "chmod u+x",
            "chmod 0755",
        ],
    ),
    (
        Fact::ExfilEndpoint,
        "a bot of a messenger",
        &["api.telegram.org", "/sendmessage", "/senddocument"],
    ),
    (
        Fact::ExfilEndpoint,
        "a webhook of a chat",
        &["/api/webhooks/", "hooks.slack.com/services"],
    ),
    (
        Fact::ExfilEndpoint,
        "a request collector",
        &[
            "webhook.site",
            "requestbin",
            "pipedream.net",
            "beeceptor",
            "oastify.com",
            "interact.sh",
            ".oast.",
            "burpcollaborator",
            "dnslog.cn",
            "canarytokens",
            "ngrok",
            "trycloudflare.com",
            "serveo.net",
            "localhost.run",
        ],
    ),
    (
        Fact::ExfilEndpoint,
        "a file drop",
        &[
            "transfer.sh",
            "//file.io",
            "gofile.io",
            "anonfiles",
            "//0x0.st",
            "pastebin.com",
            "paste.ee/",
            "hastebin",
            "rentry.co",
            "catbox.moe",
        ],
    ),
    (
        Fact::ExfilEndpoint,
        "free hosting",
        &[
            ".workers.dev",
            ".vercel.app",
            ".netlify.app",
            ".onrender.com",
            ".herokuapp.com",
            ".glitch.me",
            ".repl.co",
            ".pages.dev",
            ".web.app",
            ".fly.dev",
            ".up.railway.app",
            ".duckdns.org",
            ".onion",
        ],
    ),
    (
        Fact::ExfilEndpoint,
        "an error collector",
        &[".ingest.sentry.io", "/envelope/"],
    ),
    (
        Fact::HostIdentity,
        "the public address",
        &[
            "ipify.org",
            "ip-api.com",
            "ifconfig.me",
            "ipinfo.io",
            "icanhazip",
            "checkip.",
            "ipapi.co",
            "myip.",
        ],
    ),
];

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
    let squeezed: String = lower.chars().filter(|c| !c.is_whitespace()).collect();
    let runs = [
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
    .any(|pipe| squeezed.contains(pipe));
    fetches && runs
}

/// Addresses in a text: of the web, and of digits with a port.
fn addresses(text: &str) -> Vec<Meaning> {
    let mut found = Vec::new();
    for scheme in ["http://", "https://", "ws://", "wss://", "tcp://", "ftp://"] {
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
