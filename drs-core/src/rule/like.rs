/// Matches as LIKE does: `%` is any number of characters, `_` is one.
///
/// `text` and `pattern` are compared piece by piece: bytes, or characters.
pub(super) fn like<T: Copy + PartialEq>(
    text: &[T],
    pattern: &[T],
    signs: &Signs<T>,
    same: impl Fn(T, T) -> bool,
) -> bool {
    let (mut at, mut next) = (0, 0);
    // Where to go on when what follows the last `%` does not match here.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let matched = match pattern.get(next).copied() {
            None => at == text.len(),
            Some(sign) if sign == signs.any => {
                next += 1;
                retry = Some((at, next));
                continue;
            }
            Some(sign) if sign == signs.one => {
                next += 1;
                at < text.len()
            }
            Some(sign) => {
                let escaped = sign == signs.escape && next + 1 < pattern.len();
                let piece = pattern.get(next + usize::from(escaped)).copied();
                next += 1 + usize::from(escaped);
                match (text.get(at).copied(), piece) {
                    (Some(found), Some(piece)) => same(found, piece),
                    _ => false,
                }
            }
        };
        if matched {
            if at == text.len() && next >= pattern.len() {
                return true;
            }
            at += 1;
            continue;
        }
        match &mut retry {
            Some((from, behind)) if *from < text.len() => {
                *from += 1;
                at = *from;
                next = *behind;
            }
            _ => return false,
        }
    }
}

/// The pieces of a pattern that do not stand for themselves.
pub(super) struct Signs<T> {
    pub(super) any: T,
    pub(super) one: T,
    pub(super) escape: T,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_the_manual_says() {
        let signs = Signs {
            any: b'%',
            one: b'_',
            escape: b'\\',
        };
        for (text, pattern, matches) in [
            ("abc", "abc", true),
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abc", "%b%", true),
            ("abc", "a_c", true),
            ("abc", "a_", false),
            ("abc", "____", false),
            ("abc", "%%", true),
            ("", "%", true),
            ("", "", true),
            ("", "_", false),
            ("a", "", false),
            ("abcabd", "%ab_", true),
            ("a%c", r"a\%c", true),
            ("abc", r"a\%c", false),
            ("a_c", r"a\_%", true),
            (r"a\", r"a\\", true),
            ("aab", "a%ab", true),
            ("mississippi", "m%iss%ip%i", true),
            ("abc ", "abc", false),
        ] {
            let found = like(text.as_bytes(), pattern.as_bytes(), &signs, |a, b| a == b);
            assert_eq!(found, matches, "{text} {pattern}");
        }
    }
}
