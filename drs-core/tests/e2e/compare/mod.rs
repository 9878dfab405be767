//! The comparison of both sides.

mod changes;
mod definitions;
mod objects;
mod planted;
