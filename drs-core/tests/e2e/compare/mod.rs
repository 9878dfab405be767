//! The comparison of both sides.

mod definitions;
mod objects;
mod planted;
