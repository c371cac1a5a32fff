//! Keeping a local copy, from a repository on this machine.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::{SignedDuration, Timestamp};
use palisade_advisory::{Database, Limits, Snapshot, UpdateError, UpdateOptions, update};

use crate::fixture::{Fixture, advisory};

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);
const PATCHED: &str = "[versions]\npatched = []";

/// A database in a git repository, and an empty cache. Git does the serving,
/// as it does for every address that is not `https`.
struct Upstream {
    fixture: Fixture,
    cache: tempfile::TempDir,
}

impl Upstream {
    /// `None` where git is not installed.
    #[expect(clippy::print_stdout, reason = "a skipped test says so")]
    fn new() -> Option<Upstream> {
        if git(Utf8Path::new("."), &["--version"]).is_none() {
            println!("skipped: git is not installed");
            return None;
        }
        let upstream = Upstream {
            fixture: Fixture::new(),
            cache: tempfile::tempdir().unwrap(),
        };
        git(
            &upstream.fixture.path(),
            &["init", "--quiet", "--initial-branch=main"],
        )
        .unwrap();
        Some(upstream)
    }

    /// Adds an advisory and commits.
    fn publish(&self, package: &str) -> String {
        let text = advisory(package, "RUSTSEC-2024-9001", "", PATCHED);
        self.write(&format!("crates/{package}/RUSTSEC-2024-9001.md"), &text);
        self.commit()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.fixture.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self) -> String {
        let dir = self.fixture.path();
        git(&dir, &["add", "--all"]).unwrap();
        git(&dir, &["commit", "--quiet", "--message=change"]).unwrap();
        git(&dir, &["rev-parse", "HEAD"]).unwrap().trim().to_owned()
    }

    fn url(&self) -> String {
        format!("file://{}", self.fixture.path())
    }

    fn cache(&self) -> &Utf8Path {
        Utf8Path::from_path(self.cache.path()).unwrap()
    }

    fn update(&self, days: i64, options: &UpdateOptions) -> Result<Snapshot, UpdateError> {
        let now = NOW + SignedDuration::from_hours(24 * days);
        update(self.cache(), &self.url(), now, options)
    }

    /// What of the cache is no record and no lock.
    fn directories(&self) -> Vec<Utf8PathBuf> {
        let home = self
            .cache()
            .join("advisories")
            .read_dir_utf8()
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        let entries = home
            .path()
            .read_dir_utf8()
            .unwrap()
            .map(|entry| entry.unwrap().into_path());
        entries.filter(|path| path.is_dir()).collect()
    }
}

/// Runs git without the configuration of whoever runs the tests.
fn git(dir: &Utf8Path, arguments: &[&str]) -> Option<String> {
    let output = command("git")
        .current_dir(dir)
        .args(arguments)
        .output()
        .ok()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

#[expect(
    clippy::disallowed_methods,
    reason = "git serves the tests' own repository"
)]
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    for role in ["AUTHOR", "COMMITTER"] {
        command
            .env(format!("GIT_{role}_NAME"), "Nobody")
            .env(format!("GIT_{role}_EMAIL"), "n@example.com");
        command.env(format!("GIT_{role}_DATE"), "2026-01-02T03:04:05Z");
    }
    command
}

fn packages(snapshot: &Snapshot) -> Vec<String> {
    let (database, diagnostics) = Database::open(&snapshot.dir, &Limits::default()).unwrap();
    assert_eq!(diagnostics, []);
    database
        .all()
        .0
        .into_iter()
        .map(|advisory| advisory.package)
        .collect()
}

/// Guards the first update and the next: content, commit, date, age, and that
/// only the copy before the newest is kept beside it.
#[test]
fn updates_bring_the_newest_commit() {
    let Some(upstream) = Upstream::new() else {
        return;
    };
    upstream.write(
        "rust/std/CVE-2024-90001.md",
        &advisory("std", "CVE-2024-90001", "", PATCHED),
    );
    let first = upstream.publish("one");
    assert_eq!(
        Snapshot::current(upstream.cache(), &upstream.url()).unwrap(),
        None
    );
    let options = UpdateOptions::default();
    let snapshot = upstream.update(0, &options).unwrap();
    assert_eq!(snapshot.commit, first);
    assert_eq!(snapshot.date.to_string(), "2026-01-02T03:04:05Z");
    assert_eq!(snapshot.fetched_at, NOW);
    assert_eq!(snapshot.age_days(NOW + SignedDuration::from_hours(71)), 2);
    assert_eq!(packages(&snapshot), ["one", "std"]);
    assert_eq!(
        Snapshot::current(upstream.cache(), &upstream.url()).unwrap(),
        Some(snapshot)
    );

    for (day, package) in ["two", "zzz"].into_iter().enumerate() {
        upstream.publish(package);
        upstream.update(1 + day as i64, &options).unwrap();
    }
    let current = Snapshot::current(upstream.cache(), &upstream.url())
        .unwrap()
        .unwrap();
    assert_eq!(packages(&current), ["one", "two", "zzz", "std"]);
    assert_eq!(upstream.directories().len(), 2);
    assert_eq!(
        Snapshot::current(upstream.cache(), "https://example.com/db").unwrap(),
        None
    );
}

/// Guards that offline means no access at all, not even to this machine.
#[test]
fn offline_uses_what_is_there() {
    let Some(upstream) = Upstream::new() else {
        return;
    };
    upstream.publish("one");
    let offline = UpdateOptions {
        offline: true,
        ..UpdateOptions::default()
    };
    let error = upstream.update(0, &offline).unwrap_err();
    assert!(matches!(error, UpdateError::Offline { .. }));
    assert!(error.hint().contains("--db"));
    let online = upstream.update(0, &UpdateOptions::default()).unwrap();
    upstream.publish("two");
    assert_eq!(upstream.update(5, &offline).unwrap(), online);
}

/// Guards that the copy at hand survives every kind of failed update, and
/// that leftovers of interrupted ones go with the next.
#[test]
fn failed_updates_leave_the_copy_alone() {
    let Some(upstream) = Upstream::new() else {
        return;
    };
    upstream.publish("one");
    let options = UpdateOptions::default();
    let before = upstream.update(0, &options).unwrap();
    let check = |error: UpdateError, message: &str| {
        assert_eq!(error.to_string(), message.replace("URL", &upstream.url()));
        let current = Snapshot::current(upstream.cache(), &upstream.url())
            .unwrap()
            .unwrap();
        assert_eq!(current, before);
        assert_eq!(packages(&current), ["one"]);
    };

    let tiny = UpdateOptions {
        max_bytes: 10,
        ..UpdateOptions::default()
    };
    let message = "the advisory database URL holds more than 10 bytes or 100000 entries";
    check(upstream.update(1, &tiny).unwrap_err(), message);

    let hasty = UpdateOptions {
        timeout: Duration::ZERO,
        ..UpdateOptions::default()
    };
    let message = "fetching the advisory database URL took longer than 0 s";
    check(upstream.update(1, &hasty).unwrap_err(), message);

    fs::remove_dir_all(upstream.fixture.path().join("crates")).unwrap();
    upstream.write("README.md", "moved");
    upstream.commit();
    let message = "what was fetched from URL is not an advisory database";
    check(upstream.update(1, &options).unwrap_err(), message);

    fs::rename(
        upstream.fixture.path().join(".git"),
        upstream.fixture.path().join("git"),
    )
    .unwrap();
    let error = upstream.update(1, &options).unwrap_err();
    assert!(std::error::Error::source(&error).is_some());
    check(error, "cannot fetch the advisory database URL");

    fs::rename(
        upstream.fixture.path().join("git"),
        upstream.fixture.path().join(".git"),
    )
    .unwrap();
    let leftover = before.dir.parent().unwrap().join("tmp-tree-left");
    fs::create_dir(&leftover).unwrap();
    upstream.publish("two");
    upstream.update(2, &options).unwrap();
    assert!(!leftover.exists());
}

/// Guards that what git can store and a database has no use for is not
/// written: links, and names that mean something to a file system.
#[cfg(unix)]
#[test]
fn only_plain_files_are_written() {
    let Some(upstream) = Upstream::new() else {
        return;
    };
    upstream.write("crates/one/nested/RUSTSEC-2024-9002.md", "nested");
    upstream.write("crates/a b/RUSTSEC-2024-9003.md", "odd name");
    upstream.write("crates/one/script.sh", "other");
    let link = upstream
        .fixture
        .path()
        .join("crates/one/RUSTSEC-2024-9004.md");
    std::os::unix::fs::symlink("/etc/passwd", link).unwrap();
    upstream.publish("one");
    let snapshot = upstream.update(0, &UpdateOptions::default()).unwrap();
    assert_eq!(packages(&snapshot), ["one"]);
    let names = |dir: &str| {
        let entries = snapshot.dir.join(dir).read_dir_utf8().unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("crates"), ["one"]);
    assert_eq!(names("crates/one"), ["RUSTSEC-2024-9001.md"]);
}

/// Guards that a damaged record is an error with advice, not an absent copy,
/// and that it cannot point elsewhere.
#[test]
fn damaged_records() {
    let Some(upstream) = Upstream::new() else {
        return;
    };
    upstream.publish("one");
    let snapshot = upstream.update(0, &UpdateOptions::default()).unwrap();
    let record = snapshot.dir.parent().unwrap().join("current.json");
    let good = fs::read_to_string(&record).unwrap();
    let name = snapshot.dir.file_name().unwrap();
    let current = || Snapshot::current(upstream.cache(), &upstream.url()).unwrap_err();
    fs::write(&record, &good[..good.len() / 2]).unwrap();
    assert!(current().to_string().ends_with("is damaged"));
    assert!(current().hint().contains("current.json"));
    fs::write(&record, good.replace(name, "../../..")).unwrap();
    assert!(
        current()
            .to_string()
            .ends_with("is not a snapshot beside it")
    );
    upstream.update(1, &UpdateOptions::default()).unwrap();
    assert!(
        Snapshot::current(upstream.cache(), &upstream.url())
            .unwrap()
            .is_some()
    );
}

/// Guards the way over HTTP, with a server that hands two requests to git.
#[test]
fn over_http() {
    let Some(upstream) = Upstream::new() else {
        return;
    };
    let commit = upstream.publish("one");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let dir = upstream.fixture.path();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let dir = dir.clone();
            std::thread::spawn(move || serve(stream, &dir));
        }
    });
    let options = UpdateOptions::default();
    let url = format!("http://{address}/db");
    let snapshot = update(upstream.cache(), &url, NOW, &options).unwrap();
    assert_eq!(snapshot.commit, commit);
    assert_eq!(packages(&snapshot), ["one"]);
    // Neither an absent repository nor a password leads to a question.
    for url in [
        format!("{url}-absent"),
        format!("http://user:secret@{address}/db"),
    ] {
        let error = update(upstream.cache(), &url, NOW, &options).unwrap_err();
        assert!(matches!(error, UpdateError::Fetch { .. }), "{error:?}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}

/// Answers the requests of one connection as git's smart HTTP protocol has it.
fn serve(mut stream: TcpStream, dir: &Utf8Path) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).unwrap_or(0) == 0 {
            return;
        }
        let (mut length, mut chunked, mut version) = (0, false, String::new());
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim().split_once(": ") else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "transfer-encoding" => chunked = value == "chunked",
                "git-protocol" => value.clone_into(&mut version),
                _ => {}
            }
        }
        let body = if chunked {
            chunks(&mut reader)
        } else {
            exactly(&mut reader, length)
        };
        let path = request.split(' ').nth(1).unwrap();
        let (kind, extra, prefix): (_, &[&str], &str) = match path {
            "/db/info/refs?service=git-upload-pack" => (
                "advertisement",
                &["--http-backend-info-refs"],
                "001e# service=git-upload-pack\n0000",
            ),
            "/db/git-upload-pack" => ("result", &[], ""),
            _ => {
                let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
                continue;
            }
        };
        let mut child = command("git")
            .args(["upload-pack", "--stateless-rpc"])
            .args(extra)
            .arg(dir)
            .env("GIT_PROTOCOL", version)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&body).unwrap();
        let answer = [prefix.as_bytes(), &child.wait_with_output().unwrap().stdout].concat();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-{kind}\r\n\
             content-length: {}\r\n\r\n",
            answer.len()
        );
        if stream
            .write_all(&[head.as_bytes(), &answer].concat())
            .is_err()
        {
            return;
        }
    }
}

fn exactly(reader: &mut impl Read, length: usize) -> Vec<u8> {
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    body
}

fn chunks(reader: &mut impl BufRead) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let length = usize::from_str_radix(line.trim(), 16).unwrap();
        body.extend(exactly(reader, length));
        exactly(reader, 2);
        if length == 0 {
            return body;
        }
    }
}
