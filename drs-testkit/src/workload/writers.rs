//! Threads that keep the shop busy.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use mysql::{Conn, Opts, prelude::Queryable};

use super::{Random, Shop, actions::Clerk};
use crate::{Error, Result, deadline};

/// How long a server may be away before a writer that waits for it gives up.
const AWAY: Duration = Duration::from_secs(120);

/// What writers have done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteCounts {
    /// Transactions that were committed and changed something.
    pub transactions: u64,
    /// Rows that their statements changed.
    pub row_changes: u64,
    /// Transactions that were rolled back: on purpose, for a deadlock or for a key that was there.
    pub rolled_back: u64,
}

/// Writers to be started; see [`Writers::builder`].
#[derive(Debug, Clone)]
#[must_use = "nobody writes before `start`"]
pub struct WritersBuilder {
    opts: Opts,
    shop: Shop,
    threads: u16,
    seed: u64,
    pause: Duration,
    reconnect: bool,
}

impl WritersBuilder {
    /// How many threads write, 3 if not said.
    pub fn threads(mut self, threads: u16) -> Self {
        self.threads = threads;
        self
    }

    /// The choice of what is written follows from it.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many transactions a second all threads together begin at most; as many as the server
    /// takes, if not said.
    pub fn transactions_per_second(mut self, rate: u32) -> Self {
        self.pause = Duration::from_secs(u64::from(self.threads)) / rate.max(1);
        self
    }

    /// Whether a writer whose server goes away waits for it to come back, up to two minutes, rather
    /// than end with an error.
    pub fn reconnect(mut self, on: bool) -> Self {
        self.reconnect = on;
        self
    }

    /// Starts writing.
    ///
    /// # Errors
    /// When a thread can't be connected or started.
    pub fn start(self) -> Result<Writers> {
        let state = Arc::new(State::default());
        let mut writers = Writers {
            state: Arc::clone(&state),
            threads: Vec::new(),
        };
        for number in 1..=self.threads {
            let clerk = self.clerk(number)?;
            let (state, settings) = (Arc::clone(&state), self.clone());
            let thread = thread::Builder::new()
                .name(format!("writer-{number}"))
                .spawn(move || settings.write(number, clerk, &state))
                .map_err(Error::io("start a thread"))?;
            writers.threads.push(thread);
        }
        Ok(writers)
    }

    fn clerk(&self, number: u16) -> Result<Clerk> {
        let mut conn = Conn::new(self.opts.clone())?;
        conn.query_drop(format!("USE `{}`", self.shop.database()))?;
        Clerk::new(conn, &self.shop, number)
    }

    fn write(&self, number: u16, mut clerk: Clerk, state: &State) -> Result<()> {
        let mut random = Random::new(self.seed ^ (u64::from(number) << 32));
        let mut due = Instant::now();
        while !state.stop.load(Ordering::Relaxed) {
            match clerk.work(&mut random) {
                Ok(Some(row_changes)) => {
                    state.transactions.fetch_add(1, Ordering::Relaxed);
                    state.row_changes.fetch_add(row_changes, Ordering::Relaxed);
                }
                Ok(None) => {
                    state.rolled_back.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) if self.reconnect && is_connection_lost(&error) => {
                    match self.wait_for_server(number, state) {
                        Some(back) => clerk = back,
                        None if state.stop.load(Ordering::Relaxed) => break,
                        None => return Err(error),
                    }
                }
                Err(error) => return Err(error),
            }
            // The pace of the shop, not a wait for anything to happen.
            due = (due + self.pause).max(Instant::now() - Duration::from_secs(1));
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        Ok(())
    }

    fn wait_for_server(&self, number: u16, state: &State) -> Option<Clerk> {
        deadline::poll(AWAY, || {
            if state.stop.load(Ordering::Relaxed) {
                return Some(None);
            }
            self.clerk(number).ok().map(Some)
        })
        .flatten()
    }
}

/// Threads that write to a shop, each with a connection of its own, until they are stopped.
#[derive(Debug)]
pub struct Writers {
    state: Arc<State>,
    threads: Vec<JoinHandle<Result<()>>>,
}

#[derive(Debug, Default)]
struct State {
    stop: AtomicBool,
    transactions: AtomicU64,
    row_changes: AtomicU64,
    rolled_back: AtomicU64,
}

impl Writers {
    /// Describes writers to a shop, which must have been created, on the server of `opts`.
    pub fn builder(opts: Opts, shop: &Shop) -> WritersBuilder {
        WritersBuilder {
            opts,
            shop: shop.clone(),
            threads: 3,
            seed: 1,
            pause: Duration::ZERO,
            reconnect: false,
        }
    }

    /// What has been done so far.
    pub fn counts(&self) -> WriteCounts {
        WriteCounts {
            transactions: self.state.transactions.load(Ordering::Relaxed),
            row_changes: self.state.row_changes.load(Ordering::Relaxed),
            rolled_back: self.state.rolled_back.load(Ordering::Relaxed),
        }
    }

    /// Whether all of them are still at work: one that met an error is not.
    pub fn are_writing(&self) -> bool {
        self.threads.iter().all(|thread| !thread.is_finished())
    }

    /// Lets each finish what it is doing, and says what they have done.
    ///
    /// # Errors
    /// The first error that a writer met.
    ///
    /// # Panics
    /// When a writer did.
    pub fn stop(mut self) -> Result<WriteCounts> {
        self.state.stop.store(true, Ordering::Relaxed);
        let mut result = Ok(());
        for thread in self.threads.drain(..) {
            let ended = thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            result = result.and(ended);
        }
        result.map(|()| self.counts())
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // Whoever wants to know of errors calls `stop`.
            let _ = thread.join();
        }
    }
}

fn is_connection_lost(error: &Error) -> bool {
    match error {
        Error::MySql(mysql::Error::MySqlError(error)) => {
            // The server is shutting down, or somebody killed the connection.
            matches!(
                error.code,
                1053 | 1077 | 1079 | 1317 | 1927 | 2006 | 2013 | 3169
            )
        }
        Error::MySql(_) => true,
        _ => false,
    }
}
