//! What is true of the shop after each of its transactions, and so at every moment.

use mysql::{Conn, prelude::Queryable};

use super::Shop;
use crate::Result;

/// What must hold, and a query that counts the exceptions.
const RULES: [(&str, &str); 6] = [
    (
        "each till's sales are in the audit log, once",
        "SELECT COUNT(*) FROM tills WHERE sales <>
           (SELECT COUNT(*) FROM audit_log WHERE action = 'sale' AND writer = tills.id)",
    ),
    (
        "each sale in the audit log is in a till",
        "SELECT COUNT(*) FROM audit_log WHERE action = 'sale' AND writer NOT IN (SELECT id FROM tills)",
    ),
    (
        "an order's total is that of its items",
        "SELECT COUNT(*) FROM orders LEFT JOIN
           (SELECT order_id, SUM(quantity * price) AS total FROM order_items GROUP BY order_id) AS sums
           ON order_id = id WHERE orders.total <> IFNULL(sums.total, 0)",
    ),
    (
        "each item has its order",
        "SELECT COUNT(*) FROM order_items LEFT JOIN orders ON id = order_id WHERE id IS NULL",
    ),
    (
        "each payment has its order, in full",
        "SELECT COUNT(*) FROM payments LEFT JOIN orders ON orders.id = order_id
           WHERE orders.id IS NULL OR amount <> total",
    ),
    (
        "each review has its customer and product",
        "SELECT COUNT(*) FROM reviews LEFT JOIN customers ON customers.id = customer_id
           LEFT JOIN products ON products.id = product_id
           WHERE customers.id IS NULL OR products.id IS NULL",
    ),
];

impl Shop {
    /// The rules that do not hold, seen in one snapshot: none, at any moment, at the source; none at
    /// the destination either once the copy has caught up, whatever is being applied.
    ///
    /// # Errors
    /// What the server says.
    pub fn broken_rules(&self, conn: &mut Conn) -> Result<Vec<String>> {
        conn.query_drop(format!("USE `{}`", self.database()))?;
        conn.query_drop("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")?;
        conn.query_drop("START TRANSACTION WITH CONSISTENT SNAPSHOT")?;
        let broken = self.broken_now(conn);
        conn.query_drop("COMMIT")?;
        broken
    }

    fn broken_now(&self, conn: &mut Conn) -> Result<Vec<String>> {
        let mut broken = Vec::new();
        let opening = u64::from(self.customers()) * u64::from(Self::OPENING_BALANCE);
        let sum: Option<String> =
            conn.query_first("SELECT CAST(IFNULL(SUM(balance), 0) AS CHAR) FROM customers")?;
        let sum = sum.unwrap_or_default();
        if sum != format!("{opening}.00") {
            broken.push(format!(
                "the customers' balances come to {sum} and not to {opening}.00"
            ));
        }
        for (rule, exceptions) in RULES {
            let count: Option<u64> = conn.query_first(exceptions)?;
            match count {
                Some(0) => {}
                Some(count) => broken.push(format!("not true of {count}: {rule}")),
                None => broken.push(format!("no answer: {rule}")),
            }
        }
        Ok(broken)
    }
}
