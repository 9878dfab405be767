//! Objects compared by what they mean.
