//! What the workers of the tests do.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use palisade_sandbox::frame::{Frame, Kind};
use palisade_sandbox::{PoolOptions, serve, serve_bytes};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Chore {
    Echo(String),
    Large(usize),
    Pid,
    Environment,
    Allocate,
    Spin,
    Sleep(Duration),
    Abort,
    Exit(i32),
    Panic,
    PanicTwice,
    Overflow,
    Print(String),
    Complain(String),
    Connect(u16),
    Datagram,
    Exec,
    Read(PathBuf),
    List(PathBuf),
    Write(PathBuf),
    Remove(PathBuf),
    Chmod(PathBuf),
    OpenMany(PathBuf),
    Threads(usize),
    Burn(Duration),
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("and once more");
    }
}

fn said<T: std::fmt::Debug>(result: io::Result<T>) -> String {
    match result {
        Ok(value) => format!("allowed: {value:?}"),
        Err(error) => format!("refused: {:?}", error.kind()),
    }
}

/// Needs more stack than there is before it comes to an end.
fn deeper(depth: u64) -> u64 {
    if depth == u64::MAX {
        return depth;
    }
    std::hint::black_box(deeper(depth + 1)).saturating_sub(depth)
}

#[expect(
    clippy::disallowed_methods,
    clippy::exit,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "the very things that a worker is kept from"
)]
fn perform(chore: Chore) -> String {
    match chore {
        Chore::Echo(text) => text,
        Chore::Large(bytes) => "x".repeat(bytes),
        Chore::Pid => std::process::id().to_string(),
        Chore::Environment => {
            let names: Vec<_> = std::env::vars_os().collect();
            format!("{names:?} in {:?}", std::env::current_dir().ok())
        }
        Chore::Allocate => {
            let mut blocks = Vec::new();
            loop {
                blocks.push(vec![1u8; 1 << 20]);
            }
        }
        Chore::Spin => loop {
            std::hint::spin_loop();
        },
        Chore::Sleep(time) => {
            thread::sleep(time);
            "slept".to_owned()
        }
        Chore::Abort => std::process::abort(),
        Chore::Exit(code) => std::process::exit(code),
        Chore::Panic => panic!("this job panics"),
        Chore::PanicTwice => {
            let _bomb = Bomb;
            panic!("this job panics");
        }
        Chore::Overflow => deeper(0).to_string(),
        Chore::Print(text) => {
            println!("{text}");
            text
        }
        Chore::Complain(text) => {
            eprintln!("{text}");
            panic!("it complained");
        }
        Chore::Connect(port) => said(TcpStream::connect(("127.0.0.1", port))),
        Chore::Datagram => said(UdpSocket::bind(("127.0.0.1", 0))),
        Chore::Exec => said(Command::new("/bin/true").status()),
        Chore::Read(path) => said(fs::read_to_string(path)),
        Chore::List(path) => said(fs::read_dir(path).map(Iterator::count)),
        Chore::Write(path) => said(fs::write(path, "written")),
        Chore::Remove(path) => said(fs::remove_file(path)),
        Chore::Chmod(path) => said(
            fs::metadata(&path).and_then(|meta| fs::set_permissions(&path, meta.permissions())),
        ),
        Chore::OpenMany(path) => {
            let files: io::Result<Vec<File>> = (0..500).map(|_| File::open(&path)).collect();
            said(files.map(|files| files.len()))
        }
        Chore::Threads(count) => {
            let threads: Vec<_> = (0..count).map(|n| thread::spawn(move || n)).collect();
            let sum: usize = threads.into_iter().filter_map(|t| t.join().ok()).sum();
            sum.to_string()
        }
        Chore::Burn(time) => {
            let begin = std::time::Instant::now();
            while begin.elapsed() < time {
                std::hint::spin_loop();
            }
            "burnt".to_owned()
        }
    }
}

/// Plays a part, by the name after `--as-`.
#[expect(
    clippy::exit,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "some of the parts misbehave, and that is their purpose"
)]
pub(crate) fn play(role: &str) -> ExitCode {
    match role {
        "worker" => serve(perform),
        "bytes" => serve_bytes(|job| job.iter().rev().copied().collect()),
        "parent" => parent(),
        // Never becomes a worker.
        "stranger" => {
            println!("usage: something else entirely");
            ExitCode::SUCCESS
        }
        "failing" => {
            eprintln!("the reason of all this");
            ExitCode::from(3)
        }
        "mute" => {
            thread::sleep(Duration::from_secs(1000));
            ExitCode::SUCCESS
        }
        // Becomes one, but then does not read.
        "deaf" => {
            greet();
            thread::sleep(Duration::from_secs(1000));
            ExitCode::SUCCESS
        }
        _ => {
            greet();
            let job = Frame::read(&mut io::stdin().lock(), u32::MAX);
            let job = job.expect("a job comes").expect("a job comes").job;
            let mut output = io::stdout().lock();
            let answer = |job, payload: &[u8]| Frame {
                kind: Kind::Answer,
                job,
                payload: payload.to_vec(),
            };
            let whole = answer(job, &[0; 64]).encode().expect("it is short");
            let bytes = match role {
                "torn" | "torn-abort" => whole[..40].to_vec(),
                "torn-header" => whole[..10].to_vec(),
                "other-job" => answer(job + 1, &[0; 64]).encode().expect("it is short"),
                "short" => answer(job, &[0; 3]).encode().expect("it is short"),
                "greedy" => {
                    let mut header = whole[..17].to_vec();
                    header[13..].copy_from_slice(&u32::MAX.to_le_bytes());
                    header
                }
                "endless" => {
                    let mut forever = io::repeat(b'y');
                    io::copy(&mut forever, &mut output).ok();
                    return ExitCode::SUCCESS;
                }
                "closed" => Vec::new(),
                other => panic!("there is no part {other}"),
            };
            output.write_all(&bytes).expect("the parent reads");
            output.flush().expect("the parent reads");
            match role {
                "torn-abort" => std::process::abort(),
                "torn" | "torn-header" | "closed" => std::process::exit(0),
                _ => {}
            }
            drop(output);
            thread::sleep(Duration::from_secs(1000));
            ExitCode::SUCCESS
        }
    }
}

/// What a worker does first, without restricting anything.
fn greet() {
    let hello = Frame::read(&mut io::stdin().lock(), u32::MAX).expect("a frame comes");
    assert_eq!(hello.expect("a frame comes").kind, Kind::Hello);
    let ready = Frame {
        kind: Kind::Ready,
        job: 0,
        payload: b"[]".to_vec(),
    };
    ready
        .write(&mut io::stdout().lock())
        .expect("the parent reads");
}

/// A parent that tells its worker's number and is then killed.
#[expect(clippy::print_stdout, reason = "the test reads the number there")]
fn parent() -> ExitCode {
    let options = PoolOptions {
        workers: 1,
        ..super::options(1)
    };
    let mut pool = super::pool(options);
    for outcome in pool.run::<_, String>([Chore::Pid]) {
        println!("{}", outcome.verdict.done().expect("the worker answers"));
    }
    let endless = Chore::Sleep(Duration::from_secs(1000));
    let mut rest = String::new();
    for _ in pool.run::<_, String>([endless]) {
        io::stdin().read_to_string(&mut rest).ok();
    }
    ExitCode::SUCCESS
}
