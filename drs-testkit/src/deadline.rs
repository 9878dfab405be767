//! Waiting for a condition, in place of sleeping and hoping.

use std::{
    thread,
    time::{Duration, Instant},
};

/// How often a condition is looked at.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks `condition` again and again until it gives a value, and returns that; or `None` once
/// `limit` has passed. The condition is asked at least once, and once more after the limit, so a
/// thread that was put aside for long does not give up on something that has happened.
pub fn poll<T>(limit: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let late = start.elapsed() >= limit;
        match condition() {
            Some(value) => return Some(value),
            None if late => return None,
            None => thread::sleep(PAUSE),
        }
    }
}

/// Waits until `condition` gives a value, and returns it.
///
/// # Panics
/// After `limit`, with a message that says what was waited for: `expected` completes "waited for".
#[track_caller]
pub fn until<T>(limit: Duration, expected: &str, condition: impl FnMut() -> Option<T>) -> T {
    match poll(limit, condition) {
        Some(value) => value,
        None => panic!("waited {limit:?} in vain for {expected}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_asked_until_it_gives_a_value() {
        let mut asked = 0;
        let value = until(Duration::from_secs(60), "the third question", || {
            asked += 1;
            (asked == 3).then_some("yes")
        });
        assert_eq!((value, asked), ("yes", 3));
    }

    #[test]
    fn a_limit_of_zero_asks_once() {
        let mut asked = 0;
        let value: Option<()> = poll(Duration::ZERO, || {
            asked += 1;
            None
        });
        assert_eq!((value, asked), (None, 1));
    }

    #[test]
    #[should_panic(expected = "in vain for rain")]
    fn waiting_in_vain_says_for_what() {
        until::<()>(Duration::ZERO, "rain", || None);
    }
}
