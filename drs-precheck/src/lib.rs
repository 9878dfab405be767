//! Prechecks: facts gathered from both servers, and the findings drawn from them.
