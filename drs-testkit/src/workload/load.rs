//! Creating and filling the shop.

use std::fmt::Write as _;

use mysql::{Conn, prelude::Queryable};

use super::schema;
use crate::Result;

/// A shop in a database of its own.
#[derive(Debug, Clone)]
pub struct Shop {
    database: String,
    orders: u32,
}

impl Shop {
    /// A shop of about 210,000 rows.
    pub const ORDERS: u32 = 40_000;

    /// What every customer has to begin with. Transfers move it about and keep the sum.
    pub(super) const OPENING_BALANCE: u32 = 100;

    /// A shop with this many orders to begin with, at least 80; it has about 5 rows for each.
    pub fn new(database: impl Into<String>, orders: u32) -> Self {
        Self {
            database: database.into(),
            orders: orders.max(80),
        }
    }

    /// The database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The shop's tables, parents first.
    pub fn tables() -> Vec<&'static str> {
        schema::tables(true)
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }

    /// Creates the database, which must not be there yet, and fills it: one statement a table.
    /// Returns the number of rows.
    ///
    /// # Errors
    /// What the server says.
    pub fn create(&self, conn: &mut Conn) -> Result<u64> {
        let json = has_json(conn);
        conn.query_drop(format!(
            "CREATE DATABASE `{0}` DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
            self.database
        ))?;
        conn.query_drop(format!("USE `{}`", self.database))?;
        for (table, definition) in schema::tables(json) {
            conn.query_drop(format!(
                "CREATE TABLE {table} ({definition}) ENGINE=InnoDB \
                 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci"
            ))?;
        }
        let mut rows = 0;
        for statement in self.fill(json) {
            conn.query_drop(statement)?;
            rows += conn.affected_rows();
        }
        Ok(rows)
    }

    pub(super) fn customers(&self) -> u32 {
        self.orders / 2
    }

    pub(super) fn products(&self) -> u32 {
        self.orders / 8
    }

    /// Every value follows from the row's number `n`, so every shop of a size is the same.
    fn fill(&self, json: bool) -> Vec<String> {
        let (customers, products, orders) = (self.customers(), self.products(), self.orders);
        let numbers = numbers;
        let balance = Self::OPENING_BALANCE;
        let json = |text: &str| {
            if json {
                format!("CAST({text} AS JSON)")
            } else {
                text.to_owned()
            }
        };
        let attributes = json(
            "CONCAT('{\"colour\": \"', ELT(1 + n % 4, 'grün', 'red', '青', 'señal'), '\", \"sizes\": [',
             n % 7, ', ', n % 50 / 10, ', null, true], \"maker\": {\"id\": ', n * 1000003, ', \"emoji\": \"🪴\"}}')",
        );
        let details = json(
            "CONCAT('{\"helpful\": ', n % 90, ', \"tags\": [\"', ELT(1 + n % 3, 'großartig', 'ok', '很好'), '\"]}')",
        );
        vec![
            format!(
                "INSERT INTO customers (id, email, name, country, tier, interests, balance, visits, birthday, avatar, created_at, changed_at)
                 SELECT n, CONCAT(ELT(1 + n % 4, 'anna', 'bo', 'chloe', 'dmitri'), '.', n, '@example.org'),
                   CONCAT(ELT(1 + n % 8, 'Zoë', 'José', 'Søren', '李', 'Ольга', 'Çağla', 'Nguyễn', 'Anna 🦊'), ' ',
                     ELT(1 + n DIV 8 % 6, 'Müller', 'O''Brien', 'García', '\\\\backslash', 'Łukasik', '王')),
                   ELT(1 + n % 5, 'DE', 'FR', 'US', 'JP', 'BR'), 1 + n % 3, n % 32, {balance}, n % 50,
                   IF(n % 9 = 0, NULL, DATE('1950-01-01') + INTERVAL n * 13 % 20000 DAY),
                   IF(n % 4 = 0, NULL, REPEAT(UNHEX(LEFT(SHA2(n, 256), 32)), 1 + n % 8)),
                   TIMESTAMP('2019-03-01 00:00:00') + INTERVAL n * 7919 SECOND + INTERVAL n % 1000 * 1000 MICROSECOND,
                   TIMESTAMP('2024-08-01 00:00:00') + INTERVAL n SECOND + INTERVAL n * 97 MICROSECOND
                 FROM {}",
                numbers(customers)
            ),
            format!(
                "INSERT INTO products (id, sku, name, description, price, weight, rating, stock, flags, first_year, attributes, photo)
                 SELECT n, CONCAT('SKU-', LPAD(n, 8, '0')), CONCAT(ELT(1 + n % 5, 'Café crème', 'Gießkanne', 'Tea 🍵', 'Ящик', 'Lamp'), ' no. ', n),
                   REPEAT(CONCAT('Line ', n, ':\\t\\'quoted\\', \"double\", \\\\ and é.\\n'), n % 12),
                   {}, IF(n % 11 = 0, NULL, n / 7), IF(n % 13 = 0, NULL, n * 1.1e-3), n % 500, n % 4096,
                   IF(n % 17 = 0, 0, 1990 + n % 40), {attributes}, REPEAT(UNHEX(LEFT(SHA2(n, 256), 32)), n % 64)
                 FROM {}",
                price("n"),
                numbers(products)
            ),
            format!(
                "INSERT INTO orders (id, customer_id, status, placed_at, ready_in, total, note)
                 SELECT n, 1 + n * 31 % {customers}, IF(n % 8 = 0, 1, 2 + n % 2),
                   TIMESTAMP('2023-01-01 00:00:00') + INTERVAL n * 1501 SECOND + INTERVAL n * 37 % 1000000 MICROSECOND,
                   IF(n % 6 = 0, NULL, SEC_TO_TIME(n % 7200 - 600)), {}, IF(n % 3 = 0, CONCAT('Für Frau Nº ', n), NULL)
                 FROM {}",
                self.order_total(),
                numbers(orders)
            ),
            format!(
                "INSERT INTO order_items (order_id, line, product_id, quantity, price)
                 SELECT n, line, product, 1 + (n + line) % 3, {} FROM
                   (SELECT n, line, 1 + (n * 7 + line * 1013) % {products} AS product
                    FROM {} JOIN (SELECT 1 AS line UNION ALL SELECT 2 UNION ALL SELECT 3) AS three
                    WHERE line <= LEAST(1 + n % 4, 3)) AS items",
                price("product"),
                numbers(orders)
            ),
            format!(
                "INSERT INTO payments (id, order_id, method, amount, reference, paid_at)
                 SELECT UNHEX(LEFT(SHA2(CONCAT('payment', id), 256), 32)), id, 1 + id % 3, total, IF(id % 5 = 0, NULL, CONCAT('Beleg-', id)),
                   placed_at + INTERVAL id % 86400 SECOND
                 FROM orders WHERE status <> 'placed'"
            ),
            format!(
                "INSERT INTO reviews (product_id, customer_id, stars, body, details, written_at)
                 SELECT 1 + n % {products}, 1 + (n * 3 + n DIV {products}) % {customers}, n % 6 - 1,
                   ELT(1 + n % 4, 'Très bien, je rachèterai 👍', 'Meh.', '', REPEAT('素晴らしい商品です。', 1 + n % 20)),
                   {details}, TIMESTAMP('2024-01-01 00:00:00') + INTERVAL n * 997 SECOND
                 FROM {}",
                numbers(orders / 4)
            ),
            // Every row of it is there at least twice.
            format!(
                "INSERT INTO audit_log (at, writer, action, subject, detail)
                 SELECT TIMESTAMP('2024-06-01 00:00:00') + INTERVAL n DIV 2 SECOND, 0, 'seen', n DIV 2 % 1000,
                   IF(n DIV 2 % 5 = 0, NULL, CONCAT('page ', n DIV 2 % 77, ' 👀'))
                 FROM {}",
                numbers(orders / 4)
            ),
        ]
    }

    /// What the items of order `n` come to.
    fn order_total(&self) -> String {
        let mut sum = String::from("0");
        for line in 1..=3 {
            let product = format!("(1 + (n * 7 + {line} * 1013) % {})", self.products());
            let price = price(&product);
            // A String takes everything that is written to it.
            let _ = write!(
                sum,
                " + IF({line} <= LEAST(1 + n % 4, 3), (1 + (n + {line}) % 3) * {price}, 0)"
            );
        }
        sum
    }
}

/// Whether the server has the JSON type: MySQL does since 5.7.8.
pub(super) fn has_json(conn: &Conn) -> bool {
    conn.server_version() >= (5, 7, 8)
}

/// A derived table of the numbers `n` from 1 to `last`, at most 100,000.
fn numbers(last: u32) -> String {
    let digit = |name: &str| {
        format!(
            "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL \
             SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 \
             UNION ALL SELECT 9) AS {name}"
        )
    };
    let digits: Vec<String> = ["a", "b", "c", "d", "e"].map(digit).into();
    format!(
        "(SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d AS n FROM {} \
         HAVING n <= {last} ORDER BY n) AS numbers",
        digits.join(" JOIN ")
    )
}

/// A product's price at the beginning.
fn price(product: &str) -> String {
    format!("CAST(1 + {product} * 37 % 9973 / 100 AS DECIMAL(10,2))")
}
