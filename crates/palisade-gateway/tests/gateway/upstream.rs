//! A registry that plays the upstream, well or badly.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use palisade_archive::checksum;
use palisade_index::index_path;
use serde_json::{Value, json};

/// How the upstream behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    #[default]
    Well,
    /// It answers every request with an error.
    Broken,
    /// It sends other archives than the index promises.
    Lying,
    /// It takes longer than anybody waits.
    Slow,
}

#[derive(Default)]
pub(crate) struct Content {
    /// Index lines by path.
    pub(crate) index: BTreeMap<String, Vec<String>>,
    /// Archives by `name/version`.
    pub(crate) archives: BTreeMap<String, Vec<u8>>,
    pub(crate) manner: Manner,
    /// Paths that were asked for.
    pub(crate) asked: Vec<String>,
}

/// A registry on the loopback interface.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) content: Arc<Mutex<Content>>,
    pub(crate) address: SocketAddr,
}

/// One version to publish.
pub(crate) struct Release {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) published: Option<String>,
    /// Names and requirements.
    pub(crate) dependencies: Vec<(String, String)>,
    pub(crate) source: String,
}

impl Release {
    pub(crate) fn new(name: &str, version: &str, published: &str) -> Release {
        Release {
            name: name.to_owned(),
            version: version.to_owned(),
            published: (!published.is_empty()).then(|| published.to_owned()),
            dependencies: Vec::new(),
            source: String::new(),
        }
    }

    pub(crate) fn needs(mut self, name: &str, requirement: &str) -> Release {
        let dependency = (name.to_owned(), requirement.to_owned());
        self.dependencies.push(dependency);
        self
    }

    pub(crate) fn source(self, source: &str) -> Release {
        Release {
            source: source.to_owned(),
            ..self
        }
    }

    pub(crate) fn archive(&self) -> Vec<u8> {
        let mut manifest = format!(
            "[package]\nname = \"{}\"\nversion = \"{}\"\nedition = \"2021\"\n",
            self.name, self.version
        );
        for (name, requirement) in &self.dependencies {
            manifest.push_str(&format!(
                "[dependencies.{name}]\nversion = \"{requirement}\"\n"
            ));
        }
        archive(
            &format!("{}-{}", self.name, self.version),
            &[("Cargo.toml", &manifest), ("src/lib.rs", &self.source)],
        )
    }

    fn line(&self, archive: &[u8]) -> String {
        let dependencies: Vec<Value> = self
            .dependencies
            .iter()
            .map(|(name, requirement)| {
                json!({
                    "name": name, "req": requirement, "features": [], "optional": false,
                    "default_features": true, "target": null, "kind": "normal",
                })
            })
            .collect();
        let mut line = json!({
            "name": self.name, "vers": self.version, "deps": dependencies,
            "cksum": checksum(archive).to_string(), "features": {}, "yanked": false,
        });
        if let Some(published) = &self.published {
            line["pubtime"] = json!(published);
        }
        // A field that nobody knows must come through.
        line["zz_unknown"] = json!({ "yanked": true, "text": "\"yanked\":false" });
        line.to_string()
    }
}

/// A `.crate` file.
pub(crate) fn archive(top: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("{top}/{path}"), text.as_bytes())
            .unwrap();
    }
    let mut gzip = tar.into_inner().unwrap();
    gzip.flush().unwrap();
    gzip.finish().unwrap()
}

impl Upstream {
    pub(crate) async fn start() -> Upstream {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = Upstream {
            content: Arc::default(),
            address: listener.local_addr().unwrap(),
        };
        let router = Router::new()
            .route("/index/{*path}", get(index))
            .route("/archives/{name}/{version}/download", get(download))
            .with_state(upstream.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        upstream
    }

    pub(crate) fn index(&self) -> String {
        format!("sparse+http://{}/index/", self.address)
    }

    pub(crate) fn publish(&self, release: &Release) {
        let archive = release.archive();
        let line = release.line(&archive);
        self.add(&release.name, &release.version, line, archive);
    }

    /// Publishes a release with another archive than its own.
    pub(crate) fn add_archive(&self, release: &Release, archive: Vec<u8>) {
        let line = release.line(&archive);
        self.add(&release.name, &release.version, line, archive);
    }

    pub(crate) fn add(&self, name: &str, version: &str, line: String, archive: Vec<u8>) {
        let mut content = self.content.lock().unwrap();
        content
            .index
            .entry(index_path(name))
            .or_default()
            .push(line);
        content
            .archives
            .insert(format!("{name}/{version}"), archive);
    }

    /// Changes the lines of a crate.
    pub(crate) fn change(&self, name: &str, change: impl Fn(&mut Vec<String>)) {
        let mut content = self.content.lock().unwrap();
        change(content.index.get_mut(&index_path(name)).unwrap());
    }

    pub(crate) fn yank(&self, name: &str, version: &str) {
        let vers = format!("\"vers\":\"{version}\"");
        self.change(name, |lines| {
            for line in lines.iter_mut().filter(|line| line.contains(&vers)) {
                *line = line.replacen("\"yanked\":false,", "\"yanked\":true,", 1);
            }
        });
    }

    pub(crate) fn behave(&self, manner: Manner) {
        self.content.lock().unwrap().manner = manner;
    }

    async fn dawdle(&self) {
        let slow = self.content.lock().unwrap().manner == Manner::Slow;
        if slow {
            tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        }
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, part: &str) -> usize {
        let content = self.content.lock().unwrap();
        content
            .asked
            .iter()
            .filter(|path| path.contains(part))
            .count()
    }
}

async fn index(
    State(upstream): State<Upstream>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    upstream.dawdle().await;
    let mut content = upstream.content.lock().unwrap();
    content.asked.push(path.clone());
    if content.manner == Manner::Broken {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    if path == "config.json" {
        return format!("{{\"dl\":\"http://{}/archives\"}}", upstream.address).into_response();
    }
    let Some(lines) = content.index.get(&path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let text = lines.join("\n") + "\n";
    let etag = format!("\"{}\"", checksum(text.as_bytes()));
    let same = headers.get("if-none-match").map(|tag| tag.as_bytes());
    if same == Some(etag.as_bytes()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    ([("etag", etag)], text).into_response()
}

async fn download(
    State(upstream): State<Upstream>,
    Path((name, version)): Path<(String, String)>,
) -> Response {
    upstream.dawdle().await;
    let mut content = upstream.content.lock().unwrap();
    content.asked.push(format!("{name}/{version}/download"));
    let archive = content.archives.get(&format!("{name}/{version}"));
    match (content.manner, archive) {
        (Manner::Broken, _) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        (_, None) => StatusCode::NOT_FOUND.into_response(),
        (Manner::Lying, Some(_)) => Release::new("other", "1.0.0", "").archive().into_response(),
        (Manner::Well | Manner::Slow, Some(archive)) => archive.clone().into_response(),
    }
}
