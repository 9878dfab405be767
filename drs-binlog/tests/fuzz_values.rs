//! The fuzz targets of values and rows, run for a short while: on stored inputs, and on what becomes of
//! them when bytes are changed, cut out, doubled and joined.
//!
//! The stored inputs in `corpus/` came from MySQL 9.7, MySQL 5.6 and MariaDB 10.11.
use std::{fs, path::Path};

use drs_binlog::fuzz;

/// Mutations of each stored input.
const ROUNDS: usize = 4_000;

fn run(corpus: &str, target: fn(&[u8])) {
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
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for input in &inputs {
        target(input);
        for _ in 0..ROUNDS {
            let mut bytes = input.clone();
            for _ in 0..=random.below(4) {
                mutate(&mut bytes, &inputs, &mut random);
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

#[test]
fn rows() {
    run("rows", fuzz::fuzz_rows);
}

#[test]
fn table_maps() {
    run("table_map", fuzz::fuzz_table_map);
}

#[test]
fn json() {
    run("json", fuzz::fuzz_json);
}

#[test]
fn json_diffs() {
    run("json_diff", fuzz::fuzz_json_diff);
}

#[test]
fn decimals() {
    run("decimal", fuzz::fuzz_decimal);
}

#[test]
fn temporal_values() {
    run("temporal", fuzz::fuzz_temporal);
}

#[test]
fn compressed_content() {
    run("inflate", fuzz::fuzz_inflate);
}
