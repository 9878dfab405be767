/// The checkpoint's tables, as MySQL 5.6 and everything newer takes them.
pub(super) const TABLES: &[&str] = &[
    "CREATE DATABASE IF NOT EXISTS drs_meta",
    "CREATE TABLE IF NOT EXISTS drs_meta.task (name VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, \
     epoch BIGINT UNSIGNED NOT NULL, source_uuid VARCHAR(64) CHARACTER SET ascii NULL, \
     basis LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, \
     start_file VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, start_pos BIGINT UNSIGNED NULL, \
     start_gtid_set LONGTEXT CHARACTER SET ascii NULL, copied TINYINT NOT NULL DEFAULT 0) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS drs_meta.table_state (task VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
     db VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     tbl VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     phase VARCHAR(16) CHARACTER SET ascii NOT NULL, created_by_task TINYINT NOT NULL DEFAULT 0, \
     rows_copied BIGINT UNSIGNED NOT NULL DEFAULT 0, definition BIGINT UNSIGNED NULL, \
     from_file VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, from_pos BIGINT UNSIGNED NULL, \
     from_gtid_set LONGTEXT CHARACTER SET ascii NULL, \
     until_file VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, until_pos BIGINT UNSIGNED NULL, \
     until_gtid_set LONGTEXT CHARACTER SET ascii NULL, PRIMARY KEY (task, db, tbl)) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS drs_meta.chunk (task VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
     db VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     tbl VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, number INT UNSIGNED NOT NULL, \
     lower_bound LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, \
     upper_bound LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, \
     done TINYINT NOT NULL DEFAULT 0, PRIMARY KEY (task, db, tbl, number)) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS drs_meta.lane (task VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
     lane SMALLINT UNSIGNED NOT NULL, epoch BIGINT UNSIGNED NOT NULL, batch BIGINT UNSIGNED NOT NULL, \
     committed_at_us BIGINT UNSIGNED NOT NULL DEFAULT 0, written_at DATETIME(3) NULL, \
     file VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, pos BIGINT UNSIGNED NOT NULL, \
     gtid_set LONGTEXT CHARACTER SET ascii NULL, done LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     PRIMARY KEY (task, lane)) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS drs_meta.writer (db VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     tbl VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     task VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
     source_db VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     source_tbl VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     PRIMARY KEY (db, tbl, task)) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS drs_meta.rule (task VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
     db VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     tbl VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     columns_text LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, PRIMARY KEY (task, db, tbl)) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS drs_meta.source_column (task VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
     db VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     tbl VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     names LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, PRIMARY KEY (task, db, tbl)) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS drs_meta.program (task VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
     kind VARCHAR(16) CHARACTER SET ascii NOT NULL, \
     db VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, PRIMARY KEY (task, kind, db, name)) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS drs_meta.ddl (task VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, \
     file VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, pos BIGINT UNSIGNED NOT NULL, \
     gtid VARCHAR(128) CHARACTER SET ascii NULL, \
     before_state LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS drs_meta.xa (task VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
     gtrid VARBINARY(64) NOT NULL, bqual VARBINARY(64) NOT NULL, format_id INT UNSIGNED NOT NULL, \
     part INT UNSIGNED NOT NULL, last TINYINT NOT NULL, \
     file VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, pos BIGINT UNSIGNED NOT NULL, \
     data LONGBLOB NOT NULL, PRIMARY KEY (task, gtrid, bqual, format_id, part)) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS drs_meta.conflict (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, \
     task VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, met_at DATETIME(6) NOT NULL, \
     db VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     tbl VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     kind VARCHAR(32) CHARACTER SET ascii NOT NULL, \
     key_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, \
     policy VARCHAR(16) CHARACTER SET ascii NOT NULL, row_count BIGINT UNSIGNED NOT NULL, \
     file VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, pos BIGINT UNSIGNED NULL, \
     gtid VARCHAR(128) CHARACTER SET ascii NULL, \
     source_key LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, \
     destination_key LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, \
     source_before LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, \
     source_after LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, \
     destination_row LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, \
     note VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, \
     KEY task_met_at (task, met_at)) ENGINE = InnoDB",
];
