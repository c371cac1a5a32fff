//! Framing believes nothing that it reads.

use std::io::{Cursor, Read};

use palisade_sandbox::frame::{Frame, FrameError, Kind};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::Test;

pub(crate) fn tests() -> Vec<Test> {
    vec![
        ("frames_come_back_as_they_went", round_trip),
        ("a_torn_frame_is_never_a_frame", torn),
        ("arbitrary_bytes_are_never_believed", arbitrary),
        ("a_length_costs_no_memory", length),
    ]
}

fn frame() -> impl Strategy<Value = Frame> {
    let kind = prop::sample::select(&Kind::ALL[..]);
    (kind, any::<u64>(), vec(any::<u8>(), 0..300)).prop_map(|(kind, job, payload)| Frame {
        kind,
        job,
        payload,
    })
}

fn runner() -> TestRunner {
    TestRunner::new(Config {
        failure_persistence: None,
        ..Config::default()
    })
}

/// A pipe that gives a few bytes at a time.
struct Drip<R>(R, usize);

impl<R: Read> Read for Drip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(self.1);
        self.0.read(&mut buffer[..most])
    }
}

fn round_trip() {
    let input = (vec(frame(), 0..5), 1usize..50);
    let checked = runner().run(&input, |(frames, step)| {
        let mut bytes = Vec::new();
        for frame in &frames {
            frame.write(&mut bytes).expect("memory does not fail");
        }
        let mut from = Drip(Cursor::new(bytes), step);
        for frame in frames {
            let read = Frame::read(&mut from, 300).expect("it was written so");
            prop_assert_eq!(read, Some(frame));
        }
        prop_assert!(matches!(Frame::read(&mut from, 300), Ok(None)));
        Ok(())
    });
    checked.expect("every frame comes back");
}

fn torn() {
    let input = (frame(), any::<prop::sample::Index>());
    let checked = runner().run(&input, |(frame, cut)| {
        let bytes = frame.encode().expect("it is short");
        let cut = cut.index(bytes.len());
        let read = Frame::read(&mut &bytes[..cut], 300);
        prop_assert_eq!(matches!(read, Ok(None)), cut == 0);
        prop_assert_eq!(matches!(read, Err(FrameError::Truncated)), cut > 0);
        Ok(())
    });
    checked.expect("no torn frame is read");
}

fn arbitrary() {
    // Half of them start as a frame does.
    let start = prop::sample::select(vec![vec![], vec![0x91, b'P', b'W', 1]]);
    let input = (start, vec(any::<u8>(), 0..60), 0u32..40);
    let checked = runner().run(&input, |(start, rest, limit)| {
        let bytes = [start, rest].concat();
        let mut from = &bytes[..];
        while let Ok(Some(frame)) = Frame::read(&mut from, limit) {
            prop_assert!(frame.payload.len() <= limit as usize);
            let again = frame.encode().expect("it is short");
            let consumed = bytes.len() - from.len();
            prop_assert!(bytes[..consumed].ends_with(&again));
        }
        Ok(())
    });
    checked.expect("nothing is believed");
}

fn length() {
    let frame = Frame {
        kind: Kind::Answer,
        job: 1,
        payload: Vec::new(),
    };
    let mut bytes = frame.encode().expect("it is short");
    bytes[13..17].copy_from_slice(&u32::MAX.to_le_bytes());
    let refused = Frame::read(&mut &bytes[..], 1000);
    assert!(matches!(
        refused,
        Err(FrameError::TooLarge { limit: 1000, .. })
    ));
    let torn = Frame::read(&mut &bytes[..], u32::MAX);
    assert!(matches!(torn, Err(FrameError::Truncated)));
}
