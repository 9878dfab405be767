//! A network with a delay, between any client and any server on this machine.

mod queue;

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{Error, Result};
use queue::Queue;

/// How long the target may take to accept a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Before listening again after a failure.
const PAUSE: Duration = Duration::from_millis(10);
/// The most that is read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// Passes TCP connections on to a target and delays all that flows, in each direction, by a fixed
/// time. Any amount may be under way meanwhile, up to 16 MiB in each direction of a connection, as
/// on a wide line. The connecting itself is not delayed.
///
/// When it is dropped its connections are cut and its threads have ended.
#[derive(Debug)]
pub struct DelayProxy {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    connections: Connections,
    acceptor: Option<JoinHandle<()>>,
}

impl DelayProxy {
    /// Listens on a free port of 127.0.0.1. A round trip through it takes twice the delay and more.
    ///
    /// # Errors
    /// When it can't listen.
    pub fn start(target: SocketAddr, one_way_delay: Duration) -> Result<Self> {
        let listen = || -> io::Result<_> {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = listen().map_err(Error::io("listen on a port"))?;
        let stopping = Arc::new(AtomicBool::new(false));
        let connections = Connections::default();
        let (seen, shared) = (Arc::clone(&stopping), connections.clone());
        let acceptor =
            thread::spawn(move || accept(&listener, target, one_way_delay, &seen, &shared));
        Ok(Self {
            address,
            stopping,
            connections,
            acceptor: Some(acceptor),
        })
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Cuts all connections there are. What has arrived at the target is carried out by it all the
    /// same; what is under way is lost, in both directions.
    pub fn cut(&self) {
        let cut = std::mem::take(&mut *self.connections.lock());
        drop(cut);
    }
}

impl Drop for DelayProxy {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // It looks when somebody comes; were that to fail, waiting for it would never end.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken) {
            let _ = acceptor.join();
        }
        self.cut();
    }
}

/// The connections that are open, and some that were.
#[derive(Clone, Debug, Default)]
struct Connections(Arc<Mutex<Vec<Connection>>>);

impl Connections {
    fn lock(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes connections until the end.
fn accept(
    listener: &TcpListener,
    target: SocketAddr,
    delay: Duration,
    stopping: &AtomicBool,
    connections: &Connections,
) {
    loop {
        let accepted = listener.accept();
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        if accepted.is_err() {
            // As when there are too many open files: it may pass.
            thread::sleep(PAUSE);
        }
        let mut connections = connections.lock();
        connections.retain(|connection| !connection.has_ended());
        // A client whose connection can't be passed on sees it closed.
        let connected = accepted.and_then(|(client, _)| Connection::open(client, target, delay));
        connections.extend(connected);
    }
}

/// A connection on both sides of the proxy. It is cut when this is dropped.
#[derive(Debug)]
struct Connection {
    lines: [Arc<Line>; 2],
    threads: Vec<JoinHandle<()>>,
}

impl Connection {
    fn open(client: TcpStream, target: SocketAddr, delay: Duration) -> io::Result<Self> {
        let server = TcpStream::connect_timeout(&target, CONNECT_LIMIT)?;
        for socket in [&client, &server] {
            socket.set_nodelay(true)?;
        }
        let line = |from: &TcpStream, to: &TcpStream| -> io::Result<_> {
            Ok(Arc::new(Line {
                from: from.try_clone()?,
                to: to.try_clone()?,
                queue: Queue::new(delay),
            }))
        };
        let lines = [line(&client, &server)?, line(&server, &client)?];
        let mut threads = Vec::new();
        for line in &lines {
            let (reading, writing) = (Arc::clone(line), Arc::clone(line));
            threads.push(thread::spawn(move || reading.read()));
            threads.push(thread::spawn(move || writing.write()));
        }
        Ok(Self { lines, threads })
    }

    fn has_ended(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for line in &self.lines {
            line.cut();
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// One direction of a connection.
#[derive(Debug)]
struct Line {
    from: TcpStream,
    to: TcpStream,
    queue: Queue,
}

impl Line {
    fn read(&self) {
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let chunk = match (&self.from).read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // A broken connection ends for the other side as a closed one does.
                Ok(0) | Err(_) => break,
                Ok(length) => buffer.get(..length).unwrap_or_default().to_vec(),
            };
            if !self.queue.push(chunk) {
                return;
            }
        }
        self.queue.end();
    }

    fn write(&self) {
        while let Some(chunk) = self.queue.pop() {
            if (&self.to).write_all(&chunk).is_err() {
                // Nobody is there any more: whoever writes shall notice.
                self.cut();
                return;
            }
        }
        let _ = self.to.shutdown(Shutdown::Write);
    }

    /// Ends both threads, wherever they wait, and the connection on both sides.
    fn cut(&self) {
        self.queue.close();
        for socket in [&self.from, &self.to] {
            // One that has ended already can't be shut down.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}
