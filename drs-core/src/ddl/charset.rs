//! Character sets a client may speak, as far as the lexer needs to know them.

/// How the bytes of a statement form characters.
///
/// A client's character set always leaves ASCII syntax readable, but in some of
/// them a byte inside a character looks like a backslash or a backquote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCharset {
    /// `utf8mb3` and `utf8mb4`.
    Utf8,
    /// `ascii`: a byte above 127 is no character.
    Ascii,
    /// `latin1`, which is Windows code page 1252.
    Latin1,
    /// `binary`: the server takes names in it as UTF-8.
    Binary,
    /// Any other set of one byte a character, over ASCII.
    SingleByte,
    /// `big5`.
    Big5,
    /// `sjis` and `cp932`.
    Sjis,
    /// `gbk`.
    Gbk,
    /// `gb2312`.
    Gb2312,
    /// `gb18030`.
    Gb18030,
    /// `euckr`.
    EucKr,
    /// `ujis` and `eucjpms`.
    Ujis,
    /// Not over ASCII (`swe7`), never a client's (`ucs2`, `utf16`, `utf32`), or unknown.
    Unsupported,
}

impl ClientCharset {
    /// The character set of a collation, by MySQL's collation id.
    ///
    /// An id that is not known gives [`ClientCharset::Unsupported`].
    pub fn of_collation(id: u16) -> Self {
        match id {
            1 | 84 => Self::Big5,
            5 | 8 | 15 | 31 | 47..=49 | 94 => Self::Latin1,
            11 | 65 => Self::Ascii,
            12 | 91 | 97 | 98 => Self::Ujis,
            13 | 88 | 95 | 96 => Self::Sjis,
            19 | 85 => Self::EucKr,
            24 | 86 => Self::Gb2312,
            28 | 87 => Self::Gbk,
            33 | 45 | 46 | 76 | 83 | 192..=215 | 223..=247 | 255..=323 => Self::Utf8,
            63 => Self::Binary,
            248..=250 => Self::Gb18030,
            // The sets of one byte, `swe7` (10 and 82) left out: its letters lie on ASCII's punctuation.
            2..=4 | 6 | 7 | 9 | 14 | 16 | 18 | 20..=23 | 25..=27 | 29 | 30 | 32 | 34 => {
                Self::SingleByte
            }
            36..=44 | 50..=53 | 57..=59 | 64 | 66..=75 | 77..=81 | 89 | 92 | 93 | 99 => {
                Self::SingleByte
            }
            // MariaDB's own collations of utf8mb3 and utf8mb4.
            576..=578 | 608..=610 | 1057 | 1069 | 1070 | 1107 | 1216 | 1238 | 1248 | 1270 => {
                Self::Utf8
            }
            2048..=2559 => Self::Utf8,
            _ => Self::Unsupported,
        }
    }

    /// Bytes of the character that `bytes` begins with.
    ///
    /// A byte that begins no whole character counts as one, as in the server's lexer.
    pub(super) fn char_len(self, bytes: &[u8]) -> usize {
        let Some(&lead) = bytes.first() else { return 0 };
        if lead < 0x80 {
            return 1;
        }
        let trail = |n: usize| bytes.get(n).copied().unwrap_or(0);
        let two = |is_trail: bool| if is_trail && self.is_lead(lead) { 2 } else { 1 };
        match self {
            Self::Utf8 | Self::Binary => utf8_len(bytes),
            Self::Ascii | Self::Latin1 | Self::SingleByte | Self::Unsupported => 1,
            Self::Big5 => two(matches!(trail(1), 0x40..=0x7e | 0xa1..=0xfe)),
            Self::Sjis => two(matches!(trail(1), 0x40..=0x7e | 0x80..=0xfc)),
            Self::Gbk => two(matches!(trail(1), 0x40..=0x7e | 0x80..=0xfe)),
            Self::Gb2312 => two(matches!(trail(1), 0xa1..=0xfe)),
            Self::EucKr => two(matches!(trail(1), 0x41..=0x5a | 0x61..=0x7a | 0x81..=0xfe)),
            Self::Ujis => match (lead, trail(1), trail(2)) {
                (0x8e, 0xa1..=0xdf, _) | (0xa1..=0xfe, 0xa1..=0xfe, _) => 2,
                (0x8f, 0xa1..=0xfe, 0xa1..=0xfe) => 3,
                _ => 1,
            },
            Self::Gb18030 => match (lead, trail(1), trail(2), trail(3)) {
                (0x81..=0xfe, 0x40..=0x7e | 0x80..=0xfe, _, _) => 2,
                (0x81..=0xfe, 0x30..=0x39, 0x81..=0xfe, 0x30..=0x39) => 4,
                _ => 1,
            },
        }
    }

    /// Bytes of the character that `bytes` begins with if it certainly can stand in an unquoted name, else 0.
    pub(super) fn name_char_len(self, bytes: &[u8]) -> usize {
        match bytes.first() {
            None => 0,
            Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$') => 1,
            Some(0..=0x7f) => 0,
            // The letters beyond ASCII; the signs among them end a name.
            Some(byte) if self == Self::Latin1 => {
                usize::from(matches!(byte, 0xc0..=0xd6 | 0xd8..=0xf6 | 0xf8..=0xff))
            }
            Some(_) if self == Self::Binary => 0,
            Some(_) => match self.char_len(bytes) {
                1 => 0,
                len => len,
            },
        }
    }

    /// Whether a character of two or more bytes may begin with this one.
    fn is_lead(self, byte: u8) -> bool {
        match self {
            Self::Big5 => (0xa1..=0xf9).contains(&byte),
            Self::Sjis => matches!(byte, 0x81..=0x9f | 0xe0..=0xfc),
            Self::Gbk | Self::Gb18030 | Self::EucKr => (0x81..=0xfe).contains(&byte),
            Self::Gb2312 => (0xa1..=0xf7).contains(&byte),
            Self::Ujis => matches!(byte, 0x8e | 0x8f | 0xa1..=0xfe),
            _ => false,
        }
    }

    /// True for the white space of the server's lexer.
    pub(super) fn is_space(self, byte: u8) -> bool {
        matches!(byte, b' ' | 0x09..=0x0d) || (byte == 0xa0 && self == Self::Latin1)
    }

    /// A name's bytes as text, or nothing when this crate cannot tell which characters they are.
    ///
    /// MySQL keeps names in utf8mb3, so characters beyond U+FFFF are refused too.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<String> {
        if bytes.is_ascii() {
            return std::str::from_utf8(bytes).ok().map(str::to_owned);
        }
        match self {
            Self::Utf8 | Self::Binary => {
                let text = std::str::from_utf8(bytes).ok()?;
                text.chars()
                    .all(|c| c <= '\u{ffff}')
                    .then(|| text.to_owned())
            }
            Self::Latin1 => Some(bytes.iter().map(|byte| latin1_char(*byte)).collect()),
            _ => None,
        }
    }
}

/// Length of the UTF-8 character at the start, 1 for what is none.
fn utf8_len(bytes: &[u8]) -> usize {
    let len = match bytes.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return 1,
    };
    match bytes.get(..len).map(std::str::from_utf8) {
        Some(Ok(_)) => len,
        _ => 1,
    }
}

/// MySQL's latin1: code page 1252, its five holes filled with the control characters of the same number.
fn latin1_char(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}',
        '\u{2021}', '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}',
        '\u{8f}', '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}',
        '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}',
        '\u{178}',
    ];
    let high = byte
        .checked_sub(0x80)
        .and_then(|n| HIGH.get(usize::from(n)));
    high.copied().unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_whose_last_byte_looks_like_syntax_are_one() {
        for (charset, bytes, len) in [
            (ClientCharset::Sjis, &b"\x83\x5c'"[..], 2),
            (ClientCharset::Gbk, b"\xbf\x5c'", 2),
            (ClientCharset::Gbk, b"\xbf'", 1),
            (ClientCharset::Big5, b"\xa5\x5c", 2),
            (ClientCharset::Gb18030, b"\x81\x30\x81\x30", 4),
            (ClientCharset::Gb18030, b"\x81\x60", 2),
            (ClientCharset::Gb2312, b"\xb0\x5c", 1),
            (ClientCharset::EucKr, b"\xb0\x5c", 1),
            (ClientCharset::Ujis, b"\x8f\xa1\xa1", 3),
            (ClientCharset::Utf8, "é".as_bytes(), 2),
            (ClientCharset::Utf8, b"\xe4\xb8", 1),
            (ClientCharset::Latin1, b"\xe9\x5c", 1),
        ] {
            assert_eq!(charset.char_len(bytes), len, "{charset:?} {bytes:x?}");
        }
    }

    #[test]
    fn names_become_text_or_nothing() {
        assert_eq!(
            ClientCharset::Latin1.decode(b"caf\xe9\x80").as_deref(),
            Some("café€")
        );
        assert_eq!(
            ClientCharset::Utf8.decode("日本".as_bytes()).as_deref(),
            Some("日本")
        );
        assert_eq!(ClientCharset::Utf8.decode("😀".as_bytes()), None);
        assert_eq!(ClientCharset::Gbk.decode(b"\xbf\x5c"), None);
        assert_eq!(
            ClientCharset::Gbk.decode(b"plain").as_deref(),
            Some("plain")
        );
        assert_eq!(ClientCharset::Ascii.decode(b"\xe9"), None);
    }
}
