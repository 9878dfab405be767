use std::cmp::Ordering;

/// The most digits that MySQL computes with exactly, and the most behind the point.
const DIGITS_MAX: usize = 65;
const SCALE_MAX: usize = 30;

/// A number of decimal digits, exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    text: String,
}

impl Number {
    /// Takes an optional sign, digits and a point; `None` when it has more digits than MySQL
    /// keeps, or is no such number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let fits = whole.trim_start_matches('0').len() + fraction.len() <= DIGITS_MAX
            && fraction.len() <= SCALE_MAX;
        (fits
            && !(whole.is_empty() && fraction.is_empty())
            && are_digits(whole)
            && are_digits(fraction))
        .then(|| Self {
            text: text.to_owned(),
        })
    }

    /// As SQL takes it.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Compares a value's text, which the server or the log wrote, with this number.
    pub(super) fn order_of(&self, value: &[u8]) -> Ordering {
        let (left, right) = (Parts::of(value), Parts::of(self.text.as_bytes()));
        match (left.negative, right.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => left.magnitude(&right),
            (true, true) => right.magnitude(&left),
        }
    }
}

/// A number without what does not count: zeros on the outside, and the sign of zero.
struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(text: &'a [u8]) -> Self {
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        let point = digits.iter().position(|byte| *byte == b'.');
        let (whole, fraction) = match point {
            Some(at) => (
                digits.get(..at).unwrap_or_default(),
                digits.get(at + 1..).unwrap_or_default(),
            ),
            None => (digits, &[] as &[u8]),
        };
        let first = whole.iter().position(|byte| *byte != b'0');
        let whole = first.and_then(|at| whole.get(at..)).unwrap_or_default();
        let last = fraction.iter().rposition(|byte| *byte != b'0');
        let fraction = last.and_then(|at| fraction.get(..=at)).unwrap_or_default();
        Self {
            negative: text.len() != digits.len() && !(whole.is_empty() && fraction.is_empty()),
            whole,
            fraction,
        }
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        self.whole
            .len()
            .cmp(&other.whole.len())
            .then_with(|| self.whole.cmp(other.whole))
            .then_with(|| self.fraction.cmp(other.fraction))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        use Ordering::{Equal, Greater, Less};
        for (value, literal, order) in [
            ("1.50", "1.5", Equal),
            ("-0.00", "0", Equal),
            ("0.10", ".1", Equal),
            ("12", "9", Greater),
            ("-12", "-9", Less),
            ("1.05", "1.5", Less),
            ("-1.05", "-1.5", Greater),
            ("-1", "1", Less),
            ("0.0000000000000000000000000001", "0", Greater),
            (
                "99999999999999999999999999999999999999999999999999999999999999999",
                "99999999999999999999999999999999999999999999999999999999999999998",
                Greater,
            ),
        ] {
            let number = Number::parse(literal).unwrap();
            assert_eq!(
                number.order_of(value.as_bytes()),
                order,
                "{value} {literal}"
            );
        }
        for text in ["", ".", "-", "1e5", "1.0000000000000000000000000000001"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
        assert_eq!(Number::parse(&"9".repeat(66)), None);
    }
}
