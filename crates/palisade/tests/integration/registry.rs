//! A registry in a directory: archives and an index, with a database dump
//! beside it, and a server that answers from the directory.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest, Sha256};

/// A registry that a test fills.
pub(crate) struct Registry {
    pub(crate) root: PathBuf,
}

/// A version to publish.
pub(crate) struct Version<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) time: &'a str,
    pub(crate) dependencies: &'a [(&'a str, &'a str, &'a str)],
    pub(crate) manifest: &'a str,
    pub(crate) files: &'a [(&'a str, &'a str)],
    pub(crate) yanked: bool,
}

impl Default for Version<'_> {
    fn default() -> Self {
        Version {
            name: "demo",
            version: "1.0.0",
            time: "2026-01-01T00:00:00Z",
            dependencies: &[],
            manifest: "",
            files: &[("src/lib.rs", "//! Nothing.\n")],
            yanked: false,
        }
    }
}

impl Registry {
    pub(crate) fn new(root: PathBuf) -> Registry {
        fs::create_dir_all(root.join("index")).unwrap();
        Registry { root }
    }

    /// Publishes a version.
    pub(crate) fn publish(&self, version: &Version<'_>) {
        let Version {
            name,
            version: number,
            ..
        } = version;
        let mut manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"{number}\"\nedition = \"2021\"\ndescription = \"d\"\nlicense = \"MIT\"\n{}\n",
            version.manifest
        );
        let mut listed = Vec::new();
        for (dependency, requirement, kind) in version.dependencies {
            let table = match *kind {
                "normal" => "dependencies".to_owned(),
                kind => format!("{kind}-dependencies"),
            };
            manifest.push_str(&format!(
                "[{table}.{dependency}]\nversion = \"{requirement}\"\n"
            ));
            listed.push(format!(
                "{{\"name\":\"{dependency}\",\"req\":\"{requirement}\",\"features\":[],\"optional\":false,\"default_features\":true,\"target\":null,\"kind\":\"{kind}\"}}"
            ));
        }
        let mut files: BTreeMap<&str, &str> = version.files.iter().copied().collect();
        files.insert("Cargo.toml", &manifest);
        let archive = pack(name, number, &files);
        let checksum: String = Sha256::digest(&archive)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        fs::write(self.root.join(format!("{name}-{number}.crate")), archive).unwrap();
        let line = format!(
            "{{\"name\":\"{name}\",\"vers\":\"{number}\",\"deps\":[{}],\"cksum\":\"{checksum}\",\"features\":{{}},\"yanked\":{},\"pubtime\":\"{}\"}}\n",
            listed.join(","),
            version.yanked,
            version.time
        );
        let path = self.index_file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut text = fs::read_to_string(&path).unwrap_or_default();
        text.push_str(&line);
        fs::write(path, text).unwrap();
    }

    pub(crate) fn index_file(&self, name: &str) -> PathBuf {
        let place = match name.len() {
            1 => "1".to_owned(),
            2 => "2".to_owned(),
            3 => format!("3/{}", &name[..1]),
            _ => format!("{}/{}", &name[..2], &name[2..4]),
        };
        self.root.join("index").join(place).join(name)
    }

    /// A server that answers from the directory: index files, archives, and
    /// whatever else lies in `index`. Counts the requests.
    pub(crate) fn serve(&self) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let config = format!("{{\"dl\":\"{address}/dl/{{crate}}-{{version}}.crate\"}}");
        fs::write(self.root.join("index/config.json"), config).unwrap();
        let (root, count) = (self.root.clone(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&count);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                let root = root.clone();
                std::thread::spawn(move || answer(&root, stream));
            }
        });
        (address, count)
    }
}

fn answer(root: &Path, mut stream: std::net::TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut request = String::new();
    let mut known = String::new();
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap_or(0) > 2 {
        if request.is_empty() {
            request.clone_from(&line);
        }
        if let Some(etag) = line.to_ascii_lowercase().strip_prefix("if-none-match:") {
            known = etag.trim().to_owned();
        }
        line.clear();
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let file = match path.strip_prefix("/dl/") {
        Some(archive) => root.join(archive),
        None => root.join("index").join(path.trim_start_matches('/')),
    };
    let mut body = Vec::new();
    let status = match fs::File::open(file).and_then(|mut file| file.read_to_end(&mut body)) {
        Ok(_) => "200 OK",
        Err(_) => "404 Not Found",
    };
    let etag = format!(
        "\"{}\"",
        Sha256::digest(&body)[..6]
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect::<String>()
    );
    let status = if known == etag {
        "304 Not Modified"
    } else {
        status
    };
    if known == etag {
        body.clear();
    }
    let head = format!(
        "HTTP/1.1 {status}\r\nETag: {etag}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&body);
}

fn pack(name: &str, version: &str, files: &BTreeMap<&str, &str>) -> Vec<u8> {
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(encoder);
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        let path = format!("{name}-{version}/{path}");
        tar.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// A database dump of these crates: name, downloads, time, owner with name,
/// and versions with time, publisher and the time at which they were
/// withdrawn, `-` where they were not.
#[expect(
    clippy::type_complexity,
    reason = "rows of a table that only tests write"
)]
pub(crate) fn dump(
    directory: &Path,
    crates: &[(&str, u64, &str, (&str, &str), &[(&str, &str, &str, &str)])],
) {
    fs::create_dir_all(directory).unwrap();
    let utc = |time: &str| time.replace('T', " ").replace('Z', "+00");
    let mut tables: BTreeMap<&str, String> = [
        ("crates.csv", "id,name,created_at,description,repository\n"),
        ("crate_downloads.csv", "crate_id,downloads\n"),
        ("users.csv", "id,gh_login,name\n"),
        ("teams.csv", "id,login\n"),
        (
            "crate_owners.csv",
            "crate_id,owner_id,owner_kind,created_at\n",
        ),
        (
            "versions.csv",
            "id,crate_id,num,created_at,updated_at,published_by,yanked\n",
        ),
    ]
    .into_iter()
    .map(|(name, head)| (name, head.to_owned()))
    .collect();
    let mut people: Vec<String> = Vec::new();
    let mut number = |login: &str, display: &str, users: &mut String| {
        if let Some(at) = people.iter().position(|known| known == login) {
            return at;
        }
        users.push_str(&format!("{},{login},{display}\n", people.len()));
        people.push(login.to_owned());
        people.len() - 1
    };
    let mut users = String::new();
    for (id, (name, downloads, created, (owner, display), versions)) in crates.iter().enumerate() {
        let owner = number(owner, display, &mut users);
        let mut add = |table: &'static str, line: String| {
            tables.entry(table).or_default().push_str(&line);
        };
        add("crates.csv", format!("{id},{name},{},,\n", utc(created)));
        add("crate_downloads.csv", format!("{id},{downloads}\n"));
        add(
            "crate_owners.csv",
            format!("{id},{owner},0,{}\n", utc(created)),
        );
        for (at, (version, time, publisher, withdrawn)) in versions.iter().enumerate() {
            let publisher = number(publisher, "", &mut users);
            let (updated, yanked) = match *withdrawn {
                "-" => (utc(time), "f"),
                withdrawn => (utc(withdrawn), "t"),
            };
            add(
                "versions.csv",
                format!(
                    "{},{id},{version},{},{updated},{publisher},{yanked}\n",
                    id * 1000 + at,
                    utc(time)
                ),
            );
        }
    }
    tables.entry("users.csv").or_default().push_str(&users);
    for (name, text) in tables {
        fs::write(directory.join(name), text).unwrap();
    }
}
