//! The traps that have tests of their own.

/// A trap, and the tests that hold it.
pub(crate) struct Elsewhere {
    pub(crate) trap: u8,
    /// Items of the list of what a peer got wrong or right.
    pub(crate) peer: &'static [&'static str],
    pub(crate) title: &'static str,
    pub(crate) outcome: &'static str,
    /// Files, and the names of tests in them.
    pub(crate) tests: &'static [(&'static str, &'static str)],
}

pub(crate) const TESTS: &[Elsewhere] = &[
    Elsewhere {
        trap: 13,
        peer: &[],
        title: "columns in the format that times had before 5.6, which 5.6 can't make any more",
        outcome: "decoded from files of MariaDB, which can",
        tests: &[(
            "drs-binlog/tests/values/images.rs",
            "mariadb_old_temporal_formats",
        )],
    },
    Elsewhere {
        trap: 25,
        peer: &[],
        title: "a row that fits into no packet of the destination (scaled down: 3 MB and a packet of 1 MB)",
        outcome: "stops, naming the table",
        tests: &[(
            "drs-core/tests/e2e/copy/objects.rs",
            "a_row_that_fits_into_no_statement_stops_the_copy",
        )],
    },
    Elsewhere {
        trap: 35,
        peer: &[],
        title: "a destination table with a column more",
        outcome: "without a default: refused; with one: its values are kept",
        tests: &[
            (
                "drs-core/tests/e2e/mapping/columns.rs",
                "columns_that_only_the_destination_has_keep_their_values",
            ),
            (
                "drs-core/tests/e2e/mapping/columns.rs",
                "a_column_without_a_default_is_refused_by_the_copy",
            ),
        ],
    },
    Elsewhere {
        trap: 51,
        peer: &[],
        title: "two sources with one key into one table",
        outcome: "as the conflict policy says, with a row in the ledger",
        tests: &[
            (
                "drs-core/tests/e2e/mapping/many_to_one.rs",
                "two_tasks_fill_one_table_and_both_add_the_same_columns",
            ),
            (
                "drs-core/tests/e2e/mapping/many_to_one.rs",
                "a_shared_table_needs_a_key",
            ),
        ],
    },
    Elsewhere {
        trap: 52,
        peer: &[],
        title: "two servers that copy each other",
        outcome: "no change comes back",
        tests: &[(
            "drs-core/tests/e2e/mapping/circle.rs",
            "changes_do_not_run_in_circles",
        )],
    },
    Elsewhere {
        trap: 53,
        peer: &["3"],
        title: "XA transactions: prepared, rolled back, committed after a restart",
        outcome: "applied once when they commit, or never",
        tests: &[
            (
                "drs-core/tests/e2e/follow/xa.rs",
                "xa_transactions_are_applied_once_when_they_commit",
            ),
            (
                "drs-core/tests/e2e/follow/xa.rs",
                "a_source_that_crashes_between_prepare_and_commit_loses_nothing",
            ),
        ],
    },
    Elsewhere {
        trap: 55,
        peer: &[],
        title: "one transaction far larger than the memory that the program takes (scaled down: 100,000 rows; `DRS_GIANT_ROWS` says how many)",
        outcome: "equal, below 256 MiB; after a crash none of it or all of it",
        tests: &[
            ("drs-cli/tests/e2e/giant.rs", "one_transaction_with_gtid"),
            ("drs-cli/tests/e2e/giant.rs", "one_transaction_from_5_6"),
        ],
    },
    Elsewhere {
        trap: 57,
        peer: &[],
        title: "compressed transactions: nested events, a payload over the limit, flipped bits",
        outcome: "read whole, or refused with the position",
        tests: &[
            (
                "drs-binlog/tests/bytes/transactions.rs",
                "compressed_transactions",
            ),
            (
                "drs-binlog/tests/bytes/transactions.rs",
                "nested_events_have_no_checksum",
            ),
            (
                "drs-binlog/tests/bytes/payloads.rs",
                "damaged_payloads_are_refused",
            ),
            (
                "drs-binlog/tests/bytes/payloads.rs",
                "an_event_over_the_limit_is_refused",
            ),
        ],
    },
    Elsewhere {
        trap: 58,
        peer: &[],
        title: "a change of a selected table in statement format",
        outcome: "stops, naming position and table",
        tests: &[(
            "drs-cli/tests/e2e/refused.rs",
            "a_change_in_statement_format",
        )],
    },
    Elsewhere {
        trap: 60,
        peer: &[],
        title: "wrong checksums, cut packets, unknown events with and without the flag that lets one pass them over",
        outcome: "refused; with the flag counted and passed over",
        tests: &[
            (
                "drs-binlog/tests/bytes/damaged.rs",
                "every_flipped_bit_is_noticed",
            ),
            ("drs-binlog/tests/bytes/damaged.rs", "every_cut_is_noticed"),
            (
                "drs-binlog/tests/bytes/events.rs",
                "unknown_events_need_the_flag",
            ),
        ],
    },
    Elsewhere {
        trap: 61,
        peer: &["12"],
        title: "kill -9 at random moments, in the copy, while following and around DDL (6 kills a campaign; `DRS_KILLS` says how many)",
        outcome: "equal; nothing lost or done twice",
        tests: &[
            ("drs-cli/tests/e2e/kill.rs", "with_gtid"),
            ("drs-cli/tests/e2e/kill.rs", "from_5_6_by_position"),
            ("drs-cli/tests/e2e/ddl.rs", "killed_around_a_statement"),
        ],
    },
    Elsewhere {
        trap: 62,
        peer: &[],
        title: "positions beyond 4 GiB, by one transaction (scaled down: the file is of 32 MiB; `DRS_LOG_FILE_MIB` says how long)",
        outcome: "counted with 64 bits; a task goes on there",
        tests: &[
            ("drs-binlog/src/offsets.rs", "offsets_go_beyond_32_bits"),
            (
                "drs-cli/tests/e2e/giant.rs",
                "goes_on_behind_the_end_of_a_long_file",
            ),
        ],
    },
    Elsewhere {
        trap: 63,
        peer: &["21"],
        title: "tagged GTIDs, and sets of many intervals",
        outcome: "read, kept and sent as the server writes them",
        tests: &[
            ("drs-binlog/tests/bytes/gtid_events.rs", "tagged_gtids"),
            ("drs-binlog/tests/bytes/gtid_events.rs", "sets_round_trip"),
            (
                "drs-binlog/tests/events/dump.rs",
                "the_server_says_what_the_set_is",
            ),
        ],
    },
    Elsewhere {
        trap: 64,
        peer: &[],
        title: "a start point that the source has purged",
        outcome: "ends at once, and says so",
        tests: &[
            (
                "drs-cli/tests/e2e/incremental.rs",
                "a_purged_start_point_is_final",
            ),
            (
                "drs-binlog/tests/events/dump.rs",
                "what_is_not_there_is_error_1236",
            ),
        ],
    },
    Elsewhere {
        trap: 65,
        peer: &[],
        title: "another server behind the source's address",
        outcome: "refused: its `server_uuid` is another",
        tests: &[(
            "drs-core/tests/e2e/follow/source.rs",
            "another_server_behind_the_sources_address_ends_the_task",
        )],
    },
    Elsewhere {
        trap: 69,
        peer: &[],
        title: "table numbers that a restarted source gives to other tables",
        outcome: "equal",
        tests: &[
            ("drs-cli/tests/e2e/restart.rs", "with_gtid"),
            ("drs-cli/tests/e2e/restart.rs", "by_position"),
            ("drs-cli/tests/e2e/restart.rs", "from_5_6"),
        ],
    },
    Elsewhere {
        trap: 70,
        peer: &[],
        title: "a row that is in the log before it can be seen, when the copy begins",
        outcome: "not lost: the copy waits for the writers to end",
        tests: &[(
            "drs-core/tests/e2e/copy/resume.rs",
            "a_table_is_begun_with_when_its_writers_have_ended",
        )],
    },
    Elsewhere {
        trap: 71,
        peer: &[],
        title: "a second process takes over while the first one still runs",
        outcome: "the first one writes no more, and says why",
        tests: &[
            (
                "drs-cli/tests/e2e/interrupt.rs",
                "a_second_run_fences_the_first",
            ),
            (
                "drs-core/tests/e2e/copy/resume.rs",
                "a_process_whose_task_was_taken_over_writes_no_more",
            ),
        ],
    },
    Elsewhere {
        trap: 76,
        peer: &[],
        title: "tables whose names differ in case only, to a destination that does not tell cases apart",
        outcome: "refused",
        tests: &[(
            "drs-core/tests/e2e/mapping/names.rs",
            "a_destination_that_does_not_tell_cases_apart_takes_only_one_of_two",
        )],
    },
    Elsewhere {
        trap: 81,
        peer: &[],
        title: "differences that a client's `=` does not see: -0.0, SRID, ENUM 0, trailing spaces, types inside JSON",
        outcome: "found",
        tests: &[
            (
                "drs-core/tests/e2e/compare/planted.rs",
                "each_difference_is_found_and_named_from_97_to_97",
            ),
            (
                "drs-core/tests/e2e/compare/planted.rs",
                "each_difference_is_found_and_named_from_56_to_97",
            ),
            ("drs-testkit/tests/differences.rs", "each_is_found"),
            ("drs-testkit/tests/workload.rs", "any_difference_is_found"),
        ],
    },
    Elsewhere {
        trap: 82,
        peer: &["right-visibility"],
        title: "looks at the destination, and comparisons of both sides, under load",
        outcome: "no look sees the middle of a transaction; no false difference",
        tests: &[
            (
                "drs-core/tests/e2e/compare/live.rs",
                "no_false_difference_under_writes_from_97",
            ),
            (
                "drs-core/tests/e2e/compare/live.rs",
                "no_false_difference_under_writes_from_56",
            ),
            (
                "drs-cli/tests/e2e/bank.rs",
                "no_look_sees_the_middle_with_1_lane",
            ),
            (
                "drs-cli/tests/e2e/bank.rs",
                "no_look_sees_the_middle_with_8_lanes",
            ),
        ],
    },
    Elsewhere {
        trap: 36,
        peer: &[],
        title: "a trigger on the destination's table",
        outcome: "runs, as it does for any client",
        tests: &[(
            "drs-cli/tests/fidelity/alone.rs",
            "a_trigger_at_the_destination_runs",
        )],
    },
    Elsewhere {
        trap: 66,
        peer: &[],
        title: "RESET BINARY LOGS AND GTIDS at the source",
        outcome: "stops",
        tests: &[(
            "drs-cli/tests/fidelity/alone.rs",
            "a_log_that_begins_anew_is_noticed",
        )],
    },
    Elsewhere {
        trap: 67,
        peer: &[],
        title: "a source that gets GTIDs while it is followed",
        outcome: "equal",
        tests: &[("drs-cli/tests/fidelity/alone.rs", "a_source_may_get_gtids")],
    },
    Elsewhere {
        trap: 68,
        peer: &[],
        title: "idle tables on a busy source",
        outcome: "the checkpoint moves on",
        tests: &[(
            "drs-cli/tests/fidelity/alone.rs",
            "the_checkpoint_moves_over_the_changes_of_others",
        )],
    },
    Elsewhere {
        trap: 73,
        peer: &[],
        title: "the same swap with the real table selected alone, and other changes of names",
        outcome: "equal, or stops where it can't be decided",
        tests: &[
            (
                "drs-core/tests/e2e/follow/renames.rs",
                "a_change_of_names_among_followed_tables",
            ),
            (
                "drs-core/tests/e2e/follow/renames.rs",
                "a_change_of_names_that_can_not_be_decided_stops_the_task",
            ),
        ],
    },
    Elsewhere {
        trap: 78,
        peer: &[],
        title: "a statement on a table that is being copied",
        outcome: "the table is copied again; stops if the task did not create it",
        tests: &[
            (
                "drs-core/tests/e2e/follow/copy_again.rs",
                "a_statement_meets_the_copies_of_its_tables",
            ),
            (
                "drs-core/tests/e2e/follow/copy_again.rs",
                "a_table_that_the_task_did_not_create_stops_it",
            ),
        ],
    },
    Elsewhere {
        trap: 0,
        peer: &["22"],
        title: "the present start point of every kind of source",
        outcome: "found",
        tests: &[
            (
                "drs-cli/tests/commands.rs",
                "start_point_is_what_a_task_file_takes",
            ),
            ("drs-cli/tests/commands.rs", "start_point_of_other_sources"),
        ],
    },
];
