//! A private PostgreSQL server for tests, from Debian's package `postgresql`.
//!
//! It listens at a socket in a directory of its own and nowhere else, and ends
//! with the process that started it, however that ends: a shell waits at a
//! pipe for that.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;

/// What is printed when there is no server to start.
const ABSENT: &str =
    "SKIPPED: no PostgreSQL server here; install Debian's package `postgresql` to run this";

/// What the shell does: it ends the server when its input ends.
const SCRIPT: &str = "\"$@\" & server=$!; read -r line; kill -INT $server; wait $server";

/// A running server.
pub(crate) struct Server {
    programs: PathBuf,
    user: Option<(u32, u32)>,
    directory: tempfile::TempDir,
    process: Mutex<Option<Child>>,
    databases: AtomicU32,
}

/// A database of its own on a server that it keeps running.
pub(crate) struct Database {
    /// The server, to stop and start it.
    pub(crate) server: Arc<Server>,
    /// Its address.
    pub(crate) url: String,
}

impl Database {
    /// A new, empty database; `None`, with a message, where no server is
    /// installed.
    pub(crate) fn new() -> Option<Database> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let server = match shared.upgrade() {
            Some(server) => server,
            None => {
                let server = Arc::new(Server::start()?);
                *shared = Arc::downgrade(&server);
                server
            }
        };
        Some(Database::on(server))
    }

    /// A new database on a server that nobody else uses, so that it can be
    /// stopped.
    pub(crate) fn alone() -> Option<Database> {
        Some(Database::on(Arc::new(Server::start()?)))
    }

    fn on(server: Arc<Server>) -> Database {
        let name = format!("t{}", server.databases.fetch_add(1, Ordering::Relaxed));
        server.sql("postgres", &format!("CREATE DATABASE {name}"));
        let url = format!(
            "postgres://palisade@localhost/{name}?host={}",
            server.directory.path().display()
        );
        Database { server, url }
    }

    /// Changes the database behind the store's back.
    pub(crate) fn tamper(&self, sql: &str) {
        let name = self.url.split(['/', '?']).nth(3).unwrap();
        self.server.sql(name, sql);
    }
}

impl Server {
    fn start() -> Option<Server> {
        let Some(programs) = programs() else {
            skip();
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        let user = other_user(directory.path());
        let server = Server {
            programs,
            user,
            directory,
            process: Mutex::new(None),
            databases: AtomicU32::new(0),
        };
        if let Some((user, group)) = server.user {
            chown(server.directory.path(), Some(user), Some(group)).unwrap();
        }
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(server.directory.path(), open).unwrap();
        let made = server
            .command("initdb")
            .args(["--no-sync", "--auth=trust", "--username=palisade"])
            .args(["--encoding=UTF8", "--locale=C", "--pgdata"])
            .arg(server.data())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{said}");
        server.run();
        Some(server)
    }

    /// Starts it, after [`stop`](Server::stop).
    #[expect(
        clippy::disallowed_methods,
        reason = "the shell starts Debian's server in a directory that the test has made"
    )]
    pub(crate) fn run(&self) {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]);
        command.arg(self.programs.join("postgres"));
        command.args(["-c", "listen_addresses=", "-c", "shared_buffers=16MB"]);
        // What the tests end is the process, not the power.
        command.args(["-c", "fsync=off", "-c", "max_connections=200"]);
        command.arg("-k").arg(self.directory.path());
        command.arg("-D").arg(self.data());
        command.current_dir(self.directory.path());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        *self.process.lock().unwrap() = Some(child);
        let begin = Instant::now();
        while !self.answers() {
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "the server does not start"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as a restart of the service does: connections are cut.
    pub(crate) fn stop(&self) {
        let child = self.process.lock().unwrap().take();
        if let Some(mut child) = child {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn answers(&self) -> bool {
        let mut command = self.command("pg_isready");
        command.arg("--host").arg(self.directory.path());
        command.output().is_ok_and(|output| output.status.success())
    }

    fn sql(&self, database: &str, sql: &str) {
        let mut command = self.command("psql");
        command.args(["--no-psqlrc", "--quiet", "--username=palisade"]);
        command.args(["--set=ON_ERROR_STOP=1", "--dbname", database]);
        command.arg("--host").arg(self.directory.path());
        let output = command.args(["--command", sql]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a program of Debian's server, in a directory that the test has made"
    )]
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(self.directory.path());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests has to know")]
fn skip() {
    eprintln!("{ABSENT}");
}

/// Where the newest server's programs are.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.sort();
    found.extend(std::env::split_paths(&path));
    found.reverse();
    let whole = |directory: &PathBuf| {
        ["postgres", "initdb", "psql", "pg_isready"]
            .iter()
            .all(|name| directory.join(name).is_file())
    };
    found.into_iter().find(whole)
}

/// Whom to run the server as: it refuses to be run by root.
fn other_user(own: &Path) -> Option<(u32, u32)> {
    if std::fs::metadata(own).unwrap().uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    ["postgres", "nobody"].into_iter().find_map(|name| {
        let line = users
            .lines()
            .find(|line| line.starts_with(&format!("{name}:")))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    })
}
