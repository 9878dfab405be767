//! DECIMAL: exact digits in MySQL's packed form.
use std::fmt;

use crate::short_text::ShortText;

/// The most digits a DECIMAL column can have.
pub const DECIMAL_PRECISION_MAX: u8 = 65;
/// The most digits after the point: 30 in MySQL, 38 in MariaDB.
pub const DECIMAL_SCALE_MAX: u8 = 38;

/// The most groups of digits, before and after the point, that the server calculates with. Results
/// may fill them all, beyond what a column can have, and JSON documents hold such numbers.
const GROUPS_MAX: u8 = 9;

/// Bytes that a group of 0 to 9 digits takes.
const GROUP_BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
const POWERS_OF_TEN: [u32; 10] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
    1_000_000_000,
];

/// A DECIMAL(precision, scale), borrowed in the form that the server stores.
///
/// The digits stand in groups of nine, counted from the decimal point both
/// ways, each group a big-endian number; the first byte's highest bit is set
/// for numbers that are not negative, and all bits of a negative one are
/// flipped. Every digit group was checked when the value was made, so that
/// printing cannot fail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Decimal<'a> {
    bytes: &'a [u8],
    precision: u8,
    scale: u8,
}

/// The text of a DECIMAL: at most a sign, a zero, a point and nine groups of digits.
pub type DecimalText = ShortText<84>;

impl<'a> Decimal<'a> {
    /// The number in exactly these bytes, or `None` if they are none of that precision and scale.
    pub fn new(bytes: &'a [u8], precision: u8, scale: u8) -> Option<Self> {
        if packed_len(precision, scale)? != bytes.len() {
            return None;
        }
        let decimal = Self {
            bytes,
            precision,
            scale,
        };
        let mut valid = true;
        decimal.groups(|digits, value| {
            valid &= POWERS_OF_TEN
                .get(digits)
                .is_some_and(|limit| value < *limit);
        });
        valid.then_some(decimal)
    }

    /// Digits in all.
    pub fn precision(&self) -> u8 {
        self.precision
    }

    /// Digits after the point.
    pub fn scale(&self) -> u8 {
        self.scale
    }

    /// True if the number is below zero.
    pub fn is_negative(&self) -> bool {
        self.bytes.first().is_some_and(|byte| byte & 0x80 == 0)
    }

    /// The stored bytes. Of one precision and scale they order as the numbers do.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The exact text, all digits after the point included, as SELECT gives it.
    pub fn text(&self) -> DecimalText {
        let mut text = DecimalText::new();
        if self.is_negative() {
            text.push(b'-');
        }
        let mut whole_digits = usize::from(self.precision - self.scale);
        let mut leading = true;
        if whole_digits == 0 {
            text.push(b'0');
        }
        let mut point = self.scale > 0;
        self.groups(|digits, value| {
            if whole_digits > 0 {
                whole_digits -= digits;
                if !leading {
                    text.push_number(value, digits);
                } else if value != 0 || whole_digits == 0 {
                    text.push_number(value, 1);
                    leading = false;
                }
            } else {
                if point {
                    text.push(b'.');
                    point = false;
                }
                text.push_number(value, digits);
            }
        });
        text
    }

    /// Calls `each` with the digits and value of every group, first to last.
    #[inline]
    fn groups(&self, mut each: impl FnMut(usize, u32)) {
        let flip = if self.is_negative() { 0xff } else { 0 };
        let mut first = 0x80;
        let mut rest = self.bytes;
        let mut group = |digits: usize| {
            let len = GROUP_BYTES.get(digits).copied().unwrap_or_default();
            let (bytes, tail) = rest.split_at(len.min(rest.len()));
            rest = tail;
            let value = bytes.iter().fold(0, |value, byte| {
                let byte = byte ^ flip ^ std::mem::take(&mut first);
                value << 8 | u32::from(byte)
            });
            each(digits, value);
        };
        let whole = usize::from(self.precision - self.scale);
        let scale = usize::from(self.scale);
        if whole % 9 > 0 {
            group(whole % 9);
        }
        (0..whole / 9 + scale / 9).for_each(|_| group(9));
        if scale % 9 > 0 {
            group(scale % 9);
        }
    }
}

impl fmt::Display for Decimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

/// The type alone: the number is a user's.
impl fmt::Debug for Decimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({},{})", self.precision, self.scale)
    }
}

/// How many bytes a column DECIMAL(precision, scale) takes, or `None` if there is no such type.
pub(crate) fn byte_len(precision: u8, scale: u8) -> Option<usize> {
    if precision > DECIMAL_PRECISION_MAX || scale > DECIMAL_SCALE_MAX {
        return None;
    }
    packed_len(precision, scale)
}

/// How many bytes a number of so many digits takes, or `None` if there is no such number.
fn packed_len(precision: u8, scale: u8) -> Option<usize> {
    let whole = precision.checked_sub(scale).filter(|_| precision > 0)?;
    if whole.div_ceil(9) + scale.div_ceil(9) > GROUPS_MAX {
        return None;
    }
    let side =
        |digits: u8| Some(usize::from(digits / 9) * 4 + GROUP_BYTES.get(usize::from(digits % 9))?);
    Some(side(whole)? + side(scale)?)
}

/// For [`crate::fuzz`].
pub fn fuzz_decimal(data: &[u8]) {
    if let [precision, scale, bytes @ ..] = data
        && let Some(decimal) = Decimal::new(bytes, *precision, *scale)
    {
        assert!(decimal.text().len() <= usize::from(*precision) + 3);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_every_digit() {
        for (bytes, precision, scale, text) in [
            (&[0x80, 0x00, 0x0d][..], 6, 2, Some("0.13")),
            (
                &[0x81, 0x0d, 0xfb, 0x38, 0xd2, 0x04, 0xd2],
                14,
                4,
                Some("1234567890.1234"),
            ),
            (
                &[0x7e, 0xf2, 0x04, 0xc7, 0x2d, 0xfb, 0x2d],
                14,
                4,
                Some("-1234567890.1234"),
            ),
            (&[0x80], 1, 0, Some("0")),
            (&[0x89], 1, 0, Some("9")),
            (&[0x76], 1, 0, Some("-9")),
            (&[0x8a], 1, 0, None),
            (&[0xe3], 2, 0, Some("99")),
            (&[0xe4], 2, 0, None),
            (&[0x81], 1, 1, Some("0.1")),
            (&[0x7e], 1, 1, Some("-0.1")),
            (&[0x80, 0x00, 0x00, 0x00, 0x07], 10, 0, Some("7")),
            (&[0x81, 0x00, 0x00, 0x00, 0x07], 10, 0, Some("1000000007")),
            (&[0x81], 66, 0, None),
            (
                &[0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                37,
                36,
                Some("1.000000000000000000000000000000000001"),
            ),
            (&[0x80; 36], 81, 82, None),
            (&[0x80; 36], 82, 1, None),
            (&[], 0, 0, None),
            (&[0x81], 1, 2, None),
        ] {
            let decimal = Decimal::new(bytes, precision, scale);
            assert_eq!(
                decimal.map(|d| d.to_string()).as_deref(),
                text,
                "{bytes:x?} ({precision},{scale})"
            );
        }
    }

    #[test]
    fn widest_numbers_fit() {
        let columns = (0..=30).map(|scale| (65, scale));
        for (precision, scale) in columns.chain([(71, 36), (81, 0), (81, 9), (81, 72), (81, 81)]) {
            let len = packed_len(precision, scale).unwrap();
            let mut bytes = vec![0; len];
            bytes[0] = 0x7f;
            // All flipped bits zero but the sign: minus zero, in the longest form.
            bytes.iter_mut().skip(1).for_each(|byte| *byte = 0xff);
            let text = Decimal::new(&bytes, precision, scale).unwrap().to_string();
            assert!(
                text.starts_with("-0") && text.len() <= 2 + 1 + usize::from(scale),
                "{text}"
            );
        }
    }
}
