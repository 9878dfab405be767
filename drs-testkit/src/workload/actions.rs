//! What people do in the shop: each action is one transaction, and keeps the rules.

use mysql::{Conn, prelude::Queryable};

use super::{Random, Shop, load::has_json};
use crate::{Error, Result};

/// Somebody with a connection to the source and a till of their own.
#[derive(Debug)]
pub(super) struct Clerk {
    conn: Conn,
    /// Both the writer's number in the audit log and its till.
    number: u16,
    json: bool,
    customers: u64,
    products: u64,
    row_changes: u64,
}

/// How a transaction is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Commit,
    Rollback,
}

type Action = fn(&mut Clerk, &mut Random) -> Result<End>;

/// The actions, and how often each is chosen among all.
const ACTIONS: [(u64, Action); 18] = [
    (20, Clerk::place_order),
    (15, Clerk::pay),
    (10, Clerk::transfer),
    (15, Clerk::sell),
    (6, Clerk::review),
    (3, Clerk::replace_review),
    (3, Clerk::delete_review),
    (3, Clerk::move_review),
    (2, Clerk::swap_skus),
    (3, Clerk::change_products),
    (3, Clerk::change_attributes),
    (3, Clerk::cancel_order),
    (3, Clerk::register),
    (2, Clerk::change_customer_key),
    (4, Clerk::look_around),
    (3, Clerk::correct_log),
    (2, Clerk::change_mind),
    (1, Clerk::change_photo),
];

impl Clerk {
    /// Opens the clerk's till where there is none yet.
    pub(super) fn new(mut conn: Conn, shop: &Shop, number: u16) -> Result<Self> {
        conn.query_drop(format!("INSERT IGNORE INTO tills (id) VALUES ({number})"))?;
        Ok(Self {
            json: has_json(&conn),
            conn,
            number,
            customers: shop.customers().into(),
            products: shop.products().into(),
            row_changes: 0,
        })
    }

    /// Does something. Returns how many rows it changed, or `None` when it was rolled back.
    pub(super) fn work(&mut self, random: &mut Random) -> Result<Option<u64>> {
        let all = ACTIONS.iter().map(|(weight, _)| weight).sum();
        let mut ticket = random.below(all);
        let mut chosen: Action = Self::sell;
        for (weight, action) in ACTIONS {
            if ticket < weight {
                chosen = action;
                break;
            }
            ticket -= weight;
        }
        self.row_changes = 0;
        self.conn.query_drop("START TRANSACTION")?;
        let end = match chosen(self, random) {
            Err(error) if is_expected(&error) => End::Rollback,
            result => result?,
        };
        match end {
            End::Rollback => self.conn.query_drop("ROLLBACK")?,
            End::Commit => self.conn.query_drop("COMMIT")?,
        }
        let changed = end == End::Commit && self.row_changes > 0;
        Ok(changed.then_some(self.row_changes))
    }

    fn run(&mut self, sql: impl AsRef<str>) -> Result<u64> {
        self.conn.query_drop(sql.as_ref())?;
        let rows = self.conn.affected_rows();
        self.row_changes += rows;
        Ok(rows)
    }

    fn number_of(&mut self, sql: impl AsRef<str>) -> Result<Option<u64>> {
        Ok(self.conn.query_first(sql.as_ref())?)
    }

    fn note(&mut self, action: &str, subject: u64, detail: &str) -> Result<()> {
        let number = self.number;
        self.run(format!(
            "INSERT INTO audit_log (at, writer, action, subject, detail) \
             VALUES (NOW(6), {number}, '{action}', {subject}, {detail})"
        ))?;
        Ok(())
    }

    fn any_customer(&self, random: &mut Random) -> u64 {
        random.between(1, self.customers)
    }

    fn any_product(&self, random: &mut Random) -> u64 {
        random.between(1, self.products)
    }

    /// Orders, items by INSERT ... SELECT, and several products at once.
    fn place_order(&mut self, random: &mut Random) -> Result<End> {
        let customer = self.any_customer(random);
        let first = self.any_product(random);
        let last = first + random.below(4);
        let ready = random.below(500_000);
        self.run(format!(
            "INSERT INTO orders (customer_id, placed_at, ready_in, note) VALUES \
             ({customer}, NOW(6), SEC_TO_TIME({ready} / 100 - 600), ELT({}, NULL, 'dépêchez-vous', ''))",
            1 + ready % 3
        ))?;
        let order = self.conn.last_insert_id();
        let items = self.run(format!(
            "INSERT INTO order_items (order_id, line, product_id, quantity, price) \
             SELECT {order}, id - {first} + 1, id, 1 + id % 3, price FROM products \
             WHERE id BETWEEN {first} AND {last}"
        ))?;
        self.run(format!(
            "UPDATE products SET stock = stock - 1 WHERE id BETWEEN {first} AND {last}"
        ))?;
        self.run(format!(
            "UPDATE orders SET total = (SELECT SUM(quantity * price) FROM order_items \
             WHERE order_id = {order}) WHERE id = {order}"
        ))?;
        self.run(format!(
            "UPDATE customers SET visits = visits + 1 WHERE id = {customer}"
        ))?;
        self.note("order", order, &format!("'{items} items 🛒'"))?;
        Ok(End::Commit)
    }

    fn pay(&mut self, random: &mut Random) -> Result<End> {
        let Some(order) = self.some_order(random, "status = 'placed'")? else {
            return Ok(End::Rollback);
        };
        let (high, low) = (random.number(), random.number());
        let reference = match random.below(3) {
            0 => "NULL".to_owned(),
            _ => format!("'Zahlung-{low:x}'"),
        };
        let paid = self.run(format!(
            "INSERT INTO payments (id, order_id, method, amount, reference, paid_at) \
             SELECT UNHEX('{high:016x}{low:016x}'), id, {}, total, {reference}, NOW() FROM orders \
             WHERE id = {order} AND status = 'placed' FOR UPDATE",
            1 + low % 3
        ))?;
        if paid == 0 {
            return Ok(End::Rollback);
        }
        self.run(format!(
            "UPDATE orders SET status = 'paid' WHERE id = {order}"
        ))?;
        self.note("payment", order, reference.as_str())?;
        Ok(End::Commit)
    }

    /// Keeps the sum of all balances.
    fn transfer(&mut self, random: &mut Random) -> Result<End> {
        let (from, to) = (self.any_customer(random), self.any_customer(random));
        let cents = random.between(1, 5000);
        for (customer, sign) in [(from, '-'), (to, '+')] {
            self.run(format!(
                "UPDATE customers SET balance = balance {sign} {cents} / 100 WHERE id = {customer}"
            ))?;
        }
        self.note("transfer", from, &format!("'to {to}'"))?;
        Ok(End::Commit)
    }

    /// A counter, and a row beside it that can't be written twice unseen.
    fn sell(&mut self, random: &mut Random) -> Result<End> {
        let (till, cents) = (self.number, random.between(1, 9999));
        self.run(format!(
            "UPDATE tills SET sales = sales + 1, takings = takings + {cents} / 100 WHERE id = {till}"
        ))?;
        self.note("sale", cents, "NULL")?;
        Ok(End::Commit)
    }

    fn review(&mut self, random: &mut Random) -> Result<End> {
        let row = self.review_row(random);
        self.run(format!(
            "INSERT INTO reviews (product_id, customer_id, stars, body, details, written_at) \
             VALUES {row} ON DUPLICATE KEY UPDATE stars = stars - 1, body = CONCAT(body, ' ✏️')"
        ))?;
        Ok(End::Commit)
    }

    fn replace_review(&mut self, random: &mut Random) -> Result<End> {
        let rows = [self.review_row(random), self.review_row(random)].join(", ");
        self.run(format!(
            "REPLACE INTO reviews (product_id, customer_id, stars, body, details, written_at) \
             VALUES {rows}"
        ))?;
        Ok(End::Commit)
    }

    fn review_row(&self, random: &mut Random) -> String {
        let (product, customer) = (self.any_product(random), self.any_customer(random));
        let stars = random.below(6);
        let body = match random.below(4) {
            0 => "NULL".to_owned(),
            1 => "'It''s \\\\ fine.\\n\\tReally: \\\"ça va\\\" 👌'".to_owned(),
            2 => "''".to_owned(),
            _ => format!("REPEAT('длинный отзыв ', {})", random.below(60)),
        };
        format!(
            "({product}, {customer}, {stars}, {body}, \
             '{{\"stars\": {stars}.0, \"words\": [\"schön\", \"𝄞\", null, {product}]}}', NOW())"
        )
    }

    fn delete_review(&mut self, random: &mut Random) -> Result<End> {
        let product = self.any_product(random);
        let deleted = self.run(format!(
            "DELETE FROM reviews WHERE product_id >= {product} ORDER BY product_id, customer_id LIMIT 2"
        ))?;
        self.note("moderation", product, &format!("'{deleted} gone'"))?;
        Ok(End::Commit)
    }

    /// A change of the primary key.
    fn move_review(&mut self, random: &mut Random) -> Result<End> {
        let (product, other) = (self.any_product(random), self.any_product(random));
        self.run(format!(
            "UPDATE reviews SET product_id = {other} WHERE product_id >= {product} \
             ORDER BY product_id, customer_id LIMIT 1"
        ))?;
        Ok(End::Commit)
    }

    /// Two rows exchange the values of a unique key.
    fn swap_skus(&mut self, random: &mut Random) -> Result<End> {
        let (one, two) = (self.any_product(random), self.any_product(random));
        let mut sku_of = |id: u64| -> Result<Option<String>> {
            Ok(self.conn.query_first(format!(
                "SELECT sku FROM products WHERE id = {id} FOR UPDATE"
            ))?)
        };
        let (Some(first), Some(second)) = (sku_of(one)?, sku_of(two)?) else {
            return Ok(End::Rollback);
        };
        let parked = format!("~{:011x}", random.number() >> 20);
        for (id, sku) in [(one, parked.as_str()), (two, &first), (one, &second)] {
            self.run(format!("UPDATE products SET sku = '{sku}' WHERE id = {id}"))?;
        }
        Ok(End::Commit)
    }

    fn change_products(&mut self, random: &mut Random) -> Result<End> {
        let first = self.any_product(random);
        self.run(format!(
            "UPDATE products SET price = ROUND(price * 1.03, 2), weight = weight * 1.1, \
             rating = rating / 3, flags = flags ^ b'101', stock = stock + 7 \
             WHERE id BETWEEN {first} AND {first} + 9"
        ))?;
        Ok(End::Commit)
    }

    fn change_attributes(&mut self, random: &mut Random) -> Result<End> {
        let product = self.any_product(random);
        let number = random.number();
        let value = if self.json {
            format!(
                "JSON_SET(attributes, '$.colour', 'crème', '$.views', {number}, '$.on', CAST(NOW(3) AS CHAR))"
            )
        } else {
            format!("'{{\"colour\": \"crème\", \"views\": {number}}}'")
        };
        self.run(format!(
            "UPDATE products SET attributes = {value} WHERE id = {product}"
        ))?;
        Ok(End::Commit)
    }

    /// Deletes over three tables, children first.
    fn cancel_order(&mut self, random: &mut Random) -> Result<End> {
        let Some(order) = self.some_order(random, "status <> 'sent'")? else {
            return Ok(End::Rollback);
        };
        self.run(format!("DELETE FROM payments WHERE order_id = {order}"))?;
        self.run(format!("DELETE FROM order_items WHERE order_id = {order}"))?;
        let deleted = self.run(format!("DELETE FROM orders WHERE id = {order}"))?;
        if deleted == 0 {
            return Ok(End::Rollback);
        }
        self.note("cancelled", order, "REPEAT('Grund ', 5)")?;
        Ok(End::Commit)
    }

    fn register(&mut self, random: &mut Random) -> Result<End> {
        let (one, two) = (random.number(), random.number());
        self.run(format!(
            "INSERT INTO customers (email, name, country, interests, birthday, avatar, created_at) VALUES \
             ('x{one:016x}@example.org', 'Új vevő 🙂', 'HU', {}, NULL, UNHEX('{one:016x}00'), NOW(3)), \
             ('x{two:016x}@example.org', '', 'CH', {}, '2000-02-29', '', NOW(3))",
            one % 32,
            two % 32
        ))?;
        Ok(End::Commit)
    }

    /// Other people's email addresses, and now and then another id for somebody new.
    fn change_customer_key(&mut self, random: &mut Random) -> Result<End> {
        let (customer, number) = (self.any_customer(random), random.number());
        self.run(format!(
            "UPDATE customers SET email = '{number:x}@example.com', tier = tier % 3 + 1 WHERE id = {customer}"
        ))?;
        let newest = self.number_of(format!(
            "SELECT id FROM customers WHERE id > {} ORDER BY id DESC LIMIT 1",
            self.customers
        ))?;
        if let Some(newest) = newest {
            self.run(format!(
                "UPDATE customers SET id = id + 3 WHERE id = {newest}"
            ))?;
        }
        Ok(End::Commit)
    }

    /// Equal rows in the table without a key.
    fn look_around(&mut self, random: &mut Random) -> Result<End> {
        let (page, number) = (random.below(1000), self.number);
        let row = format!("('2024-07-01 12:00:00', {number}, 'seen', {page}, 'page {page} 👀')");
        let rows = vec![row; 3].join(", ");
        self.run(format!(
            "INSERT INTO audit_log (at, writer, action, subject, detail) VALUES {rows}"
        ))?;
        Ok(End::Commit)
    }

    /// One of several equal rows is changed, another deleted.
    fn correct_log(&mut self, random: &mut Random) -> Result<End> {
        let page = random.below(1000);
        self.run(format!(
            "UPDATE audit_log SET detail = CONCAT(IFNULL(detail, ''), '!') \
             WHERE subject = {page} AND action = 'seen' LIMIT 1"
        ))?;
        self.run(format!(
            "DELETE FROM audit_log WHERE subject = {page} AND action = 'seen' LIMIT 1"
        ))?;
        Ok(End::Commit)
    }

    /// Half of it is taken back to a savepoint, and sometimes all.
    fn change_mind(&mut self, random: &mut Random) -> Result<End> {
        let product = self.any_product(random);
        self.run(format!(
            "UPDATE products SET stock = stock + 1 WHERE id = {product}"
        ))?;
        self.conn.query_drop("SAVEPOINT halfway")?;
        self.run(format!(
            "UPDATE products SET stock = -999 WHERE id BETWEEN {product} AND {product} + 20"
        ))?;
        self.note("mistake", product, "'must never be seen'")?;
        self.conn.query_drop("ROLLBACK TO SAVEPOINT halfway")?;
        if random.below(2) == 0 {
            return Ok(End::Rollback);
        }
        self.row_changes = 1;
        self.note("stock", product, "'one more'")?;
        Ok(End::Commit)
    }

    /// A value of up to 96 KiB with every byte in it.
    fn change_photo(&mut self, random: &mut Random) -> Result<End> {
        let product = self.any_product(random);
        let every_byte: String = (0..=u8::MAX).map(|byte| format!("{byte:02x}")).collect();
        let times = random.below(384);
        self.run(format!(
            "UPDATE products SET photo = REPEAT(x'{every_byte}', {times}) WHERE id = {product}"
        ))?;
        Ok(End::Commit)
    }

    /// An order near a random one.
    fn some_order(&mut self, random: &mut Random, condition: &str) -> Result<Option<u64>> {
        let last = self.number_of("SELECT MAX(id) FROM orders")?.unwrap_or(0);
        let near = random.between(1, last);
        self.number_of(format!(
            "SELECT id FROM orders WHERE id >= {near} AND {condition} ORDER BY id LIMIT 1"
        ))
    }
}

/// What happens to people who work at the same time: a key is taken, a lock is not to be had, a
/// row that another row refers to is gone or can't go.
fn is_expected(error: &Error) -> bool {
    let Error::MySql(mysql::Error::MySqlError(error)) = error else {
        return false;
    };
    matches!(error.code, 1062 | 1205 | 1213 | 1451 | 1452)
}
