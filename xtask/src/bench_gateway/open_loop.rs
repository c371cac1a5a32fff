//! Requests at a fixed rate, whatever the answers do.
//!
//! A generator that waits for an answer before it sends the next request asks
//! less often when answers are slow, and so hides what it measures. Here every
//! request has a time at which it is due, and its latency counts from then.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// Connections, each with a thread; enough that one which waits leaves the
/// others to keep the rate.
const CONNECTIONS: u32 = 16;

/// What was measured.
pub(super) struct Latencies {
    pub(super) median: Duration,
    pub(super) p99: Duration,
    pub(super) count: usize,
    pub(super) failed: usize,
    /// Requests per second that were sent.
    pub(super) rate: f64,
}

pub(super) fn run(address: &str, paths: &[String], rate: f64, time: Duration) -> Result<Latencies> {
    let pause = Duration::from_secs_f64(f64::from(CONNECTIONS) / rate.max(1.0));
    let begin = Instant::now() + Duration::from_millis(100);
    let mut all = Vec::new();
    let mut failed = 0;
    std::thread::scope(|scope| -> Result<()> {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|number| {
                let first = begin + pause * number / CONNECTIONS;
                scope
                    .spawn(move || ask(address, paths, number as usize, first, pause, begin + time))
            })
            .collect();
        for thread in threads {
            let (latencies, wrong) = thread.join().expect("a thread that measures")?;
            all.extend(latencies);
            failed += wrong;
        }
        Ok(())
    })?;
    let took = begin.elapsed();
    all.sort_unstable();
    let at = |share: usize| {
        all.get(all.len() * share / 100)
            .copied()
            .unwrap_or_default()
    };
    Ok(Latencies {
        median: at(50),
        p99: at(99),
        count: all.len(),
        failed,
        rate: all.len() as f64 / took.as_secs_f64(),
    })
}

fn ask(
    address: &str,
    paths: &[String],
    number: usize,
    first: Instant,
    pause: Duration,
    end: Instant,
) -> Result<(Vec<Duration>, usize)> {
    let mut stream = TcpStream::connect(address).context("cannot connect")?;
    stream.set_nodelay(true)?;
    let (mut latencies, mut failed) = (Vec::new(), 0);
    let mut due = first;
    let mut at = number * 31;
    let mut buffer = Vec::new();
    while due < end {
        if let Some(wait) = due.checked_duration_since(Instant::now()) {
            std::thread::sleep(wait);
        }
        at = (at + 7) % paths.len();
        let request = format!("GET {} HTTP/1.1\r\nhost: {address}\r\n\r\n", paths[at]);
        stream.write_all(request.as_bytes())?;
        if !answered(&mut stream, &mut buffer)? {
            failed += 1;
        }
        latencies.push(due.elapsed());
        due += pause;
    }
    Ok((latencies, failed))
}

/// Reads one answer; whether it was good.
fn answered(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<bool> {
    buffer.clear();
    let mut chunk = [0; 64 << 10];
    loop {
        let count = stream.read(&mut chunk)?;
        anyhow::ensure!(count > 0, "the connection was closed");
        buffer.extend_from_slice(&chunk[..count]);
        let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|value| value.trim().parse().ok())
            .context("an answer without a length")?;
        if buffer.len() >= end + 4 + length {
            return Ok(head.starts_with("http/1.1 200"));
        }
    }
}
