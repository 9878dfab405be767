//! MariaDB's zlib compression, of columns and of whole events, with a limit on what comes out.
use std::io::Read;

use flate2::read::{DeflateDecoder, ZlibDecoder};

/// Unpacks a compressed event's part: one byte (always-set bit, algorithm,
/// bytes of the length), the big-endian length of the content, a zlib stream.
///
/// `out` becomes exactly the content. An error says what is wrong.
pub(crate) fn inflate_record(
    bytes: &[u8],
    bytes_max: usize,
    out: &mut Vec<u8>,
) -> Result<(), &'static str> {
    let Some((head, rest)) = bytes.split_first() else {
        return Err("a compressed part is empty");
    };
    if head & 0xf0 != 0x80 {
        return Err("a compressed part is of an unknown algorithm");
    }
    let (len, stream) = split_length(rest, head & 0x0f)?;
    inflate(ZlibDecoder::new(stream), len, bytes_max, out)
}

/// A value of a MariaDB column with the COMPRESSED attribute, as stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CompressedBytes<'a> {
    bytes: &'a [u8],
}

impl<'a> CompressedBytes<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The stored bytes: a header, then the content, compressed or not.
    pub fn stored(&self) -> &'a [u8] {
        self.bytes
    }

    /// The content's length in bytes, as the header claims it.
    pub fn content_len(&self) -> Result<usize, &'static str> {
        match self.bytes.split_first() {
            None => Ok(0),
            Some((0, plain)) => Ok(plain.len()),
            Some((head, rest)) => split_length(rest, head & 7).map(|(len, _)| len),
        }
    }

    /// Makes `out` the content; fails if that is longer than `bytes_max`. An error says what is wrong.
    pub fn inflate(&self, bytes_max: usize, out: &mut Vec<u8>) -> Result<(), &'static str> {
        out.clear();
        match self.bytes.split_first() {
            None => Ok(()),
            Some((0, plain)) if plain.len() <= bytes_max => {
                out.extend_from_slice(plain);
                Ok(())
            }
            Some((0, _)) => Err(OVER_THE_LIMIT),
            Some((head, rest)) if head & 0xf0 == 0x80 => {
                let (len, stream) = split_length(rest, head & 7)?;
                if head & 8 == 0 {
                    inflate(ZlibDecoder::new(stream), len, bytes_max, out)
                } else {
                    inflate(DeflateDecoder::new(stream), len, bytes_max, out)
                }
            }
            Some(_) => Err("a compressed column is of an unknown algorithm"),
        }
    }
}

impl std::fmt::Debug for CompressedBytes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CompressedBytes({} bytes)", self.bytes.len())
    }
}

const OVER_THE_LIMIT: &str = "compressed content is over the limit";

fn split_length(bytes: &[u8], width: u8) -> Result<(usize, &[u8]), &'static str> {
    match bytes.split_at_checked(width.into()) {
        Some((length, stream)) if (1..=4).contains(&width) => Ok((
            length
                .iter()
                .fold(0, |len, byte| len << 8 | usize::from(*byte)),
            stream,
        )),
        _ => Err("the length of compressed content is malformed"),
    }
}

fn inflate(
    stream: impl Read,
    len: usize,
    bytes_max: usize,
    out: &mut Vec<u8>,
) -> Result<(), &'static str> {
    out.clear();
    if len > bytes_max {
        return Err(OVER_THE_LIMIT);
    }
    // One byte more than promised tells a stream that goes on from one that ends there.
    // The Vec grows as bytes come, not by the promise.
    stream
        .take(len as u64 + 1)
        .read_to_end(out)
        .map_err(|_| "compressed content is damaged")?;
    if out.len() == len {
        Ok(())
    } else {
        Err("compressed content is not as long as promised")
    }
}

/// For [`crate::fuzz`].
pub fn fuzz_inflate(data: &[u8]) {
    let mut out = Vec::new();
    let _ = inflate_record(data, 1 << 16, &mut out);
    assert!(out.len() <= (1 << 16) + 1);
    let _ = CompressedBytes::new(data).inflate(1 << 16, &mut out);
    assert!(out.len() <= (1 << 16) + 1);
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::ZlibEncoder};

    use super::*;

    fn record(content: &[u8], promise: u16) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(
            vec![0x82, (promise >> 8) as u8, promise as u8],
            Compression::default(),
        );
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn promise_must_hold() {
        let content = vec![7; 1000];
        let mut out = Vec::new();
        inflate_record(&record(&content, 1000), 1000, &mut out).unwrap();
        assert_eq!(out, content);
        for (promise, limit) in [(999, 1000), (1001, 1001), (1000, 999)] {
            assert!(
                inflate_record(&record(&content, promise), limit, &mut out).is_err(),
                "{promise} {limit}"
            );
        }
        assert!(inflate_record(&[], 10, &mut out).is_err());
        assert!(inflate_record(&[0x92, 0, 1], 10, &mut out).is_err());
    }
}
