//! A disk that is full.

use std::process::Command;

use palisade_gateway::{Config, Gateway, Parts};
use tokio::runtime::Runtime;

use crate::client::get;
use crate::faults::{is_whole, publisher};
use crate::upload::{body, try_upload};

/// A small file system of its own. It is unmounted when this is dropped.
struct Small {
    dir: tempfile::TempDir,
}

impl Small {
    /// `None`, with a message, where mounting is not allowed.
    #[expect(
        clippy::print_stderr,
        reason = "whoever runs the tests has to know what was left out"
    )]
    fn mount(bytes: usize) -> Option<Small> {
        let dir = tempfile::tempdir().unwrap();
        let mounted = system("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(dir.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Small { dir });
        }
        eprintln!("SKIPPED: no right to mount a small file system here");
        None
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = system("umount").arg("--lazy").arg(self.dir.path()).output();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program of the system, on a directory that the test has made"
)]
fn system(name: &str) -> Command {
    Command::new(name)
}

/// Bytes of the disk: room for the database and for its log, which grows to
/// four megabytes before it is written back.
const DISK: usize = 12 << 20;

/// Guards against a full disk: whoever publishes is told, what was acknowledged
/// stays and is served, and once there is room everything goes on, without a
/// restart.
#[test]
fn a_full_disk_loses_nothing() {
    let Some(small) = Small::mount(DISK) else {
        return;
    };
    let file = camino::Utf8PathBuf::from_path_buf(small.dir.path().join("palisade.toml")).unwrap();
    let config = Config::parse(
        &file,
        "[gateway]\nlisten = \"127.0.0.1:0\"\ndata = \"data\"\n",
    )
    .unwrap();
    let runtime = Runtime::new().unwrap();
    let token = runtime.block_on(publisher(&config));
    let gateway = Gateway::start(config.clone(), Parts::default());
    let gateway = runtime.block_on(gateway).unwrap();
    let url = format!("http://{}", gateway.address());
    // Text that does not compress.
    let noise = |number: u32| -> String {
        let mut random = crate::faults::Random(u64::from(number) + 77);
        (0..60_000)
            .map(|_| char::from(b'!' + u8::try_from(random.below(90)).unwrap()))
            .map(|c| if c == '*' || c == '/' { '.' } else { c })
            .collect()
    };
    let filler = small.dir.path().join("filler");
    let (mut taken, mut refused) = (Vec::new(), 0);
    for number in 0..60 {
        if number == 40 {
            // Somebody makes room.
            std::fs::remove_file(&filler).unwrap();
        }
        if number == 4 {
            // Somebody else takes what is there, nearly all of it.
            let bytes = vec![1; DISK];
            use std::io::Write as _;
            let mut file = std::fs::File::create(&filler).unwrap();
            for chunk in bytes.chunks(4096) {
                if file.write_all(chunk).is_err() {
                    break;
                }
            }
        }
        // Large while there is room, small to find every last page.
        let source = if number < 4 {
            noise(number)
        } else {
            String::new()
        };
        let version = format!("1.{number}.0");
        let (sent, bytes) = body("demo", &version, &format!("/* {source} */"));
        let answer = try_upload(&url, &token, &sent).unwrap();
        match answer.status {
            200 => taken.push((version, bytes)),
            status => {
                assert!(status >= 500, "{status}: {}", answer.text());
                refused += 1;
            }
        }
        // Reading goes on.
        let index = get(&format!("{url}/index/de/mo/demo"));
        assert_eq!(index.status, 200, "{}", index.text());
        let (version, bytes) = &taken[taken.len() / 2];
        let download = get(&format!("{url}/api/v1/crates/demo/{version}/download"));
        assert_eq!((download.status, &download.body), (200, bytes));
    }
    assert!(refused > 0, "the disk was never full");
    assert!(
        taken.iter().any(|(version, _)| version == "1.59.0"),
        "it does not go on"
    );
    for (version, bytes) in &taken {
        let download = get(&format!("{url}/api/v1/crates/demo/{version}/download"));
        assert_eq!((download.status, &download.body), (200, bytes), "{version}");
    }
    runtime.block_on(gateway.stop());
    runtime.block_on(is_whole(&config, taken.len()));
}
