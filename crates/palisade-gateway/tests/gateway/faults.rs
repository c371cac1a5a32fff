//! A gateway that is killed at random points, again and again, while people
//! publish, yank and download; with PostgreSQL two of them, and a database that
//! is restarted in between.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use palisade_archive::checksum;
use palisade_gateway::admin::{self, TokenRequest};
use palisade_gateway::{Config, Gateway, Parts, Pattern, Scope};
use palisade_store::{Actor, Role, State};
use tokio::runtime::Runtime;

use crate::client::try_send;
use crate::postgres::Database;
use crate::upload::{body, try_upload};

/// How often something is killed: with SQLite and with PostgreSQL, in the core
/// suite and in the full one. PALISADE_KILLS asks for another number.
const ROUNDS: [(u32, u32); 2] = [(12, 200), (8, 100)];

/// What a change may take until every process knows it.
const SOON: Duration = Duration::from_secs(1);

/// How many rounds of a kind to run.
pub(crate) fn rounds((core, full): (u32, u32)) -> u32 {
    let asked = std::env::var("PALISADE_KILLS").ok();
    match asked.and_then(|rounds| rounds.parse().ok()) {
        Some(rounds) => rounds,
        None if std::env::var_os("PALISADE_FULL").is_some() => full,
        None => core,
    }
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Names the configuration file to the process that is killed.
const CONFIG: &str = "PALISADE_TEST_SERVE";

/// Not a test of its own: what the test below starts, and kills. Without being
/// asked to, it does nothing.
#[test]
fn serve() {
    let Some(file) = std::env::var_os(CONFIG) else {
        return;
    };
    let file = Utf8PathBuf::from_path_buf(PathBuf::from(file)).unwrap();
    let config = Config::load(&file).unwrap();
    Runtime::new().unwrap().block_on(async {
        let gateway = Gateway::start(config, Parts::default()).await.unwrap();
        let address = file.with_file_name("address");
        let partial = file.with_file_name("address.part");
        std::fs::write(&partial, gateway.address().to_string()).unwrap();
        std::fs::rename(partial, address).unwrap();
        std::future::pending::<()>().await;
    });
}

/// What was acknowledged.
#[derive(Default)]
struct Promises {
    /// The checksum of each version that was published, by crate and version.
    published: BTreeMap<(String, String), String>,
    /// What was yanked.
    yanked: Vec<(String, String)>,
}

struct Killed {
    dir: tempfile::TempDir,
    token: String,
    /// Whether several processes share the state.
    shared: bool,
    next: AtomicU32,
    /// Publishes that were acknowledged.
    taken: AtomicU32,
    promises: Mutex<Promises>,
}

/// A gateway in a process of its own. Dropped, it is killed: on Unix, that is
/// signal 9.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    #[expect(
        clippy::disallowed_methods,
        reason = "the process is this test's own executable"
    )]
    fn start(file: &Utf8Path) -> Server {
        let address = file.with_file_name("address");
        let _ = std::fs::remove_file(&address);
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["faults::serve", "--exact"])
            .env(CONFIG, file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Server {
            child,
            url: String::new(),
        };
        let begin = Instant::now();
        while server.url.is_empty() {
            if let Ok(text) = std::fs::read_to_string(&address) {
                server.url = format!("http://{text}");
            }
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "it does not start again"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Killed {
    fn config(&self) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.dir.path().join("palisade.toml")).unwrap()
    }

    /// Publishes one version after the other, every second one of a crate
    /// whose versions wait for a person, and yanks every fourth.
    fn publish(&self, url: &str) -> Option<()> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = if number.is_multiple_of(2) {
            "open"
        } else {
            "kept"
        };
        let version = format!("1.{number}.0");
        let (body, bytes) = body(name, &version, "");
        let answer = try_upload(url, &self.token, &body)?;
        if answer.status >= 500 {
            // Nothing was promised: the database is away.
            std::thread::sleep(Duration::from_millis(50));
            return Some(());
        }
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.taken.fetch_add(1, Ordering::Relaxed);
        let key = (name.to_owned(), version);
        let sum = checksum(&bytes).to_string();
        self.promises
            .lock()
            .unwrap()
            .published
            .insert(key.clone(), sum);
        if number.is_multiple_of(4) {
            let yank = format!("{url}/api/v1/crates/{name}/{}/yank", key.1);
            let fields = [("authorization", self.token.as_str())];
            let answer = try_send("DELETE", &yank, &fields, b"")?;
            if answer.status >= 500 {
                return Some(());
            }
            assert_eq!(answer.status, 200, "{}", answer.text());
            self.promises.lock().unwrap().yanked.push(key);
        }
        Some(())
    }

    /// Asks for what nobody may have.
    fn read(&self, url: &str) -> Option<()> {
        let kept: Vec<String> = {
            let promises = self.promises.lock().unwrap();
            let keys = promises.published.keys().rev();
            keys.filter(|key| key.0 == "kept")
                .take(5)
                .map(|key| key.1.clone())
                .collect()
        };
        for version in kept {
            let download = format!("{url}/api/v1/crates/kept/{version}/download");
            let status = try_send("GET", &download, &[], b"")?.status;
            // Another process has a second to learn that it is there.
            let late = status == 404 && self.shared;
            assert!(
                status == 403 || status >= 500 || late,
                "{version}: {status}"
            );
        }
        let index = try_send("GET", &format!("{url}/index/ke/pt/kept"), &[], b"")?;
        assert!(
            index.status == 404 || index.status >= 500,
            "{}",
            index.status
        );
        Some(())
    }

    /// Every promise holds.
    fn check(&self, url: &str) {
        let promises = self.promises.lock().unwrap();
        let mut seen = BTreeMap::new();
        for name in ["open", "kept"] {
            let versions = Runtime::new().unwrap().block_on(async {
                let store = admin::open(&Config::load(&self.config()).unwrap())
                    .await
                    .unwrap();
                let versions = store.versions(name).await.unwrap();
                store.close().await;
                versions
            });
            for version in versions {
                seen.insert((name.to_owned(), version.version.clone()), version);
            }
        }
        // All of them by what is written down, the newest by what is served.
        for (key, sum) in &promises.published {
            let version = seen.get(key).unwrap_or_else(|| panic!("{key:?} is lost"));
            assert_eq!(version.checksum.to_string(), *sum);
            let state = if key.0 == "kept" {
                State::Quarantined
            } else {
                State::Allowed
            };
            assert_eq!(version.state, state, "{key:?}");
        }
        for key in &promises.yanked {
            assert!(seen[key].yanked, "the yank of {key:?} is lost");
        }
        let newest = promises.published.iter().rev().take(3);
        for ((name, version), sum) in newest {
            let download = format!("{url}/api/v1/crates/{name}/{version}/download");
            let expected = if name == "kept" { 403 } else { 200 };
            let begin = Instant::now();
            let mut answer = try_send("GET", &download, &[], b"").unwrap();
            while answer.status != expected && begin.elapsed() < SOON {
                std::thread::sleep(Duration::from_millis(20));
                answer = try_send("GET", &download, &[], b"").unwrap();
            }
            assert_eq!(answer.status, expected, "{name} {version}");
            if expected == 200 {
                assert_eq!(checksum(&answer.body).to_string(), *sum);
            }
        }
    }
}

/// Guards what was acknowledged against a loss of the process at any point:
/// nothing that was published or yanked is lost, nothing that is kept back is
/// served, and the audit log is whole.
#[test]
fn kill_nine() {
    strike_often(None, rounds(ROUNDS[0]));
}

/// Guards the same with two processes over one PostgreSQL database, of which
/// one is killed or the database is restarted.
#[test]
fn kill_nine_with_postgres() {
    if let Some(database) = Database::alone() {
        strike_often(Some(database), rounds(ROUNDS[1]));
    }
}

fn strike_often(database: Option<Database>, rounds: u32) {
    let dir = tempfile::tempdir().unwrap();
    let place = match &database {
        Some(database) => format!("database = \"{}\"\n", database.url),
        None => String::new(),
    };
    let text = format!(
        "[gateway]\nlisten = \"127.0.0.1:0\"\n{place}[gateway.policy]\nreview = [\"kept\"]\n"
    );
    std::fs::write(dir.path().join("palisade.toml"), text).unwrap();
    let mut killed = Killed {
        dir,
        token: String::new(),
        shared: database.is_some(),
        next: AtomicU32::new(0),
        taken: AtomicU32::new(0),
        promises: Mutex::default(),
    };
    let config = Config::load(&killed.config()).unwrap();
    killed.token = Runtime::new().unwrap().block_on(publisher(&config));
    let killed = killed;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut servers: Vec<Server> = Vec::new();
    for round in 0..rounds {
        let wanted = if database.is_some() { 2 } else { 1 };
        while servers.len() < wanted {
            servers.push(Server::start(&killed.config()));
        }
        for server in &servers {
            killed.check(&server.url);
        }
        let before = killed.taken.load(Ordering::Relaxed);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for worker in 0..3 {
                let url = servers[worker % servers.len()].url.clone();
                let (killed, stop) = (&killed, &stop);
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let answered = match worker {
                            2 => killed.read(&url),
                            _ => killed.publish(&url),
                        };
                        if answered.is_none() {
                            return;
                        }
                    }
                });
            }
            let begin = Instant::now();
            while killed.taken.load(Ordering::Relaxed) == before {
                assert!(
                    begin.elapsed() < Duration::from_secs(60),
                    "nothing is published"
                );
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(random.below(400)));
            match &database {
                Some(database) if round % 3 == 2 => {
                    database.server.stop();
                    std::thread::sleep(Duration::from_millis(random.below(300)));
                    database.server.run();
                    // The gateways go on by themselves.
                    std::thread::sleep(Duration::from_millis(200));
                }
                _ => drop(servers.remove(0)),
            }
            stop.store(true, Ordering::Relaxed);
        });
    }
    drop(servers);
    killed.check(&Server::start(&killed.config()).url);
    assert!(killed.promises.lock().unwrap().published.len() >= rounds as usize);
    Runtime::new()
        .unwrap()
        .block_on(is_whole(&config, rounds as usize));
}

/// A token of somebody who may publish anything.
pub(crate) async fn publisher(config: &Config) -> String {
    let store = admin::open(config).await.unwrap();
    let (actor, now) = (Actor::operator("test"), jiff::Timestamp::now());
    admin::add_user(&store, &actor, now, "ann", &[Role::Publisher])
        .await
        .unwrap();
    let request = TokenRequest {
        login: "ann".to_owned(),
        name: "test".to_owned(),
        scopes: vec![Scope::PublishNew, Scope::PublishUpdate, Scope::Yank],
        crates: vec![Pattern::parse("*").unwrap()],
        days: 1,
    };
    let given = admin::add_token(&store, config, &actor, now, &request)
        .await
        .unwrap();
    store.close().await;
    given.secret.expose().to_owned()
}

/// The audit log is whole, and every version has its archive.
pub(crate) async fn is_whole(config: &Config, versions: usize) {
    let store = admin::open(config).await.unwrap();
    let found = store.verify(None).await.unwrap();
    assert_eq!(found.problems, Vec::<String>::new());
    // An archive without a version is left over; the reverse would be a loss.
    let (actor, now) = (Actor::operator("test"), jiff::Timestamp::now());
    let found = admin::doctor(&store, &config.data, &actor, now, None)
        .await
        .unwrap();
    // What was cut short leaves files that nobody needs, and nothing worse.
    let harm = found.problems.iter().filter(|problem| !problem.debris);
    assert_eq!(harm.count(), 0, "{found:?}");
    assert!(found.archives >= versions);
    store.close().await;
}
