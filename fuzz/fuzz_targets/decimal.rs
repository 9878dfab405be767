#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| drs_binlog::fuzz::fuzz_decimal(data));
