//! DATE, TIME, DATETIME and TIMESTAMP: both on-disk formats, and MySQL's text of each.
//!
//! The old formats (before MySQL 5.6.4) have no fraction and keep living in
//! tables that were never rebuilt. Zero dates and dates with a zero month or
//! day are values like any other; a field that no server can have written
//! (an hour of 60) is refused, since no server would accept it back.
use std::fmt;

use crate::short_text::ShortText;

/// The text of any temporal value.
pub type TemporalText = ShortText<32>;

/// The reason why bytes are no temporal value.
pub(crate) type Reason = &'static str;

/// A DATE; month and day may be zero, and the whole date too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// 0 to 9999.
    pub year: u16,
    /// 0 to 12.
    pub month: u8,
    /// 0 to 31.
    pub day: u8,
}

/// A TIME: a signed span of up to 838 hours (more inside JSON).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Time {
    /// Below zero.
    pub negative: bool,
    /// Hours.
    pub hours: u16,
    /// 0 to 59.
    pub minutes: u8,
    /// 0 to 59.
    pub seconds: u8,
    /// 0 to 999,999.
    pub micros: u32,
    /// How many fractional digits the column keeps, 0 to 6.
    pub fsp: u8,
}

/// A DATETIME: no time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// The date, zero parts included.
    pub date: Date,
    /// 0 to 23.
    pub hours: u8,
    /// 0 to 59.
    pub minutes: u8,
    /// 0 to 59.
    pub seconds: u8,
    /// 0 to 999,999.
    pub micros: u32,
    /// How many fractional digits the column keeps, 0 to 6.
    pub fsp: u8,
}

/// A TIMESTAMP: an instant in UTC, or MySQL's zero date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timestamp {
    /// Seconds since 1970-01-01 00:00:00 UTC; 0 is the zero date, never that instant.
    pub seconds: u32,
    /// 0 to 999,999.
    pub micros: u32,
    /// How many fractional digits the column keeps, 0 to 6.
    pub fsp: u8,
}

impl Date {
    /// The zero date's year, month and day are all zero.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// From 3 bytes: 15 bits year, 4 month, 5 day.
    #[inline]
    pub(crate) fn from_packed(packed: u32) -> Result<Self, Reason> {
        Self::checked(packed >> 9, packed >> 5 & 15, packed & 31)
    }

    #[inline]
    fn checked(year: u32, month: u32, day: u32) -> Result<Self, Reason> {
        if year > 9999 || month > 12 || day > 31 {
            return Err("a date is out of range");
        }
        Ok(Self {
            year: year as u16,
            month: month as u8,
            day: day as u8,
        })
    }

    /// `YYYY-MM-DD`.
    pub fn text(&self) -> TemporalText {
        let mut text = TemporalText::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut TemporalText) {
        text.push_number(self.year.into(), 4);
        text.push(b'-');
        text.push_number(self.month.into(), 2);
        text.push(b'-');
        text.push_number(self.day.into(), 2);
    }
}

impl Time {
    /// The old format: a signed number of which the decimal digits are HHHMMSS.
    pub(crate) fn from_old(raw: u32) -> Result<Self, Reason> {
        let signed = (raw << 8) as i32 >> 8;
        let digits = signed.unsigned_abs();
        Self::checked(
            signed < 0,
            digits / 10_000,
            digits / 100 % 100,
            digits % 100,
            0,
            0,
        )
    }

    /// The format of MySQL 5.6: 3 bytes and the fraction's, big-endian, offset so that they order.
    #[inline]
    pub(crate) fn from_ordered(raw: u64, fsp: u8) -> Result<Self, Reason> {
        let fraction_bits = fraction_bytes(fsp) * 8;
        // A fraction belongs to the number below zero, too: take the magnitude of the whole before it is split.
        let signed = raw as i64 - (0x80_0000 << fraction_bits);
        let magnitude = signed.unsigned_abs();
        let (hms, fraction) = (
            magnitude >> fraction_bits,
            magnitude & ((1 << fraction_bits) - 1),
        );
        let micros = micros_from(fraction, fsp);
        Self::checked(
            signed < 0,
            (hms >> 12) as u32 & 0x3ff,
            (hms >> 6) as u32 & 0x3f,
            hms as u32 & 0x3f,
            micros,
            fsp,
        )
    }

    /// The form inside JSON: the sign is the number's, the low 24 bits are microseconds.
    pub(crate) fn from_json(packed: i64) -> Result<Self, Reason> {
        let magnitude = packed.unsigned_abs();
        let hms = magnitude >> 24;
        Self::checked(
            packed < 0,
            u32::try_from(hms >> 12).map_err(|_| "a time is out of range")?,
            (hms >> 6) as u32 & 0x3f,
            hms as u32 & 0x3f,
            magnitude as u32 & 0xff_ffff,
            6,
        )
    }

    #[inline]
    fn checked(
        negative: bool,
        hours: u32,
        minutes: u32,
        seconds: u32,
        micros: u32,
        fsp: u8,
    ) -> Result<Self, Reason> {
        if hours > 1023 || minutes > 59 || seconds > 59 || micros > 999_999 {
            return Err("a time is out of range");
        }
        let (hours, minutes, seconds) = (hours as u16, minutes as u8, seconds as u8);
        Ok(Self {
            negative,
            hours,
            minutes,
            seconds,
            micros,
            fsp,
        })
    }

    /// `[-]HH:MM:SS[.ffffff]` with the column's number of fractional digits.
    pub fn text(&self) -> TemporalText {
        let mut text = TemporalText::new();
        if self.negative {
            text.push(b'-');
        }
        text.push_number(self.hours.into(), 2);
        write_clock(&mut text, self.minutes, self.seconds);
        write_fraction(&mut text, self.micros, self.fsp);
        text
    }
}

impl DateTime {
    /// The old format: a number of which the decimal digits are YYYYMMDDhhmmss.
    pub(crate) fn from_old(raw: u64) -> Result<Self, Reason> {
        let (date, time) = (raw / 1_000_000, (raw % 1_000_000) as u32);
        let date = u32::try_from(date).map_err(|_| "a datetime is out of range")?;
        let date = Date::checked(date / 10_000, date / 100 % 100, date % 100)?;
        Self::checked(date, time / 10_000, time / 100 % 100, time % 100, 0, 0)
    }

    /// The format of MySQL 5.6: 5 bytes and the fraction's, big-endian, offset so that they order.
    #[inline]
    pub(crate) fn from_ordered(raw: u64, fsp: u8) -> Result<Self, Reason> {
        let fraction_bits = fraction_bytes(fsp) * 8;
        let Some(magnitude) = raw.checked_sub(0x80_0000_0000 << fraction_bits) else {
            return Err("a datetime is below zero");
        };
        let (packed, fraction) = (
            magnitude >> fraction_bits,
            magnitude & ((1 << fraction_bits) - 1),
        );
        Self::from_parts(packed, micros_from(fraction, fsp), fsp)
    }

    /// The form inside JSON: the low 24 bits are microseconds.
    pub(crate) fn from_json(packed: i64) -> Result<Self, Reason> {
        let packed = u64::try_from(packed).map_err(|_| "a datetime is below zero")?;
        Self::from_parts(packed >> 24, packed as u32 & 0xff_ffff, 6)
    }

    #[inline]
    fn from_parts(packed: u64, micros: u32, fsp: u8) -> Result<Self, Reason> {
        let (date, time) = ((packed >> 17) as u32, packed as u32 & 0x1_ffff);
        let year_month = date >> 5;
        let date = Date::checked(year_month / 13, year_month % 13, date & 31)?;
        Self::checked(date, time >> 12, time >> 6 & 0x3f, time & 0x3f, micros, fsp)
    }

    #[inline]
    fn checked(
        date: Date,
        hours: u32,
        minutes: u32,
        seconds: u32,
        micros: u32,
        fsp: u8,
    ) -> Result<Self, Reason> {
        if hours > 23 || minutes > 59 || seconds > 59 || micros > 999_999 {
            return Err("a datetime is out of range");
        }
        Ok(Self {
            date,
            hours: hours as u8,
            minutes: minutes as u8,
            seconds: seconds as u8,
            micros,
            fsp,
        })
    }

    /// `YYYY-MM-DD hh:mm:ss[.ffffff]` with the column's number of fractional digits.
    pub fn text(&self) -> TemporalText {
        let mut text = TemporalText::new();
        self.date.write(&mut text);
        text.push(b' ');
        text.push_number(self.hours.into(), 2);
        write_clock(&mut text, self.minutes, self.seconds);
        write_fraction(&mut text, self.micros, self.fsp);
        text
    }
}

impl Timestamp {
    /// Seconds, and a fraction as the column of this precision stores it.
    #[inline]
    pub(crate) fn from_parts(seconds: u32, fraction: u64, fsp: u8) -> Result<Self, Reason> {
        let micros = micros_from(fraction, fsp);
        if micros > 999_999 {
            return Err("a timestamp's fraction is out of range");
        }
        Ok(Self {
            seconds,
            micros,
            fsp,
        })
    }

    /// True for `0000-00-00 00:00:00`.
    pub fn is_zero(&self) -> bool {
        self.seconds == 0 && self.micros == 0
    }

    /// The value in UTC, as a session with `time_zone = '+00:00'` reads it.
    pub fn utc(&self) -> DateTime {
        if self.is_zero() {
            return DateTime {
                fsp: self.fsp,
                ..DateTime::default()
            };
        }
        let (days, second) = (self.seconds / 86_400, self.seconds % 86_400);
        DateTime {
            date: date_of(days),
            hours: (second / 3_600) as u8,
            minutes: (second / 60 % 60) as u8,
            seconds: (second % 60) as u8,
            micros: self.micros,
            fsp: self.fsp,
        }
    }

    /// The text of [`Timestamp::utc`].
    pub fn text(&self) -> TemporalText {
        self.utc().text()
    }
}

/// How many bytes a fraction of `fsp` digits takes.
pub(crate) const fn fraction_bytes(fsp: u8) -> usize {
    fsp.div_ceil(2) as usize
}

/// A stored fraction (hundredths, ten-thousandths or millionths) in microseconds.
#[inline]
fn micros_from(fraction: u64, fsp: u8) -> u32 {
    let unit = match fsp {
        0 => return 0,
        1 | 2 => 10_000,
        3 | 4 => 100,
        _ => 1,
    };
    // At most 2^24 times 1, 2^16 times 100 or 2^8 times 10,000: no overflow.
    fraction as u32 * unit
}

/// The date so many days after 1970-01-01, up to the year 11761.
fn date_of(days: u32) -> Date {
    // Years are counted from March, so that a leap day is the last day of its year:
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u32::from(month <= 2);
    Date {
        year: year as u16,
        month: month as u8,
        day: day as u8,
    }
}

fn write_clock(text: &mut TemporalText, minutes: u8, seconds: u8) {
    text.push(b':');
    text.push_number(minutes.into(), 2);
    text.push(b':');
    text.push_number(seconds.into(), 2);
}

fn write_fraction(text: &mut TemporalText, micros: u32, fsp: u8) {
    let Some(unit) = 10_u32
        .checked_pow(6_u32.saturating_sub(fsp.into()))
        .filter(|_| fsp > 0)
    else {
        return;
    };
    text.push(b'.');
    text.push_number(micros / unit, fsp.min(6).into());
}

macro_rules! display_text {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.text())
            }
        }
    )*};
}
display_text!(Date, Time, DateTime, Timestamp);

/// For [`crate::fuzz`].
pub fn fuzz_temporal(data: &[u8]) {
    let Some((fsp, raw)) = data
        .split_first()
        .and_then(|(fsp, rest)| Some((fsp % 7, rest.first_chunk::<8>()?)))
    else {
        return;
    };
    let raw = u64::from_le_bytes(*raw);
    let low = |bytes: usize| {
        if bytes >= 8 {
            raw
        } else {
            raw & ((1 << (bytes * 8)) - 1)
        }
    };
    let texts = [
        Time::from_ordered(low(3 + fraction_bytes(fsp)), fsp).map(|v| v.text()),
        DateTime::from_ordered(low(5 + fraction_bytes(fsp)), fsp).map(|v| v.text()),
        Timestamp::from_parts(raw as u32, low(fraction_bytes(fsp)), fsp).map(|v| v.text()),
        Time::from_old(low(3) as u32).map(|v| v.text()),
        DateTime::from_old(raw).map(|v| v.text()),
        Time::from_json(raw as i64).map(|v| v.text()),
        DateTime::from_json(raw as i64).map(|v| v.text()),
        Date::from_packed(low(3) as u32).map(|v| v.text()),
    ];
    for text in texts.into_iter().flatten() {
        assert!((8..=26).contains(&text.len()), "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (raw, fsp, text) in [
            (0x80_0000, 0, Some("00:00:00")),
            (0x7f_ffff, 0, Some("-00:00:01")),
            (0x7fff_ffff, 1, Some("-00:00:00.0")),
            (0x7fff_fff6, 2, Some("-00:00:00.10")),
            (0x7fff_feff, 2, Some("-00:00:01.01")),
            (0x7fff_ffff_ffff, 6, Some("-00:00:00.000001")),
            (0x8000_0000_0001, 6, Some("00:00:00.000001")),
            (0x7f_ffff_ffff, 4, Some("-00:00:00.0001")),
            (0x80_0000 + (838 << 12 | 59 << 6 | 59), 0, Some("838:59:59")),
            (
                0x80_0000 - (838 << 12 | 59 << 6 | 59),
                0,
                Some("-838:59:59"),
            ),
            (0x80_0000 + 63, 0, None),
            (0x8000_0000_0000 + 1_000_000, 6, None),
        ] {
            assert_eq!(
                Time::from_ordered(raw, fsp)
                    .ok()
                    .map(|t| t.to_string())
                    .as_deref(),
                text,
                "{raw:#x}"
            );
        }
        for (raw, text) in [
            (0, Some("00:00:00")),
            (123_456, Some("12:34:56")),
            (0x0100_0000 - 1, Some("-00:00:01")),
            (0x0100_0000 - 8_385_959, Some("-838:59:59")),
            (8_385_959, Some("838:59:59")),
            (99, None),
        ] {
            assert_eq!(
                Time::from_old(raw).ok().map(|t| t.to_string()).as_deref(),
                text,
                "{raw}"
            );
        }
    }

    #[test]
    fn dates() {
        for (packed, text) in [
            (0, Some("0000-00-00")),
            (9999 << 9 | 12 << 5 | 31, Some("9999-12-31")),
            (2024 << 9 | 10, Some("2024-00-10")),
            (2024 << 9 | 13 << 5, None),
            (10_000 << 9, None),
        ] {
            assert_eq!(
                Date::from_packed(packed)
                    .ok()
                    .map(|d| d.to_string())
                    .as_deref(),
                text
            );
        }
        assert_eq!(
            DateTime::from_old(20_240_229_235_959).unwrap().to_string(),
            "2024-02-29 23:59:59"
        );
        assert_eq!(
            DateTime::from_old(0).unwrap().to_string(),
            "0000-00-00 00:00:00"
        );
        assert!(DateTime::from_old(u64::MAX).is_err());
        assert_eq!(
            DateTime::from_ordered(0x80_0000_0000, 0)
                .unwrap()
                .to_string(),
            "0000-00-00 00:00:00"
        );
        assert!(DateTime::from_ordered(0x7f_ffff_ffff, 0).is_err());
    }

    #[test]
    fn timestamps() {
        for (seconds, fraction, fsp, text) in [
            (0, 0, 0, "0000-00-00 00:00:00"),
            (0, 0, 3, "0000-00-00 00:00:00.000"),
            (1, 0, 0, "1970-01-01 00:00:01"),
            (951_782_400, 0, 0, "2000-02-29 00:00:00"),
            (0x7fff_ffff, 99, 2, "2038-01-19 03:14:07.99"),
            (0x7fff_ffff, 999_999, 6, "2038-01-19 03:14:07.999999"),
            (u32::MAX, 9_990, 3, "2106-02-07 06:28:15.999"),
        ] {
            assert_eq!(
                Timestamp::from_parts(seconds, fraction, fsp)
                    .unwrap()
                    .to_string(),
                text
            );
        }
        assert!(Timestamp::from_parts(1, 100, 2).is_err());
    }
}
