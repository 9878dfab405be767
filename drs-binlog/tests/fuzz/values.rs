//! Table maps, rows and values.
use drs_binlog::fuzz;

use crate::{ROUNDS, stored};

fn run(corpus: &str, target: fn(&[u8])) {
    crate::run(&stored(corpus), ROUNDS, target);
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
