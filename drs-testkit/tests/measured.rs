//! What programs take, beside what they say themselves.

use std::{
    fs::File,
    process::{Command, Stdio},
    time::Duration,
};

use drs_testkit::{Error, Measured};

/// Some tenths of a second of work.
const WORK: &str = "i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done";

/// Both sides count whole hundredths of a second; one is printed with a point.
const ROUNDING: Duration = Duration::from_millis(1);

fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// What a shell's `times` tells of itself: the first line, as in `0m0.250000s 0m0.010000s`.
fn own_times(printed: &[u8]) -> Duration {
    let line = String::from_utf8_lossy(printed);
    let seconds = line.split_whitespace().take(2).map(|time| {
        let (minutes, seconds) = time.trim_end_matches('s').split_once('m').unwrap();
        minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()
    });
    Duration::from_secs_f64(seconds.sum())
}

#[test]
fn cpu_time_and_memory_are_those_of_the_program_and_its_children() {
    const BYTES: u64 = 8_000_000;
    let hold = format!("x=$(head -c {BYTES} /dev/zero | tr '\\0' x)");
    let cases = [
        ("own", format!("{hold}; {WORK}; times")),
        ("a child's", format!("{hold}; sh -c '{WORK}; times'; true")),
    ];
    for (name, script) in cases {
        let measured = Measured::run(&mut shell(&script)).unwrap();
        let told = own_times(&measured.stdout);
        assert!(told > Duration::ZERO, "{name}");
        assert!(measured.cpu + ROUNDING >= told, "{name}: {measured:?}");
        assert!(measured.peak_memory_bytes > BYTES, "{name}");
    }
    let idle = Measured::run(&mut shell("true")).unwrap();
    assert!(idle.peak_memory_bytes < BYTES, "{idle:?}");
}

#[test]
fn a_pipeline_is_measured_as_a_whole() {
    let worker = || shell(&format!("cat; {WORK}; times"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("output");
    let mut last = shell("cat");
    last.stdout(File::create(&path).unwrap());
    let measured = Measured::run_pipeline([worker(), worker(), last]).unwrap();
    assert!(measured.stdout.is_empty());
    let printed = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = printed.lines().collect();
    // Each worker has printed its own times and its children's.
    assert_eq!(lines.len(), 4, "{printed}");
    let told = own_times(lines[0].as_bytes()) + own_times(lines[2].as_bytes());
    assert!(measured.cpu + ROUNDING >= told, "{measured:?}, {printed}");
}

#[test]
fn a_program_never_waits_for_a_reader() {
    const BYTES: usize = 1_000_000;
    let script = format!("head -c {BYTES} /dev/zero >&2; head -c {BYTES} /dev/zero");
    let measured = Measured::run(&mut shell(&script)).unwrap();
    assert_eq!(measured.stdout.len(), BYTES);
}

#[test]
fn failures_say_who_and_why() {
    let failing = "cat >/dev/null; echo the reason >&2; exit 3";
    let error = Measured::run(&mut shell(failing)).unwrap_err();
    let Error::Program {
        program,
        status,
        output,
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!(
        (program.as_str(), status.code(), output.as_str()),
        ("/bin/sh", Some(3), "the reason")
    );

    for (commands, who) in [
        (vec![shell(failing), shell("cat")], "/bin/sh"),
        (vec![shell("cat"), shell(failing)], "/bin/sh"),
        // Who would write for ever is told that nobody reads.
        (vec![Command::new("yes"), shell("true")], "yes"),
        (
            vec![Command::new("yes"), shell(&format!("exec <&-; {failing}"))],
            "yes | /bin/sh",
        ),
    ] {
        match Measured::run_pipeline(commands).unwrap_err() {
            Error::Program { program, .. } => assert_eq!(program, who),
            error => panic!("{who}: {error}"),
        }
    }

    let mut nothing = Command::new("/nowhere/to/be/found");
    let error = Measured::run(&mut nothing).unwrap_err();
    assert!(error.to_string().contains("run /nowhere"), "{error}");
    // The one that runs already is not left behind.
    let error = Measured::run_pipeline([Command::new("yes"), nothing]).unwrap_err();
    assert!(error.to_string().contains("run /nowhere"), "{error}");
}
