//! The walk-throughs of `docs/` are run as they are written, on two real servers.
//!
//! In such a page the fenced blocks are steps, in order: `sql source` and `sql destination` are run
//! there; a `text` block behind one holds the rows of its last query, values apart by `|`;
//! `toml NAME` and `csv NAME` are files; `console` has commands behind `$ drs`, and below each
//! some lines that its output must hold, and `exit code N` if it is not 0. `source.example` and
//! `destination.example` stand for the servers.

mod page;
mod stage;

use page::Page;
use stage::Stage;

macro_rules! pages {
    ($($name:ident: $file:literal,)*) => {
        $(
            #[test]
            fn $name() {
                let text = include_str!(concat!("../../../docs/", $file));
                Stage::new(stringify!($name)).run(&Page::parse($file, text));
            }
        )*
    };
}

pages! {
    conflicts: "conflicts.md",
    mapping: "mapping.md",
    rules: "rules.md",
}
