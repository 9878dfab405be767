use super::run::FollowTest;
use crate::servers::{gtid97, plain97, run};

/// Under a minimal image a DELETE tells the primary key only, and an UPDATE of all columns not
/// the unique value it gives up: who takes that value next must come behind all the same.
#[test]
fn a_unique_value_given_up_unseen_is_not_taken_too_early() {
    const ROWS: u32 = 400;
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "order",
        "CREATE TABLE taken (id INT PRIMARY KEY, u INT NOT NULL, UNIQUE (u));
         INSERT INTO taken VALUES (1, 7);
         CREATE TABLE moved (id INT PRIMARY KEY, u INT NOT NULL, UNIQUE (u));
         INSERT INTO moved VALUES (1, 7);\n",
    );
    test.catch_up().unwrap();
    let mut source = test.at_source();
    run(&mut source, "SET binlog_row_image = MINIMAL");
    for id in 2..=ROWS {
        run(
            &mut source,
            &format!(
                "DELETE FROM taken;\nINSERT INTO taken VALUES ({id}, 7);\n\
                 UPDATE moved SET id = id + {ROWS}, u = 1000 + {id};\nINSERT INTO moved VALUES ({id}, 7);\n\
                 DELETE FROM moved WHERE u <> 7"
            ),
        );
    }
    let task = test.task().lanes(8).build().unwrap();
    let outcome = test.catch_up_watched(&task, &()).unwrap();
    assert_eq!(outcome.follow.unwrap().conflicts, 0);
    test.assert_equal();
}
