//! `palisade serve` and `palisade admin`: the life of a registry of one's own,
//! by command line and with cargo.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use assert_cmd::assert::OutputAssertExt as _;
use assert_cmd::cargo::cargo_bin;

const CONFIG: &str = "\
fail-on = [\"unsound\"]
[gateway]
listen = \"127.0.0.1:0\"
auth-required = true
policy.review = [\"kept\"]
";

pub(crate) struct House {
    pub(crate) dir: tempfile::TempDir,
    server: Child,
    pub(crate) index: String,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the binary under test, and the client that it is for"
)]
fn command(program: impl AsRef<std::ffi::OsStr>, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir);
    for name in ["PALISADE_LOG", "RUST_LOG", "CARGO", "RUSTC", "RUSTFLAGS"] {
        command.env_remove(name);
    }
    command
}

impl House {
    fn new() -> House {
        House::with(CONFIG)
    }

    /// A gateway with this configuration.
    pub(crate) fn with(config: &str) -> House {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("palisade.toml"), config).unwrap();
        let mut server = command(cargo_bin("palisade"), dir.path())
            .arg("serve")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        lines.next().unwrap().unwrap();
        let line = lines.next().unwrap().unwrap();
        let index = line.strip_prefix("index:     ").unwrap().to_owned();
        House { dir, server, index }
    }

    pub(crate) fn admin(&self, arguments: &[&str]) -> assert_cmd::assert::Assert {
        self.admin_as("olga", arguments)
    }

    pub(crate) fn admin_as(&self, who: &str, arguments: &[&str]) -> assert_cmd::assert::Assert {
        command(cargo_bin("palisade"), self.dir.path())
            .arg("admin")
            .args(arguments)
            .env("USER", who)
            .env_remove("SUDO_USER")
            .assert()
    }

    /// What a command of the administration prints.
    pub(crate) fn says(&self, arguments: &[&str]) -> String {
        let output = self.admin(arguments).success().get_output().clone();
        String::from_utf8(output.stdout).unwrap()
    }

    fn cargo(&self, at: &str, token: &str, arguments: &[&str]) -> (bool, String) {
        self.cargo_in("home", at, token, arguments)
    }

    /// Runs cargo with a home directory of its own.
    pub(crate) fn cargo_in(
        &self,
        home: &str,
        at: &str,
        token: &str,
        arguments: &[&str],
    ) -> (bool, String) {
        let output = command("cargo", &self.dir.path().join(at))
            .args(arguments)
            .env("CARGO_HOME", self.dir.path().join(home))
            .env("CARGO_TARGET_DIR", self.dir.path().join("target"))
            .env("CARGO_REGISTRIES_HOUSE_INDEX", &self.index)
            .env("CARGO_REGISTRIES_HOUSE_TOKEN", token)
            .env("CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS", "cargo:token")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), text)
    }

    pub(crate) fn package(&self, name: &str, dependencies: &str) {
        let dir = self.dir.path().join(name);
        std::fs::create_dir_all(dir.join("src")).unwrap();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\ndescription = \"a\"\nlicense = \"MIT\"\n[dependencies]\n{dependencies}\n"
        );
        std::fs::write(dir.join("Cargo.toml"), manifest).unwrap();
        std::fs::write(dir.join("src/lib.rs"), "").unwrap();
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Guards the whole way: an account, a token, a crate that waits for a person,
/// the person, the log of it all, and an end that cuts nobody off.
#[test]
fn a_registry_of_ones_own() {
    let mut house = House::new();
    house
        .admin(&["user", "add", "ann", "--role", "publisher"])
        .success();
    house
        .admin(&["user", "add", "ann", "--role", "publisher"])
        .failure()
        .code(2);
    house
        .admin(&["user", "add", "ben", "--role", "reader"])
        .success();
    let token = |login: &str, scopes: &str| {
        let arguments = [
            "token", "add", login, "--name", "ci", "--scope", scopes, "--crate", "*",
        ];
        house.says(&arguments).trim().to_owned()
    };
    let ann = token("ann", "publish-new,publish-update,read");
    let ben = token("ben", "read");
    assert!(ann.starts_with("palisade_"), "{ann}");
    house.package("kept", "");
    let publish = ["publish", "--registry", "house", "--allow-dirty"];
    let (ok, text) = house.cargo("kept", &ann, &publish);
    assert!(
        ok && text.contains("kept 0.1.0 was received and is quarantined"),
        "{text}"
    );

    house.package("app", "kept = { version = \"0.1\", registry = \"house\" }");
    let (ok, text) = house.cargo("app", &ben, &["check"]);
    assert!(
        !ok && text.contains("no matching package named `kept` found"),
        "{text}"
    );
    let cases = house.says(&["case", "list"]);
    assert_eq!(
        cases,
        "kept 0.1.0  quarantined  review: a person looks at every new version of `kept`\n"
    );
    let decide = |reason: &str| {
        house.admin(&[
            "case", "decide", "kept", "0.1.0", "release", "--reason", reason,
        ])
    };
    decide("fine").failure().code(2);
    decide("read every line of it").success();
    // Seen by the running service within a second.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let (ok, text) = house.cargo("app", &ben, &["check"]);
    assert!(ok, "{text}");

    let exported = house.says(&["audit", "export"]);
    let last: serde_json::Value = exported
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .rfind(|record| record["action"] == "state-changed")
        .unwrap();
    assert_eq!(last["actor"], "operator:olga");
    assert_eq!(last["subject"], "version kept 0.1.0");
    assert!(
        !exported.contains(&ann) && !exported.contains(&ben),
        "a token is in the log"
    );
    let verified = house.says(&["audit", "verify"]);
    let head = verified
        .lines()
        .find_map(|line| line.strip_prefix("head:    "))
        .unwrap();
    house.admin(&["audit", "verify", "--head", head]).success();
    house
        .admin(&["audit", "verify", "--head", &"1".repeat(64)])
        .failure()
        .code(1);
    assert_eq!(house.says(&["doctor"]), "1 archives compared\n");
    people_watch_each_other(&house);
    house.admin(&["backup", "copy.db"]).success();
    assert!(house.dir.path().join("copy.db").is_file());

    house
        .admin(&["token", "revoke", "ben", "2", "--reason", "it leaked"])
        .success();
    let (ok, text) = house.cargo("app", &ben, &["update"]);
    assert!(!ok && text.contains("this token was revoked at"), "{text}");

    let pid = house.server.id().to_string();
    command("kill", house.dir.path())
        .args(["-TERM", &pid])
        .assert()
        .success();
    assert!(house.server.wait().unwrap().success());
}

/// What cannot be undone asks for the name, and nobody approves their own.
fn people_watch_each_other(house: &House) {
    let reason = ["--reason", "published by mistake"];
    let delete = |confirm: &[&str]| {
        let mut arguments = vec!["delete", "kept", "0.1.0"];
        arguments.extend(reason);
        arguments.extend(confirm);
        house.admin(&arguments)
    };
    let asked = delete(&[]).failure().code(2).get_output().clone();
    let asked = String::from_utf8(asked.stderr).unwrap();
    assert!(asked.contains("hint: add --confirm kept"), "{asked}");
    delete(&["--confirm", "kep"]).failure().code(2);
    delete(&["--confirm", "kept"]).success();
    assert!(
        house
            .dir
            .path()
            .join("palisade-gateway/evidence/kept-0.1.0/archive.crate")
            .is_file()
    );
    let waiver = [
        "waiver",
        "request",
        "kept",
        "--rule",
        "review",
        "--days",
        "3",
        "--reason",
        "needed for a test",
    ];
    house.admin(&waiver).success();
    let approve = ["waiver", "approve", "1", "--reason", "looked at the crate"];
    let own = house.admin(&approve).failure().code(2).get_output().clone();
    let own = String::from_utf8(own.stderr).unwrap();
    assert!(own.contains("somebody else has to decide"), "{own}");
    house.admin_as("otto", &approve).success();
    assert!(
        house
            .says(&["waiver", "list"])
            .contains("by operator:otto  operator:olga: needed for a test")
    );
    let shown = house.says(&["policy", "show"]);
    assert!(shown.contains("scan               enforce"), "{shown}");
    house.says(&["policy", "dry-run"]);
}

/// Guards the configuration: what is wrong is named, and nothing that leaves
/// tokens in the open starts.
#[test]
fn mistakes_in_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let refuse = |text: &str, part: &str| {
        std::fs::write(dir.path().join("palisade.toml"), text).unwrap();
        let assert = command(cargo_bin("palisade"), dir.path())
            .arg("serve")
            .assert();
        let output = assert.failure().code(2).get_output().clone();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            stderr.contains(part) && stderr.contains("hint: "),
            "{stderr}"
        );
    };
    refuse("", "has no table [gateway]");
    refuse(
        "[gateway]\nlisten = \"0.0.0.0:80\"",
        "tokens would cross the network in the open",
    );
    refuse(
        "[gateway]\npolicy.minimum-ages = 1",
        "unknown field `minimum-ages`",
    );
    refuse(
        "[gateway]\nadvisories = \"nowhere\"",
        "the database of gateway.advisories cannot be read",
    );
    refuse("[gateway]\nnames = \"nowhere\"", "gateway.names");
    refuse(
        "[gateway]\nupstream = { index = \"ftp://index.example.com/\" }",
        "neither http nor https",
    );
}
