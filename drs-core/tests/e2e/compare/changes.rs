//! Changes of definitions at the destination, and what the comparison is to name.

/// A statement, and the objects and properties that differ once it has run.
pub(super) type Change = (&'static str, &'static [&'static str]);

/// Of what all versions have, made at 9.7.
pub(super) const COMMON: &[Change] = &[
    // Columns.
    (
        "ALTER TABLE child MODIFY q VARCHAR(11)",
        &["table `child`: column `q`: type"],
    ),
    (
        "ALTER TABLE child MODIFY f DOUBLE DEFAULT 1.5",
        &["table `child`: column `f`: type"],
    ),
    (
        "ALTER TABLE child MODIFY id INT NOT NULL COMMENT 'a ''c'''",
        &["table `child`: column `id`: type"],
    ),
    (
        "ALTER TABLE child MODIFY z INT(6) ZEROFILL DEFAULT 3",
        &[
            "table `child`: column `z`: default",
            "table `child`: column `z`: type",
        ],
    ),
    (
        "ALTER TABLE child MODIFY bo TINYINT DEFAULT 1",
        &["table `child`: column `bo`: type"],
    ),
    (
        "ALTER TABLE child MODIFY e ENUM('a','B') DEFAULT 'a'",
        &[
            "table `child`: column `e`: default",
            "table `child`: column `e`: type",
        ],
    ),
    (
        "ALTER TABLE child MODIFY tn DATETIME NOT NULL",
        &["table `child`: column `tn`: nullability"],
    ),
    (
        "ALTER TABLE child ALTER vb SET DEFAULT x'0042'",
        &["table `child`: column `vb`: default"],
    ),
    (
        "ALTER TABLE child ALTER bin SET DEFAULT 'b'",
        &["table `child`: column `bin`: default"],
    ),
    (
        "ALTER TABLE child ALTER m4 SET DEFAULT '?è'",
        &["table `child`: column `m4`: default"],
    ),
    (
        "ALTER TABLE child ALTER nothing DROP DEFAULT",
        &["table `child`: column `nothing`: default"],
    ),
    (
        "ALTER TABLE child MODIFY dt DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)",
        &["table `child`: column `dt`: ON UPDATE"],
    ),
    (
        "ALTER TABLE child MODIFY ts2 TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP",
        &["table `child`: column `ts2`: default"],
    ),
    (
        "ALTER TABLE child MODIFY u3 VARCHAR(10) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin DEFAULT 'é'",
        &["table `child`: column `u3`: collation"],
    ),
    (
        "ALTER TABLE plain8 MODIFY t VARCHAR(10) COLLATE utf8mb4_unicode_ci",
        &["table `plain8`: column `t`: collation"],
    ),
    (
        "ALTER TABLE child MODIFY nn INT NOT NULL COMMENT 'new'",
        &["table `child`: column `nn`: comment"],
    ),
    (
        "ALTER TABLE child ALTER COLUMN fl2 SET INVISIBLE",
        &["table `child`: column `fl2`: invisible"],
    ),
    (
        "ALTER TABLE parent MODIFY id INT NOT NULL",
        &["table `parent`: column `id`: AUTO_INCREMENT"],
    ),
    (
        "ALTER TABLE child RENAME COLUMN dbl TO Dbl",
        &["table `child`: column `dbl`: name"],
    ),
    (
        "ALTER TABLE child MODIFY y YEAR DEFAULT 2020 FIRST",
        &["table `child`: the order of the columns"],
    ),
    ("ALTER TABLE isam ADD COLUMN more INT", &[]),
    (
        "ALTER TABLE isam ADD COLUMN wanted INT NOT NULL",
        &["table `isam`: column `wanted`"],
    ),
    (
        "ALTER TABLE isam DROP COLUMN g",
        &["table `isam`: column `g`"],
    ),
    // Keys.
    (
        "ALTER TABLE child DROP KEY un, ADD KEY un (q, nn)",
        &["table `child`: key `un`: uniqueness"],
    ),
    (
        "ALTER TABLE child DROP KEY kd, ADD KEY kd (p, q(4))",
        &["table `child`: key `kd`: parts"],
    ),
    (
        "ALTER TABLE child ADD KEY more (nn, q)",
        &["table `child`: key `more`"],
    ),
    (
        "ALTER TABLE child ALTER INDEX ki INVISIBLE",
        &["table `child`: key `ki`: visibility"],
    ),
    (
        "ALTER TABLE child DROP KEY ft",
        &["table `child`: key `ft`"],
    ),
    (
        "ALTER TABLE child ADD FULLTEXT KEY ft (txt) WITH PARSER ngram",
        &["-table `child`: key `ft`", "table `child`: key `ft`: type"],
    ),
    (
        "ALTER TABLE parent DROP KEY uk, ADD UNIQUE KEY uk (k DESC)",
        &["table `parent`: key `uk`: parts"],
    ),
    (
        "ALTER TABLE parent RENAME KEY uk TO uq",
        &[
            "-table `parent`: key `uk`: parts",
            "table `parent`: key `uk`",
            "table `parent`: key `uq`",
        ],
    ),
    (
        "ALTER TABLE binary_one DROP PRIMARY KEY",
        &["table `binary_one`: primary key"],
    ),
    ("ALTER TABLE isam DROP KEY sp", &["table `isam`: key `sp`"]),
    // Constraints.
    (
        "ALTER TABLE child DROP FOREIGN KEY fk2",
        &["table `child`: foreign key `fk2`"],
    ),
    (
        "ALTER TABLE child ADD CONSTRAINT fk2 FOREIGN KEY (nn) REFERENCES parent (id) ON DELETE CASCADE",
        &[
            "-table `child`: foreign key `fk2`",
            "table `child`: foreign key `fk2`: ON DELETE",
        ],
    ),
    (
        "ALTER TABLE child DROP FOREIGN KEY fk1",
        &["table `child`: foreign key `fk1`"],
    ),
    (
        "ALTER TABLE child ADD CONSTRAINT fk1 FOREIGN KEY (nn) REFERENCES parent (id)",
        &[],
    ),
    (
        "ALTER TABLE parent ADD CONSTRAINT positive CHECK (id > 0)",
        &["table `parent`: CHECK constraint `positive`"],
    ),
    // Partitions.
    (
        "ALTER TABLE parts DROP PARTITION p1",
        &["table `parts`: partitions"],
    ),
    (
        "ALTER TABLE parts REORGANIZE PARTITION p0 INTO (PARTITION p0 VALUES LESS THAN (10) COMMENT 'other')",
        &["table `parts`: partition `p0`: comment"],
    ),
    (
        "ALTER TABLE days PARTITION BY RANGE (TO_DAYS(d)) (PARTITION x VALUES LESS THAN (1000))",
        &["table `days`: partition `x`: values"],
    ),
    (
        "ALTER TABLE months PARTITION BY LIST (YEAR(d) * 12 + (MONTH(d) - 2)) (PARTITION x VALUES IN (1, 2, NULL))",
        &["table `months`: partitioning"],
    ),
    (
        "ALTER TABLE lists REMOVE PARTITIONING",
        &["table `lists`: partitioning", "table `lists`: partitions"],
    ),
    (
        "ALTER TABLE hashed PARTITION BY KEY (a) PARTITIONS 3",
        &["table `hashed`: partitioning"],
    ),
    (
        "ALTER TABLE old_hash PARTITION BY KEY ALGORITHM = 2 (a) PARTITIONS 3",
        &["table `old_hash`: partitioning"],
    ),
    // Options.
    (
        "ALTER TABLE plain8 ENGINE = MyISAM",
        &["table `plain8`: engine"],
    ),
    (
        "ALTER TABLE child ROW_FORMAT = REDUNDANT",
        &["table `child`: row format"],
    ),
    (
        "ALTER TABLE child STATS_PERSISTENT = 1",
        &["table `child`: option STATS_PERSISTENT"],
    ),
    (
        "ALTER TABLE child COMMENT = 'T'",
        &["table `child`: comment"],
    ),
    (
        "ALTER TABLE binary_one DEFAULT CHARACTER SET utf8mb4",
        &["table `binary_one`: default collation"],
    ),
    ("ALTER TABLE parent AUTO_INCREMENT = 5000", &[]),
    // Views.
    (
        "ALTER ALGORITHM = MERGE VIEW v3 AS SELECT id FROM parent WHERE id > 2 WITH CASCADED CHECK OPTION",
        &["view `v3`: definition"],
    ),
    (
        "ALTER SQL SECURITY DEFINER VIEW v2 AS SELECT COUNT(*) AS n, MAX(id) FROM v1 GROUP BY kk HAVING n > 1",
        &["view `v2`: SQL SECURITY"],
    ),
    (
        "ALTER ALGORITHM = TEMPTABLE SQL SECURITY DEFINER VIEW v2 AS SELECT COUNT(*) AS n, MAX(id) FROM v1 GROUP BY kk HAVING n > 1",
        &["view `v2`: algorithm"],
    ),
    (
        "ALTER VIEW v5 AS SELECT 1 AS a UNION ALL SELECT id FROM parent UNION ALL SELECT 3",
        &["view `v5`: definition"],
    ),
    (
        "ALTER DEFINER = 'drs_other'@'%' VIEW v6 AS SELECT a.k FROM (parent a JOIN child b USING (id)), parent c WHERE (a.id, b.id) IN ((1,2),(3,4)) AND NOT (a.id = 1 AND b.id <=> 2) OR a.id XOR b.id",
        &["view `v6`: definer"],
    ),
    (
        "ALTER VIEW v7 AS SELECT a.id FROM parent a RIGHT JOIN child b ON a.id = b.p INNER JOIN parent d ON d.id = b.id CROSS JOIN parent e STRAIGHT_JOIN parent f NATURAL JOIN hashed WHERE a.k = 'x' AND NOT a.id AND IF(b.id, 1, 0)",
        &["view `v7`: definition"],
    ),
    // Procedures and functions.
    (
        "ALTER PROCEDURE p SQL SECURITY DEFINER",
        &["procedure `p`: SQL SECURITY"],
    ),
    ("ALTER PROCEDURE p COMMENT 'c'", &["procedure `p`: comment"]),
    (
        "ALTER PROCEDURE p READS SQL DATA",
        &["procedure `p`: SQL data access"],
    ),
    ("DROP FUNCTION f", &["function `f`"]),
    (
        "CREATE FUNCTION f(a VARCHAR(11) CHARACTER SET latin1 COLLATE latin1_bin, b DECIMAL(10,2)) RETURNS VARCHAR(30) COMMENT 'ff' READS SQL DATA RETURN CONCAT(a, 'è')",
        &[
            "-function `f`",
            "function `f`: DETERMINISTIC",
            "function `f`: SQL data access",
            "function `f`: body",
            "function `f`: parameter `a`: collation",
            "function `f`: parameter `a`: type",
            "function `f`: what it returns: type",
        ],
    ),
    (
        "DROP PROCEDURE p",
        &[
            "-procedure `p`: SQL SECURITY",
            "-procedure `p`: comment",
            "-procedure `p`: SQL data access",
            "procedure `p`",
        ],
    ),
    ("SET sql_mode = 'ANSI_QUOTES'", &[]),
    (
        "CREATE DEFINER = 'drs_other'@'%' PROCEDURE p(INOUT a INT UNSIGNED, INOUT b ENUM('x','y'), OUT c TEXT) SQL SECURITY INVOKER MODIFIES SQL DATA BEGIN DECLARE x INT; SELECT a INTO c; END",
        &[
            "-procedure `p`",
            "procedure `p`: definer",
            "procedure `p`: parameters",
            "procedure `p`: sql_mode",
        ],
    ),
    // One side alone.
    (
        "DROP TABLE isam",
        &[
            "-table `isam`: column `g`",
            "-table `isam`: column `wanted`",
            "-table `isam`: key `sp`",
            "table `isam`",
        ],
    ),
    (
        "CREATE VIEW isam AS SELECT 1 AS a",
        &["-table `isam`", "table `isam`: kind"],
    ),
    (
        "DROP VIEW v2",
        &[
            "-view `v2`: SQL SECURITY",
            "-view `v2`: algorithm",
            "view `v2`",
        ],
    ),
    ("CREATE TABLE extra (a INT)", &["table `extra`"]),
    ("CREATE VIEW extra_view AS SELECT 1", &["view `extra_view`"]),
    (
        "CREATE FUNCTION extra() RETURNS INT DETERMINISTIC RETURN 1",
        &["function `extra`"],
    ),
    ("CREATE PROCEDURE extra() SELECT 1", &["procedure `extra`"]),
    (
        "CREATE TRIGGER extra BEFORE INSERT ON child FOR EACH ROW SET NEW.nn = 1",
        &[],
    ),
    (
        "ALTER DATABASE COLLATE utf8mb3_bin",
        &["database `DB`: default collation"],
    ),
];

/// Of what 5.6 does not have.
pub(super) const NEWER: &[Change] = &[
    (
        "ALTER TABLE newer ALTER ex SET DEFAULT (1 + 3)",
        &["table `newer`: column `ex`: default"],
    ),
    (
        "ALTER TABLE newer ALTER js SET DEFAULT (JSON_OBJECT('a', 'it''s\\\\y'))",
        &["table `newer`: column `js`: default"],
    ),
    (
        "ALTER TABLE newer ALTER u SET DEFAULT 'uuid()'",
        &["table `newer`: column `u`: default"],
    ),
    (
        "ALTER TABLE newer ALTER vb SET DEFAULT x'00fe'",
        &["table `newer`: column `vb`: default"],
    ),
    (
        "ALTER TABLE newer MODIFY g INT AS (id * 3) VIRTUAL COMMENT 'gg'",
        &["table `newer`: column `g`: generated"],
    ),
    (
        "ALTER TABLE newer DROP COLUMN s, ADD COLUMN s VARCHAR(20) AS (CONCAT(q, 'x')) VIRTUAL AFTER g",
        &["table `newer`: column `s`: kind of generated column"],
    ),
    (
        "ALTER TABLE newer ALTER COLUMN inv SET VISIBLE",
        &["table `newer`: column `inv`: invisible"],
    ),
    (
        "ALTER TABLE newer DROP KEY sp",
        &["table `newer`: key `sp`"],
    ),
    (
        "ALTER TABLE newer MODIFY pt POINT NOT NULL",
        &["table `newer`: column `pt`: SRID"],
    ),
    (
        "ALTER TABLE newer DROP KEY kd, ADD KEY kd (nn, q(3))",
        &["table `newer`: key `kd`: parts"],
    ),
    (
        "ALTER TABLE newer ALTER INDEX hidden VISIBLE",
        &["table `newer`: key `hidden`: visibility"],
    ),
    (
        "ALTER TABLE newer DROP KEY ke, ADD KEY ke ((id + nn), (CONCAT(q, 'è')))",
        &["table `newer`: key `ke`: parts"],
    ),
    // In one statement the server takes it for the key that is there.
    (
        "ALTER TABLE newer DROP KEY ft",
        &["table `newer`: key `ft`"],
    ),
    (
        "ALTER TABLE newer ADD FULLTEXT KEY ft (w)",
        &["-table `newer`: key `ft`", "table `newer`: key `ft`: type"],
    ),
    (
        "ALTER TABLE newer DROP CHECK c1, ADD CONSTRAINT c1 CHECK (nn > 3 AND q <> 'è')",
        &["table `newer`: CHECK constraint `c1`"],
    ),
    (
        "ALTER TABLE newer ALTER CHECK c2 ENFORCED",
        &["table `newer`: CHECK constraint `c2`: ENFORCED"],
    ),
    (
        "ALTER TABLE dynamic ROW_FORMAT = DEFAULT KEY_BLOCK_SIZE = 0",
        &[
            "table `dynamic`: option KEY_BLOCK_SIZE",
            "table `dynamic`: row format",
        ],
    ),
    (
        "ALTER VIEW w2 AS SELECT js->'$.a' AS x, 3 MEMBER OF ('[1,3]') AS y, l.id FROM newer, LATERAL (SELECT newer.id) AS l WHERE REGEXP_LIKE(q, 'a')",
        &["view `w2`: definition"],
    ),
    (
        "ALTER VIEW w1 (a, c) AS WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3) SELECT n, ROW_NUMBER() OVER (PARTITION BY n ORDER BY n DESC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM c",
        &["view `w1`: definition"],
    ),
];
