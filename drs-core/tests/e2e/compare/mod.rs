//! The comparison of both sides.

mod changes;
mod definitions;
mod large;
mod live;
mod mapped;
mod objects;
mod planted;
mod suspicious;
