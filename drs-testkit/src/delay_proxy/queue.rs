//! What is under way in one direction.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// More than this is not taken up before some of it has arrived. A line of 100 ms still carries
/// 160 MB a second.
const BYTES_MAX: usize = 16 << 20;
/// What a chunk takes at least, however short it is.
const CHUNK_BYTES_MIN: usize = 64;

/// Chunks of bytes, each of which arrives a fixed time after it was sent.
#[derive(Debug)]
pub(super) struct Queue {
    delay: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// With the time when each arrives.
    chunks: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
    /// When the end arrives, once it is sent.
    end: Option<Instant>,
    closed: bool,
}

impl Queue {
    pub(super) fn new(delay: Duration) -> Self {
        Self {
            delay,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Sends a chunk, after waiting for room; whether there is still somebody to take it.
    pub(super) fn push(&self, chunk: Vec<u8>) -> bool {
        let due = Instant::now() + self.delay;
        let mut state = self.lock();
        while state.bytes >= BYTES_MAX && !state.closed {
            state = self.wait(state, None);
        }
        if state.closed {
            return false;
        }
        state.bytes += size(&chunk);
        state.chunks.push_back((due, chunk));
        self.changed.notify_all();
        true
    }

    /// Nothing is sent any more.
    pub(super) fn end(&self) {
        self.lock().end = Some(Instant::now() + self.delay);
        self.changed.notify_all();
    }

    /// Drops what is under way, and whoever waits goes on.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.chunks.clear();
        self.changed.notify_all();
    }

    /// The next chunk, when it has arrived; `None` when the end has, or after a
    /// [`close`](Self::close).
    pub(super) fn pop(&self) -> Option<Vec<u8>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let next = state.chunks.front().map(|(due, _)| *due).or(state.end);
            let left = next.map(|due| due.saturating_duration_since(Instant::now()));
            if left != Some(Duration::ZERO) {
                state = self.wait(state, left);
                continue;
            }
            let (_, chunk) = state.chunks.pop_front()?;
            state.bytes -= size(&chunk);
            self.changed.notify_all();
            return Some(chunk);
        }
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        limit: Option<Duration>,
    ) -> MutexGuard<'a, State> {
        match limit {
            None => self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner),
            Some(limit) => {
                let waited = self.changed.wait_timeout(state, limit);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(chunk: &[u8]) -> usize {
    chunk.len().max(CHUNK_BYTES_MIN)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn chunks_arrive_in_order_and_never_too_many_are_under_way() {
        const CHUNKS: usize = 1000;
        for length in [1, 64 << 10] {
            let queue = Queue::new(Duration::ZERO);
            let arrived = thread::scope(|scope| {
                scope.spawn(|| {
                    for number in 0..CHUNKS {
                        assert!(queue.push(vec![number as u8; length]));
                    }
                    queue.end();
                });
                let mut arrived = 0;
                while let Some(chunk) = queue.pop() {
                    assert_eq!(chunk, vec![arrived as u8; length]);
                    assert!(queue.lock().bytes <= BYTES_MAX + length);
                    arrived += 1;
                }
                arrived
            });
            assert_eq!((arrived, queue.lock().bytes), (CHUNKS, 0));
        }
    }

    #[test]
    fn nothing_arrives_early() {
        let delay = Duration::from_millis(20);
        let queue = Queue::new(delay);
        let start = Instant::now();
        assert!(queue.push(vec![1]));
        assert_eq!(queue.pop(), Some(vec![1]));
        assert!(start.elapsed() >= delay);
        let end = Instant::now();
        queue.end();
        assert_eq!(queue.pop(), None);
        assert!(end.elapsed() >= delay);
    }

    #[test]
    fn closing_wakes_whoever_waits() {
        let queue = Queue::new(Duration::from_secs(3600));
        thread::scope(|scope| {
            let full = scope.spawn(|| while queue.push(vec![0; 1 << 20]) {});
            let early = scope.spawn(|| queue.pop());
            queue.close();
            full.join().unwrap();
            assert_eq!(early.join().unwrap(), None);
        });
    }
}
