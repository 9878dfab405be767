//! The delaying proxy, before a real server and before one that only echoes.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use drs_testkit::{DelayProxy, Installation, Server, Version};
use mysql::{Conn, OptsBuilder, prelude::Queryable};

/// Long past the end of any test.
const NEVER: Duration = Duration::from_secs(24 * 3600);

fn connect(proxy: &DelayProxy) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap()
}

/// Sends all that comes on its one connection back, until that ends.
fn echo() -> (SocketAddr, thread::JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut back = stream.try_clone().unwrap();
        // What the proxy cuts is an error here.
        let _ = std::io::copy(&mut stream, &mut back);
    });
    (address, thread)
}

#[test]
fn a_query_takes_a_round_trip() {
    const DELAY: Duration = Duration::from_millis(15);
    let mysql =
        Installation::find_or_fetch(Version::MySql97).unwrap_or_else(|error| panic!("{error}"));
    let server = Server::builder(&mysql).in_memory(true).start().unwrap();
    let target = SocketAddr::from((Ipv4Addr::LOCALHOST, server.port()));
    let proxy = DelayProxy::start(target, DELAY).unwrap();
    let opts = OptsBuilder::from_opts(server.tcp_opts()).tcp_port(proxy.port());
    let mut conn = Conn::new(opts.clone()).unwrap();
    let mut other = Conn::new(opts).unwrap();
    for conn in [&mut conn, &mut other] {
        let start = Instant::now();
        let two: Option<u32> = conn.query_first("SELECT 1 + 1").unwrap();
        assert_eq!(two, Some(2));
        assert!(start.elapsed() >= 2 * DELAY);
    }
    let long: Option<String> = conn.query_first("SELECT REPEAT('x', 30000000)").unwrap();
    assert!(long.is_some_and(|long| long.len() == 30_000_000));

    drop(proxy);
    assert!(conn.query_drop("SELECT 1").is_err());
}

#[test]
fn many_megabytes_and_the_end_arrive_unharmed() {
    const WORDS: u32 = 12 << 20;
    let (target, echoing) = echo();
    let proxy = DelayProxy::start(target, Duration::from_millis(5)).unwrap();
    let mut stream = connect(&proxy);
    let sent: Vec<u8> = (0..WORDS).flat_map(u32::to_le_bytes).collect();
    let mut sending = stream.try_clone().unwrap();
    let mut back = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            sending.write_all(&sent).unwrap();
            sending.shutdown(Shutdown::Write).unwrap();
        });
        stream.read_to_end(&mut back).unwrap();
    });
    assert!(back == sent, "{} of {} bytes", back.len(), sent.len());
    echoing.join().unwrap();
}

#[test]
fn much_may_be_under_way_and_dropping_waits_for_none_of_it() {
    let (target, echoing) = echo();
    let proxy = DelayProxy::start(target, NEVER).unwrap();
    let mut stream = connect(&proxy);
    // More than any socket holds: the proxy takes it up before any of it arrives.
    stream.write_all(&vec![7; 15 << 20]).unwrap();
    drop(proxy);
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.is_empty());
    echoing.join().unwrap();
}

#[test]
fn a_target_that_is_not_there_closes_the_connection() {
    // Nobody listens there.
    let target = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let proxy = DelayProxy::start(target, Duration::ZERO).unwrap();
    let mut stream = connect(&proxy);
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    match stream.read(&mut [0]) {
        Ok(read) => assert_eq!(read, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}
