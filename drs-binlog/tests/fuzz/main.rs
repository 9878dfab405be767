//! The fuzz targets, run for a short while: on stored inputs, and on what becomes of them when bytes
//! are changed, cut out, doubled and joined.
//!
//! The stored inputs in `tests/corpus/` came from MySQL 9.7, MySQL 5.6 and MariaDB 10.11.

mod events;
mod values;

use std::{fs, path::Path};

/// Mutations of each stored input.
const ROUNDS: usize = 4_000;

/// The files of a folder of stored inputs.
fn stored(corpus: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(corpus);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let inputs: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    inputs
}

/// Calls the target with each input, with mutations of it, and with the start of it cut at every byte.
fn run(inputs: &[Vec<u8>], rounds: usize, target: fn(&[u8])) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for input in inputs {
        target(input);
        for _ in 0..rounds {
            let mut bytes = input.clone();
            for _ in 0..=random.below(4) {
                mutate(&mut bytes, inputs, &mut random);
            }
            target(&bytes);
        }
        for len in 0..input.len() {
            target(&input[..len]);
        }
    }
}

/// One change of the kinds that find the edges of lengths and offsets.
fn mutate(bytes: &mut Vec<u8>, inputs: &[Vec<u8>], random: &mut Random) {
    if bytes.is_empty() {
        bytes.push(random.next() as u8);
        return;
    }
    let at = random.below(bytes.len());
    match random.below(7) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes[at] = random.next() as u8,
        2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xfb, 0xfc, 0xfe, 0xff][random.below(8)],
        3 => bytes.truncate(at),
        4 => {
            let end = (at + 1 + random.below(8)).min(bytes.len());
            bytes.drain(at..end);
        }
        5 => {
            let end = (at + 1 + random.below(16)).min(bytes.len());
            let copy = bytes[at..end].to_vec();
            let to = random.below(bytes.len());
            bytes.splice(to..to, copy);
        }
        _ => {
            let other = &inputs[random.below(inputs.len())];
            let from = random.below(other.len().max(1)).min(other.len());
            bytes.truncate(at);
            bytes.extend(&other[from..]);
        }
    }
}

/// The same numbers in every run (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}
