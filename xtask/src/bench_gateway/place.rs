//! The files, nginx and the gateway.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use camino::Utf8PathBuf;

use super::until;
use crate::process;

/// Versions of each crate: about 12 kB of index, a common size.
const VERSIONS: usize = 30;

/// A directory with everything in it.
pub(super) struct Place {
    directory: tempfile::TempDir,
    /// Paths of index files, below the address.
    pub(super) paths: Vec<String>,
    /// What tells wrk which paths to ask for.
    pub(super) script: Utf8PathBuf,
}

impl Place {
    pub(super) fn make(crates: usize) -> Result<Place> {
        let directory = tempfile::tempdir()?;
        let mut place = Place {
            directory,
            paths: Vec::new(),
            script: Utf8PathBuf::new(),
        };
        for number in 0..crates {
            let name = format!("bench{number:04}");
            let lines: String = (0..VERSIONS).map(|version| line(&name, version)).collect();
            let below = palisade_index::index_path(&name);
            place.write(&format!("www/index/{below}"), &lines)?;
            place.paths.push(format!("/index/{below}"));
        }
        let list: Vec<String> = place
            .paths
            .iter()
            .map(|path| format!("\"{path}\""))
            .collect();
        let script = format!(
            "local paths = {{ {} }}\nlocal at = 0\nrequest = function()\n  at = at % #paths + 1\n  \
             return wrk.format(\"GET\", paths[at])\nend\n",
            list.join(", ")
        );
        place.write("paths.lua", &script)?;
        place.script = place.path("paths.lua")?;
        Ok(place)
    }

    pub(super) fn path(&self, name: &str) -> Result<Utf8PathBuf> {
        let path = self.directory.path().join(name);
        Utf8PathBuf::from_path_buf(path).map_err(|path| anyhow::anyhow!("{path:?} is no UTF-8"))
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path(name)?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
        Ok(())
    }

    /// Asks the gateway for every file once, so that it has them.
    pub(super) fn warm(&self, gateway: &Gateway) -> Result<()> {
        for path in &self.paths {
            let status = get(&gateway.address, path, None)?;
            ensure!(status == 200, "{path} is answered with {status}");
        }
        Ok(())
    }
}

fn line(name: &str, version: usize) -> String {
    let dependencies: Vec<String> = (0..2)
        .map(|number| {
            format!(
                "{{\"name\":\"dependency{number}\",\"req\":\"^1.0\",\"features\":[],\"optional\":false,\
                 \"default_features\":true,\"target\":null,\"kind\":\"normal\"}}"
            )
        })
        .collect();
    format!(
        "{{\"name\":\"{name}\",\"vers\":\"1.{version}.0\",\"deps\":[{}],\"cksum\":\"{:064x}\",\
         \"features\":{{}},\"yanked\":false,\"pubtime\":\"2020-01-01T00:00:00Z\"}}\n",
        dependencies.join(","),
        version + 1,
    )
}

/// nginx with one worker for each core, as it is usually set up.
pub(super) struct Nginx {
    child: Child,
    port: u16,
}

impl Nginx {
    pub(super) fn start(place: &Place) -> Result<Nginx> {
        let port = free_port()?;
        let root = place.path("")?;
        // Started by root, its workers would be somebody who may not read the
        // directory.
        let user = "user root;\n";
        let config = format!(
            "{user}worker_processes auto;\ndaemon off;\npid {root}/nginx.pid;\nerror_log {root}/error.log;\n\
             events {{ worker_connections 1024; }}\nhttp {{\n  access_log off;\n  sendfile on;\n  \
             open_file_cache max=2000;\n  keepalive_requests 100000000;\n  default_type text/plain;\n  \
             client_body_temp_path {root}/t1;\n  proxy_temp_path {root}/t2;\n  fastcgi_temp_path {root}/t3;\n  \
             uwsgi_temp_path {root}/t4;\n  scgi_temp_path {root}/t5;\n  \
             server {{ listen 127.0.0.1:{port}; root {root}/www; }}\n}}\n"
        );
        place.write("nginx.conf", &config)?;
        let dl = format!("{{\"dl\":\"http://127.0.0.1:{port}/archives\"}}");
        place.write("www/index/config.json", &dl)?;
        let child = process::command("nginx")
            .arg("-c")
            .arg(place.path("nginx.conf")?)
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start nginx")?;
        let nginx = Nginx { child, port };
        until("nginx answering", || {
            Ok(TcpStream::connect(nginx.address()).is_ok())
        })?;
        let status = get(&nginx.address(), "/index/config.json", None)?;
        ensure!(status == 200, "nginx answers {status}");
        Ok(nginx)
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// `palisade serve`, with nginx as its upstream.
pub(super) struct Gateway {
    binary: Utf8PathBuf,
    child: Child,
    pub(super) address: String,
}

impl Gateway {
    pub(super) fn start(binary: Utf8PathBuf, place: &Place, nginx: &Nginx) -> Result<Gateway> {
        let config = format!(
            "[gateway]\nlisten = \"127.0.0.1:0\"\n[gateway.upstream]\n\
             index = \"sparse+http://{}/index/\"\nrefresh-seconds = 3600\n",
            nginx.address()
        );
        place.write("palisade.toml", &config)?;
        let mut child = process::command(&binary)
            .args(["serve", "--config"])
            .arg(place.path("palisade.toml")?)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start palisade")?;
        let output = child.stdout.take().context("its output is piped")?;
        let mut first = String::new();
        BufReader::new(output).read_line(&mut first)?;
        let address = first
            .trim()
            .strip_prefix("listening:")
            .map(|rest| rest.trim().to_owned());
        match address {
            Some(address) => Ok(Gateway {
                binary,
                child,
                address,
            }),
            None => {
                end(&mut child);
                anyhow::bail!("palisade does not say where it listens")
            }
        }
    }

    pub(super) fn peak_memory(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .context("the system does not tell the peak memory")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib << 10)
    }

    fn admin(&self, place: &Place, arguments: &[&str]) -> Result<String> {
        let mut command = process::command(&self.binary);
        command.args(["admin", "--config"]);
        command.arg(place.path("palisade.toml")?);
        process::output(command.args(arguments).stderr(Stdio::null()))
    }

    /// How long a token still works after its revocation was acknowledged.
    pub(super) fn revocation(&self, place: &Place) -> Result<Duration> {
        self.admin(place, &["user", "add", "ann", "--role", "publisher"])?;
        let token = self.admin(
            place,
            &[
                "token", "add", "ann", "--name", "t", "--scope", "read", "--crate", "*",
            ],
        )?;
        let token = token.trim().to_owned();
        let current = "/api/v1/tokens/current";
        let status = get(&self.address, current, Some(&token))?;
        ensure!(status == 200, "a new token is answered with {status}");
        let reason = "measured how fast that is";
        self.admin(place, &["token", "revoke", "ann", "1", "--reason", reason])?;
        until("a revocation", || {
            Ok(get(&self.address, current, Some(&token))? == 403)
        })
    }

    /// How long a version is still to be had after a person has rejected it.
    pub(super) fn hold(&self, place: &Place) -> Result<Duration> {
        let path = "/index/be/nc/bench0000";
        let yanked = || -> Result<bool> {
            let text = body(&self.address, path, None)?.1;
            Ok(text.contains("\"yanked\":true"))
        };
        ensure!(!yanked()?, "a version is yanked to begin with");
        let reason = "measured how fast that is";
        self.admin(
            place,
            &[
                "case",
                "decide",
                "bench0000",
                "1.0.0",
                "reject",
                "--reason",
                reason,
            ],
        )?;
        until("a rejection", yanked)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // Both end by this signal within a moment.
    let mut kill = process::command("kill");
    let _ = kill.arg(child.id().to_string()).status();
    let _ = child.wait();
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn get(address: &str, path: &str, token: Option<&str>) -> Result<u16> {
    Ok(body(address, path, token)?.0)
}

/// One request over a connection of its own.
fn body(address: &str, path: &str, token: Option<&str>) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    let token = token.map_or_else(String::new, |token| format!("authorization: {token}\r\n"));
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{token}\r\n"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .context("an answer that is none")?;
    Ok((status, text))
}
