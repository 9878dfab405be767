use std::fmt;

/// Stands for bytes in `Debug`: how many, and nothing of what they say, since
/// they may be a user's data.
pub(crate) struct Hidden(pub(crate) usize);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0)
    }
}
