use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Bytes of events that may be in memory at once, over all threads.
///
/// A request larger than the whole budget is granted when nothing else is held, so that
/// it can't wait for ever.
#[derive(Clone, Debug)]
pub(crate) struct ByteBudget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bytes_max: u64,
    held: Mutex<u64>,
    released: Condvar,
}

/// A share of the budget, given back when dropped.
#[derive(Debug)]
pub(crate) struct ByteShare {
    shared: Arc<Shared>,
    bytes: u64,
}

impl ByteBudget {
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self {
            shared: Arc::new(Shared {
                bytes_max,
                held: Mutex::new(0),
                released: Condvar::new(),
            }),
        }
    }

    /// Waits until `bytes` fit, looking every now and then whether to give up.
    pub(crate) fn take(&self, bytes: u64, give_up: impl Fn() -> bool) -> Option<ByteShare> {
        let mut held = self
            .shared
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while *held > 0 && *held + bytes > self.shared.bytes_max {
            if give_up() {
                return None;
            }
            let pause = std::time::Duration::from_millis(50);
            held = match self.shared.released.wait_timeout(held, pause) {
                Ok((held, _)) => held,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        *held += bytes;
        Some(ByteShare {
            shared: Arc::clone(&self.shared),
            bytes,
        })
    }
}

impl Drop for ByteShare {
    fn drop(&mut self) {
        let mut held = self
            .shared
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *held = held.saturating_sub(self.bytes);
        drop(held);
        self.shared.released.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_waits_until_it_fits() {
        let budget = ByteBudget::new(100);
        let first = budget.take(80, || false).unwrap();
        assert!(budget.take(30, || true).is_none());
        drop(first);
        let large = budget.take(500, || false).unwrap();
        assert!(budget.take(1, || true).is_none());
        drop(large);
        assert!(budget.take(1, || true).is_some());
    }
}
