//! The engine of drs: task, copy, replicate, apply, checkpoint, compare.
