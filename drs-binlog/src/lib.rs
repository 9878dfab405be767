//! MySQL binary log: bytes to events to rows, borrowed from the buffer.
