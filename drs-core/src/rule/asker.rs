use std::sync::{Mutex, PoisonError};

use hashbrown::HashMap;
use mysql::{Conn, prelude::Queryable};

use crate::{
    error,
    session::{self, SessionError},
};

/// Answers that are kept, and the longest question whose answer is.
const KEPT_MAX: usize = 16 << 10;
const KEPT_QUESTION_BYTES_MAX: usize = 2 << 10;

/// How often a question is asked again after a lost connection.
const ATTEMPTS_MAX: u32 = 5;

/// A session that answers what only a server knows for certain: how a collation compares.
pub(crate) struct Asker {
    open: Box<Open>,
    state: Mutex<State>,
}

type Open = dyn Fn() -> Result<Conn, SessionError> + Send + Sync;

#[derive(Default)]
struct State {
    conn: Option<Conn>,
    answers: HashMap<Box<str>, bool>,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// There is no session to ask in.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The server refused the question.
    #[error("the server could not compare a value by its collation: {}", crate::error::redacted(.0))]
    Refused(#[source] mysql::Error),
    /// NULL, where two values were compared: the server could not read one of them.
    #[error(
        "the server could not compare a value by its collation: it is no text of the column's character set"
    )]
    NoAnswer,
}

impl Asker {
    /// Connects when the first question comes.
    pub(crate) fn new(
        open: impl Fn() -> Result<Conn, SessionError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            open: Box::new(open),
            state: Mutex::default(),
        }
    }

    /// The answer of a SELECT that compares two texts, neither of them NULL.
    pub(super) fn ask(&self, question: &str) -> Result<bool, AskError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = state.answers.get(question) {
            return Ok(*answer);
        }
        let answer: Option<i64> = self.first(&mut state, question)?;
        let answer = answer.ok_or(AskError::NoAnswer)? != 0;
        if question.len() <= KEPT_QUESTION_BYTES_MAX {
            if state.answers.len() >= KEPT_MAX {
                state.answers.clear();
            }
            state.answers.insert(question.into(), answer);
        }
        Ok(answer)
    }

    /// The answer of a SELECT of one text.
    pub(super) fn bytes(&self, question: &str) -> Result<Option<Vec<u8>>, AskError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.first(&mut state, question)
    }

    fn first<T>(&self, state: &mut State, question: &str) -> Result<Option<T>, AskError>
    where
        Option<T>: mysql::prelude::FromValue,
    {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let conn = match &mut state.conn {
                Some(conn) => conn,
                none => none.insert(session::patiently(|| (self.open)())?),
            };
            match conn.query_first::<Option<T>, _>(question) {
                Ok(answer) => return Ok(answer.flatten()),
                Err(error) if attempt < ATTEMPTS_MAX && error::is_connection_lost(&error) => {
                    state.conn = None;
                }
                Err(error) => {
                    state.conn = None;
                    return Err(AskError::Refused(error));
                }
            }
        }
    }
}

impl std::fmt::Debug for Asker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asker").finish_non_exhaustive()
    }
}
