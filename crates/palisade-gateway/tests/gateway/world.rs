//! An upstream, a gateway in front of it, and cargo.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use jiff::{SignedDuration, Timestamp};
use palisade_gateway::admin::{self, TokenRequest};
use palisade_gateway::{Clock, Config, Gateway, Parts, Pattern, Scanner, Scope};
use palisade_store::{Actor, Role, State, Store};
use tokio::runtime::Runtime;

use crate::postgres;
use crate::upstream::Upstream;

/// When every test begins.
pub(crate) const START: &str = "2026-08-20T07:00:00Z";

/// The toolchains to try: the one that runs the tests, and a newer one, which
/// takes some answers differently, where it is installed.
pub(crate) const TOOLCHAINS: [Option<&str>; 2] = [None, Some("nightly")];

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub(crate) struct ManualClock(Arc<Mutex<Timestamp>>);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) upstream: Upstream,
    pub(crate) clock: ManualClock,
    dir: tempfile::TempDir,
    gateway: Option<Gateway>,
    settings: String,
    scanner: Option<Arc<dyn Scanner>>,
    /// The database, when it is not a file: PALISADE_TEST_BACKEND=postgres runs
    /// every test on it.
    server: Option<postgres::Database>,
}

/// What cargo said.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) ok: bool,
    pub(crate) text: String,
}

impl Output {
    #[track_caller]
    pub(crate) fn succeeds(&self) -> &Output {
        assert!(self.ok, "{}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn fails_with(&self, part: &str) -> &Output {
        assert!(!self.ok, "it succeeded: {}", self.text);
        self.says(part)
    }

    #[track_caller]
    pub(crate) fn says(&self, part: &str) -> &Output {
        // cargo breaks lines where it likes.
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            squeeze(&self.text).contains(&squeeze(part)),
            "no `{part}` in:\n{}",
            self.text
        );
        self
    }
}

impl World {
    /// A gateway with these lines in its table `[gateway]`.
    pub(crate) fn new(settings: &str) -> World {
        World::with_scanner(settings, None)
    }

    pub(crate) fn with_scanner(settings: &str, scanner: Option<Arc<dyn Scanner>>) -> World {
        let runtime = Runtime::new().unwrap();
        let upstream = runtime.block_on(Upstream::start());
        let mut world = World {
            runtime,
            upstream,
            clock: ManualClock(Arc::new(Mutex::new(START.parse().unwrap()))),
            dir: tempfile::tempdir().unwrap(),
            gateway: None,
            settings: settings.to_owned(),
            scanner,
            server: match std::env::var("PALISADE_TEST_BACKEND").as_deref() {
                Ok("postgres") => postgres::Database::new(),
                _ => None,
            },
        };
        world.start();
        world
    }

    fn start(&mut self) {
        let database = match &self.server {
            Some(server) => format!("database = \"{}\"\n", server.url),
            None => String::new(),
        };
        let text = format!(
            "[gateway]\nlisten = \"127.0.0.1:0\"\ndata = \"data\"\n{database}{}\n[gateway.upstream]\nindex = \"{}\"\nrefresh-seconds = 0\n",
            self.settings,
            self.upstream.index(),
        );
        let config = Config::parse(&self.path("palisade.toml"), &text).unwrap();
        let parts = Parts {
            clock: Arc::new(self.clock.clone()),
            scanner: self.scanner.clone(),
            sweep: Duration::from_millis(50),
        };
        let gateway = self
            .runtime
            .block_on(Gateway::start(config, parts))
            .unwrap();
        let cargo = format!(
            "[source.crates-io]\nreplace-with = \"gw\"\n[registries.gw]\nindex = \"sparse+http://{}/index/\"\n\
             [registry]\nglobal-credential-providers = [\"cargo:token\"]\n[net]\nretry = 0\n",
            gateway.address()
        );
        self.write("home/config.toml", &cargo);
        self.gateway = Some(gateway);
    }

    /// Ends the gateway and starts it with other settings, over the same
    /// state.
    pub(crate) fn restart(&mut self, settings: &str) {
        let gateway = self.gateway.take().unwrap();
        self.runtime.block_on(gateway.stop());
        self.settings = settings.to_owned();
        self.start();
    }

    pub(crate) fn store(&self) -> &Store {
        self.gateway.as_ref().unwrap().store()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.gateway.as_ref().unwrap().address())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets so many hours pass.
    pub(crate) fn pass(&self, hours: i64) {
        let mut now = self.clock.0.lock().unwrap();
        *now = now.checked_add(SignedDuration::from_hours(hours)).unwrap();
    }

    pub(crate) fn path(&self, path: &str) -> Utf8PathBuf {
        let root = Utf8PathBuf::from_path_buf(self.dir.path().to_owned()).unwrap();
        root.join(path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// A package below `name`, with these lines under `[dependencies]`.
    pub(crate) fn package(&self, name: &str, dependencies: &str) {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\ndescription = \"a\"\nlicense = \"MIT\"\n\
             [dependencies]\n{dependencies}\n[workspace]\n"
        );
        self.write(&format!("{name}/Cargo.toml"), &manifest);
        self.write(&format!("{name}/src/lib.rs"), "");
    }

    /// Runs cargo in the directory `at`.
    pub(crate) fn cargo(&self, at: &str, arguments: &[&str]) -> Output {
        self.cargo_with(at, None, "home", None, arguments)
    }

    /// Runs cargo, which says what goes over its connections.
    pub(crate) fn cargo_logged(&self, at: &str, arguments: &[&str]) -> Output {
        let mut command = self.command(at, None, "home", None, arguments);
        run(command.env("CARGO_LOG", "network=debug,cargo::util::network=debug"))
    }

    /// Runs cargo with a token.
    pub(crate) fn cargo_as(&self, at: &str, token: &str, arguments: &[&str]) -> Output {
        self.cargo_with(at, None, "home", Some(token), arguments)
    }

    pub(crate) fn cargo_with(
        &self,
        at: &str,
        toolchain: Option<&str>,
        home: &str,
        token: Option<&str>,
        arguments: &[&str],
    ) -> Output {
        if home != "home" {
            self.write(
                &format!("{home}/config.toml"),
                &self.read("home/config.toml"),
            );
        }
        run(&mut self.command(at, toolchain, home, token, arguments))
    }

    fn command(
        &self,
        at: &str,
        toolchain: Option<&str>,
        home: &str,
        token: Option<&str>,
        arguments: &[&str],
    ) -> Command {
        let mut command = cargo();
        command
            .args(arguments)
            .current_dir(self.path(at))
            .env("CARGO_HOME", self.path(home))
            .env("CARGO_TARGET_DIR", self.path("target"))
            .env("CARGO_TERM_COLOR", "never")
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("CARGO_REGISTRIES_GW_TOKEN");
        if let Some(toolchain) = toolchain {
            command.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        if let Some(token) = token {
            command.env("CARGO_REGISTRIES_GW_TOKEN", token);
        }
        command
    }

    /// The version of a package in a lockfile.
    pub(crate) fn locked(&self, at: &str, name: &str) -> Option<String> {
        let lock = self.read(&format!("{at}/Cargo.lock"));
        let start = lock.find(&format!("name = \"{name}\"\nversion = \""))?;
        let rest = &lock[start..];
        let version = rest.split('"').nth(3)?;
        Some(version.to_owned())
    }

    /// Where a version stands.
    pub(crate) fn state(&self, name: &str, version: &str) -> Option<State> {
        let versions = self.runtime.block_on(self.store().versions(name)).unwrap();
        let mut versions = versions.into_iter();
        Some(versions.find(|known| known.version == version)?.state)
    }

    /// How many versions of a crate there are.
    pub(crate) fn count(&self, name: &str) -> usize {
        let versions = self.runtime.block_on(self.store().versions(name));
        versions.unwrap().len()
    }

    /// A waiver for everybody, asked for by one and approved by another.
    pub(crate) fn waive(&self, pattern: &str, versions: Option<&str>, rules: &[&str]) {
        let request = admin::WaiverRequest {
            pattern: Pattern::parse(pattern).unwrap(),
            versions: versions.map(|versions| versions.parse().unwrap()),
            rules: rules.iter().map(|&rule| rule.to_owned()).collect(),
            login: None,
            reason: "asked for by the test".to_owned(),
            days: 7,
        };
        self.runtime.block_on(async {
            let (one, two) = (Actor::operator("one"), Actor::operator("two"));
            let ask = admin::request_waiver(self.store(), &one, self.now(), &request);
            let id = ask.await.unwrap();
            let mut tx = self.store().begin(&two, self.now()).await.unwrap();
            tx.decide_waiver(id, true, "approved by the test")
                .await
                .unwrap();
            tx.commit().await.unwrap();
        });
    }

    /// Waits until a version stands somewhere.
    #[track_caller]
    pub(crate) fn wait_for(&self, name: &str, version: &str, state: State) {
        wait(|| self.state(name, version) == Some(state));
    }

    pub(crate) fn decide(&self, name: &str, version: &str, ruling: admin::Ruling) {
        let actor = Actor::operator("test");
        let decide = admin::decide(
            self.store(),
            &actor,
            self.now(),
            (name, version),
            ruling,
            "a person has looked at it",
            None,
        );
        self.runtime.block_on(decide).unwrap();
    }

    pub(crate) fn user(&self, login: &str, roles: &[Role]) {
        let actor = Actor::operator("test");
        let add = admin::add_user(self.store(), &actor, self.now(), login, roles);
        self.runtime.block_on(add).unwrap();
    }

    pub(crate) fn lock(&self, login: &str, hours: u32, reason: &str) {
        let actor = Actor::operator("test");
        let lock = admin::lock(self.store(), &actor, self.now(), login, hours, reason);
        self.runtime.block_on(lock).unwrap();
    }

    /// A token for 30 days.
    pub(crate) fn token(&self, login: &str, scopes: &[Scope], pattern: &str) -> String {
        let request = TokenRequest {
            login: login.to_owned(),
            name: "test".to_owned(),
            scopes: scopes.to_vec(),
            crates: vec![Pattern::parse(pattern).unwrap()],
            days: 30,
        };
        let config = Config::parse(&self.path("palisade.toml"), "[gateway]").unwrap();
        let actor = Actor::operator("test");
        let add = admin::add_token(self.store(), &config, &actor, self.now(), &request);
        let given = self.runtime.block_on(add).unwrap();
        given.secret.expose().to_owned()
    }

    /// The audit log is whole, and every state has its record.
    #[track_caller]
    pub(crate) fn audit_is_whole(&self) {
        let found = self.runtime.block_on(self.store().verify(None)).unwrap();
        assert_eq!(found.problems, Vec::<String>::new());
        assert!(found.records > 0);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            self.runtime.block_on(gateway.stop());
        }
    }
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    Output {
        ok: output.status.success(),
        text: String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout),
    }
}

/// Waits for something that happens soon.
#[track_caller]
pub(crate) fn wait(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "it does not happen"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the client under test is cargo itself, in a directory that the test has made"
)]
fn cargo() -> Command {
    let mut command = Command::new("cargo");
    // The proxy chooses the toolchain; a variable of the outer cargo must not.
    for name in [
        "CARGO",
        "RUSTC",
        "RUSTDOC",
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
    ] {
        command.env_remove(name);
    }
    command
}

/// Whether a toolchain is there.
pub(crate) fn is_installed(toolchain: Option<&str>) -> bool {
    let Some(toolchain) = toolchain else {
        return true;
    };
    let output = cargo()
        .arg("--version")
        .env("RUSTUP_TOOLCHAIN", toolchain)
        .output();
    output.is_ok_and(|output| output.status.success())
}

/// The directory of this workspace.
pub(crate) fn workspace() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").unwrap();
    PathBuf::from(own).join("../..")
}
