use drs_binlog::{Date, DateTime, Time};

/// A date and time as one number that orders as they do.
pub(super) fn date_time(value: &DateTime) -> i64 {
    let date = date(&value.date);
    let time =
        i64::from(value.hours) << 12 | i64::from(value.minutes) << 6 | i64::from(value.seconds);
    (date << 17 | time) << 24 | i64::from(value.micros)
}

/// True when a time, as [`date_time`] gives it, can be a TIMESTAMP in UTC.
pub(super) fn is_timestamp(packed: i64) -> bool {
    const FIRST: &str = "1970-01-01 00:00:01";
    const LAST: &str = "2038-01-19 03:14:07.999999";
    let limit = |text| parse_date_time(text).map(|at| date_time(&at));
    limit(FIRST).is_some_and(|first| first <= packed)
        && limit(LAST).is_some_and(|last| packed <= last)
}

/// A date as one number that orders as dates do.
pub(super) fn date(value: &Date) -> i64 {
    (i64::from(value.year) * 13 + i64::from(value.month)) << 5 | i64::from(value.day)
}

/// A time as microseconds.
pub(super) fn time(value: &Time) -> i64 {
    let seconds =
        i64::from(value.hours) * 3600 + i64::from(value.minutes) * 60 + i64::from(value.seconds);
    let micros = seconds * 1_000_000 + i64::from(value.micros);
    if value.negative { -micros } else { micros }
}

/// Reads `YYYY-MM-DD`, a day that there is.
pub(super) fn parse_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let date = Date {
        year: digits(bytes.get(..4)?)?.try_into().ok()?,
        month: digits(bytes.get(5..7)?)?.try_into().ok()?,
        day: digits(bytes.get(8..)?.get(..2)?)?.try_into().ok()?,
    };
    let shaped = bytes.len() == 10 && bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-');
    let leap = date.year.is_multiple_of(4)
        && (!date.year.is_multiple_of(100) || date.year.is_multiple_of(400));
    let days = match date.month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (shaped && date.year > 0 && (1..=days).contains(&date.day)).then_some(date)
}

/// Reads `YYYY-MM-DD HH:MM:SS[.ffffff]`, or a date alone for its first instant.
pub(super) fn parse_date_time(text: &str) -> Option<DateTime> {
    let (date, clock) = match text.split_once([' ', 'T']) {
        Some((date, clock)) => (parse_date(date)?, parse_time(clock)?),
        None => (parse_date(text)?, Time::default()),
    };
    // A day's hour has two digits.
    let two_digits = text
        .split_once([' ', 'T'])
        .is_none_or(|(_, clock)| clock.find(':') == Some(2));
    (!clock.negative && clock.hours < 24 && two_digits).then(|| DateTime {
        date,
        hours: u8::try_from(clock.hours).unwrap_or_default(),
        minutes: clock.minutes,
        seconds: clock.seconds,
        micros: clock.micros,
        fsp: clock.fsp,
    })
}

/// Reads `[-]HH:MM:SS[.ffffff]`, up to 838 hours.
pub(super) fn parse_time(text: &str) -> Option<Time> {
    let positive = text.strip_prefix('-').unwrap_or(text);
    let (clock, fraction) = match positive.split_once('.') {
        Some((clock, fraction)) if (1..=6).contains(&fraction.len()) => (clock, fraction),
        Some(_) => return None,
        None => (positive, ""),
    };
    let mut parts = clock
        .split(':')
        .map(|part| (part.len(), digits(part.as_bytes())));
    let (Some((2..=3, hours)), Some((2, minutes)), Some((2, seconds)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let micros = match fraction {
        "" => 0,
        fraction => {
            digits(fraction.as_bytes())? * 10_u32.pow(6 - u32::try_from(fraction.len()).ok()?)
        }
    };
    let time = Time {
        negative: positive.len() != text.len(),
        hours: hours?.try_into().ok()?,
        minutes: minutes?.try_into().ok()?,
        seconds: seconds?.try_into().ok()?,
        micros,
        fsp: u8::try_from(fraction.len()).ok()?,
    };
    let in_range = time.minutes < 60
        && time.seconds < 60
        && self::time(&time).abs() <= ((838 * 60 + 59) * 60 + 59) * 1_000_000;
    in_range.then_some(time)
}

fn digits(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter().try_fold(0, |number: u32, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + u32::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_a_date_or_a_time() {
        for (text, good) in [
            ("2026-01-31", true),
            ("2024-02-29", true),
            ("2026-02-29", false),
            ("2026-1-31", false),
            ("0000-00-00", false),
            ("2026-01-31x", false),
            ("2026/01/31", false),
            ("２026-01-31", false),
        ] {
            assert_eq!(parse_date(text).is_some(), good, "{text}");
        }
        for (text, good) in [
            ("2026-01-31 10:11:12", true),
            ("2026-01-31T10:11:12.123456", true),
            ("2026-01-31", true),
            ("2026-01-31 24:00:00", false),
            ("2026-01-31 010:00:00", false),
            ("2026-01-31 10:11", false),
            ("2026-01-31 10:11:12.", false),
            ("2026-01-31 10:11:12.1234567", false),
            ("2026-01-31 -10:11:12", false),
        ] {
            assert_eq!(parse_date_time(text).is_some(), good, "{text}");
        }
        for (text, good) in [
            ("-838:59:59", true),
            ("838:59:59.000001", false),
            ("839:00:00", false),
            ("10:60:00", false),
            ("1:00:00", false),
        ] {
            assert_eq!(parse_time(text).is_some(), good, "{text}");
        }
    }
}
