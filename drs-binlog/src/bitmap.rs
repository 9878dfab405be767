//! Bit fields of table maps and row images: one bit a column, the lowest bit of the first byte first.

/// A borrowed bit field with a known number of bits.
///
/// The padding bits of its last byte have no meaning and are never looked at
/// (the server leaves them as they come).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bitmap<'a> {
    bytes: &'a [u8],
    bits: usize,
}

impl<'a> Bitmap<'a> {
    /// The first `bits` bits of `bytes`; bits beyond the bytes read as unset.
    pub fn new(bytes: &'a [u8], bits: usize) -> Self {
        Self { bytes, bits }
    }

    /// How many bytes a field of `bits` bits takes.
    pub const fn byte_len(bits: usize) -> usize {
        bits.div_ceil(8)
    }

    /// The number of bits.
    pub fn len(&self) -> usize {
        self.bits
    }

    /// True for a field without bits.
    pub fn is_empty(&self) -> bool {
        self.bits == 0
    }

    /// Is bit `index` set? False beyond the end.
    #[inline]
    pub fn is_set(&self, index: usize) -> bool {
        index < self.bits
            && self
                .bytes
                .get(index / 8)
                .is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }

    /// How many bits are set.
    pub fn count(&self) -> usize {
        let whole = self.bits / 8;
        let full: usize = self
            .bytes
            .iter()
            .take(whole)
            .map(|byte| byte.count_ones() as usize)
            .sum();
        let rest = self.bytes.get(whole).map_or(0, |byte| {
            (byte & low_bits(self.bits % 8)).count_ones() as usize
        });
        full + rest
    }

    /// Is no bit set?
    #[inline]
    pub fn is_clear(&self) -> bool {
        let (whole, rest) = self
            .bytes
            .split_at_checked(self.bits / 8)
            .unwrap_or((self.bytes, &[]));
        whole.iter().all(|byte| *byte == 0)
            && rest
                .first()
                .is_none_or(|byte| byte & low_bits(self.bits % 8) == 0)
    }

    /// True when every bit is set.
    pub fn is_full(&self) -> bool {
        self.count() == self.bits
    }

    /// The indexes of the set bits, ascending.
    pub fn ones(&self) -> impl Iterator<Item = usize> + use<'a> {
        let field = *self;
        (0..self.bits).filter(move |index| field.is_set(*index))
    }

    /// The bytes, padding bits included.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl std::fmt::Debug for Bitmap<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (0..self.bits).try_for_each(|index| f.write_str(if self.is_set(index) { "1" } else { "0" }))
    }
}

/// A mask of the lowest `count` (below 8) bits.
fn low_bits(count: usize) -> u8 {
    (1u8 << count) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_bits_do_not_count() {
        for (bytes, bits, count, ones) in [
            (&[0xff_u8, 0xff][..], 9, 9, vec![0, 1, 2, 3, 4, 5, 6, 7, 8]),
            (&[0xff], 3, 3, vec![0, 1, 2]),
            (&[0xf8], 3, 0, vec![]),
            (&[0b1010_0101, 1], 16, 5, vec![0, 2, 5, 7, 8]),
            (&[], 0, 0, vec![]),
            (&[1], 9, 1, vec![0]),
        ] {
            let field = Bitmap::new(bytes, bits);
            assert_eq!(field.count(), count, "{field:?}");
            assert_eq!(field.ones().collect::<Vec<_>>(), ones);
            assert_eq!(field.is_full(), count == bits);
            assert_eq!(field.is_clear(), count == 0);
            assert!(!field.is_set(bits));
        }
    }
}
