use std::{
    collections::VecDeque,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use crate::{
    Decoder, Error, EventHeader, EventSource, EventType, LogFile, Position, Result, SourceEvent,
    offsets::{Mode, Offsets},
    window::Window,
};

/// The largest event that sources accept unless told otherwise: a row as large
/// as the server's largest packet (1 GiB), and what surrounds it.
pub const EVENT_BYTES_MAX_DEFAULT: usize = (1 << 30) + (1 << 20);

/// The events of binary log files, one file after another.
///
/// Memory is bounded by the largest event; files are read as a stream, so that
/// a pipe serves as well. A file that ends inside an event is an error, as is
/// an encrypted one.
pub struct FileSource {
    files: VecDeque<PathBuf>,
    log: Option<Log>,
    decoder: Decoder,
    offsets: Offsets,
    window: Window,
    event_bytes_max: usize,
}

/// What the events of the present file are read from.
struct Log {
    input: Box<dyn Read + Send>,
    begun: bool,
}

impl FileSource {
    /// The bytes that every binary log file begins with.
    pub const MAGIC: [u8; 4] = [0xfe, b'b', b'i', b'n'];

    /// The events of these files, in this order. Each is opened when its turn comes.
    pub fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Self {
        let files = paths
            .into_iter()
            .map(|path| path.as_ref().to_owned())
            .collect();
        let nowhere = Position::new(LogFile::new(""), 0);
        Self {
            files,
            log: None,
            decoder: Decoder::new(),
            offsets: Offsets::new(nowhere, Mode::File { relay_log: false }),
            window: Window::default(),
            event_bytes_max: EVENT_BYTES_MAX_DEFAULT,
        }
    }

    /// The events of one log that is read from `input`; `name` stands in positions.
    pub fn from_reader(name: &str, input: impl Read + Send + 'static) -> Self {
        let mut source = Self::open::<&Path>([]);
        source.start(LogFile::new(name), Box::new(input));
        source
    }

    /// Makes a larger event an error. At most 4 GiB, the format's own limit.
    pub fn event_bytes_max(mut self, bytes: usize) -> Self {
        self.event_bytes_max = bytes;
        self
    }

    fn start(&mut self, file: LogFile, input: Box<dyn Read + Send>) {
        self.log = Some(Log {
            input,
            begun: false,
        });
        self.window.clear();
        self.offsets.start_file(file);
    }

    /// Brings the next event into the window; its size, or `None` after the last file.
    fn frame(&mut self) -> Result<Option<usize>> {
        loop {
            let Some(log) = &mut self.log else {
                let Some(path) = self.files.pop_front() else {
                    return Ok(None);
                };
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let name = LogFile::new(&name);
                // The position names the file even if it can't be opened.
                self.offsets.start_file(name.clone());
                self.start(name, Box::new(File::open(&path)?));
                continue;
            };
            if !log.begun {
                log.begun = true;
                self.window.fill(&mut log.input, Self::MAGIC.len())?;
                if !self.window.bytes().starts_with(&Self::MAGIC) {
                    return Err(Error::NotABinlog(
                        "it does not begin with the bytes fe 62 69 6e",
                    ));
                }
                self.window.consume(Self::MAGIC.len());
                self.decoder = Decoder::new();
            }
            self.window.fill(&mut log.input, EventHeader::LEN)?;
            if self.window.bytes().is_empty() {
                self.log = None;
                continue;
            }
            let header = EventHeader::parse(self.window.bytes())?;
            if self.decoder.format().is_none() && header.event_type != EventType::FORMAT_DESCRIPTION
            {
                return Err(Error::NotABinlog(
                    "its first event is no format description",
                ));
            }
            let size = header.event_size as usize;
            if size > self.event_bytes_max {
                return Err(Error::TooLarge {
                    event_type: header.event_type,
                    bytes: size as u64,
                    bytes_max: self.event_bytes_max as u64,
                });
            }
            self.window.fill(&mut log.input, size)?;
            return Ok(Some(size));
        }
    }
}

impl EventSource for FileSource {
    fn next_event(&mut self) -> Result<Option<SourceEvent<'_>>> {
        let Some(size) = self.frame()? else {
            return Ok(None);
        };
        let Some(bytes) = self.window.take(size) else {
            return Err(Error::Malformed {
                event_type: EventType::UNKNOWN,
                offset: size,
                reason: "the file ends inside an event",
            });
        };
        let raw = self.decoder.raw(bytes)?;
        if raw.header.event_type == EventType::MARIADB_START_ENCRYPTION {
            return Err(Error::NotABinlog(
                "it is encrypted: read it from its server",
            ));
        }
        let in_file = self.offsets.advance(&raw, size)?;
        Ok(Some(SourceEvent {
            raw,
            bytes,
            file: &self.offsets.file,
            end_offset: self.offsets.offset,
            in_file,
            decoder: &self.decoder,
        }))
    }

    fn position(&self) -> Position {
        self.offsets.position()
    }
}

/// Reads `data` as a file, to its end or the first error.
pub fn fuzz_file(data: &[u8]) {
    let input = std::io::Cursor::new(data.to_vec());
    let mut source = FileSource::from_reader("log.000001", input).event_bytes_max(1 << 20);
    let mut last = 0;
    while let Ok(Some(event)) = source.next_event() {
        assert!(event.end_offset > last && event.end_offset <= data.len() as u64);
        last = event.end_offset;
        let _ = event.decoder.decode(&event.raw);
    }
}
