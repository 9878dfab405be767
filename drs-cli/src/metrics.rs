//! Progress for Prometheus: a page of text at `http://ADDR/metrics`.

use std::{
    fmt::Write as _,
    io::{self, Read, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use drs_core::{CopyProgress, FollowProgress};

/// A request line and headers longer than this are refused.
const REQUEST_BYTES_MAX: usize = 8 << 10;
/// A client that is slower than this is left.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the listener may take to notice that the run has ended.
const LISTEN_PAUSE: Duration = Duration::from_millis(100);

/// Serves a run's progress until it is dropped.
pub(crate) struct Metrics {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

struct Shared {
    task: String,
    stop: AtomicBool,
    progress: Mutex<(CopyProgress, Option<FollowProgress>)>,
}

impl Metrics {
    /// Listens at an address; the port 0 takes a free one.
    pub(crate) fn serve(address: SocketAddr, task: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            task: task.to_owned(),
            stop: AtomicBool::new(false),
            progress: Mutex::default(),
        });
        let served = Arc::clone(&shared);
        let listener = thread::spawn(move || listen(&listener, &served));
        Ok(Self {
            address,
            shared,
            listener: Some(listener),
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The copy goes on.
    pub(crate) fn copying(&self, progress: &CopyProgress) {
        self.shared.progress().0 = *progress;
    }

    /// Following goes on.
    pub(crate) fn following(&self, progress: &FollowProgress) {
        self.shared.progress().1 = Some(progress.clone());
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(listener) = self.listener.take() {
            // A panic there has been printed; the run itself is not touched by it.
            let _ = listener.join();
        }
    }
}

impl Shared {
    fn progress(&self) -> std::sync::MutexGuard<'_, (CopyProgress, Option<FollowProgress>)> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn listen(listener: &TcpListener, shared: &Shared) {
    while !shared.stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((client, _)) => {
                if let Err(error) = answer(client, shared) {
                    tracing::debug!(%error, "a request for metrics failed");
                }
            }
            Err(_) => thread::sleep(LISTEN_PAUSE),
        }
    }
}

fn answer(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    client.set_nonblocking(false)?;
    client.set_read_timeout(Some(CLIENT_TIMEOUT))?;
    client.set_write_timeout(Some(CLIENT_TIMEOUT))?;
    let mut request = Vec::new();
    let mut part = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = client.read(&mut part)?;
        if read == 0 || request.len() + read > REQUEST_BYTES_MAX {
            return Ok(());
        }
        request.extend_from_slice(part.get(..read).unwrap_or_default());
    }
    let is_metrics = request.starts_with(b"GET /metrics ") || request.starts_with(b"GET / ");
    let (status, body) = if is_metrics {
        let progress = shared.progress().clone();
        (
            "200 OK",
            page(&shared.task, &progress.0, progress.1.as_ref()),
        )
    } else {
        ("404 Not Found", "look at /metrics\n".to_owned())
    };
    write!(
        client,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The page, in Prometheus's text format.
fn page(task: &str, copy: &CopyProgress, follow: Option<&FollowProgress>) -> String {
    let mut out = String::new();
    let mut metric = |name: &str, kind: &str, help: &str, labels: &str, value: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(
            out,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{{task=\"{task}\"{labels}}} {value}"
        );
    };
    let mut number = |name: &str, kind: &str, help: &str, value: u64| {
        metric(name, kind, help, "", &value.to_string());
    };
    number(
        "drs_copy_tables",
        "gauge",
        "Tables to copy.",
        copy.tables_total,
    );
    number(
        "drs_copy_tables_done",
        "gauge",
        "Tables copied.",
        copy.tables_done,
    );
    number(
        "drs_copy_rows_total",
        "counter",
        "Rows copied in this run.",
        copy.rows_copied,
    );
    number(
        "drs_copy_bytes_total",
        "counter",
        "Bytes of rows read in this run.",
        copy.bytes_copied,
    );
    number(
        "drs_copy_rows_kept_total",
        "counter",
        "Rows that were at the destination already.",
        copy.rows_kept,
    );
    let Some(follow) = follow else { return out };
    number(
        "drs_follow_transactions_total",
        "counter",
        "Source transactions applied in this run.",
        follow.transactions,
    );
    number(
        "drs_follow_transactions_filtered_total",
        "counter",
        "Source transactions that touched no selected table.",
        follow.transactions_filtered,
    );
    number(
        "drs_follow_transactions_echoed_total",
        "counter",
        "Source transactions that came from the destination, by another task.",
        follow.transactions_echoed,
    );
    number(
        "drs_follow_row_changes_total",
        "counter",
        "Row changes of the source applied in this run.",
        follow.row_changes,
    );
    number(
        "drs_follow_statements_total",
        "counter",
        "DDL statements run at the destination.",
        follow.statements,
    );
    number(
        "drs_follow_row_changes_filtered_total",
        "counter",
        "Row changes outside of a rule's condition.",
        follow.row_changes_filtered,
    );
    number(
        "drs_follow_row_changes_left_out_total",
        "counter",
        "Row changes of a kind that a rule leaves out.",
        follow.row_changes_left_out,
    );
    number(
        "drs_follow_conflicts_total",
        "counter",
        "Conflicts that the policy let pass.",
        follow.conflicts,
    );
    metric(
        "drs_follow_lag_seconds",
        "gauge",
        "From the source's commit to its being applied, of the last transaction; 0 when nothing is left.",
        "",
        &format!("{}.{:03}", follow.lag_ms / 1000, follow.lag_ms % 1000),
    );
    metric(
        "drs_follow_position_bytes",
        "gauge",
        "Everything before this offset of the file is at the destination.",
        &format!(
            ",file=\"{}\"",
            follow.position.file.as_str().escape_default()
        ),
        &follow.position.offset.to_string(),
    );
    left_out(&mut out, task, follow);
    out
}

/// One metric with a value for each kind.
fn left_out(out: &mut String, task: &str, follow: &FollowProgress) {
    const NAME: &str = "drs_follow_statements_left_out_total";
    // Writing to a string does not fail.
    let _ = writeln!(
        out,
        "# HELP {NAME} Statements that are not replicated by kind.\n# TYPE {NAME} counter"
    );
    for (kind, number) in follow.left_out.by_kind() {
        let _ = writeln!(out, "{NAME}{{task=\"{task}\",kind=\"{kind}\"}} {number}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(address: SocketAddr, path: &str) -> String {
        let mut client = TcpStream::connect(address).unwrap();
        write!(client, "GET {path} HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn progress_is_served_as_text() {
        let metrics = Metrics::serve("127.0.0.1:0".parse().unwrap(), "orders-eu").unwrap();
        let copy = CopyProgress {
            rows_copied: 42,
            ..CopyProgress::default()
        };
        metrics.copying(&copy);
        let answer = get(metrics.address(), "/metrics");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(
            answer.contains("drs_copy_rows_total{task=\"orders-eu\"} 42\n"),
            "{answer}"
        );
        assert!(!answer.contains("drs_follow"), "{answer}");
        metrics.following(&FollowProgress {
            position: "binlog.000002:157".parse().unwrap(),
            transactions: 7,
            row_changes: 9,
            transactions_filtered: 0,
            transactions_echoed: 0,
            statements: 0,
            statements_left_out: 2,
            left_out: drs_core::StatementsLeftOut {
                views: 2,
                ..drs_core::StatementsLeftOut::default()
            },
            row_changes_filtered: 0,
            row_changes_left_out: 0,
            conflicts: 0,
            lag_ms: 1250,
        });
        let answer = get(metrics.address(), "/metrics");
        for line in [
            "drs_follow_transactions_total{task=\"orders-eu\"} 7\n",
            "drs_follow_lag_seconds{task=\"orders-eu\"} 1.250\n",
            "drs_follow_statements_left_out_total{task=\"orders-eu\",kind=\"views\"} 2\n",
            "drs_follow_position_bytes{task=\"orders-eu\",file=\"binlog.000002\"} 157\n",
        ] {
            assert!(answer.contains(line), "{line} in {answer}");
        }
        assert!(get(metrics.address(), "/other").starts_with("HTTP/1.1 404 "));
    }
}
